"""A fake Zendesk anyone can run: Support, Sunshine Conversations, webhooks, triggers, an agent desk."""
