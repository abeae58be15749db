"""What a customer wants is told apart from what they feel, from hello, and from the wish for a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalade.assistant.substance import says_what_it_is_about

WANTS = (
    "Where is my order?",
    "refund",
    "paypal?",
    "I want my money back you thieves",
    "My order is late again. This is ridiculous!",
    "this is outrageous, you took 90 euros from my account",
    "the answer is wrong, I asked about refunds for shoes",
    "My parcel never came, get me a human",
    "I need a refund, let me talk to a human",
    "WHERE IS MY REFUND!!! I HAVE ASKED FIVE TIMES ALREADY",
    "My discount code is not working",
    "fed up with this, how do I cancel an order",
    "Wo bleibt meine Rechnung?",
    "Comment annuler ma commande ?",
    "Hola, ¿dónde está mi pedido?",
    "Gdzie jest moja paczka?",
    "Das hilft nicht, ich wollte wissen wie ich die Rechnung ändere",
    "is there a person here who can tell me the opening hours",
    "hi, where is my order",
    "mein Paket ist kaputt angekommen, verbinden Sie mich mit einem Menschen",
    "我的订单在哪里",
    "how does this work",
)

ONLY_FEELS_OR_ASKS = (
    "this is useless!!",
    "let me talk to a human",
    "THIS IS USELESS!!!",
    "You are absolutely the worst company I've ever dealt with!!",
    "Thanks",
    "hello",
    "yes",
    "ok",
    "That did not help",
    "Please could you let me talk to a real human being right now",
    "I've had enough of this stupid bot, get me an agent",
    "You idiots",
    "seriously?? you lost it AGAIN?",
    "no that's not it",
    "Das hat nicht geholfen",
    "Danke, aber das hilft mir nicht weiter",
    "Ich will mit einem Menschen sprechen, sofort!",
    "ça ne marche toujours pas",
    "Quelle honte !",
    "Je voudrais parler à un conseiller s'il vous plaît",
    "Quiero hablar con una persona",
    "esto es una vergüenza",
    "Non mi aiuta",
    "Non serve a niente, passatemi un operatore",
    "Isto não ajuda",
    "Dit helpt niet",
    "To nie pomogło",
    "Chcę rozmawiać z człowiekiem",
    "and how?",
    "😡😡",
    "20993",
    "yes, 20993",
    "ja bitte",
    "sí",
    "Do I have to beg to talk to a person? PUT ME THROUGH",
    "no more automated replies. i want somebody who can actually think",
    "how do i get past this bot and reach a person",
    "I already tried that and it did not help, give me a person",
    "Stop it. That's not what I asked!!",
)


@pytest.mark.parametrize("text", WANTS)
def test_a_question_or_a_wish_says_what_it_is_about(text: str) -> None:
    assert says_what_it_is_about(text)


@pytest.mark.parametrize("text", ONLY_FEELS_OR_ASKS)
def test_an_outburst_a_complaint_a_cry_for_a_person_or_a_courtesy_says_nothing_of_it(text: str) -> None:
    assert not says_what_it_is_about(text)


@given(st.text(max_size=200))
def test_every_text_is_told(text: str) -> None:
    assert says_what_it_is_about(text) in {True, False}
