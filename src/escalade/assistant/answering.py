"""Decide what a customer's message needs: an answer from the knowledge, a courtesy, or a person.

An answer is whole sentences of one article, unchanged and cited; nothing is ever invented. When the evidence is
weaker than the organisation demands, the decision is to stop answering. Saying so to the customer is not ours: that
is done once the handoff is durable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from escalade.assistant.composer import Composer
from escalade.assistant.confidence import confidence
from escalade.assistant.courtesy import courtesy
from escalade.assistant.extract import extract
from escalade.assistant.intent import asks_for_person, says_unhelpful
from escalade.assistant.language import guess_language
from escalade.assistant.retrieval import Knowledge, Passage
from escalade.assistant.words import stem, words
from escalade.domain.model import Citation, OrganisationId, Reason, Role
from escalade.domain.organisation import AssistantSettings

__all__ = ["Assistant", "AssistantSettings", "Question", "Turn", "Verdict"]

SHOWN = 5  # passages kept as evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Something said before."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A customer's message, and what it is to be judged by."""

    organisation: OrganisationId
    text: str
    history: tuple[Turn, ...] = ()
    locale: str | None = None
    settings: AssistantSettings = field(default_factory=AssistantSettings)
    aloud: Callable[[str, tuple[Citation, ...]], None] | None = None  # hears the answer grow, whole each time


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


class Assistant:
    """The assistant: it finds, quotes, and knows when to stop.

    With a language model, that puts the answer together from what was found; the rules before it are the same.
    """

    def __init__(self, knowledge: Knowledge, composer: Composer | None = None) -> None:
        self._knowledge = knowledge
        self._composer = composer

    async def consider(self, question: Question) -> Verdict:
        """Decide about a message; the first rule that speaks wins.

        1. Who asks for a person gets one, in any language and whatever the settings.
        2. A topic the organisation keeps for people goes to people.
        3. "That did not help" goes to people, once something was answered.
        4. A courtesy gets a courtesy.
        5. An answer that is sure enough is given; anything else goes to people.
        """
        settings = question.settings
        wish = asks_for_person(question.text)
        if wish:
            return Verdict(decision="escalate", reason=Reason.ASKED_FOR_PERSON, confidence=100, evidence=wish)
        topic = _topic(question.text, settings.always_escalate_topics)
        if topic:
            return Verdict(decision="escalate", reason=Reason.TOPIC, confidence=100, evidence=topic)
        complaint = says_unhelpful(question.text)
        if complaint and any(turn.role is Role.ASSISTANT for turn in question.history):
            return Verdict(decision="escalate", reason=Reason.UNHELPFUL, confidence=100, evidence=complaint)
        if not settings.enabled:
            return Verdict(decision="escalate", reason=Reason.NO_ANSWER, evidence="the assistant is switched off")
        polite = courtesy(question.text)
        if polite is not None:
            return Verdict(decision="answer", confidence=100, text=polite)
        return await self._from_knowledge(question)

    async def _from_knowledge(self, question: Question) -> Verdict:
        settings = question.settings
        passages = tuple(await self._knowledge.search(question.organisation, question.text, SHOWN))
        sure = confidence(passages)
        spoken = guess_language(question.text)
        allowed = {language.lower().split("-")[0] for language in settings.languages}
        if spoken is not None and allowed and spoken not in allowed:
            why = f"the question is in a language that is not switched on ({spoken})"
            return _no_answer(sure, passages, why)
        quoted = _quoted(question, passages, sure)
        return quoted if self._composer is None else await self._composer.compose(question, quoted)


def _quoted(question: Question, passages: tuple[Passage, ...], sure: int) -> Verdict:
    """Quote the best passage, if that is sure enough."""
    settings = question.settings
    if not passages:
        return _no_answer(0, passages, "nothing in the knowledge speaks to it")
    if sure < settings.minimum_confidence:
        return _no_answer(sure, passages, f"confidence {sure} is below {settings.minimum_confidence}")
    best = passages[0]
    text = extract(best, question.text, number=1)
    if not text:
        return _no_answer(sure, passages, "the passage holds no sentence to quote")
    cited = Citation(n=1, title=best.title, url=best.url, source_id=best.source_id)
    return Verdict(
        decision="answer", confidence=sure, text=text, citations=(cited,), passages=passages, evidence=best.title
    )


def _no_answer(sure: int, passages: tuple[Passage, ...], why: str) -> Verdict:
    return Verdict(decision="escalate", reason=Reason.NO_ANSWER, confidence=sure, passages=passages, evidence=why)


def _topic(text: str, topics: tuple[str, ...]) -> str:
    """Give the topic whose words all stand in a text, or nothing."""
    said = {stem(word) for word in words(text)}
    for topic in topics:
        wanted = {stem(word) for word in words(topic)}
        if wanted and wanted <= said:
            return topic
    return ""
