"""What the assistant is asked, and what it comes to: the terms in which it and whoever asks it speak."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from escalade.assistant.retrieval import Passage
from escalade.domain.model import Citation, ConversationId, MessageId, OrganisationId, Reason, Role, SummaryBy
from escalade.domain.organisation import AssistantSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Something said before."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A customer's message, and what it is to be judged by.

    `history` is what was said since the assistant has had control: a person's answers are no failure of its own.
    """

    organisation: OrganisationId
    text: str
    history: tuple[Turn, ...] = ()
    locale: str | None = None
    settings: AssistantSettings = field(default_factory=AssistantSettings)
    conversation: ConversationId | None = None  # none: it is a trial
    message: MessageId | None = None
    aloud: Callable[[str, tuple[Citation, ...]], None] | None = None  # hears the answer grow, whole each time

    @property
    def said(self) -> tuple[str, ...]:
        """Give what the assistant has said before, in order."""
        return tuple(turn.text for turn in self.history if turn.role is Role.ASSISTANT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the message needs, and why. `text` is empty when a person is needed."""

    decision: Literal["answer", "escalate"]
    reason: Reason | None = None
    confidence: int = 0
    text: str = ""
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    evidence: str = ""
    summary: str = ""  # for the agent, where the language model gave one that says no more than the customer did
    summary_by: SummaryBy = SummaryBy.ASKER
