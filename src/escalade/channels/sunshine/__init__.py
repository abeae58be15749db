"""Sunshine Conversations: live messages, and who has control of them."""
