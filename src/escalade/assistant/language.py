"""Guess which language a text is in, from its small words; say nothing rather than guess wildly.

Pure. Used only to keep the assistant from answering in a language it was not set up for.
"""

from __future__ import annotations

from escalade.assistant.words import words

_LISTED: dict[str, str] = {
    "en": "the is are do does how what where when can could my your you i to for of with it this that have has "
    "not will "
    "would be on in and or an",
    "de": "der die das ist sind wie wo wann warum kann konnen ich du sie mein meine meinen meiner eine einen ein "
    "und oder "
    "nicht mit fur auf den dem zu zum zur habe hat wird werden bitte von bei es",
    "fr": "le la les des est sont comment ou quand pourquoi puis je tu vous mon ma mes une un et pas avec pour "
    "sur dans "
    "du de au aux que qui quel quelle votre ne ce cette ai",
    "es": "el la los las es son como donde cuando cual puedo mi mis una un y no con para por en de del que su "
    "esta mi se "
    "tengo quiero hacer lo",
    "it": "il lo la gli le e sono come dove quando posso mio mia miei una un non con per di del della che quale vostro "
    "ho vorrei questo mi",
    "pt": "o a os as e sao como onde quando posso meu minha uma um nao com para por em de do da que qual seu "
    "tenho quero "
    "meus isso",
    "nl": "de het een is zijn hoe waar wanneer kan ik mijn en of niet met voor op van te wat jullie u uw dit dat heb "
    "heeft wordt",
    "pl": "jest sa jak gdzie kiedy czy moge moj moja moje i nie z na do w od po za co ktory sie mam chce prosze to dla "
    "przez",
}
SMALL_WORDS = {language: frozenset(listed.split()) for language, listed in _LISTED.items()}


def guess_language(text: str) -> str | None:
    """Give the code of the language a text is clearly in, or nothing."""
    said = words(text[:2_000])
    if len(said) < 3:
        return None
    scores = {language: sum(word in small for word in said) for language, small in SMALL_WORDS.items()}
    first, second = sorted(scores.values(), reverse=True)[:2]
    if first < 2 or first == second:
        return None
    return max(scores, key=lambda language: scores[language])
