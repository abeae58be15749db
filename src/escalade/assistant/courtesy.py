"""Answer what is not a question: a greeting, thanks, a farewell, or "what are you?".

Pure. Only a text that is nothing else counts; "Hi, where is my order?" is a question. The answers are fixed, promise
nothing, and come in the language of the courtesy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from escalade.assistant.words import words

_SAID: Mapping[str, Mapping[str, str]] = {
    "greeting": {
        "en": "hi|hello|hey|hiya|howdy|yo|hello there|hi there|hey there|good morning|good afternoon|good evening|"
        "good day|greetings|how are you|how are you doing|whats up|sup|morning|evening",
        "de": "hallo|guten tag|guten morgen|guten abend|moin|servus|gruss gott|grussgott|tag",
        "fr": "bonjour|bonsoir|salut|coucou",
        "es": "hola|buenos dias|buenas tardes|buenas noches|buenas",
        "it": "ciao|buongiorno|buonasera|salve",
        "pt": "ola|oi|bom dia|boa tarde|boa noite",
        "nl": "hoi|goedemorgen|goedemiddag|goedenavond|goedendag|dag",
        "pl": "czesc|dzien dobry|dobry wieczor|witam|hej|witaj",
    },
    "thanks": {
        "en": "thanks|thank you|thx|ty|tysm|cheers|thanks a lot|thank you so much|thank you very much|thanks so much|"
        "many thanks|much appreciated|that helped|that helps|that was helpful|very helpful|great|perfect|awesome|"
        "brilliant|wonderful|excellent|cool|nice|good|great help|ok|okay|k|alright|got it|i see|understood|super|"
        "that worked|it works now|it worked|solved|all good|no problem|you are great|that answers my question",
        "de": "danke|danke schon|dankeschon|vielen dank|besten dank|alles klar|danke sehr",
        "fr": "merci|merci beaucoup|daccord|merci bien",
        "es": "gracias|muchas gracias|vale|mil gracias",
        "it": "grazie|grazie mille|va bene|molte grazie",
        "pt": "obrigado|obrigada|muito obrigado|muito obrigada",
        "nl": "bedankt|dank je|dank je wel|dank u|dank u wel|dankjewel",
        "pl": "dziekuje|dzieki|dziekuje bardzo",
    },
    "farewell": {
        "en": "bye|goodbye|bye bye|good bye|see you|see ya|cya|have a nice day|have a good day|take care|good night|"
        "no thanks|no thank you|nothing else|thats all|that is all|that will be all|no thats all|nope",
        "de": "tschuss|auf wiedersehen|schonen tag|bis bald|nein danke",
        "fr": "au revoir|bonne journee|a bientot|non merci",
        "es": "adios|hasta luego|hasta pronto|no gracias",
        "it": "arrivederci|buona giornata|a presto|no grazie",
        "pt": "adeus|tchau|ate logo|nao obrigado|nao obrigada",
        "nl": "tot ziens|doei|fijne dag|nee bedankt|nee dank je",
        "pl": "do widzenia|pa|milego dnia|nie dziekuje",
    },
    "opening": {
        "en": "help|help me|please help|please help me|i need help|i need some help|can you help|can you help me|"
        "could you help me|i have a question|i have a problem|quick question|can i ask a question|"
        "can i ask you something|question|i have an issue|need help|i need your help",
        "de": "hilfe|ich brauche hilfe|ich habe eine frage|konnen sie mir helfen|kannst du mir helfen",
        "fr": "aide|jai une question|jai besoin daide|pouvez vous maider",
        "es": "ayuda|necesito ayuda|tengo una pregunta",
        "it": "aiuto|ho una domanda|ho bisogno di aiuto",
        "pt": "ajuda|preciso de ajuda|tenho uma pergunta",
        "nl": "help|ik heb een vraag|ik heb hulp nodig",
        "pl": "pomoc|pomocy|potrzebuje pomocy|mam pytanie",
    },
    "machine": {
        "en": "are you a bot|are you a robot|are you human|are you a human|are you real|are you a real person|"
        "are you an ai|are you ai|are you a person|who are you|what are you|am i talking to a bot|is this a bot|"
        "am i talking to a robot|am i talking to a human|am i talking to a real person|am i talking to a person|"
        "is this a real person|is this a robot|are you a machine|is this ai|am i speaking to a real person|"
        "am i speaking with a human|are you chatgpt|what can you do",
        "de": "bist du ein mensch|bist du ein bot|sind sie ein mensch|sind sie ein bot|bist du ein roboter|wer bist du",
        "fr": "etes vous un robot|etes vous humain|es tu un robot|qui etes vous",
        "es": "eres un robot|eres humano|eres una persona|eres un bot|quien eres",
        "it": "sei un robot|sei umano|sei un bot|chi sei",
        "pt": "es um robo|voce e um robo|voce e humano|quem es tu",
        "nl": "ben je een robot|ben je een mens|bent u een robot|wie ben je",
        "pl": "jestes botem|jestes robotem|czy jestes czlowiekiem|kim jestes",
    },
}
_ANSWERS: Mapping[str, Mapping[str, str]] = {
    "greeting": {
        "en": "Hello! How can I help you?",
        "de": "Guten Tag! Wie kann ich Ihnen helfen?",
        "fr": "Bonjour ! Comment puis-je vous aider ?",
        "es": "¡Hola! ¿En qué puedo ayudarle?",
        "it": "Buongiorno! Come posso aiutarla?",
        "pt": "Olá! Como posso ajudar?",
        "nl": "Goedendag! Waarmee kan ik u helpen?",
        "pl": "Dzień dobry! W czym mogę pomóc?",
    },
    "thanks": {
        "en": "You are welcome. Is there anything else you would like to know?",
        "de": "Gern geschehen. Möchten Sie noch etwas wissen?",
        "fr": "Avec plaisir. Souhaitez-vous savoir autre chose ?",
        "es": "De nada. ¿Desea saber algo más?",
        "it": "Prego. Desidera sapere altro?",
        "pt": "De nada. Deseja saber mais alguma coisa?",
        "nl": "Graag gedaan. Wilt u nog iets weten?",
        "pl": "Proszę bardzo. Czy chce się Pan/Pani dowiedzieć czegoś jeszcze?",
    },
    "farewell": {
        "en": "Thank you for your visit, and goodbye.",
        "de": "Danke für Ihren Besuch und auf Wiedersehen.",
        "fr": "Merci de votre visite, et au revoir.",
        "es": "Gracias por su visita y hasta pronto.",
        "it": "Grazie della visita e arrivederci.",
        "pt": "Obrigado pela visita e até breve.",
        "nl": "Bedankt voor uw bezoek en tot ziens.",
        "pl": "Dziękuję za wizytę i do widzenia.",
    },
    "opening": {
        "en": "Of course. What is it about? Please describe it in a sentence or two.",
        "de": "Gern. Worum geht es? Bitte beschreiben Sie es in ein, zwei Sätzen.",
        "fr": "Bien sûr. De quoi s'agit-il ? Décrivez-le en une ou deux phrases.",
        "es": "Por supuesto. ¿De qué se trata? Descríbalo en una o dos frases.",
        "it": "Certo. Di che cosa si tratta? Lo descriva in una o due frasi.",
        "pt": "Claro. De que se trata? Descreva-o numa ou duas frases.",
        "nl": "Natuurlijk. Waar gaat het over? Beschrijf het in een of twee zinnen.",
        "pl": "Oczywiście. O co chodzi? Proszę opisać to w jednym lub dwóch zdaniach.",
    },
    "machine": {
        "en": "I am an automated assistant. I answer from our help articles, and you can ask for a person at any time.",
        "de": "Ich bin ein automatischer Assistent. Ich antworte aus unseren Hilfeartikeln, und Sie können jederzeit "
        "nach einem Menschen fragen.",
        "fr": "Je suis un assistant automatique. Je réponds à partir de nos articles d'aide, et vous pouvez demander "
        "une personne à tout moment.",
        "es": "Soy un asistente automático. Respondo con nuestros artículos de ayuda, y puede pedir una persona en "
        "cualquier momento.",
        "it": "Sono un assistente automatico. Rispondo dai nostri articoli di aiuto, e può chiedere una persona in "
        "qualsiasi momento.",
        "pt": "Sou um assistente automático. Respondo a partir dos nossos artigos de ajuda, e pode pedir uma pessoa a "
        "qualquer momento.",
        "nl": "Ik ben een automatische assistent. Ik antwoord uit onze hulpartikelen, en u kunt altijd om een mens "
        "vragen.",
        "pl": "Jestem automatycznym asystentem. Odpowiadam na podstawie artykułów pomocy; w każdej chwili można "
        "poprosić o rozmowę z człowiekiem.",
    },
}
_FILLERS = frozenset(
    {"there", "so", "very", "much", "again", "then", "and", "for", "your", "the", "all", "you", "team", "guys",
     "everyone", "sir", "madam", "oh", "well", "ah", "just", "please", "pls", "really", "help"}
)  # fmt: skip
_MEANING: dict[str, tuple[str, str]] = {
    phrase: (kind, language)
    for kind, by_language in reversed(tuple(_SAID.items()))
    for language, phrases in reversed(tuple(by_language.items()))
    for phrase in phrases.split("|")
}
_LONGEST = max(len(phrase.split()) for phrase in _MEANING)
_RANK = {kind: rank for rank, kind in enumerate(("machine", "opening", "farewell", "thanks", "greeting"))}


def courtesy(text: str) -> str | None:
    """Give the answer to a text that is a courtesy and nothing else, or nothing."""
    if len(text) > 200:
        return None
    said = [word.replace("ł", "l") for word in words(text)]
    if not said:
        return None
    meant: list[tuple[str, str]] = []
    at = 0
    while at < len(said):
        for length in range(min(_LONGEST, len(said) - at), 0, -1):
            phrase = " ".join(said[at : at + length])
            phrase = phrase if phrase in _MEANING else re.sub(r"(.)\1{2,}", r"\1", phrase)  # hiii
            if phrase in _MEANING:
                meant.append(_MEANING[phrase])
                at += length
                break
        else:
            if said[at] not in _FILLERS or not meant:
                return None
            at += 1
    kind, language = min(meant, key=lambda one: _RANK[one[0]])
    return _ANSWERS[kind][language]
