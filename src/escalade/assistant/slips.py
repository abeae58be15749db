"""Find the word that was meant where a slip of the finger parts it from what was written. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

SHORTEST, LONGEST = 4, 24  # shorter words say too little, longer ones are none
LONG = 11  # from here on two slips are forgiven


class Slips:
    """The words that may have been meant, found by what is left of them when letters are dropped."""

    def __init__(self, words: Iterable[str], unlikely: Iterable[str] = ()) -> None:
        self._unlikely = set(unlikely)
        self._near: dict[str, list[str]] = {}
        self._long = set()
        for word in words:
            if len(word) < SHORTEST:
                continue
            if len(word) >= LONG - 2:
                self._long.add(word[:1])
            for key in _keys(word, twice=len(word) >= LONG - 2):
                self._near.setdefault(key, []).append(word)

    def meant(self, word: str) -> str:
        """Give the nearest word that is close enough, or nothing."""
        if not SHORTEST <= len(word) <= LONGEST or not word.isalpha():
            return ""
        keys = _keys(word, twice=len(word) >= LONG - 2 and word[:1] in self._long)
        near = {meant for key in keys for meant in self._near.get(key, ())}
        close = [(distance(word, meant), meant in self._unlikely, meant) for meant in near if _is_slip(word, meant)]
        return min(close)[2] if close else ""


def _keys(word: str, *, twice: bool) -> set[str]:
    """Give what two words share when one is a slip of the other: what is left of them, or their letters in order."""
    keys = {word, "".join(sorted(word)) + "*"}
    for dropped in (1, 2) if twice else (1,):
        keys.update("".join(left) for left in combinations(word, len(word) - dropped))
    return keys


def _is_slip(word: str, meant: str) -> bool:
    """Say whether a word is another with its letters in disorder, or one letter (two of a long one) away from it."""
    slips = distance(word, meant)
    if sorted(word) == sorted(meant):
        return slips == 1 or (len(meant) > SHORTEST and word[0] == meant[0])
    return len(meant) > SHORTEST and word[0] == meant[0] and slips <= (2 if len(meant) >= LONG else 1)


def distance(one: str, other: str) -> int:
    """Count the slips between two words: a letter more, less or wrong, or two swapped."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, rows[i - 2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]
