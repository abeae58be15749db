"""Facts are found in the customer's own words, letter for letter, and nothing else passes for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalade.domain.facts import MOST_OF_A_KIND, facts


def found(*texts: str) -> list[tuple[str, str]]:
    return [(fact.kind, fact.words) for fact in facts(texts)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "My order 10482-B of 12 March 2026 cost €49,90. Write to noor.b@example.co.uk or call +31 6 1234 5678",
            "number 10482-B, date 12 March 2026, amount €49,90, e-mail noor.b@example.co.uk, phone +31 6 1234 5678",
        ),
        (
            "Rechnungsnummer 2026/00123 über 1.249,00 EUR, geliefert am 3.4.2026 an Lindenstraße 12a, 10115 Berlin",
            "number 2026/00123, amount 1.249,00 EUR, date 3.4.2026, address Lindenstraße 12a",
        ),
        (
            "commande n° 88231 du 3 janvier, 12 rue des Lilas, 06 12 34 56 78, payé 30 €",
            "number 88231, date 3 janvier, address 12 rue des Lilas, phone 06 12 34 56 78, amount 30 €",
        ),
        ("mi pedido es 558812, calle Mayor 15, Madrid", "number 558812, address calle Mayor 15"),
        ("ordine 99123, via Roma 10 Milano, 15/02/2026", "number 99123, address via Roma 10, date 15/02/2026"),
        ("encomenda 7788, rua Augusta 100, R$ 59,90", "number 7788, address rua Augusta 100, amount R$ 59,90"),
        ("bestelling #20931, Keizersgracht 12, 15 maart", "number 20931, address Keizersgracht 12, date 15 maart"),
        ("zamówienie nr 12345, ul. Długa 5, 120 zł", "number 12345, address ul. Długa 5, amount 120 zł"),
        (
            "invoice INV-2026-0042 to 221 Baker Street, $20.50",
            "number INV-2026-0042, address 221 Baker Street, amount $20.50",
        ),
        ("2026-03-12, order number is 4711", "date 2026-03-12, number 4711"),
    ],
)
def test_what_a_customer_gives_is_found(text: str, expected: str) -> None:
    assert ", ".join(f"{kind} {words}" for kind, words in found(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "My card is 4111 1111 1111 1111, it expires 12/27",
        "2 lamps are on the way",
        "in order to get 100 points",
        "the tent weighs 2.4 kilograms and has 3 doors",
        "order history of 2024",
        "my case is 2 days old",
        "via e-mail 12 times",
        "order ABC",
    ],
)
def test_what_only_looks_like_a_fact_is_none(text: str) -> None:
    assert found(text) == []


def test_a_fact_is_there_once_and_a_kind_a_few_times() -> None:
    assert found("order 4711", "and again order 4711") == [("number", "4711")]
    assert len(found(" ".join(f"order 47{n}" for n in range(10, 30)))) == MOST_OF_A_KIND


def test_what_was_said_last_is_read_where_there_is_much() -> None:
    assert found("order 1111", "x" * 5_000, "order 2222") == [("number", "2222")]


@given(st.lists(st.text(max_size=300), max_size=4))
def test_every_fact_stands_in_the_text(texts: list[str]) -> None:
    assert all(any(words in text for text in texts) for _, words in found(*texts))
