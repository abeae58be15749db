"""A hunch whether a customer asks for a person: what the pieces of a text weigh together, whatever shape it has.

A linear model over the pieces of three to six signs in the words of a text, over its words and pairs of words, and over
the roles its words have in a wish, up to four in a row; the rare ones count more. It is told no rule: it has learnt
from `evaluation/persons/dev.csv` how those write who ask for a person, and how those who only speak of people.
`benchmarks/hunch.py` learns and measures it. Pure; only the file is read, once.
"""

from __future__ import annotations

import json
import re
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import log, sqrt
from pathlib import Path

from escalade.assistant.lexicon import UNKNOWN, WISHES
from escalade.assistant.words import LONGEST_WORD, words

FILE = Path(__file__).parent / "tongues" / "hunch.z"
PLACES = 1 << 18  # a piece has its place by its checksum; two that share one are rare
SIGNS = (3, 4, 5, 6)
ROLES = (1, 2, 3, 4)
AGAINST = -1.0  # below, a shape of the grammar is taken for a chance one
LONG = 300  # signs: it has learnt from messages of a sentence or two, and judges longer ones sentence by sentence
MOST_SENTENCES = 60
RARITY_STEP = 0.05  # what one step of a stored rarity is worth
_SENTENCE = re.compile(r"(?<=[.!?…;])\s+|\n+")

Pieces = list[tuple[int, float]]  # places, and how loud each is


def pieces(text: str) -> tuple[Pieces, Pieces, Pieces]:
    """Give the pieces of a text's words, its words and pairs of words, and the roles they have."""
    said = [word[:LONGEST_WORD] for word in words(text)]
    within = Counter(part for word in said for part in _runs(f" {word} ", SIGNS))
    together = Counter([*said, *map(" ".join, pairwise(said))])
    return _placed(within), _placed(together), _placed(_roles(text))


def _roles(text: str) -> Counter[str]:
    """Give the runs of roles in the likeliest language, and again without the words that have none."""
    heard = next(WISHES.heard(text), None)
    if heard is None:
        return Counter()
    told = Counter("=" + run for run in _runs(f"^{heard.roles}$", ROLES))
    told.update("~" + run for run in _runs(f"^{heard.roles.replace(UNKNOWN, '')}$", ROLES[1:]))
    return told


def _runs(text: str, sizes: Sequence[int]) -> Iterator[str]:
    return (text[at : at + size] for size in sizes for at in range(len(text) - size + 1))


def _placed(parts: Counter[str]) -> Pieces:
    return [(zlib.crc32(part.encode()) % PLACES, 1 + log(often)) for part, often in parts.items()]


@dataclass(frozen=True, slots=True)
class Model:
    """What has been learnt, a number for each place in whole steps. A text above the bound sounds like asking."""

    rarity: Sequence[int]  # 0: the piece says nothing
    weight: Sequence[int]
    step: float  # what one step of a weight is worth
    base: float
    bound: float

    def vector(self, text: str) -> Pieces:
        """Give the places that speak in a text, and how loud; each sort of pieces is as loud as the others."""
        spoken = []
        for sort in pieces(text):
            loud = [(place, often * self.rarity[place]) for place, often in sort if self.rarity[place]]
            length = sqrt(sum(value * value for _, value in loud))
            spoken += [(place, value / length) for place, value in loud]
        return spoken

    def score(self, text: str) -> float:
        """Say how much a text sounds like who asks for a person: the logarithm of the odds."""
        return self.base + self.step * sum(self.weight[place] * value for place, value in self.vector(text))


def loudest(text: str) -> tuple[float, str]:
    """Give the score of a text, or of that of its sentences that sounds most like asking, and the sentence."""
    told: Sequence[str] = [text] if len(text) <= LONG else _SENTENCE.split(text)[:MOST_SENTENCES]
    return max((shipped().score(part), part.strip()) for part in told)


@cache
def shipped() -> Model:
    """Read what was learnt."""
    head, _, body = zlib.decompress(FILE.read_bytes()).partition(b"\n")
    return Model(rarity=body[:PLACES], weight=array("b", body[PLACES:]), **json.loads(head))


def ship(model: Model) -> None:
    """Write down what was learnt: a line of JSON, then a byte for each place, twice."""
    head = json.dumps({"step": model.step, "base": model.base, "bound": model.bound}).encode()
    body = array("B", model.rarity).tobytes() + array("b", model.weight).tobytes()
    FILE.write_bytes(zlib.compress(head + b"\n" + body, 9))
