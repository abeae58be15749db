"""What a conversation looks like when it is read back, in order, by its own organisation only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from escalade.channels.base import ChannelName, LinkKind
from escalade.domain.errors import Conflict
from escalade.domain.model import (
    Agent,
    AgentId,
    Attachment,
    Citation,
    Control,
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    DeliveryView,
    Ending,
    Handoff,
    HandoffId,
    HandoffState,
    MessageId,
    Mode,
    Notice,
    OrganisationId,
    Reason,
    Role,
    Status,
    TicketId,
    Utterance,
)
from escalade.domain.organisation import LiveSettings, Organisation, Settings, TicketSettings
from escalade.store import conversations, customers, handoffs, links, messages, operators, organisations
from escalade.store.database import Tx
from tests.backstage import NOON
from tests.engines import INTEGRITY

ORGANISATION, OTHER = OrganisationId("org_1"), OrganisationId("org_2")
NOOR = Customer(
    id=CustomerId("cu-1"), external_id="u-77", name="Noor", email="noor@example.com", locale="nl", verified=True
)


def a_conversation(
    tx: Tx, id: str = "c-1", organisation: OrganisationId = ORGANISATION, customer: Customer = NOOR, at: int = NOON
) -> Conversation:
    conversation = Conversation(
        id=ConversationId(id),
        organisation=organisation,
        customer=customer,
        status=Status.OPEN,
        control=Control.ASSISTANT,
        created_at=at,
        updated_at=at,
        context={"page": "/cart", "items": [1, 2], "note": "ü"},
    )
    customers.save(tx, organisation, customer, at)
    conversations.create(tx, conversation, request="digest")
    return conversation


def a_handoff(id: str = "hof_1", **more: object) -> Handoff:
    return Handoff(
        id=HandoffId(id),
        mode=Mode.LIVE,
        state=HandoffState.WITH_AGENT,
        reason=Reason.TOPIC,
        asked_at=NOON,
        evidence="refund",
        summary="wants money back",
        note="VIP",
        about=MessageId("m-1"),
        queued_at=NOON + 1,
        agent=Agent(id=AgentId("7"), name="Inès", avatar_url="https://a.example/i.png"),
        **more,  # type: ignore[arg-type]
    )


def say(tx: Tx, conversation: Conversation, id: str, role: Role = Role.CUSTOMER, at: int = NOON, **more: object) -> int:
    said = Utterance(role=role, text=f"text of {id}", **more)  # type: ignore[arg-type]
    return messages.append(tx, conversation, said, MessageId(id), at, said_at=at).seq


# Conversations


def test_a_conversation_is_read_back_as_it_was_created(tx: Tx) -> None:
    created = a_conversation(tx)
    assert conversations.load(tx, ORGANISATION, created.id) == created
    assert conversations.request_of(tx, ORGANISATION, created.id) == "digest"


def test_everything_a_decision_changed_is_read_back(tx: Tx) -> None:
    before = a_conversation(tx)
    handoff = a_handoff(ticket_id=TicketId("42"), ticket_attempted=True, ended=Ending.INACTIVE, ended_at=NOON + 9)
    after = replace(
        before,
        control=Control.AGENT,
        handoff=handoff,
        turns=3,
        customer=replace(NOOR, email="noor@new.example", verified=False),
    )
    conversations.save(tx, before, after, NOON + 5)
    assert conversations.load(tx, ORGANISATION, before.id) == replace(after, updated_at=NOON + 5)


def test_the_same_ids_in_two_organisations_are_two_things(tx: Tx) -> None:
    mine, theirs = (
        a_conversation(tx),
        a_conversation(tx, organisation=OTHER, customer=Customer(id=NOOR.id, name="Mara")),
    )
    say(tx, mine, "m-1")
    conversations.save(tx, mine, replace(mine, control=Control.PENDING, handoff=a_handoff()), NOON)
    assert conversations.load(tx, OTHER, theirs.id) == theirs
    assert messages.of(tx, OTHER, theirs.id) == []
    assert messages.load(tx, OTHER, theirs.id, MessageId("m-1")) is None
    assert customers.load(tx, ORGANISATION, NOOR.id) == NOOR
    assert handoffs.conversation_of(tx, OTHER, HandoffId("hof_1")) is None
    assert conversations.load(tx, OrganisationId("org_3"), mine.id) is None


def test_topics_of_different_conversations_never_look_alike() -> None:
    places = [("a", "b/c"), ("a/b", "c"), ("1:a", "b"), ("a", "b"), ("", "a/b"), ("aa", "b")]
    assert len({conversations.topic(*place) for place in places}) == len(places)


def test_what_changed_last_is_listed_first(tx: Tx) -> None:
    for n in (1, 2, 3):
        a_conversation(tx, f"c-{n}", at=NOON + n)
    a_conversation(tx, "c-of-another", customer=Customer(id=CustomerId("cu-2")), at=NOON + 9)
    first = conversations.load(tx, ORGANISATION, ConversationId("c-1"))
    assert first is not None
    say(tx, first, "m-1", at=NOON + 5)
    mine = conversations.recent(tx, ORGANISATION, customer=NOOR.id)
    assert [found.id for found in mine] == ["c-1", "c-3", "c-2"]
    assert [found.id for found in conversations.recent(tx, ORGANISATION, limit=1)] == ["c-of-another"]
    assert [found.id for found in conversations.recent(tx, ORGANISATION, before=NOON + 5)] == ["c-3", "c-2"]
    assert conversations.recent(tx, OTHER) == []


def test_a_customer_who_says_less_is_still_known_by_what_was_said_before(tx: Tx) -> None:
    a_conversation(tx)
    customers.save(tx, ORGANISATION, replace(NOOR, name="Noor B."), NOON + 1)
    assert customers.load(tx, ORGANISATION, NOOR.id) == replace(NOOR, name="Noor B.")
    assert customers.load(tx, OTHER, NOOR.id) is None


# Messages


def test_messages_are_numbered_from_one_without_gaps(tx: Tx) -> None:
    first, second = a_conversation(tx), a_conversation(tx, "c-2")
    assert [say(tx, first, f"m-{n}") for n in range(3)] == [1, 2, 3]
    assert say(tx, second, "m-1") == 1
    assert [m.id for m in messages.of(tx, ORGANISATION, first.id, after=1)] == ["m-1", "m-2"]
    assert [m.id for m in messages.of(tx, ORGANISATION, first.id, limit=2)] == ["m-0", "m-1"]


def test_a_message_is_read_back_with_all_its_parts(tx: Tx) -> None:
    conversation = a_conversation(tx)
    said = Utterance(
        role=Role.SYSTEM,
        text="“Grüße” {{x}} \u202e <b>",
        name="Inès",
        avatar_url="https://a.example/i.png",
        citations=(Citation(n=1, title="Shipping", url=None, source_id="a.md"),),
        attachments=(Attachment(name="a.png", url="https://a.example/a.png", media_type="image/png"),),
        notice=Notice.ANNOUNCEMENT,
        tracked=True,
    )
    appended = messages.append(tx, conversation, said, MessageId("m-1"), NOON + 1, said_at=NOON)
    assert messages.of(tx, ORGANISATION, conversation.id) == [appended]
    assert messages.load(tx, ORGANISATION, conversation.id, MessageId("m-1")) == appended
    assert (appended.text, appended.delivery) == (said.text, DeliveryView.PENDING)


def test_the_same_id_is_never_two_messages(tx: Tx) -> None:
    conversation = a_conversation(tx)
    say(tx, conversation, "m-1")
    with pytest.raises(INTEGRITY):
        say(tx, conversation, "m-1")


@pytest.mark.parametrize(
    ("role", "text", "same"),
    [(Role.CUSTOMER, "Hello", True), (Role.CUSTOMER, "hello", False), (Role.ASSISTANT, "Hello", False)],
)
def test_the_first_text_of_an_id_stands(tx: Tx, role: Role, text: str, same: bool) -> None:
    conversation = a_conversation(tx)
    hello = Utterance(role=Role.CUSTOMER, text="Hello")
    stored = messages.append(tx, conversation, hello, MessageId("m-1"), NOON, said_at=NOON)
    again = Utterance(role=role, text=text)
    if same:
        messages.require_same(again, stored)
    else:
        with pytest.raises(Conflict):
            messages.require_same(again, stored)


def test_a_sender_is_told_what_became_of_their_words(tx: Tx) -> None:
    conversation = a_conversation(tx)
    say(tx, conversation, "m-1", tracked=True)
    say(tx, conversation, "m-2", Role.AGENT)
    say(tx, conversation, "m-3")
    messages.mark(tx, ORGANISATION, conversation.id, MessageId("m-1"), DeliveryView.FAILED)
    found = messages.deliveries(tx, ORGANISATION, conversation.id)
    assert {id: (it.seq, it.delivery.value) for id, it in found.items()} == {"m-1": (1, "failed"), "m-3": (3, "none")}
    assert messages.deliveries(tx, ORGANISATION, conversation.id, limit=1).keys() == {"m-3"}
    assert messages.deliveries(tx, ORGANISATION, conversation.id, since=1, limit=1) == found
    assert ("delivery", conversations.topic(ORGANISATION, "c-1")) in tx.rings


def test_the_customers_last_words_are_found(tx: Tx) -> None:
    conversation = a_conversation(tx)
    assert messages.last_from_customer(tx, ORGANISATION, conversation.id) is None
    say(tx, conversation, "m-1")
    say(tx, conversation, "m-2")
    say(tx, conversation, "m-3", Role.ASSISTANT)
    last = messages.last_from_customer(tx, ORGANISATION, conversation.id)
    assert last is not None
    assert last.id == "m-2"


# Links and looks


def test_their_id_leads_to_our_handoff_in_its_own_organisation(tx: Tx) -> None:
    def link(handoff: str, theirs: str, kind: LinkKind = LinkKind.TICKET) -> None:
        links.tie(
            tx, ORGANISATION, HandoffId(handoff), channel=ChannelName.ZENDESK, kind=kind, theirs=theirs, ours=handoff
        )

    def found(theirs: str, organisation: OrganisationId = ORGANISATION) -> str | None:
        return links.handoff_at(tx, organisation, channel=ChannelName.ZENDESK, kind=LinkKind.TICKET, theirs=theirs)

    link("hof_1", "42")
    link("hof_1", "42")
    link("hof_1", "900", LinkKind.MESSAGE)
    assert (found("42"), found("43"), found("42", OTHER)) == ("hof_1", None, None)
    assert links.of(tx.everywhere(), HandoffId("hof_1")) == {("zendesk", "ticket"): "42"}
    link("hof_2", "42")  # Zendesk gave a second handoff of the customer the same ticket
    assert found("42") == "hof_2"


def test_open_handoffs_and_those_just_over_are_read_and_the_place_in_the_list_is_kept(tx: Tx) -> None:
    conversation = a_conversation(tx)
    for n, state in enumerate(HandoffState):
        handoffs.save(tx, conversation, replace(a_handoff(f"hof_{n}"), state=state))
    over = replace(a_handoff("hof_over"), state=HandoffState.ENDED, ended_at=NOON)
    handoffs.save(tx, conversation, over)

    def read(now: int) -> set[str]:
        return {row["state"] for row in handoffs.to_read(tx, now)}

    open_ones = {"requested", "queued", "with_agent", "asynchronous"}
    assert read(NOON + 1000) == open_ones | {"ended"}
    handoffs.looked(tx, over.id, None, NOON + 1)
    assert read(NOON + 1000) == open_ones | {"ended"}, "an agent may still finish a sentence"
    assert read(NOON + 2 * 3600_000) == open_ones | {"ended"}, "we may have been away, or the clock was set forward"
    handoffs.looked(tx, over.id, None, NOON + 3600_000)
    assert read(NOON + 3600_000) == open_ones | {"ended"}, "nobody watched in between"
    for minute in range(1, 60):
        handoffs.looked(tx, over.id, None, NOON + 3600_000 + minute * 60_000)
    assert read(NOON + 2 * 3600_000) == open_ones
    handoffs.looked(tx, HandoffId("hof_1"), "after-9", NOON)
    handoffs.looked(tx, HandoffId("hof_1"), None, NOON + 1)
    assert handoffs.cursor(tx, HandoffId("hof_1")) == "after-9"


# Organisations, tokens and operators


def an_organisation(tx: Tx, id: OrganisationId = ORGANISATION, name: str = "Fernhill") -> Organisation:
    settings = Settings(tickets=TicketSettings(tags=("a",), custom_fields={"7": 1.5}), live=LiveSettings(app_id="x"))
    organisation = Organisation(id=id, name=name, widget_key=f"pk_{id}", settings=settings)
    organisations.create(tx, organisation, NOON)
    return organisation


def test_an_organisation_is_found_by_id_by_its_only_name_and_by_widget_key(tx: Tx) -> None:
    mine, theirs = an_organisation(tx), an_organisation(tx, OTHER, "Acme")
    an_organisation(tx, OrganisationId("org_3"), "Acme")
    assert organisations.load(tx, mine.id) == mine
    assert organisations.named(tx, "Fernhill") == mine
    assert organisations.named(tx, OTHER) == theirs
    assert organisations.named(tx, "Acme") is None
    assert organisations.by_widget_key(tx, "pk_org_2") == theirs
    assert organisations.by_widget_key(tx, "") is None


def test_a_token_opens_one_kind_of_door_and_is_kept_nowhere(tx: Tx) -> None:
    an_organisation(tx)
    organisations.add_token(tx, ORGANISATION, "webhook", "wt_secret", NOON)
    opens = organisations.token_owner
    assert opens(tx, "webhook", organisations.digest("wt_secret"), NOON) == ORGANISATION
    assert opens(tx, "api", organisations.digest("wt_secret"), NOON) is None
    assert opens(tx, "webhook", "wt_secret", NOON) is None
    assert "wt_secret" not in str([tuple(row) for row in tx.everywhere().all("SELECT * FROM token")])


def test_both_tokens_open_the_door_for_a_day_after_a_rotation(tx: Tx) -> None:
    an_organisation(tx)
    organisations.add_token(tx, ORGANISATION, "webhook", "old", NOON)
    organisations.rotate_token(tx, ORGANISATION, "webhook", "new", NOON)
    day = 24 * 3600 * 1000
    for token, moment, owner in (
        ("old", NOON + day - 1, ORGANISATION),
        ("old", NOON + day, None),
        ("new", NOON + day, ORGANISATION),
    ):
        assert organisations.token_owner(tx, "webhook", organisations.digest(token), moment) == owner
    organisations.rotate_token(tx, ORGANISATION, "webhook", "newer", NOON + 1)
    assert organisations.token_owner(tx, "webhook", organisations.digest("old"), NOON + day) is None


def test_a_browser_session_ends_when_it_is_old_or_unused(tx: Tx) -> None:
    organisations.add_visitor(tx, ORGANISATION, NOOR.id, "visitor", "https://shop.example", NOON)
    found = organisations.visitor(tx, "visitor", unused_since=NOON - 1, created_since=NOON - 1)
    assert found is not None
    assert (found["organisation"], found["customer"]) == (ORGANISATION, NOOR.id)
    assert organisations.visitor(tx, "visitor", unused_since=NOON, created_since=NOON - 1) is None
    assert organisations.visitor(tx, "visitor", unused_since=NOON - 1, created_since=NOON) is None
    assert organisations.visitor(tx, "someone else", unused_since=0, created_since=0) is None


def test_a_secret_is_replaced_and_forgotten(tx: Tx) -> None:
    an_organisation(tx)
    organisations.save_secret(tx, ORGANISATION, "live.secret", "sealed-1", "aaaa", NOON)
    organisations.save_secret(tx, ORGANISATION, "live.secret", "sealed-2", "bbbb", NOON)
    assert organisations.secrets(tx, ORGANISATION)["live.secret"].sealed == "sealed-2"
    organisations.forget_secret(tx, ORGANISATION, "live.secret")
    assert organisations.secrets(tx, ORGANISATION) == {}


def test_a_sign_in_link_signs_in_once_and_in_time(tx: Tx) -> None:
    an_organisation(tx)
    olga = operators.Operator(id="op_1", organisation=ORGANISATION, email="olga@example.com", role="owner")
    operators.add(tx, olga, NOON)
    operators.add_link(tx, "op_1", "link", NOON + 60)
    operators.add_link(tx, "op_1", "late", NOON + 60)
    assert operators.use_link(tx, "link", NOON + 59) == olga
    assert operators.use_link(tx, "link", NOON + 59) is None
    assert operators.use_link(tx, "late", NOON + 60) is None
    assert operators.use_link(tx, "unknown", NOON) is None


def test_an_operator_added_again_keeps_the_account_and_gets_the_new_role(tx: Tx) -> None:
    an_organisation(tx)
    one = operators.Operator(id="op_1", organisation=ORGANISATION, email="olga@example.com", role="viewer")
    operators.add(tx, one, NOON)
    again = operators.add(tx, replace(one, id="op_2", role="owner"), NOON)
    assert (again.id, again.role) == ("op_1", "owner")


def test_a_console_session_ends_by_time_or_by_hand(tx: Tx) -> None:
    an_organisation(tx)
    olga = operators.Operator(id="op_1", organisation=ORGANISATION, email="olga@example.com", role="owner")
    operators.add(tx, olga, NOON)
    operators.open_session(tx, "op_1", "token", "csrf", NOON, NOON + 60)
    assert operators.session(tx, "token", NOON + 59) == operators.ConsoleSession(operator=olga, csrf="csrf")
    assert operators.session(tx, "token", NOON + 60) is None
    operators.close_session(tx, "token")
    assert operators.session(tx, "token", NOON) is None
