"""Who asks for a person is heard; who only mentions one is not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalade.assistant.intent import asks_for_person
from escalade.assistant.moods import says_unhelpful, sounds_fed_up

ASKS = """
I want to talk to a human
Can I speak to someone?
agent
Agent please!!
HUMAN
representative
connect me with an agent
Could you put me through to a real person please?
Get me a fucking human
let me talk to a damn person
I need to speek to an agnet
can i tlak to a perosn
costumer service plz
I'd rather deal with a human being
Is there anybody I can talk to about this?
is there a real person there?
Are there any humans around?
this is going nowhere, get me your manager
I'm done with this bot
you stupid bot, let me speak with someone who knows
stop with the robot answers, I want someone real
transfer me
Please escalate this
How do I talk to a person?
Why can't I talk to a human?
I don't want to talk to a bot
No bots please. Human.
Could someone from your team call me?
please call me back
Can a human help me with this?
Can someone please help me?
I'd like someone to look at my case
I need a person
operator
live chat
speak to representative
Can you hand me over to a colleague?
I want to speak with a supervisor about my order
I would prefer to discuss this with one of your agents
Hi, I have a problem with my invoice, can I chat with somebody?
My order is late. I want a refund and I want to speak to someone now
talk to human
human please
I need human assistance
real person
Give me a human
Can I get a real agent in here?
Do you have a human I can talk to?
Anyone there?
pls conect me to a reprasentative
i wanna talk 2 a human
can I have a word with a member of staff
put me on to someone
I want an agent
may I please speak to a customer service representative?
I'd like to talk to support
not helpful, i need an actual person
I won't explain this to a machine again
Ich möchte mit einem Menschen sprechen
Kann ich bitte mit einem Mitarbeiter reden?
Verbinden Sie mich mit einem Berater
Mitarbeiter bitte
Je veux parler à un conseiller
Puis-je parler avec quelqu'un ?
je voudrais parler à un humain
Quiero hablar con una persona
¿Puedo hablar con un agente?
necesito hablar con alguien
Vorrei parlare con un operatore
posso parlare con una persona reale?
Quero falar com uma pessoa
Posso falar com um atendente?
preciso falar com alguém
Ik wil met een medewerker praten
Kan ik iemand spreken?
mag ik een echt persoon spreken
Chcę rozmawiać z człowiekiem
Proszę połączyć mnie z konsultantem
Chcę porozmawiać z konsultantem
I want to speak to someone about a person who stole my card
I would like to speak with an actual human being please
is it possible to speak with somebody
can i get some human help
can I talk to your boss
let me speak with your supervisor
I need to talk to a real person not a bot
put me through to customer services
please hand this over to someone
how can I reach a human
how do i get hold of a person
who can I talk to?
who can i speak to about a refund
any chance I could talk to someone
I'd prefer a human
Human!!!!!
give me a real person you piece of junk
ffs let me talk to somebody
just let me speak to a human ffs
enough of this crap, agent now
I want to complain to a manager
could you transfer me to billing
talk to agent
speak to agent
agent agent agent
can you get someone to look at this
I don't think you can help, connect me to someone who can
hooman plz
lemme talk to a rep
can I call someone?
is there a phone number where I can talk to a person
I want to be contacted by an agent
can you have someone contact me
I'd like a callback
Would it be possible to get a human on the line?
isn't there anyone who can help me
no human available?
i wish to speak wiht a humn
I ned a humman
cna i speak to somone
pls trasnfer me to an agnt
can you forward me to support
I'm not talking to a robot
I refuse to talk to a machine
I give up, is there a real person I can email?
Könnte mich bitte jemand anrufen?
Ich will einen echten Menschen
ich brauche einen Mitarbeiter
Kann ich mit jemandem sprechen?
un humain svp
passez-moi un conseiller
j'aimerais parler à une vraie personne
pásame con un agente
quiero un humano
con una persona por favor
mi passi un operatore
vorrei un operatore umano
quero um atendente
passe-me para um humano
ik wil een mens spreken
geef me een medewerker
chcę konsultanta
poproszę z konsultantem
potrzebuję człowieka
""".strip().splitlines()

MENTIONS = """
the agent told me to wait two days
Is there an agent fee?
How do I contact human resources?
a person stole my card
how do I become an agent
I spoke to an agent yesterday and nothing happened
Your agent said I would get a refund
Where is my order?
someone used my account
What is your return policy?
can I send a gift to someone else?
Can another person pick up my order?
I don't need to talk to anyone, just tell me the price
Do I have to talk to a person to cancel my order?
I talked to my bank
my travel agent booked it
What is the user agent of the app?
does the tent fit one person?
Is the tent big enough for two people?
How many people work for you?
How do I change the person on the invoice?
I want to return a jacket
Someone else can collect the order?
Can I change the contact person of my order?
which cleaning agent should I use for my tent
the driver gave my parcel to a person I don't know
do you support PayPal?
how long does customer service take to reply
What are your customer service hours?
I need to speak English at the checkout
I want to connect my account to PayPal
Can I transfer points to another person?
How do I transfer my points to someone else?
I want to give a gift card to someone
Can someone else use my gift card?
can anyone use this code?
Does anyone have the same problem?
Is anyone allowed to return the item for me?
Is there any person limit per account?
I am a sales representative, do I get a discount?
We are a company with 20 agents, is there a discount?
human rights policy
no thanks
No need to connect me to an agent, thanks
never mind, I don't want a human
I was told by an agent that shipping is free
Can I chat in French?
my person of trust will collect it
The manager of the store refused my return
How do I connect the hose?
I need a representative sample
contact person
Who is the manager of the Berlin store?
call waiting
How can I contact you?
Wie kann ich eine Bestellung stornieren?
Ein Mitarbeiter hat mir gesagt, ich soll warten
Comment retourner un article ?
¿Cómo puedo devolver un artículo?
Una persona robó mi tarjeta
J'ai parlé hier avec un conseiller
Come posso restituire un articolo?
Como posso devolver um artigo?
Hoe kan ik mijn bestelling annuleren?
Jak mogę zwrócić produkt?
Hello
Can I change my order by phone?
I need to get someone a birthday present
send a parcel to someone abroad
is the operator of the website based in Germany?
can I be both a customer and an agent?
agent orange jacket size
personal data deletion
my jacket makes me look like a person from the 80s
Is the agent fee refundable?
Do agents get a discount?
Can someone else sign for my parcel?
My manager approved the order, how do I get an invoice?
I need a jacket for a tall person
I am looking for a tent for one person
Looking for a gift for someone who hikes
I want a bag for a man
Can I buy a gift card for someone?
Do you have staff discount?
What is the operator of this website called?
How can I support your project?
Is there support for Apple Pay?
how do I contact the seller's insurance
I gave my parcel to the agent of the carrier
the customer service was great
I called customer service yesterday
Nobody answers my emails
do people return boots often
Where can I find the person who packed my box? just kidding
does the guy at the store repair zips
Someone at the store told me to ask here
The person at the shop told me the repair is free
what does representative sample mean
Are humans allowed to eat this?
My husband wants to talk to his bank
Can you tell me if someone has signed for it?
Is someone at the warehouse on Sundays?
human sized backpack
is the chat open at night?
I don't want to talk to an agent
please do not transfer me to a human
I would rather not speak to a person
What happens when I ask for a human?
How do agents see my messages?
can I hire someone to build it
I want to sell my boots to another person
Can a person of 2 metres sleep in it?
my account was opened by someone
is your support team based in Europe?
transfer my points to my wife
connect my phone to the watch
I'd like to speak Spanish
Which manager signs the warranty?
A friend told me to talk to you about repairs
""".strip().splitlines()


@pytest.mark.parametrize("text", ASKS)
def test_a_customer_who_asks_for_a_person_is_heard(text: str) -> None:
    assert asks_for_person(text)


@pytest.mark.parametrize(
    "text", ["Mit der Reklamationsabteilung verbinden", "baliemedewerker spreken", "Kreditberater!"]
)
def test_a_word_that_ends_like_one_we_know_is_known(text: str) -> None:
    assert asks_for_person(text)


@pytest.mark.parametrize("text", ["Ich suche Liter und Profil", "¿La marca es china?", "ile osób, numer telefonu"])
def test_a_word_that_is_one_slip_from_a_person_is_none(text: str) -> None:
    assert not asks_for_person(text)


@pytest.mark.parametrize("text", MENTIONS)
def test_a_person_who_is_only_mentioned_is_not_asked_for(text: str) -> None:
    assert asks_for_person(text) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("My order is late. I want to speak to someone NOW!", "speak to someone"),
        ("pls let me tlak to an Agnet, ok?", "tlak to an Agnet"),
        ("Vielen Dank, aber ich möchte mit einem Menschen sprechen.", "mit einem Menschen sprechen"),
        ("Human!!!", "Human"),
    ],
)
def test_the_evidence_is_what_the_customer_wrote(text: str, words: str) -> None:
    assert words in asks_for_person(text)
    assert asks_for_person(text) in text


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("That didn't help", True),
        ("this is not what I asked", True),
        ("it doesn't answer my question", True),
        ("you are useless", True),
        ("Not helpful!", True),
        ("That was very helpful", False),
        ("My zip does not work", False),
        ("Is it useful?", False),
    ],
)
def test_an_answer_that_did_not_help_is_heard(text: str, heard: bool) -> None:
    assert bool(says_unhelpful(text)) is heard


@given(st.text(max_size=400))
def test_no_text_makes_listening_fail(text: str) -> None:
    for heard in (asks_for_person(text), says_unhelpful(text), sounds_fed_up(text)):
        assert heard in text


@pytest.mark.parametrize(
    "text", ["a human " * 2000, "talk to the " * 2000, "no a " * 4000, "x" * 20_000, "to " * 9000, "x A" + "a" * 9000]
)
def test_a_very_long_text_is_judged_at_once(text: str) -> None:
    began = time.thread_time()  # the work, and not how long others had the processor
    asks_for_person(text)
    says_unhelpful(text)
    sounds_fed_up(text)
    assert time.thread_time() - began < 1
