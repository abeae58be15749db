"""The facts in a customer's words: numbers of orders, amounts, dates, addresses, telephone numbers. Pure.

Every fact is a piece of the text, letter for letter; nothing is worked out. What looks like a payment card is left
where it is. What is not sure to be one of these kinds is none: an agent reads the words as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_OF_A_KIND = 4
MOST_READ = 4_000  # characters of all texts together, the newest first

_MONTHS = (
    "jan(?:uary|uar|vier|uari)?|feb(?:ruary|ruar|ruari)?|mar(?:ch|s|zo)?|märz|apr(?:il|ile)?|may|mai|mei|june?|juni?|"
    "july?|juli|aug(?:ust|ustus)?|sept?(?:ember|embre)?|oct(?:ober|obre)?|okt(?:ober)?|nov(?:ember|embre)?|"
    "dec(?:ember|embre)?|dez(?:ember|embro)?|janvier|février|avril|juin|juillet|août|octobre|décembre|enero|febrero|"
    "abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|gennaio|febbraio|aprile|maggio|giugno|luglio|"
    "settembre|ottobre|dicembre|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|novembro|dezembro|maart|"
    "stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|listopada|grudnia"
)
_NUMBERED = (
    "order|invoice|booking|reservation|tracking|parcel|shipment|ticket|customer|case|reference|ref|return|rma|contract|"
    "bestellung|bestell|auftrags?|rechnungs?|sendungs?|kunden|vorgangs?|buchungs?|vertrags?|commande|facture|colis|"
    "réservation|dossier|pedido|factura|reserva|envío|ordine|fattura|spedizione|prenotazione|encomenda|fatura|"
    "nota fiscal|bestelling|bestel|factuur|zending|klant|zamówieni[ae]|faktur[ay]|przesyłki?|paczki?"
)
_NUMBER_WORD = "number|no|nr|num|id|code|nummer|numéro|número|numero|numer|n[°º]"
_CURRENCY = "€|\\$|£|zł|eur|usd|gbp|chf|pln|brl|r\\$|euros?|dollars?|pounds?|złotych|złote|złoty|franken|francs?|reais"
_SUM = r"\d{1,3}(?:[.,' ]\d{3})*(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_STREET = (
    r"\b\d{1,5}[a-z]?,? (?:[A-ZÀ-Þ][\w'’-]{1,30} ){1,3}(?i:street|st|road|rd|avenue|ave|lane|drive|way|court|square|"
    r"place|crescent|terrace)\b\.?"
    r"|\b[A-ZÀ-Þ][\w-]{0,40}(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|straat|laan|plein|gracht|kade) ?"
    r"\d{1,4} ?[a-z]?\b"
    r"|\b[A-ZÀ-Þ][\w-]{1,40} (?:Straße|Strasse|Str\.|Weg|Platz|Allee|Ring|Gasse) \d{1,4} ?[a-z]?\b"
    r"|\b\d{1,4}(?: ?bis)?,? (?i:rue|avenue|boulevard|place|chemin|allée|impasse|quai) (?:[\w'’-]{1,30} ?){1,5}"
    r"|\b(?i:calle|avenida|avda\.?|plaza|paseo|via|viale|piazza|corso|rua|travessa|praça|ul\.|ulica|aleja) "
    r"(?:[\w.'’-]{1,30} ){0,4}?[A-ZÀ-ÞŁŚŻ][\w.'’-]{0,30},? (?:n[.°º]? ?)?\d{1,4}\b"
)

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("e-mail", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,4}[a-z]{2,24}\b", re.IGNORECASE)),
    (
        "number",
        re.compile(
            rf"(?:(?:{_NUMBERED})[\w-]{{0,12}}[ -]?(?:(?:{_NUMBER_WORD})\.?)?[ :#.-]{{0,3}}"
            r"(?:is |ist |est |es |è |é |to )?#?)(?P<fact>(?=[\w/-]{0,24}\d{2})[A-Z0-9][\w/-]{2,24})"
            r"|(?P<hash>#[A-Z]{0,5}-?\d[\w-]{2,20})|\b(?P<code>[A-Z]{1,6}-?\d{3,}(?:-\d+)*)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "amount",
        re.compile(rf"(?:{_CURRENCY}) ?(?:{_SUM})(?!\w)|(?<![\w.,])(?:{_SUM}) ?(?:{_CURRENCY})(?!\w)", re.IGNORECASE),
    ),
    (
        "date",
        re.compile(
            r"\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[./]\d{1,2}[./](?:\d{4}|\d{2})\b|\b\d{1,2}\.\d{1,2}\.(?!\d)"
            rf"|\b\d{{1,2}}(?:st|nd|rd|th|er|\.|º)? (?:of |de |di )?(?:{_MONTHS})\b\.?(?: (?:de |of )?\d{{4}})?"
            rf"|\b(?:{_MONTHS})\.? \d{{1,2}}(?:st|nd|rd|th)?\b(?:,? \d{{4}})?",
            re.IGNORECASE,
        ),
    ),
    ("address", re.compile(_STREET)),
    ("phone", re.compile(r"(?<![\w.,/-])(?:\+|00?)\d(?:[ ()./-]{0,2}\d){6,13}(?![\w-])")),
)
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a customer gave: its kind, and their own words for it."""

    kind: str
    words: str


def facts(texts: Sequence[str]) -> list[Fact]:
    """List the facts in some texts, the oldest first, each once; at most a few of a kind."""
    found: list[Fact] = []
    for text in _newest(texts):
        found += (fact for fact in _in(text) if fact not in found)
    return [fact for at, fact in enumerate(found) if _of_kind(found[:at], fact.kind) < MOST_OF_A_KIND]


def _newest(texts: Sequence[str]) -> list[str]:
    """Keep the last texts, as far as there is time to read them."""
    kept: list[str] = []
    room = MOST_READ
    for text in reversed(texts):
        if room <= 0:
            break
        kept.append(text[:room])
        room -= len(text)
    return kept[::-1]


def _in(text: str) -> list[Fact]:
    """Find a text's facts; what one kind has taken, or may be a card, is no other's."""
    left = _CARD.sub(_hidden, text)
    placed: list[tuple[int, Fact]] = []
    for kind, pattern in _KINDS:
        for match in pattern.finditer(left):
            start, end = match.span(match.lastgroup or 0)
            words = text[start:end].strip(" ,.-#:")
            if any(sign.isdigit() for sign in words) or kind == "e-mail":
                placed.append((start, Fact(kind, words)))
        left = pattern.sub(_hidden, left)
    return [fact for _, fact in sorted(placed, key=lambda one: one[0])]


def _of_kind(listed: list[Fact], kind: str) -> int:
    return sum(fact.kind == kind for fact in listed)


def _hidden(match: re.Match[str]) -> str:
    return "\0" * len(match.group())
