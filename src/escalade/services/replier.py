"""The assistant's turn: give it the question and what was said before, and turn its verdict into an event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from escalade.assistant.answering import Assistant
from escalade.assistant.question import Question, Turn, Verdict
from escalade.channels.base import Account
from escalade.domain import policy as words
from escalade.domain.events import AssistantSaid, Event, HandoffAsked, Unknown
from escalade.domain.model import Citation, Conversation, HandoffId, Message, MessageId, Reason, Role
from escalade.domain.transcript import says_something
from escalade.services.bell import Bell, Draft
from escalade.services.ports import Ports
from escalade.services.wanted import wanted
from escalade.store import conversations, messages
from escalade.store.database import Database

log = structlog.get_logger()

HISTORY = 12  # messages before the question

Staffed = Callable[[Account], Awaitable[bool | None]]


class AssistantReplier:
    """Answers for the assistant. Without a bell nobody listens: what is asked then is a trial."""

    def __init__(
        self, database: Database, ports: Ports, assistant: Assistant, staffed: Staffed, bell: Bell | None = None
    ) -> None:
        self._bell = bell
        self._database = database
        self._ports = ports
        self._assistant = assistant
        self._staffed = staffed

    async def reply(self, account: Account, conversation: Conversation, question: Message) -> Event:
        """Say what the assistant makes of a message: an answer, or that a person must."""
        if not question.text:
            return await self._about_files(account, conversation, question)
        try:
            verdict = await self._assistant.consider(await self._question(account, conversation, question))
            _check(verdict)
        except Exception as error:
            log.exception("assistant_failed", conversation=conversation.id)
            return await self._hand_off(account, conversation, question, Reason.ERROR, type(error).__name__)
        if not account.settings.assistant.enabled and not self._must_hand_off(conversation, verdict):
            return Unknown(kind="the assistant is switched off")
        if verdict.decision == "escalate" or not account.settings.assistant.enabled:
            reason = verdict.reason or Reason.NO_ANSWER
            asked = await self._hand_off(account, conversation, question, reason, verdict.evidence)
            return replace(asked, summary=verdict.summary, summary_by=verdict.summary_by)
        return AssistantSaid(
            id=_answer_to(question.id),
            text=verdict.text,
            name="Assistant",
            citations=verdict.citations,
            answers=question.id,
        )

    async def _about_files(self, account: Account, conversation: Conversation, question: Message) -> Event:
        """Answer a message of files alone: we cannot look into them, a person can."""
        if account.settings.assistant.enabled:
            id = _answer_to(question.id)
            said = (await self._question(account, conversation, question)).said
            text = words.FILES_AGAIN if said[-1:] == (words.FILES_ALONE,) else words.FILES_ALONE
            return AssistantSaid(id=id, text=text, name="Assistant", answers=question.id)
        if conversation.customer.is_visitor:
            return await self._hand_off(account, conversation, question, Reason.NO_ANSWER, "")
        return Unknown(kind="the assistant is switched off")

    @staticmethod
    def _must_hand_off(conversation: Conversation, verdict: Verdict) -> bool:
        """Say whether a person must come although the assistant is off: asked for, or nobody else is there.

        Whoever opens conversations through the API answers them, unless the customer asks for a person.
        """
        return verdict.reason is Reason.ASKED_FOR_PERSON or conversation.customer.is_visitor

    async def _question(self, account: Account, conversation: Conversation, question: Message) -> Question:
        """Put the question with what was said since the assistant has had control.

        What led to people before, and what people said, is over: nobody is handed over again because of it.
        """
        after = max(conversation.people_had_it_until, question.seq - 1 - HISTORY)
        before = await self._database.read(
            lambda tx: messages.of(tx, conversation.organisation, conversation.id, after=after, limit=HISTORY)
        )
        history = tuple(
            Turn(role=message.role, text=message.text)
            for message in before
            if message.seq < question.seq and message.role is not Role.SYSTEM
        )
        return Question(
            organisation=conversation.organisation,
            text=question.text,
            history=history,
            locale=conversation.customer.locale,
            settings=account.settings.assistant,
            conversation=conversation.id if self._bell else None,
            message=question.id if self._bell else None,
            aloud=self._voice(conversation, question) if self._bell else None,
        )

    def _voice(self, conversation: Conversation, question: Message) -> Callable[[str, tuple[Citation, ...]], None]:
        """Give what shows the answer to the conversation's readers as it grows."""
        topic = conversations.topic(conversation.organisation, conversation.id)

        def show(text: str, citations: tuple[Citation, ...]) -> None:
            assert self._bell is not None
            self._bell.draft(topic, Draft(id=_answer_to(question.id), text=text, citations=citations))

        return show

    async def _hand_off(
        self,
        account: Account,
        conversation: Conversation,
        question: Message,
        reason: Reason,
        evidence: str,
    ) -> HandoffAsked:
        return HandoffAsked(
            id=HandoffId(self._ports.new_id()),
            reason=reason,
            staffed=await self._staffed(account),
            evidence=evidence,
            about=question.id,
            wanted=await wanted(self._database, conversation),
            answers=question.id,
        )


def _answer_to(question: MessageId) -> MessageId:
    return MessageId(f"answer-{question}")


def _check(verdict: Verdict) -> None:
    """Take nothing for an answer that is none."""
    if verdict.decision not in {"answer", "escalate"}:
        raise ValueError("neither an answer nor a person")
    if verdict.decision == "answer" and not says_something(verdict.text):
        raise ValueError("an answer without words")
