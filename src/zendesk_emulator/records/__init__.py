"""The things a Zendesk account holds, as plain mutable records; behaviour lives elsewhere.

Ids keep Zendesk's types: integers on the Support side, ULIDs for webhooks, 24 hex digits on the Sunshine side.
"""
