"""Hear how a customer feels: that they have had enough, or that what was said did not help, in any language we know.

Pure. What counts is anger at us or at what we do: an angry word in a product's name, in quotation marks, about somebody
else or about something good is none. The answer is the customer's own words, as the evidence that is kept with the
handoff. The words are in the tables `mood` of `tongues/`; here are the shapes they make, the same in every language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from escalade.assistant.lexicon import Lexicon

LONGEST_TEXT = 4_000

ROLES: dict[str, str] = {
    "enough": "X",  # what only someone says who has had enough: "how many times do I have to"
    "swear": "S",
    "expletive": "D",  # a curse before a thing: by itself no more than a manner of speaking
    "insult": "W",
    "angry": "A",
    "tired": "t",  # fed up: with what, comes after
    "outrage": "B",  # a judgement in anger: unacceptable, a joke
    "poor": "b",  # a judgement that may be calm: of a firm it is not
    "firm": "C",
    "you": "Y",
    "this": "T",
    "me": "I",
    "be": "E",
    "so": "F",  # what changes nothing
    "not": "N",
    "good": "G",
    "thing": "P",  # what may be called by an angry word: a mug, a film
    "if": "Q",
    "where": "L",  # and why, and when: who swears and asks that is waiting
    "may": "c",  # "can I": after it a question is one about how
    "with": "p",
    "and": "&",
    "help": "H",  # to help, to work, to be what was asked for
    "answer": "R",
    "wrong": "w",
    "unhelped": "U",  # what says by itself that it was no help: "already tried that"
    "nothing": "_",
}
LEXICON = Lexicon(ROLES, "mood", slips_from=8)

_START = "(?:^|(?<=[.?,]))"
_END = "(?=[.?,]|$)"


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to say it, beside a message it is there for."""

    pattern: re.Pattern[str]
    example: str


def _ways(*ways: tuple[str, str]) -> tuple[Shape, ...]:
    return tuple(Shape(re.compile(pattern), example) for pattern, example in ways)


