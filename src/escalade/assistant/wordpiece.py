"""Cut a text into the pieces of words that the embedding models were taught with.

The uncased tokenisation of BERT (Devlin et al. 2018, https://arxiv.org/abs/1810.04805; the reference is
`tokenization.py` of https://github.com/google-research/bert): fold case and accents, part signs, then take the longest
piece that is known, again and again. Pure.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

LONGEST_WORD = 100  # signs; a longer word is not known
BERT = ("[CLS]", "[SEP]", "[UNK]")
_BLANK = " "


class WordPiece:
    """The model's vocabulary, and the way into it."""

    def __init__(self, vocabulary: Sequence[str], marks: Sequence[str] = BERT) -> None:
        """Take the pieces in the order of their numbers, and which of them begin, end and stand for the unknown."""
        self._ids = {piece: id for id, piece in enumerate(vocabulary)}
        self._begin, self._end, self._unknown = (self._ids[mark] for mark in marks)
        self._of = lru_cache(maxsize=20_000)(self._pieces)

    def ids(self, text: str, longest: int) -> list[int]:
        """Give the numbers of a text's pieces, at most `longest`, between the marks of beginning and end."""
        found: list[int] = []
        for word in _words(text):
            found.extend(self._of(word))
            if len(found) > longest - 2:
                break
        return [self._begin, *found[: longest - 2], self._end]

    def _pieces(self, word: str) -> tuple[int, ...]:
        if len(word) > LONGEST_WORD:
            return (self._unknown,)
        found: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                id = self._ids.get(("##" if start else "") + word[start:end])
                if id is not None:
                    found.append(id)
                    start = end
                    break
            else:
                return (self._unknown,)
        return tuple(found)


def _words(text: str) -> list[str]:
    """Part a text at blanks and around signs, folded."""
    bare = "".join(sign for sign in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(sign) != "Mn")
    parted: list[str] = []
    for sign in bare:
        if _is_blank(sign):
            parted.append(_BLANK)
        elif _is_dropped(sign):
            continue
        elif _stands_alone(sign):
            parted.append(f" {sign} ")
        else:
            parted.append(sign)
    return "".join(parted).split()


def _is_blank(sign: str) -> bool:
    return sign in " \t\n\r" or unicodedata.category(sign) == "Zs"


def _is_dropped(sign: str) -> bool:
    return sign in "\0\ufffd" or unicodedata.category(sign).startswith("C")


def _stands_alone(sign: str) -> bool:
    """Say whether a sign is a word: punctuation, all of ASCII's, and Chinese."""
    code = ord(sign)
    if code < 128:
        return not sign.isalnum()
    return unicodedata.category(sign).startswith("P") or 0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF
