"""The part of an organisation's choices that the switchboard needs, and the words it says to customers."""

from __future__ import annotations

from dataclasses import dataclass

from escalade.domain.model import Ending
from escalade.domain.organisation import OnInactive, RolloutMode, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What `decide` may and must do for one organisation."""

    zendesk_connected: bool = True
    live_enabled: bool = False
    require_online_agent: bool = True
    answer_within_s: int = 180
    on_session_inactive: OnInactive = OnInactive.CLOSE

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        """Draw the policy from the settings tree."""
        return cls(
            zendesk_connected=settings.zendesk.is_connected and settings.rollout.mode is not RolloutMode.OFF,
            live_enabled=settings.live.enabled and settings.rollout.mode is RolloutMode.EVERYONE,
            require_online_agent=settings.live.require_online_agent,
            answer_within_s=settings.live.answer_within_s,
            on_session_inactive=settings.live.on_session_inactive,
        )


ASKED_LIVE = "I am connecting you with our team. You can keep writing; everything reaches them in order."
ASKED_TICKET = "I am passing this to our team. You can keep writing; they will read all of it."
NOT_CONNECTED = "I would pass this to a person, but our team cannot be reached from here yet. Please try again later."
QUEUED = "Our team has your conversation. Someone will answer here."
TICKET = "Your request is with our team as number {ticket}. The answer will appear here."
TICKET_MOVED = "Your request goes on with our team as number {ticket}. The answer will appear here."
LIVE_FAILED = "Live chat is not available right now, so I am opening a request for our team instead."
FAILED = "We could not reach our team. Nothing you wrote is lost; please try again, or leave a message."
ASYNCHRONOUS = (
    "Nobody has been able to answer yet. Your request stays open with our team, "
    "and this chat goes on as soon as someone writes."
)
STILL_TRYING = "We are still trying to reach our team. Nothing you wrote is lost; it goes on as soon as we can."
DELAYED = "What you wrote has not reached our team yet. Nothing is lost; it goes on as soon as they can be reached."
RATHER_LEAVE = "You need not wait. Your request stays with our team, and the answer will appear here."
MOVED_ON = "Your request with our team takes no more messages."
FOLLOW_UP = (
    "I am opening a new one for what you wrote; whoever takes it sees what came before. You can keep writing; "
    "everything reaches them in order."
)
JOINED = "{name} joined the chat."
CHANGED = "{name} is now with you."
NOT_DELIVERED = "Your message “{text}” did not reach our team: {why}."
FILES_ALONE = (
    "Thank you, I have kept that. I cannot look into files myself: tell me in words what it is about, or ask for a "
    "person, who will see what you have sent."
)
FILES_AGAIN = "I have kept that as well. A person will see all of it, as soon as you ask for one."
FILES_NOT_DELIVERED = (
    "Your message reached our team, but not what came with it: {names}. They know that something is missing; "
    "you can send it as another kind of file."
)
BACK = "You are back with the assistant. Ask for a person at any time."
CLOSED_BY_CUSTOMER = "This conversation is closed."

ENDED: dict[Ending, str] = {
    Ending.BY_AGENT: "The agent ended this chat. Ask a new question here, or ask for a person to carry on.",
    Ending.INACTIVE: (
        "This chat was closed because it had been quiet for a while. Ask for a person to carry on where you left off."
    ),
    Ending.BY_CUSTOMER: "You left the chat. Ask a new question here, or ask for a person to carry on.",
    Ending.CLOSED: "Your request was closed. Ask a new question here, or ask for a person if it is not solved.",
    Ending.UNKNOWN: "This chat has ended. Ask a new question here, or ask for a person to carry on.",
}
