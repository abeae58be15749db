"""What a model says stands in the passages it cites, or it is not shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from escalade.assistant.grounding import Ground, objection
from escalade.assistant.likeness import sentences_of
from escalade.assistant.passages import cut
from escalade.assistant.retrieval import Passage
from escalade.assistant.sources import read_markdown

ROOT = Path(__file__).parents[2]
DELIVERY = """Standard delivery costs 4.95 euros and takes 3–5 days; express delivery costs 12 euros and takes 1 day.

You can't change the address once the parcel is on its way. You may return boots within 30 days, unless they were worn.

## Damaged parcels

Only the carrier can confirm damage. Write to help@shop.example or call +44 20 7946 0018. We connect you to a person on
weekdays. When a refund has been approved, the money is back within 5 working days."""


def passage(text: str = DELIVERY, title: str = "Delivery", heading: str = "") -> Passage:
    return Passage(
        document="d", source_id="d.md", title=title, url=None, heading=heading, text=text, score=1, coverage=1, focus=1
    )


GROUND = Ground.of(passage())


@pytest.mark.parametrize(
    "claim",
    [
        "Standard delivery costs 4.95 euros and takes 3–5 days.",
        "Express delivery costs 12 euros.",
        "You can't change the address once a parcel is on its way",
        "You cannot change your address once your parcel is on the way",
        "- You may return the boots within 30 days, unless they were worn.",
        "**Only** the carrier can confirm the damage. Write to help@shop.example or call +44 20 7946 0018.",
        "Here is how:\n1. Write to help@shop.example or call +44 20 7946 0018.",
        "We connect you to a person on weekdays.",
        "Damaged parcel: only the carrier can confirm the damage.",
    ],
)
def test_what_a_passage_says_may_be_said_shorter_and_in_other_grammar(claim: str) -> None:
    assert objection(claim, [GROUND]) == ""


@pytest.mark.parametrize(
    "claim",
    [
        "Express delivery costs 4.95 euros.",  # figures that changed company
        "Express delivery costs 11 euros.",
        "Standard delivery takes 1 day.",
        "Standard delivery costs 495 euros.",
        "You can change the address once the parcel is on its way.",  # a not that was lost
        "You may return boots within 30 days.",  # a condition that was lost
        "You return boots within 30 days, unless they were worn.",  # a may that became a certainty
        "The carrier can confirm damage.",  # an only that was lost
        "You may not return boots within 30 days, unless they were worn.",
        "Your refund has been approved.",
        "The refund was approved.",
        "Your refund is approved, the money is back within 5 working days.",
        "We are connecting you to a person.",
        "I connect you to a person on weekdays.",
        "Write to help@evil.example.",
        "Call +1-900-555-0100.",
        "Write to Anna at help@shop.example or call +44 20 7946 0018.",
        "Yes.",
        "It is.",
        "That's right: you can do so.",
        "You can return boots. Standard delivery takes 30 days.",
    ],
)
def test_what_a_passage_does_not_say_may_not_be_said(claim: str) -> None:
    assert objection(claim, [GROUND]) == "it says what its passages do not"


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        ("[Delivery](https://evil.example)", "it holds a link"),
        ("![delivery](https://evil.example/?d=1)", "it holds a link"),
        ("[delivery]: https://evil.example", "it holds a link"),
        ("Express\u200b delivery costs 12 euros.", "it holds signs that nobody sees"),
        ("Express delivery costs 12 euros.\U000e0041", "it holds signs that nobody sees"),
        ("\u202eExpress delivery costs 12 euros.", "it holds signs that nobody sees"),
        ("<b>Express delivery costs 12 euros.", "it holds signs that its passages do not"),
        ("Express delivery costs 12 euros ✅.", "it holds signs that its passages do not"),
        ("Standard delivery costs € 4.95.", "it holds signs that its passages do not"),
        ("| Express | delivery |", "it holds signs that its passages do not"),
        ("", "it says nothing"),
    ],
)
def test_nothing_comes_along_that_is_no_plain_statement(claim: str, why: str) -> None:
    assert objection(claim, [GROUND]) == why


def test_a_claim_cites_what_it_was_shown_and_each_citation_bears_some_of_it() -> None:
    other = Ground.of(passage("Gift cards never expire.", "Gift cards"))
    assert objection("Gift cards never expire.", []) == "it cites nothing it was shown"
    assert objection("Gift cards never expire.", [GROUND]) != ""
    assert objection("Gift cards never expire. Express delivery costs 12 euros.", [GROUND, other]) == ""
    assert objection("Gift cards never expire.", [GROUND, other]) == "it cites a passage for what that does not say"


def test_words_of_a_heading_bring_what_turns_it() -> None:
    ground = Ground.of(passage("Opened underwear.\n\nGift cards.", "What cannot be returned"))
    assert objection("Opened underwear cannot be returned.", [ground]) == ""
    assert objection("Opened underwear can be returned.", [ground]) != ""


def test_what_stands_under_one_heading_is_not_said_of_another() -> None:
    text = "Water damage is repaired.\n\n## What we never pay\n\nFlights and hotels."
    assert objection("Flights and hotels: water damage is repaired.", [Ground.of(passage(text, "Cover"))]) != ""


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("Sie können nach dem Versand stornieren.", "Sie können nach dem Versand nicht stornieren."),
        ("Puede cancelar el pedido.", "No puede cancelar el pedido."),
        ("Możesz anulować zamówienie.", "Możesz anulować zamówienie tylko przed wysyłką."),
        ("Vous pouvez annuler.", "Vous ne pouvez pas annuler."),
        ("Je kunt annuleren.", "Je kunt alleen annuleren als je klant bent."),
    ],
)
def test_a_not_and_an_only_are_kept_in_other_languages_too(said: str, text: str) -> None:
    assert objection(said, [Ground.of(passage(text, "x"))]) != ""


def test_every_sentence_of_an_article_may_be_quoted() -> None:
    quoted = 0
    for page in sorted((ROOT / "src/escalade/demo/articles").glob("*.md")):
        document = read_markdown(page.read_text(), page.name)
        for piece in cut(document):
            ground = Ground.of(passage(piece.text, document.title, piece.heading))
            for sentence in sentences_of(piece.text):
                if len(sentence) > 3:  # the number of a list's item is no sentence
                    quoted += 1
                    assert objection(sentence, [ground]) == "", sentence
    assert quoted > 300
