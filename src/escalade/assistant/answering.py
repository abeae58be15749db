"""Decide what a customer's message needs: an answer from the knowledge, a courtesy, or a person.

An answer is whole sentences of one article, unchanged and cited; nothing is ever invented. When the evidence is
weaker than the organisation demands, or what is said does not help, the decision is to stop answering. Saying so to the
customer is not ours: that is done once the handoff is durable.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Protocol

import structlog

from escalade.assistant import again
from escalade.assistant.composer import Composer
from escalade.assistant.confidence import confidence
from escalade.assistant.courtesy import courtesy
from escalade.assistant.extract import extract
from escalade.assistant.intent import asks_for_person
from escalade.assistant.language import guess_language
from escalade.assistant.moods import says_unhelpful, sounds_fed_up
from escalade.assistant.question import Question, Verdict
from escalade.assistant.retrieval import Knowledge, Passage, query_terms
from escalade.assistant.words import stem, words
from escalade.domain.errors import Unavailable
from escalade.domain.model import Citation, Reason, Role

log = structlog.get_logger()

SHOWN = 5  # passages kept as evidence
COMPLAINTS = 2  # of answers that did not help, until a person is needed
TIMES = 3  # that the same answer would be given, until a person is needed
_PARTS = re.compile(r"[.,;:!?\n]")
_CUT = "\0"
A_QUESTION = 3  # words that stand beside a complaint


class Bot(Protocol):
    """A bot of an organisation's own, which answers in the assistant's place."""

    async def answer(self, question: Question) -> Verdict:
        """Have it answer, or say that a person must."""
        ...


class Assistant:
    """The assistant: it finds, quotes, and knows when to stop.

    With a language model, that puts the answer together from what was found; the rules before it are the same.
    """

    def __init__(self, knowledge: Knowledge, composer: Composer | None = None, bot: Bot | None = None) -> None:
        self._knowledge = knowledge
        self._composer = composer
        self._bot = bot

    async def consider(self, question: Question) -> Verdict:
        """Decide about a message; the first rule that speaks wins.

        1. Who asks for a person gets one, in any language and whatever the settings.
        2. A topic the organisation keeps for people goes to people.
        3. Who has had enough goes to people.
        4. "That did not help" goes to people the second time; the first time what else was asked is answered.
        5. An own bot has the word from here on.
        6. A courtesy gets a courtesy.
        7. An answer that is sure enough is given; anything else goes to people.
        8. No answer is given twice running; whoever would get it a third time, or again after it did not help, goes to
           people.
        """
        earlier, complaint = _complaints(question)
        ruled = _by_rule(question, earlier, complaint)
        if ruled is not None:
            return ruled
        if not question.settings.enabled:
            return Verdict(decision="escalate", reason=Reason.NO_ANSWER, evidence="the assistant is switched off")
        if question.settings.bot.url and self._bot is not None:
            return await self._bot.answer(question)
        if complaint:
            asked = _beside(complaint, question.text)
            if not asked:
                return Verdict(decision="answer", confidence=100, text=again.sorry(_spoken(question)))
            question = replace(question, text=asked)
        polite = courtesy(question.text)
        if polite is not None:
            text = again.here(_spoken(question)) if question.said[-1:] == (polite,) else polite
            return Verdict(decision="answer", confidence=100, text=text)
        try:
            verdict = await self._from_knowledge(question)
        except Unavailable:
            raise  # it is to be asked again in a moment
        except Exception as error:
            log.exception("knowledge_failed", organisation=question.organisation)
            why = f"the knowledge could not be searched ({type(error).__name__})"
            return Verdict(decision="escalate", reason=Reason.ERROR, evidence=why)
        if complaint and verdict.reason is Reason.NO_ANSWER:
            return replace(verdict, reason=Reason.UNHELPFUL, evidence=complaint)
        return _not_again(question, verdict, unhelped=bool(earlier or complaint))

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


def _a_person(reason: Reason, evidence: str) -> Verdict:
    return Verdict(decision="escalate", reason=reason, confidence=100, evidence=evidence)


def _no_answer(sure: int, passages: tuple[Passage, ...], why: str) -> Verdict:
    return Verdict(decision="escalate", reason=Reason.NO_ANSWER, confidence=sure, passages=passages, evidence=why)


def _by_rule(question: Question, earlier: list[str], complaint: str) -> Verdict | None:
    """Decide what needs no look into the knowledge: who must go to people."""
    wish = asks_for_person(question.text)
    if wish:
        return _a_person(Reason.ASKED_FOR_PERSON, wish)
    topic = _topic(question.text, question.settings.always_escalate_topics)
    if topic:
        return _a_person(Reason.TOPIC, topic)
    anger = sounds_fed_up(question.text)
    if anger:
        return _a_person(Reason.FRUSTRATION, anger)
    if complaint and len(earlier) + 1 >= COMPLAINTS:
        return _a_person(Reason.UNHELPFUL, "”, then “".join([*earlier[1 - COMPLAINTS :], complaint]))
    return None


def _complaints(question: Question) -> tuple[list[str], str]:
    """Give the words that say an answer did not help: of every earlier message after an answer, and of this one."""
    earlier: list[str] = []
    answered = False
    for turn in question.history:
        if turn.role is Role.ASSISTANT:
            answered = True
        elif answered and turn.role is Role.CUSTOMER and (said := says_unhelpful(turn.text)):
            earlier.append(said)
    return earlier, says_unhelpful(question.text) if answered else ""


def _beside(complaint: str, text: str) -> str:
    """Give what else a message asks: the parts of its sentences that are no complaint, or nothing."""
    parts = [part for part in _PARTS.split(text.replace(complaint, f" {_CUT} ")) if _CUT not in part]
    asked = ". ".join(part.strip() for part in parts if part.strip())
    return asked if len(asked.split()) >= A_QUESTION and query_terms(asked) else ""


def _not_again(question: Question, verdict: Verdict, *, unhelped: bool) -> Verdict:
    """Turn an answer that would be the same again into a pointer to it; the third time, or `unhelped`, to a person."""
    if verdict.decision != "answer":
        return verdict
    title = verdict.citations[0].title
    before = again.given(verdict.text, title, question.said)
    if before >= (1 if unhelped else TIMES - 1):
        why = "it did not help, and the answer would be the same again" if unhelped else "the same answer a third time"
        why = f"{why}: {title}"
        return replace(verdict, decision="escalate", reason=Reason.LOOP, text="", citations=(), evidence=why)
    if before and again.given(verdict.text, title, question.said[-1:]):
        return replace(verdict, text=again.above(title, _spoken(question)))
    return verdict


def _spoken(question: Question) -> str:
    """Say which language to speak: the message's, the customer's, or the organisation's first."""
    asked = (question.text, " ".join(turn.text for turn in question.history if turn.role is Role.CUSTOMER))
    heard = next(filter(None, map(guess_language, asked)), None)
    chosen = heard or question.locale or next(iter(question.settings.languages), "en")
    return chosen.lower().replace("_", "-").split("-")[0]


def _topic(text: str, topics: tuple[str, ...]) -> str:
    """Give the topic whose words all stand in a text, or nothing."""
    said = {stem(word) for word in words(text)}
    for topic in topics:
        wanted = {stem(word) for word in words(topic)}
        if wanted and wanted <= said:
            return topic
    return ""
