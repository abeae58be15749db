"""Turn text into comparable words: folded like the full-text index folds them, and stemmed by Porter's rules.

Pure and total: every string, however odd, gives a list of words and never an error.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

LONGEST_WORD = 48

_STOP_WORDS = """
    a about above actually after again all almost already also although always am an and another any anybody anyone
    anything are around as asap ask at available be because been before being below between both but by came can cannot
    cant come comes could couldnt currently did didnt do does doesnt doing done dont during each either else ever
    every everything exactly few find for from further get gets getting give given go goes going gonna got had hadnt has
    hasnt have havent having he hello help her here hers hey hi him his how however i id if ill im in into is isnt it
    its itself ive just kind know let lets like likely long look looking make makes making many may maybe me mean
    might mine more most much must my myself need needed needs neither never new no nor not now of off often oh ok okay
    on once one ones only onto or other others our ours out over own particular please pls possible put question quite
    rather really right said same say says see seem seems shall she should since so some somebody somehow someone
    something sorry soon sort still such sure take takes taking tell than thank thanks that thats the their theirs them
    then there theres these they theyre thing things think this those though through thus to today too took tried tries
    true try trying two under until up upon us use used using usually via wanna want wanted wants was wasnt way ways we
    well went were werent what whats whatever when where wheres whether which while who whole whom whose why will wish
    with within without wont wonder wondering would wouldnt yes yesterday yet you youd youll your youre yours yourself
    youve s t d ll re ve m
    der die das den dem des ein eine einen einem einer und oder ist sind war ich du er sie es wir ihr mein meine meinen
    meiner wie was wann wo warum kann konnen mochte fur mit von zu zum zur auf bei im nicht auch bitte
    le la les un une des du de et ou est sont je tu il elle nous vous mon ma mes comment quand pourquoi que qui puis
    avec pour dans sur ne pas
    el los las una unos unas y o es son yo mi mis como cuando donde por para con en puedo quiero
"""
STOP_WORDS: frozenset[str] = frozenset(_STOP_WORDS.split())


_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_WORD = re.compile(r"[^\W_]+")  # letters and digits of any script, as `str.isalnum` has them
_PARTED = "".join(chr(sign) if chr(sign).isalnum() else " " for sign in range(128))


def fold(text: str) -> str:
    """Lower the case and drop accents, as the index does."""
    if not text.isascii():
        text = _NOT_ASCII.sub(_unaccented, unicodedata.normalize("NFKD", text))
    return text.casefold()


def _unaccented(sign: re.Match[str]) -> str:
    return "" if unicodedata.combining(sign[0]) else sign[0]


def words(text: str) -> list[str]:
    """Give the words of a text in order, folded; apostrophes join, everything else parts."""
    joined = fold(text).replace("'", "").replace("\u2019", "").replace("\u02bc", "")
    if joined.isascii():  # most of what is compared, and five times as fast
        return joined.translate(_PARTED).split()
    return _WORD.findall(joined)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Give the stem of a folded word, by Porter's algorithm of 1980, as the full-text index does."""
    if len(word) <= 2 or len(word) > LONGEST_WORD or not (word.isascii() and word.isalpha()):
        return word
    for step in (_plural, _past, _y_to_i, _long_suffix, _short_suffix, _last_suffix, _tidy):
        word = step(word)
    return word


def stems(text: str) -> list[str]:
    """Give the stems of every word of a text, stop words included."""
    return [stem(word) for word in words(text)]


# Porter, "An algorithm for suffix stripping", Program 14(3), 1980; each function is one of its steps.


def _is_consonant(word: str, at: int) -> bool:
    if word[at] in "aeiou":
        return False
    if word[at] == "y":
        return at == 0 or not _is_consonant(word, at - 1)
    return True


def _measure(word: str) -> int:
    shape = "".join("c" if _is_consonant(word, at) else "v" for at in range(len(word)))
    return sum(1 for at in range(1, len(shape)) if shape[at - 1] == "v" and shape[at] == "c")


def _has_vowel(word: str) -> bool:
    return any(not _is_consonant(word, at) for at in range(len(word)))


def _ends_double(word: str) -> bool:
    return len(word) > 1 and word[-1] == word[-2] and _is_consonant(word, len(word) - 1)


def _ends_cvc(word: str) -> bool:
    last = len(word) - 1
    return (
        last >= 2
        and _is_consonant(word, last)
        and not _is_consonant(word, last - 1)
        and _is_consonant(word, last - 2)
        and word[-1] not in "wxy"
    )


def _plural(word: str) -> str:
    if word.endswith(("sses", "ies")):
        return word[:-2]
    if word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


def _past(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    for suffix in ("ed", "ing"):
        if word.endswith(suffix):
            rest = word[: -len(suffix)]
            if not _has_vowel(rest):
                return word
            if rest.endswith(("at", "bl", "iz")):
                return rest + "e"
            if _ends_double(rest) and rest[-1] not in "lsz":
                return rest[:-1]
            return rest + "e" if _measure(rest) == 1 and _ends_cvc(rest) else rest
    return word


def _y_to_i(word: str) -> str:
    return word[:-1] + "i" if word.endswith("y") and _has_vowel(word[:-1]) else word


_LONG = (
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("bli", "ble"),
    ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"),
    ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"),
    ("iviti", "ive"), ("biliti", "ble"), ("logi", "log"),
)  # fmt: skip
_SHORT = (("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""))
_LAST = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
    "ous", "ive", "ize",
)  # fmt: skip


def _replaced(word: str, table: tuple[tuple[str, str], ...]) -> str:
    for suffix, by in table:
        if word.endswith(suffix):
            rest = word[: -len(suffix)]
            return rest + by if _measure(rest) > 0 else word
    return word


def _long_suffix(word: str) -> str:
    return _replaced(word, _LONG)


def _short_suffix(word: str) -> str:
    return _replaced(word, _SHORT)


def _last_suffix(word: str) -> str:
    for suffix in sorted(_LAST, key=len, reverse=True):
        if word.endswith(suffix):
            rest = word[: -len(suffix)]
            if _measure(rest) > 1 and (suffix != "ion" or rest.endswith(("s", "t"))):
                return rest
            return word
    return word


def _tidy(word: str) -> str:
    if word.endswith("e"):
        rest = word[:-1]
        if _measure(rest) > 1 or (_measure(rest) == 1 and not _ends_cvc(rest)):
            word = rest
    if word.endswith("ll") and _measure(word) > 1:
        word = word[:-1]
    return word
