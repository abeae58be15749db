"""Try a question out: the same assistant and the same rules, on a conversation that is kept nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from escalade.assistant.answering import Assistant
from escalade.assistant.question import Question, Turn, Verdict
from escalade.domain.errors import Unavailable
from escalade.domain.events import HandoffAsked
from escalade.domain.model import Control, Conversation, ConversationId, Customer, CustomerId, HandoffId, Reason, Status
from escalade.domain.organisation import Organisation
from escalade.domain.policy import Policy
from escalade.domain.switchboard.rules import decide
from escalade.services.ports import Ports
from escalade.services.replier import HISTORY

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What would come of a question, and the words the customer would read."""

    verdict: Verdict
    reads: tuple[str, ...]


class Trial:
    """Asks the assistant, and does nothing about it."""

    def __init__(self, assistant: Assistant, ports: Ports) -> None:
        self._assistant = assistant
        self._ports = ports

    async def ask(
        self, organisation: Organisation, text: str, history: Sequence[Turn] = (), locale: str | None = None
    ) -> Tried:
        """Say what the assistant makes of a message after what was said before, of which it is told the end."""
        question = Question(
            organisation=organisation.id,
            text=text,
            history=tuple(history[-HISTORY:]),
            locale=locale,
            settings=organisation.settings.assistant,
        )
        try:
            verdict = await self._assistant.consider(question)
        except Unavailable:
            raise  # it is to be asked again in a moment
        except Exception as error:  # in a conversation it would go to a person for this
            log.exception("assistant_failed", organisation=organisation.id)
            verdict = Verdict(decision="escalate", reason=Reason.ERROR, evidence=type(error).__name__)
        reads = (verdict.text,) if verdict.decision == "answer" else self._announced(organisation, verdict)
        return Tried(verdict=verdict, reads=reads)

    def _announced(self, organisation: Organisation, verdict: Verdict) -> tuple[str, ...]:
        """Say what is told to a customer who is handed over; who is online is not asked."""
        now = self._ports.now()
        blank = Conversation(
            id=ConversationId(""),
            organisation=organisation.id,
            customer=Customer(id=CustomerId("")),
            status=Status.OPEN,
            control=Control.ASSISTANT,
            created_at=now,
            updated_at=now,
        )
        asked = HandoffAsked(id=HandoffId(""), reason=verdict.reason or Reason.NO_ANSWER)
        decision = decide(blank, asked, Policy.of(organisation.settings), now)
        return tuple(said.text for said in decision.says)
