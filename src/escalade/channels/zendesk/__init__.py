"""Zendesk Support: tickets, comments, notes, and who is on duty."""
