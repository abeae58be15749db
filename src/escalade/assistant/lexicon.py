"""What words mean to who listens for something: their roles in each language, slips of the finger heard.

The words are in `tongues/`, one file a language, one key a role: at its top those of who listens for a wish to reach a
person, in the table `mood` those of who listens for how a customer feels. Here a text becomes, for each language it
may be in, a string with one letter a word; the shapes in `grammar.py` and `moods.py` are patterns over that string.
Only the files are read, once.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from escalade.assistant.slips import Slips
from escalade.assistant.words import fold

ROLES: dict[str, str] = {
    "who": "W",  # an agent, a human: whom one asks for
    "someone": "S",  # someone, a person: anyone at all
    "else": "s",  # someone else
    "nobody": "n",
    "desk": "w",  # customer service: reached like a person, but wanted for other reasons too
    "office": "d",  # returns, refunds: what a desk is for, asked for by those who are put through
    "any": "D",  # a, your: what stands before whom one asks for
    "real": "J",  # real, in the flesh
    "reach": "R",  # to talk, before whom one talks to
    "reach_last": "r",  # to talk, in languages that may say it after
    "talks": "o",  # a conversation, contact
    "call": "C",
    "call_me": "z",  # "call me" in a word
    "callback": "Z",
    "pass": "P",  # to connect, transfer
    "be_passed": "v",  # to be transferred
    "escalate": "p",
    "give": "G",
    "wish": "V",
    "help": "H",
    "take": "K",  # to take over, to look into: what a person may do, without an object
    "may": "A",  # can, could, let, how
    "exists": "E",  # is there
    "here": "L",  # here, available
    "me": "M",
    "i": "I",
    "you": "Y",
    "to": "T",
    "whom": "Q",
    "not": "N",
    "enough": "O",
    "prevent": "e",  # what follows is to end, or not to be
    "useless": "U",
    "bot": "B",
    "machine": "m",
    "please": "F",  # please, now, just: what changes nothing
    "why": "q",
    "hello": "h",
    "and": "&",  # and, or, but, because: what may follow whom one asks for
    "must_i": "X",  # "do I have to": a question about the rules
    "must": "y",  # "I have to", which is such a question only before a question mark
    "other": "k",  # customers, couriers, wives: who is not the one writing
    "perfect": "x",  # "j'ai": what follows is over
    "case": "c",
    "beg": "b",
    "nothing": "_",
}
UNKNOWN = "_"
STOPS = ",.?"
TONGUES = Path(__file__).parent / "tongues"
SHORT = 12  # words: a text as short as this may be in any language

_MONTH = "(?:Jan|Feb|Mär|Apr|Mai|Ju[nl]|Aug|Sep|Okt|Nov|Dez)"  # "3. Mai" ends no sentence
_TOKEN = re.compile(
    r"[^\W\d_][^\W_]*(?:['’ʼ`´][^\W_]+)*|\d+(?:[.,:]\d+)+|\d+\.(?= " + _MONTH + r")|[^\W_]+(?:['’ʼ`´][^\W_]+)*"
    r"|[.,!?;:\n()\[\]|/–—…¿¡]"
)
_STOP = {"?": "?", ",": ",", ";": ",", ":": ",", "(": ",", ")": ",", "–": ",", "—": ",", "/": ",", "¿": "", "¡": ""}
_APOSTROPHES = re.compile(r"['’ʼ`´]")
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "œ": "oe", "æ": "ae"})  # letters of their own
_QUOTED = re.compile(r"[\"“„”«»]([^\"“„”«»\n]{3,60})[\"“”«»]")


@dataclass(frozen=True, slots=True)
class Heard:
    """A text as one language hears it: a letter for each word, and where each stands in the text."""

    roles: str
    places: tuple[tuple[int, int], ...]

    def words(self, text: str, start: int, end: int) -> str:
        """Give what stands in the text where the roles from `start` up to `end` do."""
        return text[self.places[start][0] : self.places[end - 1][1]].strip(" ,.!?;:\n()")


class Tongue:
    """The words of one language and their roles.

    A key such as "give+me" is for words that say both in one, an entry such as "-berater" for each word that ends so.
    """

    def __init__(self, lexicon: Lexicon, name: str, entries: Mapping[str, str], others: Mapping[str, str]) -> None:
        self.name = name
        self._lexicon = lexicon
        self._roles: dict[tuple[str, ...], str] = {}
        self._endings: list[str] = []
        for key, listed in entries.items():
            roles = "".join(lexicon.roles[part] for part in key.split("+"))
            for entry in listed.replace("\n", " ").split(","):
                for phrase in spellings(entry.lstrip(" -")):
                    self._roles.setdefault(phrase, roles)
                    if entry.lstrip().startswith("-"):
                        self._endings.append(phrase[-1])
        self.words = {word for phrase in self._roles for word in phrase}
        self.meaning = {word for phrase, roles in self._roles.items() if roles != UNKNOWN for word in phrase}
        self.spoken = self.words | {
            word for listed in others.values() for word in _plain(listed.replace(",", " ")).split()
        }
        self._longest: dict[str, int] = {}
        for phrase in self._roles:
            self._longest[phrase[0]] = max(len(phrase), self._longest.get(phrase[0], 1))
        self.meant = lru_cache(maxsize=16_384)(self._meant)

    @cached_property
    def _slips(self) -> Slips:
        long = {word for word in self.words if len(word) >= self._lexicon.slips_from}
        return Slips(long, unlikely=long - self.meaning)

    def _meant(self, word: str) -> str:
        """Give the word of this language that was meant, or the word as it is."""
        if word in self.words or word in self._lexicon.known:
            return word
        calmed = self._lexicon.stretched.sub(r"\1", word)  # pleeease, agentt
        if calmed in self.words:
            return calmed
        ending = next((ending for ending in self._endings if word.endswith(ending)), "")
        return ending or self._slips.meant(word) or word

    def hear(self, words: list[str], places: list[tuple[int, int]]) -> Heard:
        """Give the roles of a text's words; a phrase counts as one."""
        meant = [self.meant(word) for word in words]
        roles: list[str] = []
        kept: list[tuple[int, int]] = []
        at = 0
        while at < len(meant):
            said, length = (meant[at] if meant[at] in STOPS else UNKNOWN), 1
            for longest in range(self._longest.get(meant[at], 0), 0, -1):
                phrase = tuple(meant[at : at + longest])
                if phrase in self._roles:
                    said, length = self._roles[phrase], len(phrase)
                    break
            roles.append(said)
            kept.extend([(places[at][0], places[at + length - 1][1])] * len(said))
            at += length
        return Heard("".join(roles), tuple(kept))