ENOUGH = _ways(
    ("X", "How many times do I have to explain this"),
    ("(?<!_E)S", "What the hell is going on"),
    ("[YTC][EFT]{0,2}D|D[FE]?[CBbwWt]|ND|DN|D[^.?]*D", "Your fucking website"),
    ("L[^.?,c]{0,3}D", "Where is my goddamn parcel"),
    (f"{_START}F*D[EF]*{_END}", "Damn!"),
    (f"{_START}[FTEY]*W+[FE]*(?:{_END}|Y)", "Thieves, all of you"),
    (f"[_I]F*W{_END}", "I want my money back thieves"),
    ("Y[EFT]{0,4}W", "You are a bunch of thieves"),
    ("[FT]W(?![_P])", "I have never met such idiots"),
    ("W,?[FE]{0,2}Y", "Idiots, you sent the wrong size"),
    ("(?<![QP_])I[EF]{0,5}A(?!_P|P)", "I am so angry right now"),
    (f"I[^.?]*&[FEI]{{0,4}}A{_END}", "I have waited for days and am really angry"),
    (f"{_START}[FE]*A[F]*{_END}", "Furious."),
    (f"I[EF]{{0,4}}t[F]*(?:{_END}|p?[FE]{{0,2}}[TYC])", "I am fed up."),
    ("[TYC][EFYT]{0,5}B(?![GP])", "This is ridiculous"),
    (f"{_START}F*E[FE]*B(?![GP])", "Es una vergüenza"),
    (f"{_START}F*B[FET]*(?:B[FET]*)*(?:{_END}|[YCIN])", "Unacceptable."),
    ("B[FE]{0,3}[CY]", "Ridiculous service"),
    (f"{_START}[FE]*b[FE]*{_END}", "Terrible."),
    ("b[FE]{0,2}C|C[FE]?b", "A lousy company"),
    ("[YT][FE]{0,2}C[YEFT]{0,4}b", "Your service is terrible"),
    (f"{_START}[F&]*Y[YEF]{{0,4}}b", "You are the worst"),
)
_ANSWERED = "[EFITN]{0,4}[HR](?!F*p)"
# Who tells much before "it does not work" speaks of a thing; the words of the complaint are the group.
_CLAUSE = f"{_START}[^_.?,]{{0,8}}_?[^_.?,]{{0,8}}?"
UNHELPED = _ways(
    ("U", "I already tried that"),
    (f"{_CLAUSE}([TRY][EFIRT]{{0,5}}N{_ANSWERED})", "That did not help"),
    (f"{_START}[EFI]{{0,4}}N{_ANSWERED}[EFITRNH&]*{_END}", "Non mi aiuta"),
    (f"{_CLAUSE}([TR][EFIRT]{{0,5}}H[EFIT]{{0,4}}N)(?!F*p)", "Das hilft mir nicht"),
    (f"{_START}[EFI]{{0,4}}H[EFIT]{{0,4}}N[EFI]*{_END}", "Hilft mir nicht"),
    (f"{_CLAUSE}([TRY][EFIRT]{{0,6}}[wBb]F*){_END}", "That is no help either"),
    (f"{_START}[EFINT]*w[EFIR]*{_END}", "Useless."),
    ("[HR][FE]{0,2}w", "The answer is wrong"),
)
_SENTENCE = re.compile("[^.?]+[.?]?")
_ASKED = re.compile(r"Q|\?$|^..+G")  # thanks at the start may be followed by a complaint
_UNSAID = re.compile("[QGP]")  # with one of these a sentence may say an angry word of something else
_FACES = re.compile(r"🤬|[😡😠👿](?:[️\s]*[😡😠👿])+|[😡😠👿][️\s.!?]*$")
_STARRED = re.compile(r"(?<![\w*])[^\W\d_]{1,4}(?:\*{2,}|\*+[^\W\d_])[\w*]*")  # f***, sh*t; not **bold**
_NAME = re.compile(r"(?<=[^\s.,!?:;] )(?:[A-ZÀ-ÖØ-Þ](?=[\w'’]{0,30}[a-zß-öø-ÿ])[\w'’]{1,40}(?:[ -]|\b)){2,}")
_POLITE = re.compile(r"^(?:Sie|Ihr|Ihre|Ihren|Ihnen|Du|Usted|Ustedes|Vous|Lei|Voi|U|Uw)\b")
_LETTERS = re.compile(r"[^\W\d_]")
_LOUD = re.compile(r"[!?]{2,}|[!?]\s+\S.*[!?]", re.DOTALL)
SHOUTED_WORDS = 3


def sounds_fed_up(text: str) -> str:
    """Give the words in which a customer says, swears or shouts that they have had enough, or nothing."""
    text = text[:LONGEST_TEXT]
    sign = _FACES.search(text) or _STARRED.search(text)
    if sign is not None:
        return sign.group().strip()
    return _found(text, ENOUGH, unless=_UNSAID) or _shouted(text)


def says_unhelpful(text: str) -> str:
    """Give the words that say the last answer did not help, or nothing."""
    return _found(text[:LONGEST_TEXT], UNHELPED, unless=_ASKED)


def _found(text: str, shapes: tuple[Shape, ...], unless: re.Pattern[str]) -> str:
    for heard in LEXICON.heard(_NAME.sub(_hidden, text)):
        for sentence in _SENTENCE.finditer(heard.roles):
            said = sentence.group()
            if unless.search(said):
                continue
            for shape in shapes:
                match = shape.pattern.search(said)
                if match is not None and match.group():
                    start, end = match.span(match.lastindex or 0)
                    return heard.words(text, sentence.start() + start, sentence.start() + end)
    return ""


def _hidden(name: re.Match[str]) -> str:
    """Hide what is capitalised like a name in the middle of a sentence; "Sie Idioten" is none."""
    return name.group() if _POLITE.match(name.group()) else "x" * len(name.group())


def _shouted(text: str) -> str:
    """Give a text that is all in capitals and ends in more than one mark; one who only left the key on says no more."""
    words = [word for word in text.split() if len(_LETTERS.findall(word)) > 1]
    loud = len(words) >= SHOUTED_WORDS and text == text.upper() and text != text.lower()
    return " ".join(text.split())[:200] if loud and _LOUD.search(text) else ""
