"""The assistant answers from what it found, word for word, and knows when to stop."""

from __future__ import annotations

import pytest
from tests.knowledge import ARTICLE, Shelf

from escalade.assistant.answering import Assistant, AssistantSettings, Question, Turn, Verdict
from escalade.assistant.courtesy import courtesy
from escalade.assistant.language import guess_language
from escalade.domain.model import OrganisationId, Reason, Role


async def ask(text: str, *, history: tuple[Turn, ...] = (), **settings: object) -> Verdict:
    question = Question(
        organisation=OrganisationId("org_1"),
        text=text,
        history=history,
        settings=AssistantSettings(**settings),  # type: ignore[arg-type]
    )
    return await Assistant(Shelf()).consider(question)


async def test_a_plain_question_is_answered_with_the_steps_and_a_citation() -> None:
    verdict = await ask("How do I cancel my order?")
    assert verdict.decision == "answer"
    assert verdict.text == ("1. Open your orders.\n2. Select Cancel order and confirm.\n\nYou get an email. [1]")
    (citation,) = verdict.citations
    assert (citation.n, citation.source_id, citation.url) == (1, "cancel.md", "https://help.example/cancel")
    assert verdict.confidence >= 90


async def test_every_sentence_of_an_answer_stands_in_the_article() -> None:
    verdict = await ask("How long does the refund of a cancelled order take?", minimum_confidence=0)
    for sentence in verdict.text.removesuffix(" [1]").split(". "):
        assert sentence.strip(". ") in ARTICLE.replace("**", "")
    assert "three to five working days" in verdict.text


async def test_a_question_nobody_wrote_about_goes_to_people_with_what_was_found() -> None:
    verdict = await ask("Can I cancel my passport?")
    assert (verdict.decision, verdict.reason, verdict.text) == ("escalate", Reason.NO_ANSWER, "")
    assert verdict.confidence < 90
    assert verdict.passages


async def test_who_asks_for_a_person_gets_one_whatever_the_settings() -> None:
    for settings in ({}, {"enabled": False}, {"languages": ("fr",)}, {"always_escalate_topics": ("human",)}):
        verdict = await ask("I want to talk to a human", **settings)
        assert verdict.reason is Reason.ASKED_FOR_PERSON
        assert verdict.evidence == "talk to a human"


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("What about my chargebacks?", "chargeback"),
        ("There was a breach of my data", "data breach"),
        ("How do I cancel my order?", ""),
    ],
)
async def test_a_topic_kept_for_people_goes_to_people(text: str, topic: str) -> None:
    verdict = await ask(text, always_escalate_topics=("chargeback", "data breach", "  "))
    assert (verdict.reason is Reason.TOPIC) is bool(topic)
    if topic:
        assert verdict.evidence == topic


async def test_an_answer_that_did_not_help_goes_to_people_once_there_was_one() -> None:
    answered = (Turn(role=Role.ASSISTANT, text="…"),)
    assert (await ask("That did not help", history=answered)).reason is Reason.UNHELPFUL
    assert (await ask("That did not help")).reason is Reason.NO_ANSWER


async def test_an_assistant_that_is_switched_off_answers_nothing() -> None:
    assert (await ask("How do I cancel my order?", enabled=False)).decision == "escalate"


async def test_a_language_that_is_not_switched_on_is_not_answered() -> None:
    assert (await ask("How do I cancel my order?", languages=("de",))).decision == "escalate"
    assert (await ask("How do I cancel my order?", languages=("de", "en-GB"))).decision == "answer"


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("Hi", "Hello!"),
        ("hello there!!", "Hello!"),
        ("Thanks a lot :)", "You are welcome"),
        ("ok thank you, bye", "Thank you for your visit"),
        ("Guten Tag", "Guten Tag!"),
        ("merci beaucoup", "Avec plaisir"),
        ("dziękuję", "Proszę bardzo"),
        ("Are you a bot?", "I am an automated assistant"),
        ("I have a question", "Of course"),
    ],
)
async def test_a_courtesy_is_answered_in_kind_and_cites_nothing(text: str, begins: str) -> None:
    verdict = await ask(text)
    assert (verdict.decision, verdict.confidence, verdict.citations) == ("answer", 100, ())
    assert verdict.text.startswith(begins)


@pytest.mark.parametrize("text", ["Hi, where is my order?", "thanks for nothing, cancel it", "", "???", "order", "no"])
def test_a_text_that_is_more_than_a_courtesy_is_none(text: str) -> None:
    assert courtesy(text) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How do I cancel my order?", "en"),
        ("Wie kann ich meine Bestellung stornieren?", "de"),
        ("Comment puis-je annuler ma commande ?", "fr"),
        ("¿Cómo puedo cancelar mi pedido?", "es"),
        ("Come posso annullare il mio ordine?", "it"),
        ("Como posso cancelar o meu pedido?", "pt"),
        ("Hoe kan ik mijn bestelling annuleren?", "nl"),
        ("Jak mogę anulować moje zamówienie?", "pl"),
        ("order 4711", None),
        ("", None),
    ],
)
def test_a_language_is_guessed_or_left_open(text: str, language: str | None) -> None:
    assert guess_language(text) == language
