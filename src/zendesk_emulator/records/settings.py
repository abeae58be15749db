"""The switches of the account."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Settings:
    """Switches of the account; each is an option somewhere in a real Admin Center, or a guess made adjustable."""

    multi_conversations: bool = True
    end_session: bool = True
    conversation_control: str = "release"  # on close: "release" or "pass"
    inactive_after_minutes: float | None = None  # Zendesk: about 10; None: only by control call
    private_attachments: bool = True  # of messages
    private_ticket_files: bool = False  # of comments: their addresses ask for a signed-in agent
    conversation_id_in_events: bool = True
    messages_before_ticket_as_events: bool = False  # send message_added for the history a ticket starts with
    bot_ticket_loses_data_capture: bool = True
    agent_typing_events: bool = False
    trial_throttling: bool = False
    rate_limit: int = 700
    help_center_rate_limit: int = 700
    incremental_rate_limit: int = 10
    enforce_rate_limit: bool = False
    webhook_timeout_seconds: float = 12.0
    webhook_retry_seconds: float = 1.0  # first pause; doubles
    sunshine_timeout_seconds: float = 20.0
    sunshine_retry_seconds: float = 2.0  # first pause; times four
    event_delay_seconds: float = 0.0
    api_tokens_allowed: bool = True
    bot_name: str = "Answer Bot"
    messages_per_conversation: int = 30_000
