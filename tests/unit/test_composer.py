"""A model's answer is read claim by claim, however its words come, and how sure one may be is not for it to say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from tests.knowledge import Shelf
from tests.puppet import Puppet, says

from escalade.assistant.answering import Assistant
from escalade.assistant.budget import Budget
from escalade.assistant.composer import Composer
from escalade.assistant.language_model import Call
from escalade.assistant.question import Question, Turn, Verdict
from escalade.assistant.retrieval import Passage
from escalade.domain.model import Citation, OrganisationId, Reason, Role
from escalade.domain.organisation import AssistantSettings

ASKED = "How do I cancel my order?"


def passage(source: str, text: str, title: str, score: float = 0.9) -> Passage:
    return Passage(
        document=source, source_id=source, title=title, url=None, heading="", text=text, score=score, coverage=score,
        focus=score,
    )  # fmt: skip


class Row:
    """Knowledge that gives the passages whose title is in the query, or the same ones for everything."""

    def __init__(self, *passages: Passage, named: bool = False) -> None:
        self._passages = passages
        self._named = named
        self.asked: list[str] = []

    async def search(self, organisation: OrganisationId, text: str, limit: int) -> list[Passage]:
        self.asked.append(text)
        return [it for it in self._passages if not self._named or it.title.lower() in text.lower()][:limit]


THREE = Row(
    passage("a.md", "Apples are red.", "Apples"),
    passage("a.md", "Apples keep for a week.", "Apples"),
    passage("b.md", "Pears are green.", "Pears"),
)


async def ask(
    model: Puppet,
    knowledge: Any,
    text: str = ASKED,
    *,
    history: tuple[Turn, ...] = (),
    minimum: int = 0,
    heard: list[str] | None = None,
) -> Verdict:
    def aloud(shown: str, _citations: tuple[Citation, ...]) -> None:
        if heard is not None:
            heard.append(shown)

    question = Question(
        organisation=OrganisationId("org_1"),
        text=text,
        history=history,
        aloud=aloud,
        settings=AssistantSettings(minimum_confidence=minimum),
    )
    return await Assistant(knowledge, Composer(model, knowledge)).consider(question)


def cut(text: str, size: int) -> Sequence[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 10_000])
async def test_an_answer_is_the_same_however_its_words_come(size: int) -> None:
    heard: list[str] = []
    said = "Pears are green [3]. Apples are red. Apples keep for a week. [1], [2]\n\n- Apples are red [1]\n- Pears. [3]"
    verdict = await ask(says(*cut(said, size)), THREE, heard=heard)
    first, second = (
        "Pears are green [1]. Apples are red. Apples keep for a week. [2]",
        "- Apples are red [2]\n- Pears. [1]",
    )
    assert verdict.text == f"{first}\n\n{second}"
    assert [(it.n, it.source_id) for it in verdict.citations] == [(1, "b.md"), (2, "a.md")]
    assert heard[-1] == verdict.text
    assert all(verdict.text.startswith(shown) for shown in heard)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Apples are red. [1] Enjoy!", "its last words cite nothing"),
        ("Apples are red.", "its last words cite nothing"),
        ("Apples are red. [4]", "it cites nothing it was shown"),
        ("Apples are red. [0]", "it cites nothing it was shown"),
        ("Apples are red. [1, 9]", "it cites nothing it was shown"),
        ("Apples are red. [1][3]", "it cites a passage for what that does not say"),
        ("Apples are blue. [1]", "it says what its passages do not"),
        ("[1] Apples are red.", "it says nothing"),
        ("Apples are red [1](https://evil.example)", "its last words cite nothing"),
    ],
)
async def test_what_does_not_stand_gives_way_to_the_quotation(said: str, why: str) -> None:
    verdict = await ask(says(*cut(said, 4)), THREE)
    assert (verdict.decision, verdict.text) == ("answer", "Apples are red. [1]")
    assert verdict.evidence == f"Apples; the model's answer was not shown: {why}"


async def test_where_too_little_was_found_the_model_is_not_asked() -> None:
    model = says("Apples are red. [1]")
    verdict = await ask(model, Row(), minimum=50)
    assert (verdict.reason, model.asked) == (Reason.NO_ANSWER, [])


BEFORE = (Turn(role=Role.CUSTOMER, text="Tell me about apples"), Turn(role=Role.ASSISTANT, text="Apples are red. [1]"))


@pytest.mark.parametrize(
    ("query", "decision"),
    [
        ("apples keep", "answer"),  # the question's word, completed by what was said before
        ("keep", "escalate"),
        ("apples", "escalate"),  # a word of the question is missing
        ("apples keep pears", "escalate"),  # nobody has spoken of pears
    ],
)
async def test_a_question_may_be_completed_by_what_the_customer_said_before_and_nothing_else(
    query: str, decision: str
) -> None:
    knowledge = Row(passage("a.md", "Apples keep for a week.", "Apples"), named=True)
    call = Call(id="1", name="search_knowledge", arguments={"query": query})
    model = Puppet(lambda _instructions, _asked: [(call,), ("Apples keep for a week. [1]",)])
    heard: list[str] = []
    verdict = await ask(model, knowledge, "How long do they keep?", history=BEFORE, minimum=80, heard=heard)
    assert verdict.decision == decision
    assert knowledge.asked == ["How long do they keep?", query]
    assert bool(heard) is (decision == "answer")  # what is not sure enough is not shown in the meantime either


@pytest.mark.parametrize(("query", "decision"), [("green apples", "answer"), ("apples", "escalate")])
async def test_a_question_about_nothing_is_about_all_that_was_said_last(query: str, decision: str) -> None:
    knowledge = Row(passage("a.md", "Apples keep for a week.", "Apples"), named=True)
    call = Call(id="1", name="search_knowledge", arguments={"query": query})
    model = Puppet(lambda _instructions, _asked: [(call,), ("Apples keep for a week. [1]",)])
    before = (Turn(role=Role.CUSTOMER, text="Tell me about green apples"), BEFORE[1])
    assert (await ask(model, knowledge, "And how?", history=before, minimum=80)).decision == decision


async def test_when_its_hour_is_full_the_model_is_not_asked_and_the_article_is_quoted() -> None:
    clock = [0]
    model = says("Apples keep for a week. [2]")
    assistant = Assistant(THREE, Composer(model, THREE, budget=Budget(2, lambda: clock[0])))

    async def asked(organisation: str) -> str:
        settings = AssistantSettings(minimum_confidence=0)
        question = Question(organisation=OrganisationId(organisation), text=ASKED, settings=settings)
        return (await assistant.consider(question)).evidence

    assert [await asked("org_1") for _ in range(3)][2] == "Apples; the model was not asked: its hour is full"
    assert await asked("org_2") == "Apples"  # another's hour is its own
    assert len(model.asked) == 3
    clock[0] = 3_600_000
    assert await asked("org_1") == "Apples"
    assert len(model.asked) == 4


async def test_rules_come_before_the_model() -> None:
    model = says("Apples are red. [1]")
    assert (await ask(model, THREE, "I want to talk to a human")).reason is Reason.ASKED_FOR_PERSON
    assert (await ask(model, THREE, "That did not help", history=BEFORE)).citations == ()
    assert (await ask(model, THREE, "Thank you!")).citations == ()
    assert model.asked == []


async def test_passages_found_later_go_on_counting_and_none_is_shown_twice() -> None:
    call = Call(id="1", name="search_knowledge", arguments='{"query": "order"}')
    model = Puppet(lambda _instructions, _asked: [(call,), ("You get an email. [1]",)])
    await ask(model, Shelf())
    ((_, found),) = model.given[0]
    first = json.loads(model.asked[0])["passages"]
    again = json.loads(found)
    assert [it["n"] for it in first] == list(range(1, len(first) + 1))
    assert {it["text"]: it["n"] for it in again}.items() >= {it["text"]: it["n"] for it in first if it in again}.items()
