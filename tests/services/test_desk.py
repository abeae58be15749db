"""What customers and developers ask for: taken once, answered honestly, and never across a border."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalade.domain.errors import Conflict, Invalid, NotFound
from escalade.domain.model import Control, ConversationId, CustomerId, HandoffState, Mode, Role, Status, Wish
from escalade.domain.organisation import Settings
from escalade.services.desk import CONTEXT_BYTES, LONGEST_TEXT, check_id, check_text
from escalade.store import organisations
from tests.backstage import ORGANISATION, OTHER, Backstage

FAMILY = "👨‍👩‍👧‍👦"


# Opening


async def test_the_same_request_opens_one_conversation(stage: Backstage) -> None:
    asked: dict[str, Any] = {"id": "c-1", "customer": {"id": "u-1", "name": " Noor  B. "}, "context": {"b": 1, "a": 2}}
    first = await stage.desk.open_conversation(ORGANISATION, **asked)
    again = await stage.desk.open_conversation(ORGANISATION, **(asked | {"context": {"a": 2, "b": 1}}))
    assert again == first
    assert (first.customer.name, first.context, first.control) == ("Noor B.", {"a": 2, "b": 1}, Control.ASSISTANT)
    with pytest.raises(Conflict):
        await stage.desk.open_conversation(ORGANISATION, **(asked | {"context": {"a": 3}}))
    elsewhere = await stage.desk.open_conversation(OTHER, id="c-1")
    assert elsewhere.organisation == OTHER


async def test_many_at_once_open_one_conversation(stage: Backstage) -> None:
    opened = await asyncio.gather(*(stage.desk.open_conversation(ORGANISATION, id="c-1") for _ in range(10)))
    assert len({conversation.customer.id for conversation in opened}) == 1


async def test_a_customer_is_known_again_and_keeps_what_is_not_said_anew(stage: Backstage) -> None:
    await stage.open("c-1", id="u-1", name="Noor", email="noor@example.com", locale="nl")
    customer = await stage.open("c-2", id="u-1", name="Noor B.")
    person = (await customer.conversation()).customer
    assert (person.id, person.name, person.email, person.locale) == ("u-1", "Noor B.", "noor@example.com", "nl")
    assert person.verified is False
    recent = await stage.desk.recent(ORGANISATION, CustomerId("u-1"))
    assert {conversation.id for conversation in recent} == {"c-1", "c-2"}
    assert await stage.desk.recent(OTHER, CustomerId("u-1")) == []


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"id": ""}, "/id"),
        ({"id": "a b"}, "/id"),
        ({"id": "a/b"}, "/id"),
        ({"id": "é"}, "/id"),
        ({"id": "x" * 129}, "/id"),
        ({"id": "x\n"}, "/id"),
        ({"customer": {"id": "a b"}}, "/customer/id"),
        ({"customer": {"email": "a@b"}}, "/customer/email"),
        ({"customer": {"email": '"><svg>@x.example'}}, "/customer/email"),
        ({"customer": {"email": "a@b.example\r\nBcc: c@d.example"}}, "/customer/email"),
        ({"customer": {"email": "a" * 250 + "@b.example"}}, "/customer/email"),
        ({"customer": {"name": "x" * 129}}, "/customer/name"),
        ({"customer": {"name": "a\x00b"}}, "/customer/name"),
        ({"customer": {"locale": "x" * 36}}, "/customer/locale"),
        ({"context": {"x": "y" * CONTEXT_BYTES}}, "/context"),
    ],
)
async def test_what_cannot_be_taken_is_named(stage: Backstage, asked: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as error:
        await stage.desk.open_conversation(ORGANISATION, **asked)
    assert error.value.pointer == pointer


@pytest.mark.parametrize("email", ["noor@example.com", "noor+tag@mail.example.co.uk", "jürgen@example.com"])
async def test_an_address_people_have_is_taken(stage: Backstage, email: str) -> None:
    customer = await stage.open(email=email)
    assert (await customer.conversation()).customer.email == email


# Saying


async def test_a_repeated_message_is_the_same_message(stage: Backstage) -> None:
    customer = await stage.open()
    say = stage.desk.say
    first = await say(ORGANISATION, customer.id, role=Role.CUSTOMER, text="Hello", id="m-1")
    again = await say(ORGANISATION, customer.id, role=Role.CUSTOMER, text="Hello", id="m-1")
    assert (first.repeated, again.repeated, again.message) == (False, True, first.message)
    for role, text in ((Role.CUSTOMER, "Hello!"), (Role.ASSISTANT, "Hello")):
        with pytest.raises(Conflict):
            await say(ORGANISATION, customer.id, role=role, text=text, id="m-1")
    assert await customer.transcript() == ["Hello"]


async def test_ten_tabs_that_send_the_same_message_send_one(stage: Backstage) -> None:
    customer = await stage.open()
    say = stage.desk.say
    sent = await asyncio.gather(
        *(say(ORGANISATION, customer.id, role=Role.CUSTOMER, text="Hello", id="m-1") for _ in range(10))
    )
    assert {said.message.seq for said in sent} == {1}
    assert sum(not said.repeated for said in sent) == 1


async def test_messages_are_numbered_in_the_order_they_are_taken(stage: Backstage) -> None:
    customer = await stage.open()
    for n in range(5):
        await customer.says(f"word {n}")
    assert [(m.seq, m.text) for m in await customer.messages()] == [(n + 1, f"word {n}") for n in range(5)]
    _, later = await stage.desk.messages(ORGANISATION, customer.id, after=3)
    assert [m.seq for m in later] == [4, 5]


async def test_a_closed_conversation_takes_no_more_words_and_says_so(stage: Backstage) -> None:
    customer = await stage.open()
    await customer.says("Hello", "m-1")
    closed = await stage.desk.close(ORGANISATION, customer.id)
    assert (closed.status, closed.control) == (Status.CLOSED, Control.NOBODY)
    with pytest.raises(Conflict) as error:
        await customer.says("Still there?")
    assert error.value.code == "session_closed"
    with pytest.raises(Conflict) as error:
        await stage.desk.escalate(ORGANISATION, customer.id)
    assert error.value.code == "session_closed"
    assert await customer.says("Hello", "m-1") == "m-1"  # a repetition of what was taken is answered as before


async def test_a_bot_of_ones_own_may_speak_only_while_the_assistant_has_control(stage: Backstage) -> None:
    customer = await stage.open()
    await customer.says("Hello")
    await stage.desk.say(ORGANISATION, customer.id, role=Role.ASSISTANT, text="Hi!")
    await stage.desk.escalate(ORGANISATION, customer.id)
    with pytest.raises(Conflict) as error:
        await stage.desk.say(ORGANISATION, customer.id, role=Role.ASSISTANT, text="By the way")
    assert error.value.code == "out_of_turn"


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u200d", "\u200b\u2060", "\ufeff", "\u3000 \u00a0"])
def test_a_text_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as error:
        check_text(text)
    assert error.value.code == "empty"


@given(text=st.text(min_size=1).filter(lambda text: any(char.isalnum() for char in text)))
def test_a_text_that_says_something_is_taken(text: str) -> None:
    check_text(text[:LONGEST_TEXT])


def test_a_text_is_measured_in_code_points() -> None:
    check_text("x" * LONGEST_TEXT)
    check_text(FAMILY * (LONGEST_TEXT // len(FAMILY)))
    with pytest.raises(Invalid) as error:
        check_text("x" * (LONGEST_TEXT + 1))
    assert error.value.code == "too-long"


@given(id=st.from_regex(r"[A-Za-z0-9_.:~-]{1,128}", fullmatch=True))
def test_a_good_id_comes_back_unchanged(id: str) -> None:
    assert check_id(id, "/id") == id


# Asking for a person


async def test_asking_a_hundred_times_is_one_handoff(stage: Backstage) -> None:
    customer = await stage.open()
    await customer.says("I want a person")
    asked = await asyncio.gather(*(stage.desk.escalate(ORGANISATION, customer.id) for _ in range(100)))
    assert len({handoff.id for handoff in asked}) == 1
    await stage.drain()
    assert stage.zendesk.sends.count("OpenTicket") == 1


async def test_a_handoff_without_a_connected_zendesk_is_a_conflict_and_a_notice(stage: Backstage) -> None:
    await stage.write(lambda tx: organisations.save_settings(tx, ORGANISATION, Settings()))
    customer = await stage.open()
    await customer.says("I want a person")
    with pytest.raises(Conflict) as error:
        await stage.desk.escalate(ORGANISATION, customer.id)
    assert error.value.code == "not_connected"
    assert (await customer.conversation()).control is Control.ASSISTANT


@pytest.mark.parametrize(
    ("wish", "staffed", "mode"),
    [
        (Wish.AUTO, True, Mode.LIVE),
        (Wish.AUTO, None, Mode.LIVE),
        (Wish.TICKET, True, Mode.TICKET),
        (Wish.LIVE, False, Mode.LIVE),
    ],
)
async def test_the_way_asked_for_is_the_way_taken(
    live: Backstage, wish: Wish, staffed: bool | None, mode: Mode
) -> None:
    live.staffed = staffed
    customer = await live.open()
    assert (await live.desk.escalate(ORGANISATION, customer.id, wish=wish)).mode is mode


async def test_back_to_the_assistant_and_to_a_person_again(stage: Backstage) -> None:
    customer = await stage.open()
    await customer.says("I want a person")
    first = await stage.desk.escalate(ORGANISATION, customer.id)
    assert (await stage.desk.release(ORGANISATION, customer.id)).control is Control.ASSISTANT
    second = await stage.desk.escalate(ORGANISATION, customer.id)
    assert second.id != first.id
    assert second.state is HandoffState.REQUESTED


async def test_a_change_of_mind_takes_nothing_along_that_an_earlier_handoff_owes(live: Backstage) -> None:
    customer = await live.open()
    await customer.says("I want a person")
    await live.desk.escalate(ORGANISATION, customer.id)
    await customer.says("before I went back")
    await live.desk.release(ORGANISATION, customer.id)
    await customer.says("I want a person after all")
    await live.desk.escalate(ORGANISATION, customer.id, wish=Wish.TICKET)
    assert (await live.desk.escalate(ORGANISATION, customer.id, wish=Wish.LIVE)).mode is Mode.LIVE
    await live.drain()
    assert live.sunshine.posted == ["I want a person after all"]
    assert (await customer.deliveries())["before I went back"] == "failed"


async def test_an_address_given_later_is_kept_and_proves_nothing(stage: Backstage) -> None:
    customer = await stage.open()
    after = await stage.desk.identify(ORGANISATION, customer.id, name="Noor", email="noor@example.com")
    assert (after.customer.name, after.customer.email, after.customer.verified) == ("Noor", "noor@example.com", False)
    with pytest.raises(Invalid):
        await stage.desk.identify(ORGANISATION, customer.id, name=None, email="nonsense")


# Borders


async def test_nobody_reaches_a_conversation_of_another_organisation_or_customer(stage: Backstage) -> None:
    customer = await stage.open(id="u-1")
    await customer.says("Hello")
    desk, mine = stage.desk, customer.id
    reaches: list[tuple[Any, dict[str, Any]]] = [
        (desk.load, {}),
        (desk.messages, {}),
        (desk.follow, {"after": 0}),
        (desk.release, {}),
        (desk.close, {}),
        (desk.escalate, {}),
        (desk.identify, {"name": "Mallory", "email": None}),
        (desk.say, {"role": Role.CUSTOMER, "text": "Hi"}),
    ]
    for call, arguments in reaches:
        with pytest.raises(NotFound) as foreign:
            await call(OTHER, mine, **arguments)
        with pytest.raises(NotFound) as someone_elses:
            await call(ORGANISATION, mine, customer=CustomerId("u-2"), **arguments)
        with pytest.raises(NotFound) as missing:
            await call(ORGANISATION, ConversationId("c-none"), **arguments)
        assert str(foreign.value) == str(someone_elses.value) == str(missing.value)
    assert await customer.transcript() == ["Hello"]
    assert (await desk.load(ORGANISATION, mine, CustomerId("u-1"))).status is Status.OPEN
