"""Zendesk Support: tickets, set-up and the help centre."""
