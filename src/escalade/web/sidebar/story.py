"""What an agent is shown beside a ticket: why it came, what was said before, and how each message stands. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from escalade.domain.briefing import SUMMARY, Briefing, brief, listed
from escalade.domain.model import Conversation, DeliveryView, Handoff, Message, Notice, Role
from escalade.web.console import words
from escalade.web.console.words import Toned

MOST = 200  # messages of each part; the console has them all

DELIVERY: dict[DeliveryView, Toned] = {
    DeliveryView.PENDING: ("warn", "On its way to Zendesk"),
    DeliveryView.DELIVERED: ("good", "In Zendesk"),
    DeliveryView.FAILED: ("bad", "Not delivered; the customer was told"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message with how it stands."""

    message: Message
    who: str
    state: Toned | None

    @property
    def sources(self) -> list[tuple[int, str, str]]:
        """Give the articles it cites: number, title and address, which may be none."""
        return [
            (one.n, one.title, one.url if (one.url or "").startswith(("https://", "http://")) else "")  # type: ignore[misc]
            for one in self.message.citations
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything on the page."""

    conversation: Conversation
    handoff: Handoff
    briefing: Briefing
    before: list[Line]  # with the assistant
    since: list[Line]
    left_out: int  # messages before the first that is shown

    @property
    def facts(self) -> str:
        """Give what the customer gave, in a line."""
        return listed(self.briefing.facts)

    @property
    def summary_by(self) -> str:
        """Say whose summary it is."""
        return SUMMARY[self.handoff.summary_by]

    @property
    def state(self) -> Toned:
        """Say how the handoff stands."""
        return words.HANDOFF[self.handoff.state.value]


def tell(conversation: Conversation, handoff: Handoff, before: list[Message], since: list[Message]) -> Story:
    """Lay out what was said until a person was asked for, and from then on."""
    name = conversation.customer.name
    first = before[0].seq if before else handoff.asked_seq + 1
    after = since[0].seq if since else handoff.asked_seq + 1
    return Story(
        conversation=conversation,
        handoff=handoff,
        briefing=brief(handoff, before),
        before=[_line(one, name) for one in before if one.role is not Role.SYSTEM],
        since=[_line(one, name) for one in since],
        left_out=(first - 1) + (after - handoff.asked_seq - 1),
    )


def _line(message: Message, customer: str | None) -> Line:
    match message.role:
        case Role.CUSTOMER:
            who, state = customer or "Customer", DELIVERY.get(message.delivery)
        case Role.ASSISTANT:
            who, state = "Assistant (AI)", None
        case Role.AGENT:
            who, state = message.name or "Agent", ("good", "Shown in the chat")
        case _:
            who, state = "Notice", None
    if message.notice is Notice.ANNOUNCEMENT:
        who = "Automatic message"
    return Line(message=message, who=who, state=state)
