"""What comes in is kept once and decided in the order it came; what it causes is owed in the same commit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from escalade.channels.base import Arrival, ArrivalKind, ChannelName, LinkKind
from escalade.domain import policy as words
from escalade.domain.effects import LaneName
from escalade.domain.errors import Conflict
from escalade.domain.events import AssistantSaid, CustomerSaid, DeskSaid, HandoffAsked, PostRefused, SessionEnded
from escalade.domain.model import (
    Control,
    Ending,
    HandoffId,
    MessageId,
    OrganisationId,
    Reason,
    Role,
    Utterance,
)
from escalade.services.arrivals import PARK_MS, Accepted, Status, arrival_of
from escalade.services.inquiry import PATIENCE_MS
from escalade.services.intake import policy_of
from escalade.store import conversations, deliveries, lanes, links, receipts
from escalade.store.database import Tx
from tests.backstage import INES, ORGANISATION, OTHER, Backstage, Customer

ACCEPTED, DUPLICATE = Accepted(status=Status.ACCEPTED), Accepted(status=Status.DUPLICATE)
UNKNOWN = Accepted(status=Status.IGNORED, reason="unknown_ticket")


def news(kind: ArrivalKind, key: str = "e-1", ticket_id: str | None = "4711", **more: Any) -> Arrival:
    return Arrival(kind=kind, key=key, ticket_id=ticket_id, **more)


def an_agents_word(key: str, text: str, **more: Any) -> Arrival:
    facts: dict[str, Any] = {"message_id": key, "actor_type": "agent", "agent_id": "7", "agent_name": "Inès"}
    return news(ArrivalKind.MESSAGE_ADDED, key, **(facts | {"text": text} | more))


async def arrive(stage: Backstage, arrival: Arrival, organisation: OrganisationId = ORGANISATION) -> Accepted:
    def written(tx: Tx) -> Accepted:
        return stage.arrivals.arrive(tx, organisation, "zendesk", arrival, "raw", policy_of(tx, organisation))

    return await stage.write(written)


async def with_a_ticket(stage: Backstage) -> Customer:
    """Bring a conversation to an open ticket number 4711."""
    customer = await stage.open()
    await customer.says("My stove is broken", "m-1")
    await stage.desk.escalate(ORGANISATION, customer.id)
    await stage.drain()
    conversation = await customer.conversation()
    assert conversation.handoff is not None
    assert conversation.handoff.ticket_id == "4711"
    return customer


async def in_a_live_chat(stage: Backstage) -> Customer:
    customer = await stage.open()
    await customer.says("My stove is broken", "m-1")
    await stage.desk.escalate(ORGANISATION, customer.id)
    await stage.drain()
    assert (await customer.conversation()).control is Control.PENDING
    return customer


async def outcomes(stage: Backstage) -> dict[str, tuple[str, str]]:
    return {receipt.key: (receipt.state, receipt.outcome) for receipt in await stage.receipts()}


# Facts about a known conversation


async def test_what_was_said_already_is_not_said_again(stage: Backstage) -> None:
    customer = await stage.open()
    said = CustomerSaid(message=Utterance(id=MessageId("m-1"), role=Role.CUSTOMER, text="Hello"))
    await customer.happens(said)
    await customer.happens(said)
    assert await customer.transcript() == ["Hello"]
    assert [(row["effect"], row["lane"]) for row in await stage.deliveries()] == [("Answer", "assistant")]


async def test_an_answer_under_an_id_the_customer_took_is_said_all_the_same(stage: Backstage) -> None:
    customer = await stage.open()
    await customer.says("What is up?", "m-1")
    await customer.says("I write the answer myself", "answer-m-1")
    await stage.drain()
    said = await customer.transcript(Role.ASSISTANT)
    assert said == ["About “What is up?” …", "About “I write the answer myself” …"]
    assert {receipt.state for receipt in await stage.receipts()} == {"settled"}


async def test_an_answer_that_comes_twice_is_said_once(stage: Backstage) -> None:
    customer = await stage.open()
    answer = AssistantSaid(id=MessageId("answer-m-1"), text="It ships on Monday.")
    await customer.happens(answer)
    await customer.happens(answer)
    assert await customer.transcript() == ["It ships on Monday."]
    assert (await customer.conversation()).turns == 1


async def test_a_handoff_starts_with_the_customers_last_words(stage: Backstage) -> None:
    customer = await stage.open()
    await customer.says("My stove is broken", "m-1")
    await customer.says("It smokes", "m-2")
    await customer.happens(HandoffAsked(id=HandoffId("hof_1"), reason=Reason.API))
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert handoff.about == "m-2"


async def test_words_written_while_the_assistant_thought_reach_the_desk_in_order(stage: Backstage) -> None:
    customer = await stage.open()
    for n, text in enumerate(("My stove is broken", "It smokes", "Hurry"), start=1):
        await customer.says(text, f"m-{n}")
    asked = HandoffAsked(id=HandoffId("hof_1"), reason=Reason.NO_ANSWER, about=MessageId("m-1"))
    await customer.happens(asked)
    await stage.drain()
    assert stage.zendesk.posted == ["It smokes", "Hurry"]  # the first words opened the ticket
    assert await customer.deliveries() == {
        "My stove is broken": "delivered",
        "It smokes": "delivered",
        "Hurry": "delivered",
    }


async def test_a_word_that_did_not_arrive_is_named_to_the_customer(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    id = await customer.says("x" * 100)
    await customer.happens(PostRefused(handoff=handoff.id, message=id, why="it was too long"))
    last = (await customer.messages())[-1]
    assert last.text == f"Your message “{'x' * 59}…” did not reach our team: it was too long."
    assert (await customer.deliveries())["x" * 100] == "failed"


async def test_a_follow_up_is_kept_once_and_decided_after_a_crash(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    conversation = await customer.conversation()
    assert conversation.handoff is not None
    ended = SessionEnded(handoff=conversation.handoff.id, ending=Ending.BY_AGENT)
    for _ in range(2):
        await stage.write(lambda tx: stage.intake.owe(tx, conversation, "courier", "k-1", ended))
    assert (await customer.conversation()).control is Control.PENDING  # here the process dies; at the next start:
    await stage.upkeep.round()
    assert (await customer.conversation()).control is Control.ASSISTANT
    assert (await outcomes(stage))["k-1"] == ("settled", "applied")
    assert (
        await stage.write(lambda tx: stage.intake.work(tx, ORGANISATION, customer.id, policy_of(tx, ORGANISATION))) == 0
    )


async def test_state_words_and_effects_are_one_commit(stage: Backstage) -> None:
    customer = await stage.open()

    def fails_late(tx: Tx) -> None:
        current = conversations.load(tx, ORGANISATION, customer.id)
        assert current is not None
        asked = HandoffAsked(id=HandoffId("hof_1"), reason=Reason.API)
        stage.intake.apply(tx, current, asked, policy_of(tx, ORGANISATION))
        raise Conflict("something after it went wrong")

    with pytest.raises(Conflict):
        await stage.write(fails_late)
    assert (await customer.conversation()).control is Control.ASSISTANT
    assert await customer.messages() == []
    assert await stage.deliveries() == []


# News from outside


async def test_news_is_kept_once(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    assert await arrive(stage, an_agents_word("e-1", "Hello")) == ACCEPTED
    assert await arrive(stage, an_agents_word("e-1", "Hello")) == DUPLICATE
    assert await customer.transcript(Role.AGENT) == ["Hello"]
    assert (await customer.conversation()).control is Control.AGENT


async def test_news_of_a_strange_ticket_is_kept_and_changes_nothing(stage: Backstage) -> None:
    assert await arrive(stage, news(ArrivalKind.SESSION_END, ticket_id="999")) == UNKNOWN
    assert await outcomes(stage) == {"e-1": ("ignored", "unknown_ticket")}


async def test_the_ticket_of_another_organisation_is_a_strange_ticket(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    assert await arrive(stage, news(ArrivalKind.SESSION_END), OTHER) == UNKNOWN
    assert await arrive(stage, news(ArrivalKind.SESSION_END, "e-2", "999"), OTHER) == UNKNOWN
    assert (await customer.conversation()).control is Control.PENDING


async def test_news_that_overtakes_our_own_answer_waits_for_it(stage: Backstage) -> None:
    customer = await stage.open()
    await customer.says("My stove is broken", "m-1")
    await stage.desk.escalate(ORGANISATION, customer.id)
    assert await arrive(stage, an_agents_word("e-1", "I am on it")) == UNKNOWN
    assert (await outcomes(stage))["e-1"] == ("waiting", "")
    await stage.drain()  # the ticket is opened and its number learnt
    await stage.upkeep.round()
    assert await customer.transcript(Role.AGENT) == ["I am on it"]
    assert (await outcomes(stage))["e-1"] == ("settled", "applied")


async def test_news_nobody_claims_is_let_go_after_a_minute(stage: Backstage) -> None:
    customer = await stage.open()
    await customer.says("My stove is broken", "m-1")
    await stage.desk.escalate(ORGANISATION, customer.id)
    await arrive(stage, news(ArrivalKind.STATUS_CHANGED, ticket_id="999", status="closed"))
    stage.clock.passes(PARK_MS / 1000)
    await stage.upkeep.round()
    assert (await outcomes(stage))["e-1"] == ("waiting", "")
    stage.clock.passes(1)
    await stage.upkeep.round()
    assert (await outcomes(stage))["e-1"] == ("ignored", "unknown_ticket")


async def test_of_news_that_is_nobodys_no_words_are_kept(stage: Backstage) -> None:
    def arrives(key: str, ticket: str) -> Callable[[Tx], Accepted]:
        arrival = an_agents_word(key, "Your marigold …", ticket_id=ticket, agent_name="Marigold")
        raw = '{"detail":{"subject":"My marigold is wilting"}}'
        return lambda tx: stage.arrivals.arrive(tx, ORGANISATION, "zendesk", arrival, raw, policy_of(tx, ORGANISATION))

    await stage.write(arrives("of a stranger", "999"))
    customer = await stage.open()
    await customer.says("My marigold is wilting", "m-1")
    await stage.desk.escalate(ORGANISATION, customer.id)
    await stage.write(arrives("of somebody, as far as is known", "998"))
    stranger, parked = await stage.receipts()
    assert "arigold" not in stranger.body
    assert "arigold" in parked.body
    stage.clock.passes(PARK_MS / 1000 + 1)
    await stage.upkeep.round()
    await stage.drain()
    await customer.is_erased()
    await stage.write(arrives("of who was erased", "4711"))
    kept = await stage.receipts()
    assert [(one.outcome, arrival_of(one).ticket_id) for one in kept] == [
        ("unknown_ticket", "999"),
        ("unknown_ticket", "998"),
        ("unknown_ticket", "4711"),
    ]
    assert not any("arigold" in one.body for one in kept)


async def test_news_without_a_meaning_is_kept_and_ignored(stage: Backstage) -> None:
    await with_a_ticket(stage)
    assert (await arrive(stage, news(ArrivalKind.OTHER))).reason == "unknown_event"
    assert (await arrive(stage, news(ArrivalKind.OTHER, "e-2", None))).reason == "unknown_event"
    assert [(await outcomes(stage))[key][0] for key in ("e-1", "e-2")] == ["ignored", "ignored"]


@pytest.mark.parametrize(
    ("arrival", "control", "notice"),
    [
        (news(ArrivalKind.STATUS_CHANGED, status="solved"), Control.PENDING, "ticket_created"),
        (news(ArrivalKind.SESSION_END), Control.ASSISTANT, "ended"),
        (news(ArrivalKind.MESSAGE_ADDED, actor_type="end_user", text="My stove"), Control.PENDING, "ticket_created"),
        (news(ArrivalKind.ASSIGNMENT_CHANGED, agent_id=None), Control.PENDING, "ticket_created"),
    ],
)
async def test_what_needs_no_look_is_decided_at_once(
    stage: Backstage, arrival: Arrival, control: Control, notice: str
) -> None:
    customer = await with_a_ticket(stage)
    assert await arrive(stage, arrival) == ACCEPTED
    assert (await customer.conversation()).control is control
    assert (await customer.notices())[-1] == notice
    assert await stage.read(lambda tx: receipts.waiting(tx, ORGANISATION, customer.id)) == []


async def test_the_end_of_a_ticket_waits_for_its_last_words(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.says("We replaced it. Goodbye!")
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    await arrive(stage, news(ArrivalKind.STATUS_CHANGED, status="CLOSED"))
    assert ("look", handoff.id) in stage.rung
    await stage.reconcile.look(handoff.id, session=False)
    assert (await customer.transcript())[-2:] == ["We replaced it. Goodbye!", words.ENDED[Ending.CLOSED]]
    assert (await customer.conversation()).control is Control.ASSISTANT


async def test_an_automatic_text_on_a_ticket_waits_for_the_list_and_is_no_persons_word(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    await arrive(stage, news(ArrivalKind.MESSAGE_ADDED, actor_type="system", text="We are away", message_id="x"))
    assert await customer.transcript(Role.AGENT) == []


async def test_a_live_chat_is_not_believed_by_the_bell_alone(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    conversation = await customer.conversation()
    assert conversation.handoff is not None
    live.rung.clear()
    assert await arrive(live, an_agents_word("e-1", "Hello", conversation_id="sunshine-2")) == ACCEPTED
    assert await customer.transcript(Role.AGENT) == []
    assert ("look", conversation.handoff.id) in live.rung
    after = await customer.conversation()
    assert after.handoff is not None
    assert after.handoff.ticket_id == "4711"  # the number is learnt on the way


async def test_an_end_signed_before_the_handoff_began_changes_nothing(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    late = news(ArrivalKind.SESSION_END, sent_at=handoff.asked_at - 1001)
    assert await arrive(stage, late) == Accepted(status=Status.IGNORED, reason="stale")
    assert (await customer.conversation()).control is Control.PENDING
    assert await arrive(stage, news(ArrivalKind.SESSION_END, "e-2", sent_at=handoff.asked_at - 999)) == ACCEPTED
    assert (await customer.conversation()).control is Control.ASSISTANT


async def test_hearing_from_zendesk_ends_its_back_off(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    await customer.says("More")
    lane = lanes.Lane(organisation=ORGANISATION, conversation=customer.id, name=LaneName.DESK)
    delivery = await stage.read(lambda tx: deliveries.head(tx, lane))
    assert delivery is not None
    at = stage.clock.at + 60_000
    await stage.write(lambda tx: deliveries.postpone(tx, delivery, "pending", at, failed=True))
    assert await stage.read(lambda tx: lanes.due(tx, stage.clock.at)) == []
    await arrive(stage, news(ArrivalKind.STATUS_CHANGED, status="open"))
    assert await stage.read(lambda tx: lanes.due(tx, stage.clock.at)) == [lane]


async def test_a_late_word_in_an_earlier_chat_is_shown_and_takes_no_control(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    first = (await customer.conversation()).handoff
    assert first is not None
    await customer.happens(SessionEnded(handoff=first.id, ending=Ending.INACTIVE))
    await live.desk.escalate(ORGANISATION, customer.id)
    await live.drain()
    second = (await customer.conversation()).handoff
    assert second is not None
    assert second.id != first.id
    assert (
        await arrive(live, an_agents_word("e-1", "Still there?", ticket_id=None, conversation_id="sunshine-2"))
        == ACCEPTED
    )
    assert ("look", first.id) in live.rung
    assert await live.reconcile.look(first.id, session=False) is not None, "the earlier chat's own list comes first"
    live.clock.passes(PATIENCE_MS / 1000)
    assert await live.reconcile.look(first.id, session=False) is None
    assert await customer.transcript(Role.AGENT) == ["Still there?"]
    after = await customer.conversation()
    assert (after.control, after.handoff) == (Control.PENDING, second)


@pytest.mark.parametrize(
    "arrival",
    [
        news(ArrivalKind.SESSION_END, ticket_id=None, conversation_id="sunshine-2"),
        news(ArrivalKind.CONTROL_LEFT, ticket_id=None, conversation_id="sunshine-2"),
        news(ArrivalKind.COMMENT_ADDED, ticket_id=None, conversation_id="sunshine-2"),
        news(ArrivalKind.ASSIGNMENT_CHANGED, ticket_id=None, conversation_id="sunshine-2", agent_id="7"),
        news(
            ArrivalKind.MESSAGE_ADDED, ticket_id=None, conversation_id="sunshine-2", message_id="m", actor_type="agent"
        ),
    ],
    ids=lambda arrival: str(arrival.kind.value),
)
async def test_nothing_waits_for_ever_for_a_look_at_an_earlier_chat(live: Backstage, arrival: Arrival) -> None:
    customer = await in_a_live_chat(live)
    first = (await customer.conversation()).handoff
    assert first is not None
    await customer.happens(SessionEnded(handoff=first.id, ending=Ending.INACTIVE))
    await live.desk.escalate(ORGANISATION, customer.id)
    await arrive(live, arrival)
    await live.reconcile.look(first.id, session=False)
    live.clock.passes(PATIENCE_MS / 1000)
    await live.reconcile.look(first.id, session=False)
    waiting = await live.read(lambda tx: receipts.waiting(tx, ORGANISATION, customer.id))
    assert [receipt.key for receipt in waiting] == []
    assert (await customer.conversation()).control is Control.PENDING


async def test_a_ticket_that_serves_two_handoffs_belongs_to_the_later_one(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    await stage.desk.release(ORGANISATION, customer.id)
    handoff = await stage.desk.escalate(ORGANISATION, customer.id)

    def linked(tx: Tx) -> None:
        links.tie(
            tx,
            ORGANISATION,
            handoff.id,
            channel=ChannelName.ZENDESK,
            kind=LinkKind.TICKET,
            theirs="4711",
            ours=handoff.id,
        )

    await stage.write(linked)
    await arrive(stage, an_agents_word("e-1", "Hello again"))
    assert (await customer.conversation()).control is Control.AGENT


async def test_a_message_is_shown_once_whichever_way_it_comes(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    await arrive(stage, an_agents_word("abc", "Hello"))
    listed = DeskSaid(handoff=handoff.id, id=MessageId("sunshine:abc"), role=Role.AGENT, text="Hello", agent=INES)
    await customer.happens(listed)
    assert await customer.transcript(Role.AGENT) == ["Hello"]
