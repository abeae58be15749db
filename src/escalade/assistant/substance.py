"""Tell whether a message says what the customer wants, or only how they feel, that they want a person, or hello.

Pure. An outburst, a complaint about the answer and a wish for a person are cut out of the text; what is left must have
words that speak of something. In doubt a message does say what is wanted: nobody overlooks a question by that.
"""

from __future__ import annotations

from escalade.assistant.courtesy import courtesy
from escalade.assistant.intent import wish_in
from escalade.assistant.language import SMALL_WORDS
from escalade.assistant.lexicon import STOPS, UNKNOWN, WISHES, Lexicon
from escalade.assistant.moods import LEXICON as MOODS
from escalade.assistant.moods import says_unhelpful, sounds_fed_up
from escalade.assistant.words import STOP_WORDS, words

LONGEST_TEXT = 4_000
MOST_PIECES = 8  # that are cut out of one message
WORDS_OF_ITS_OWN = 2  # beside an outburst or a complaint: one may be part of it that we do not know
_CUT = ". "

# Folded, as `words` gives them.
_NODS = """
    yes yeah yep yup no nope ok okay sure fine right well so and but hello hi hey there ja nein doch genau klar gut na
    also oui si non ouais voila bien alors donc claro bueno pues vale certo bene allora ecco sim nao bom entao nee jawel
    prima goed tak nie dobrze dobra
"""
_OF_NO_PART = (*STOPS, UNKNOWN, WISHES.roles["office"])  # refunds are a wish's subject before they are a desk's name
_EMPTY = frozenset().union(_NODS.split(), STOP_WORDS, *SMALL_WORDS.values())


def says_what_it_is_about(text: str) -> bool:
    """Say whether a message carries a question or a wish of substance; a number alone answers one."""
    text = text[:LONGEST_TEXT]
    if text == text.upper():
        text = text.lower()  # a question that is shouted is still one
    if courtesy(text) is not None:
        return False
    left, felt, asked = _without(text)
    own = [word for word in words(left) if word.isalpha() and word not in _EMPTY]
    for lexicon in [MOODS] * felt + [WISHES] * asked:
        part = _with_a_part(lexicon, text)
        own = [word for word in own if word not in part]
    return len(own) >= (WORDS_OF_ITS_OWN if felt else 1)


def _without(text: str) -> tuple[str, bool, bool]:
    """Cut out what is only felt about us, and what only asks for a person; say which of them there was."""
    felt = asked = False
    for _ in range(MOST_PIECES):
        mood = sounds_fed_up(text) or says_unhelpful(text)
        piece = mood or wish_in(text)
        if not piece or piece not in text:
            break
        felt, asked = felt or bool(mood), asked or not mood
        text = text.replace(piece, _CUT)
    return text, felt, asked


def _with_a_part(lexicon: Lexicon, text: str) -> set[str]:
    """Give the words that have a part in a mood or a wish, in the language in which most of them do."""
    found = []
    for heard in lexicon.heard(text):
        places = [at for role, at in zip(heard.roles, heard.places, strict=True) if role not in _OF_NO_PART]
        found.append({word for start, end in places for word in words(text[start:end])})
    return max(found, key=len)
