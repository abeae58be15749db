"""An organisation's own bot, asked in the place of the knowledge: its answer, its wish for a person, or its trouble."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from escalade.assistant.question import Question, Verdict
from escalade.channels.base import BotAccount, BotReply
from escalade.domain.errors import DeliveryError, NotFound
from escalade.domain.model import Citation, Reason
from escalade.services.accounts import Accounts
from escalade.services.ports import Ports
from escalade.store import organisations
from escalade.store.database import Database, Tx


class Line(Protocol):
    """The way to a bot."""

    async def ask(
        self,
        bot: BotAccount,
        id: str,
        question: Mapping[str, Any],
        aloud: Callable[[str, tuple[Citation, ...]], None] | None = None,
    ) -> BotReply:
        """Ask once, and hear the answer grow; raises a `DeliveryError` where there is none that can be used."""
        ...


class OwnBot:
    """Every organisation's own bot."""

    def __init__(self, database: Database, ports: Ports, accounts: Accounts, line: Line) -> None:
        self._database = database
        self._ports = ports
        self._accounts = accounts
        self._line = line

    async def answer(self, question: Question) -> Verdict:
        """Have the bot answer. What it says is the organisation's own word: it is shown as it is."""
        bot = await self._database.read(lambda tx: self._account(tx, question))
        if bot is None:
            return _failed("no secret to sign with")
        # The same question has the same id, however often it is asked: a bot may know it again.
        id = f"{question.conversation}.{question.message}" if question.message else self._ports.new_id()
        try:
            reply = await self._line.ask(bot, id, _asked(question), question.aloud)
        except DeliveryError as error:
            return _failed(error.detail)
        if reply.reason is not None:
            why = "your bot asks for a person"
            return Verdict(decision="escalate", reason=reply.reason, evidence=why, summary=reply.summary)
        if not reply.text.strip():
            return _failed("it said nothing")
        return Verdict(
            decision="answer", confidence=100, text=reply.text, citations=reply.citations, evidence="your bot"
        )

    def _account(self, tx: Tx, question: Question) -> BotAccount | None:
        found = organisations.load(tx, question.organisation)
        if found is None:
            raise NotFound("no such organisation")
        return self._accounts.account(tx, found).bot


def _failed(why: str) -> Verdict:
    return Verdict(decision="escalate", reason=Reason.ERROR, evidence=f"your bot did not answer: {why}"[:300])


def _asked(question: Question) -> dict[str, Any]:
    return {
        "organisation": question.organisation,
        "conversation": question.conversation,
        "message": {"id": question.message, "text": question.text},
        "history": [{"role": turn.role.value, "text": turn.text} for turn in question.history],
        "locale": question.locale,
    }
