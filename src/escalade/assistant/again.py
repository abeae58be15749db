"""What the assistant says instead of saying the same again, and how it knows that it would.

Pure. What was said is recognised by its words alone, so that whoever keeps nothing but the words can ask, too. The
texts are fixed, promise nothing, and come in the customer's language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from escalade.assistant.words import words

ALIKE = 0.8  # of the words of two answers, that make them the same: a model says it differently each time

_ABOVE: Mapping[str, str] = {
    "en": "The best answer I have is still the one above, from “{title}” [1]. Please tell me what is missing in it, or "
    "ask for a person at any time.",
    "de": "Die beste Antwort, die ich habe, ist weiterhin die oben, aus „{title}“ [1]. Bitte sagen Sie mir, was darin "
    "fehlt, oder fragen Sie jederzeit nach einem Menschen.",
    "fr": "La meilleure réponse que j'aie reste celle ci-dessus, tirée de « {title} » [1]. Dites-moi ce qui y manque, "
    "ou demandez une personne à tout moment.",
    "es": "La mejor respuesta que tengo sigue siendo la de arriba, de «{title}» [1]. Dígame qué le falta, o pida una "
    "persona en cualquier momento.",
    "it": "La migliore risposta che ho resta quella qui sopra, da «{title}» [1]. Mi dica che cosa manca, oppure chieda "
    "una persona in qualsiasi momento.",
    "pt": "A melhor resposta que tenho continua a ser a de cima, de “{title}” [1]. Diga-me o que falta, ou peça uma "
    "pessoa a qualquer momento.",
    "nl": "Het beste antwoord dat ik heb is nog steeds dat hierboven, uit “{title}” [1]. Zeg me wat eraan ontbreekt, "
    "of vraag wanneer u wilt om een mens.",
    "pl": "Najlepsza odpowiedź, jaką mam, to wciąż ta powyżej, z artykułu „{title}” [1]. Proszę napisać, czego w niej "
    "brakuje, albo w każdej chwili poprosić o człowieka.",
}
_SORRY: Mapping[str, str] = {
    "en": "I am sorry that this did not help. Please tell me in other words what you need, or ask for a person at any "
    "time.",
    "de": "Schade, dass das nicht geholfen hat. Bitte sagen Sie mir mit anderen Worten, was Sie brauchen, oder fragen "
    "Sie jederzeit nach einem Menschen.",
    "fr": "Je regrette que cela n'ait pas aidé. Dites-moi en d'autres mots ce qu'il vous faut, ou demandez une "
    "personne à tout moment.",
    "es": "Siento que eso no haya ayudado. Dígame con otras palabras qué necesita, o pida una persona en cualquier "
    "momento.",
    "it": "Mi dispiace che non sia stato d'aiuto. Mi dica con altre parole che cosa le serve, oppure chieda una "
    "persona in qualsiasi momento.",
    "pt": "Lamento que isso não tenha ajudado. Diga-me por outras palavras de que precisa, ou peça uma pessoa a "
    "qualquer momento.",
    "nl": "Jammer dat dit niet heeft geholpen. Zeg me in andere woorden wat u nodig heeft, of vraag wanneer u wilt om "
    "een mens.",
    "pl": "Przykro mi, że to nie pomogło. Proszę napisać innymi słowami, czego Pan/Pani potrzebuje, albo w każdej "
    "chwili poprosić o człowieka.",
}
_HERE: Mapping[str, str] = {
    "en": "I am here. Tell me in a sentence what it is about, or ask for a person at any time.",
    "de": "Ich bin da. Sagen Sie mir in einem Satz, worum es geht, oder fragen Sie jederzeit nach einem Menschen.",
    "fr": "Je suis là. Dites-moi en une phrase de quoi il s'agit, ou demandez une personne à tout moment.",
    "es": "Aquí estoy. Dígame en una frase de qué se trata, o pida una persona en cualquier momento.",
    "it": "Sono qui. Mi dica in una frase di che cosa si tratta, oppure chieda una persona in qualsiasi momento.",
    "pt": "Estou aqui. Diga-me numa frase de que se trata, ou peça uma pessoa a qualquer momento.",
    "nl": "Ik ben er. Zeg me in één zin waar het over gaat, of vraag wanneer u wilt om een mens.",
    "pl": "Jestem tutaj. Proszę napisać w jednym zdaniu, o co chodzi, albo w każdej chwili poprosić o człowieka.",
}


def sorry(language: str) -> str:
    """Regret an answer that did not help."""
    return _SORRY.get(language, _SORRY["en"])


def here(language: str) -> str:
    """Answer a courtesy that was answered just now."""
    return _HERE.get(language, _HERE["en"])


def above(title: str, language: str) -> str:
    """Point to an answer that was given just now."""
    return _ABOVE.get(language, _ABOVE["en"]).format(title=title)


def given(answer: str, title: str, said: Iterable[str]) -> int:
    """Count how often an answer was given before, or pointed to; other words around the same ones make no other."""
    pointers = {above(title, language) for language in _ABOVE}
    return sum(text in pointers or _alike(text, answer) for text in said)


def _alike(one: str, other: str) -> bool:
    first, second = set(words(one)), set(words(other))
    return len(first & second) >= ALIKE * len(first | second)