class Lexicon:
    """The words that matter to one who listens, in every language.

    With `slips_from`, a slip is forgiven only in words of that many letters: "root" is not rude.
    """

    def __init__(self, roles: Mapping[str, str], table: str = "", slips_from: int = 0) -> None:
        self.roles = roles
        self.slips_from = slips_from
        self.stretched = re.compile(r"(.)\1{2,}" if slips_from else r"(.)\1+")
        self._table = table
        self._parts = lru_cache(maxsize=16_384)(self._apart)

    @cached_property
    def tongues(self) -> tuple[Tongue, ...]:
        """Give every language that is known."""
        files = sorted(TONGUES.glob("*.toml"))
        return tuple(Tongue(self, path.stem, entries(path, self._table), entries(path)) for path in files)

    @cached_property
    def known(self) -> frozenset[str]:
        """Give the words that mean something in any language: none of them is a slip of another."""
        return frozenset().union(*(tongue.meaning for tongue in self.tongues))

    def heard(self, text: str) -> Iterator[Heard]:
        """Give a text as each language hears it that it may be in."""
        words, places = self.tokens(text)
        for tongue in self.likely(words):
            yield tongue.hear(words, places)

    def tokens(self, text: str) -> tuple[list[str], list[tuple[int, int]]]:
        """Give the folded words and stops of a text, and where each stands; what is quoted is not the customer's."""
        own = _QUOTED.sub(lambda quote: " " + "x" * (len(quote.group()) - 2) + " ", text)
        if own.replace("x", "").strip(" .!?,"):
            text = own
        text = text.replace(" w/", " w ")  # "speak w/ someone"
        words: list[str] = []
        places: list[tuple[int, int]] = []
        for token in _TOKEN.finditer(text):
            sign, place = token.group(), token.span()
            if sign[0].isalnum():
                for part in self._parts(sign):
                    words.append(part)
                    places.append(place)
                continue
            stop = _STOP.get(sign, ".")
            if words and words[-1] in STOPS:
                words[-1] = max(words[-1], stop)  # of several stops the strongest: "?", then ".", then ","
            elif stop:
                words.append(stop)
                places.append(place)
        return words, places

    def likely(self, words: list[str]) -> list[Tongue]:
        """Give every language a text may be in: those that know nearly as many of its words as the best."""
        counted = Counter(words)
        known = [(sum(counted[word] for word in counted.keys() & tongue.spoken), tongue) for tongue in self.tongues]
        most = max(count for count, _ in known)
        near = [(count, tongue) for count, tongue in known if count + 1 >= most or 6 * count >= 5 * most]
        near.sort(key=lambda one: -one[0])
        return [tongue for _, tongue in near[: len(near) if len(words) <= SHORT else 2]]

    def _apart(self, sign: str) -> tuple[str, ...]:
        """Give the folded words in one: "don't" is one, "l'agent" is two."""
        whole = _plain(_APOSTROPHES.sub("", sign))
        return (whole,) if whole in self.known else tuple(_plain(part) for part in _APOSTROPHES.split(sign))


def spellings(entry: str) -> set[tuple[str, ...]]:
    """Give the ways an entry may be written: with its umlauts dropped, or spelt out; apostrophes join."""
    entry = _APOSTROPHES.sub("", entry)
    spelt_out = entry.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return {tuple(_plain(way).split()) for way in (entry, spelt_out)}


def entries(path: Path, table: str = "") -> dict[str, str]:
    """Read a language's words: those of a table, or those that are in none."""
    read = tomllib.loads(path.read_text(encoding="utf-8"))
    return dict(read.get(table, {})) if table else {key: value for key, value in read.items() if isinstance(value, str)}


def _plain(word: str) -> str:
    return fold(word).translate(_LETTERS)


WISHES = Lexicon(ROLES)
