"""The assistant answers from what it found, word for word, and knows when to stop."""

from __future__ import annotations

import pytest
from tests.knowledge import ARTICLE, Shelf

from escalade.assistant import again
from escalade.assistant.answering import Assistant
from escalade.assistant.courtesy import courtesy
from escalade.assistant.language import guess_language
from escalade.assistant.question import Question, Turn, Verdict
from escalade.assistant.retrieval import Passage
from escalade.domain.errors import Unavailable
from escalade.domain.model import OrganisationId, Reason, Role
from escalade.domain.organisation import AssistantSettings


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


def told(*texts: str) -> tuple[Turn, ...]:
    """Return a talk: the customer first, then the assistant, and so on."""
    return tuple(Turn(role=(Role.CUSTOMER, Role.ASSISTANT)[at % 2], text=text) for at, text in enumerate(texts))


ASKED = "How do I cancel my order?"
REFUND = "How long does a refund take?"


async def test_answers_that_did_not_help_go_to_people_the_second_time() -> None:
    once = await ask("That did not help", history=told(ASKED, "…"))
    assert (once.decision, once.text) == ("answer", again.sorry("en"))
    twice = await ask("it still doesn't work", history=told(ASKED, "…", "That did not help", once.text))
    assert (twice.reason, twice.text) == (Reason.UNHELPFUL, "")
    assert twice.evidence == "That did not help”, then “still doesn't work"


async def test_nothing_was_unhelpful_before_something_was_answered() -> None:
    assert (await ask("That did not help")).reason is Reason.NO_ANSWER
    assert (await ask("not helpful", history=told("that was no help"))).reason is Reason.NO_ANSWER


async def test_what_is_asked_beside_a_complaint_is_answered() -> None:
    verdict = await ask(f"That did not help. {REFUND}", history=told("Can I cancel?", "…"))
    assert verdict.text.startswith("The money is back")


async def test_a_complaint_beside_which_nothing_can_be_answered_goes_to_people() -> None:
    verdict = await ask("That did not help, my tent is on the moon", history=told(ASKED, "…"))
    assert (verdict.reason, verdict.evidence) == (Reason.UNHELPFUL, "That did not help")


@pytest.mark.parametrize(
    ("asked", "complaint", "language"),
    [
        ("Wie storniere ich meine Bestellung?", "Hilft mir nicht", "de"),
        ("Comment annuler ma commande, je ne trouve pas ?", "ça ne m'aide pas", "fr"),
        ("Jak mogę anulować moje zamówienie w sklepie?", "nie pomogło", "pl"),
    ],
)
async def test_the_assistant_is_sorry_in_the_customers_language(asked: str, complaint: str, language: str) -> None:
    assert (await ask(complaint, history=told(asked, "…"))).text == again.sorry(language)


async def test_who_has_had_enough_goes_to_people_with_what_they_wrote() -> None:
    verdict = await ask("I have had enough of this! How do I cancel my order?")
    assert (verdict.reason, verdict.evidence, verdict.text) == (Reason.FRUSTRATION, "had enough", "")


async def test_no_answer_is_given_twice_running_and_the_third_time_a_person_comes() -> None:
    first = await ask(ASKED)
    second = await ask("how to cancel order", history=told(ASKED, first.text))
    assert second.text == again.above("Cancel an order", "en")
    assert second.citations == first.citations
    third = await ask("cancel an order", history=told(ASKED, first.text, "how to cancel order", second.text))
    assert (third.decision, third.reason, third.text, third.citations) == ("escalate", Reason.LOOP, "", ())
    assert third.evidence == "the same answer a third time: Cancel an order"


async def test_an_answer_that_did_not_help_is_not_given_again() -> None:
    first = await ask(ASKED)
    verdict = await ask("cancel an order", history=told(ASKED, first.text, "That did not help", again.sorry("en")))
    assert (verdict.reason, verdict.text) == (Reason.LOOP, "")
    assert verdict.evidence == "it did not help, and the answer would be the same again: Cancel an order"


async def test_an_answer_may_be_given_again_after_another() -> None:
    first, other = await ask(ASKED), await ask(REFUND)
    verdict = await ask(ASKED, history=told(ASKED, first.text, REFUND, other.text))
    assert verdict.text == first.text
    much = told(ASKED, first.text, REFUND, other.text, ASKED, first.text, REFUND, other.text)
    assert (await ask(ASKED, history=much)).reason is Reason.LOOP


async def test_a_courtesy_is_not_answered_in_the_same_words_twice_running() -> None:
    first = await ask("Hello")
    second = await ask("hello?", history=told("Hello", first.text))
    assert second.text == again.here("en") != first.text
    assert (await ask("hello??", history=told("Hello", first.text, "hello?", second.text))).text == first.text


async def test_knowledge_that_fails_goes_to_people_and_says_so() -> None:
    class Broken:
        async def search(self, organisation: OrganisationId, text: str, limit: int) -> list[Passage]:
            raise self.does

        def __init__(self, does: Exception) -> None:
            self.does = does

    question = Question(organisation=OrganisationId("org_1"), text=ASKED)
    verdict = await Assistant(Broken(ValueError("a secret"))).consider(question)
    assert (verdict.decision, verdict.reason) == ("escalate", Reason.ERROR)
    assert verdict.evidence == "the knowledge could not be searched (ValueError)"
    with pytest.raises(Unavailable):
        await Assistant(Broken(Unavailable("busy"))).consider(question)


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
