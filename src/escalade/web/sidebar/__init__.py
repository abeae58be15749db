"""The page in the ticket sidebar of Zendesk's agent workspace."""
