"""A lane keeps its order whatever happens to its head, and a crash leaves nothing that looks new."""

from __future__ import annotations

from contextlib import ExitStack

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from escalade.domain.effects import (
    BY_NAME,
    AddNote,
    Answer,
    Effect,
    LaneName,
    MergeTicket,
    OpenTicket,
    Post,
    RemoveDouble,
)
from escalade.domain.model import ConversationId, HandoffId, MessageId, OrganisationId
from escalade.store import attempts, deliveries, lanes
from escalade.store.database import Tx
from tests.backstage import NOON
from tests.engines import a_database, connected

ORGANISATION, OTHER = OrganisationId("org_1"), OrganisationId("org_2")
CONVERSATION = ConversationId("c-1")
HANDOFF = HandoffId("hof_1")
DESK = lanes.Lane(organisation=ORGANISATION, conversation=CONVERSATION, name=LaneName.DESK)
ASSISTANT = lanes.Lane(organisation=ORGANISATION, conversation=CONVERSATION, name=LaneName.ASSISTANT)


def post(n: int, handoff: HandoffId = HANDOFF) -> Post:
    return Post(handoff=handoff, message=MessageId(f"m-{n}"))


def put(tx: Tx, *effects: Effect, now: int = NOON) -> None:
    for effect in effects:
        deliveries.put(tx, ORGANISATION, CONVERSATION, effect, now)


def head(tx: Tx, lane: lanes.Lane = DESK) -> deliveries.Delivery:
    found = deliveries.head(tx, lane)
    assert found is not None
    return found


def due_at(tx: Tx, lane: lanes.Lane = DESK) -> int | None:
    found: int | None = tx.everywhere().value(
        "SELECT due_at FROM lane WHERE conversation = :id AND name = :name", id=lane.conversation, name=lane.name.value
    )
    return found


def deliver(tx: Tx, lane: lanes.Lane = DESK, now: int = NOON) -> Effect:
    delivery = head(tx, lane)
    attempt = attempts.begin(tx, delivery, kind="send", frozen=None, now=now)
    attempts.end(tx, attempt, verdict="delivered", status=201, detail="", now=now)
    deliveries.finish(tx, delivery, "delivered", "", now)
    return delivery.effect


# Deliveries


def test_a_lane_gives_its_effects_in_the_order_they_were_put(tx: Tx) -> None:
    effects: list[Effect] = [OpenTicket(handoff=HANDOFF), AddNote(handoff=HANDOFF), post(1), post(2)]
    put(tx, *effects)
    assert [deliver(tx) for _ in effects] == effects
    assert deliveries.head(tx, DESK) is None
    assert lanes.due(tx, NOON + 10**9) == []
    assert lanes.next_due_at(tx) is None


def test_an_attempt_whose_outcome_could_not_be_written_may_have_arrived(tx: Tx) -> None:
    """The desk had the ticket, the store was away, the next try was refused for sure: the ticket was forgotten."""
    put(tx, OpenTicket(handoff=HANDOFF))
    attempts.begin(tx, head(tx), kind="send", frozen="body", now=NOON)
    attempt = attempts.begin(tx, head(tx), kind="send", frozen="body", now=NOON + 1)
    attempts.end(tx, attempt, verdict="retryable", status=403, detail="", now=NOON + 2)
    assert attempts.was_uncertain(tx, head(tx).id)


def test_every_kind_of_effect_is_read_back_as_it_was_put(tx: Tx) -> None:
    of_handoffs = [kind for kind in BY_NAME.values() if kind not in {Answer, Post, RemoveDouble, MergeTicket}]
    plain: list[Effect] = [kind(handoff=HANDOFF) for kind in of_handoffs]  # type: ignore[call-arg]
    plain += [RemoveDouble(handoff=HANDOFF, theirs="m-9"), MergeTicket(handoff=HANDOFF, theirs="4712")]
    put(tx, Answer(message=MessageId("m-1")), *plain, post(1))
    assert deliver(tx, ASSISTANT) == Answer(message=MessageId("m-1"))
    assert [deliver(tx) for _ in (*plain, post(1))] == [*plain, post(1)]


def test_the_lanes_of_a_conversation_do_not_wait_for_each_other(tx: Tx) -> None:
    put(tx, post(1), Answer(message=MessageId("m-1")))
    deliveries.postpone(tx, head(tx), "pending", NOON + 60_000, failed=True)
    assert lanes.due(tx, NOON) == [ASSISTANT]
    assert deliver(tx, ASSISTANT) == Answer(message=MessageId("m-1"))


def test_the_lane_that_is_due_longest_comes_first(tx: Tx) -> None:
    for n, due in ((1, NOON + 30), (2, NOON + 10), (3, NOON + 20)):
        deliveries.put(tx, ORGANISATION, ConversationId(f"c-{n}"), post(n, HandoffId(f"hof_{n}")), due)
    assert [lane.conversation for lane in lanes.due(tx, NOON + 25)] == ["c-2", "c-3"]
    assert lanes.next_due_at(tx) == NOON + 10
    assert [lane.conversation for lane in lanes.due(tx, NOON + 30, limit=1)] == ["c-2"]


def test_one_organisation_with_more_due_than_is_listed_hides_nobody_else(tx: Tx) -> None:
    for n in range(40):
        deliveries.put(tx, ORGANISATION, ConversationId(f"c-{n:02}"), post(n, HandoffId(f"hof_{n}")), NOON + n)
    deliveries.put(tx, OTHER, ConversationId("c-1"), post(1, HandoffId("hof_other")), NOON + 50)
    found = lanes.due(tx, NOON + 60, limit=32)
    assert [lane.conversation for lane in found if lane.organisation == ORGANISATION] == ["c-00", "c-01"]
    assert [lane.conversation for lane in found if lane.organisation == OTHER] == ["c-1"]
    assert len(lanes.due(tx, NOON + 60)) == 41


def test_nothing_behind_a_head_that_is_tried_again_later_moves(tx: Tx) -> None:
    put(tx, post(1), post(2))
    first = head(tx)
    attempts.begin(tx, first, kind="send", frozen=None, now=NOON)
    deliveries.postpone(tx, first, "pending", NOON + 5_000, failed=True)
    put(tx, post(3))
    assert lanes.due(tx, NOON + 4_999) == []
    assert due_at(tx) == NOON + 5_000  # a new effect does not wake a lane that backs off
    again = head(tx)
    assert (again.id, again.tries, again.failures) == (first.id, 1, 1)
    assert [deliver(tx), deliver(tx), deliver(tx)] == [post(1), post(2), post(3)]


def test_a_success_ends_the_count_of_failures(tx: Tx) -> None:
    put(tx, post(1), post(2))
    for n in range(3):
        assert head(tx).failures == n
        deliveries.postpone(tx, head(tx), "pending", NOON, failed=True)
    deliveries.postpone(tx, head(tx), "unsure", NOON, failed=False)
    assert head(tx).failures == 3
    deliver(tx)
    assert head(tx).failures == 0


def test_settling_twice_moves_the_lane_once(tx: Tx) -> None:
    put(tx, post(1), post(2))
    first = head(tx)
    deliveries.finish(tx, first, "delivered", "", NOON)
    deliveries.finish(tx, first, "refused", "late", NOON)
    assert head(tx).effect == post(2)


def test_the_key_is_the_same_on_every_attempt_and_of_no_other_delivery(tx: Tx) -> None:
    put(tx, post(1), post(1), OpenTicket(handoff=HandoffId("hof_2")))
    deliveries.put(tx, OTHER, CONVERSATION, Answer(message=MessageId("m-1")), NOON)
    put(tx, Answer(message=MessageId("m-1")))
    keys = [row["key"] for row in tx.everywhere().all("SELECT key FROM delivery")]
    assert len(set(keys)) == len(keys) == 5
    assert all(len(key) <= 255 for key in keys)
    first = head(tx).key
    attempts.begin(tx, head(tx), kind="send", frozen=None, now=NOON)
    deliveries.postpone(tx, head(tx), "pending", NOON, failed=True)
    assert head(tx).key == first


def test_the_first_request_is_kept_where_the_receiver_compares_bytes(tx: Tx) -> None:
    put(tx, OpenTicket(handoff=HANDOFF))
    attempts.begin(tx, head(tx), kind="send", frozen="first", now=NOON)
    attempts.begin(tx, head(tx), kind="send", frozen="second", now=NOON + 1)
    found = head(tx)
    assert (found.frozen, found.first_try_at, found.tried_at, found.tries) == ("first", NOON, NOON + 1, 2)


def test_looks_are_counted_since_the_last_send(tx: Tx) -> None:
    put(tx, post(1))
    attempts.begin(tx, head(tx), kind="send", frozen=None, now=NOON)
    for n in range(1, 3):
        attempts.begin(tx, head(tx), kind="look", frozen=None, now=NOON + n)
        assert (head(tx).looks, head(tx).tries, head(tx).tried_at) == (n, 1, NOON)
    attempts.begin(tx, head(tx), kind="send", frozen=None, now=NOON + 9)
    assert (head(tx).looks, head(tx).tries) == (0, 2)


def test_what_is_withdrawn_keeps_its_place_and_is_passed_over(tx: Tx) -> None:
    put(tx, OpenTicket(handoff=HANDOFF), post(1))
    attempts.begin(tx, head(tx), kind="send", frozen=None, now=NOON)
    deliveries.withdraw(tx, ORGANISATION, CONVERSATION, HANDOFF, "another way", NOON)
    put(tx, post(2))
    assert head(tx).effect == OpenTicket(handoff=HANDOFF)  # it may have arrived, so it is not taken back
    deliver(tx)
    gone = head(tx)
    assert (gone.effect, gone.state) == (post(1), "withdrawn")
    deliveries.finish(tx, gone, gone.state, "", NOON)
    assert tx.everywhere().value("SELECT why FROM delivery WHERE id = :id", id=gone.id) == "another way"
    assert head(tx).effect == post(2)


def test_withdrawing_leaves_the_assistant_and_other_conversations_alone(tx: Tx) -> None:
    put(tx, Answer(message=MessageId("m-1")))
    deliveries.put(tx, ORGANISATION, ConversationId("c-2"), post(1, HandoffId("hof_2")), NOON)
    deliveries.put(tx, OTHER, CONVERSATION, post(1, HandoffId("hof_3")), NOON)
    deliveries.withdraw(tx, ORGANISATION, CONVERSATION, HANDOFF, "another way", NOON)
    assert {row["state"] for row in tx.everywhere().all("SELECT state FROM delivery")} == {"pending"}


def test_withdrawing_leaves_what_an_earlier_handoff_owes(tx: Tx) -> None:
    put(tx, post(1, HandoffId("hof_0")), OpenTicket(handoff=HANDOFF), post(2))
    assert deliveries.owed_messages(tx, ORGANISATION, CONVERSATION, HANDOFF) == ["m-2"]
    deliveries.withdraw(tx, ORGANISATION, CONVERSATION, HANDOFF, "another way", NOON)
    states = [row["state"] for row in tx.all("SELECT state FROM delivery ORDER BY position", organisation=ORGANISATION)]
    assert states == ["pending", "withdrawn", "withdrawn"]


def test_words_the_desk_has_yet_to_hear_are_listed_in_order(tx: Tx) -> None:
    put(tx, post(1), OpenTicket(handoff=HANDOFF), post(2), post(3))
    deliver(tx)
    deliver(tx)
    attempts.begin(tx, head(tx), kind="send", frozen=None, now=NOON)
    assert deliveries.owed_messages(tx, ORGANISATION, CONVERSATION, HANDOFF) == ["m-2", "m-3"]
    attempts.recover(tx, NOON)
    assert deliveries.owed_messages(tx, ORGANISATION, CONVERSATION, HANDOFF) == ["m-2", "m-3"]
    deliveries.finish(tx, head(tx), "refused", "", NOON)
    assert deliveries.owed_messages(tx, ORGANISATION, CONVERSATION, HANDOFF) == ["m-3"]


def test_what_a_crash_cut_short_is_unsure_and_never_new(tx: Tx) -> None:
    put(tx, post(1), post(2))
    delivery = head(tx)
    attempts.begin(tx, delivery, kind="send", frozen=None, now=NOON)
    assert attempts.recover(tx, NOON + 7) == 1
    assert head(tx).state == "unsure"
    attempt = tx.everywhere().one("SELECT * FROM attempt")
    assert attempt is not None
    assert (attempt["verdict"], attempt["ended_at"]) == ("cut_short", NOON + 7)
    assert attempts.recover(tx, NOON + 8) == 0
    assert tx.everywhere().value("SELECT state FROM delivery WHERE position = 2") == "pending"


def test_hearing_from_zendesk_hurries_what_backs_off_but_not_what_may_have_arrived(tx: Tx) -> None:
    for n, state in ((1, "pending"), (2, "unsure")):
        conversation = ConversationId(f"c-{n}")
        deliveries.put(tx, ORGANISATION, conversation, post(n, HandoffId(f"hof_{n}")), NOON)
        lane = lanes.Lane(organisation=ORGANISATION, conversation=conversation, name=LaneName.DESK)
        deliveries.postpone(tx, head(tx, lane), state, NOON + 60_000, failed=True)
    deliveries.put(tx, OTHER, ConversationId("c-1"), post(9, HandoffId("hof_9")), NOON + 60_000)
    deliveries.put(tx, ORGANISATION, ConversationId("c-3"), Answer(message=MessageId("m-1")), NOON + 60_000)
    lanes.hurry(tx, ORGANISATION, NOON + 1)
    assert [(lane.organisation, lane.conversation) for lane in lanes.due(tx, NOON + 1)] == [(ORGANISATION, "c-1")]
    assert ("lane", "desk") in tx.rings


def test_hurrying_neither_wakes_an_idle_lane_nor_delays_a_due_one(tx: Tx) -> None:
    put(tx, post(1))
    lanes.hurry(tx, ORGANISATION, NOON + 500)
    assert due_at(tx) == NOON
    deliver(tx)
    lanes.hurry(tx, ORGANISATION, NOON + 500)
    assert due_at(tx) is None


def test_what_is_put_or_settled_rings_for_its_lane(tx: Tx) -> None:
    put(tx, post(1))
    assert tx.rings == {("lane", "desk")}
    put(tx, Answer(message=MessageId("m-1")))
    assert tx.rings == {("lane", "desk"), ("lane", "assistant")}


# Any story at all


class LanesAsLists(RuleBasedStateMachine):
    """A lane is a list: put at its end, taken from its front. Whatever happens to the head, the rest stays as it is."""

    engine = "sqlite"
    places = st.sampled_from([ConversationId("c-1"), ConversationId("c-2")])

    @initialize()
    def begin(self) -> None:
        self.open = ExitStack()
        self.tx = self.open.enter_context(connected(self.open.enter_context(a_database(self.engine))))
        self.model: dict[ConversationId, list[tuple[Effect, str]]] = {
            ConversationId("c-1"): [],
            ConversationId("c-2"): [],
        }
        self.delivered: dict[ConversationId, list[int]] = {ConversationId("c-1"): [], ConversationId("c-2"): []}
        self.now = NOON
        self.count = 0

    def lane(self, conversation: ConversationId) -> lanes.Lane:
        return lanes.Lane(organisation=ORGANISATION, conversation=conversation, name=LaneName.DESK)

    def front(self, conversation: ConversationId) -> deliveries.Delivery | None:
        """Give the head as the courier does: what was withdrawn is passed over."""
        while (found := deliveries.head(self.tx, self.lane(conversation))) is not None and found.state == "withdrawn":
            deliveries.finish(self.tx, found, found.state, "", self.now)
        expected = self.model[conversation]
        assert (found is None) == (not expected)
        if found is not None:
            assert (found.effect, found.state) == expected[0]
        return found

    @rule(conversation=places)
    def put(self, conversation: ConversationId) -> None:
        self.count += 1
        effect = post(self.count, HandoffId(f"hof-{conversation}"))
        deliveries.put(self.tx, ORGANISATION, conversation, effect, self.now)
        self.model[conversation].append((effect, "pending"))

    @rule(conversation=places, state=st.sampled_from(["delivered", "refused", "dropped", "covered"]))
    def settle(self, conversation: ConversationId, state: str) -> None:
        found = self.front(conversation)
        if found is not None:
            deliveries.finish(self.tx, found, state, "", self.now)
            effect, _ = self.model[conversation].pop(0)
            assert isinstance(effect, Post)
            self.delivered[conversation].append(int(effect.message.removeprefix("m-")))

    @rule(conversation=places, kind=st.sampled_from(["send", "look"]))
    def begin_an_attempt(self, conversation: ConversationId, kind: str) -> None:
        found = self.front(conversation)
        if found is not None:
            attempts.begin(self.tx, found, kind=kind, frozen=None, now=self.now)
            self.model[conversation][0] = (found.effect, "sending")

    @rule(conversation=places, state=st.sampled_from(["pending", "unsure"]), seconds=st.integers(0, 60))
    def postpone(self, conversation: ConversationId, state: str, seconds: int) -> None:
        found = self.front(conversation)
        if found is not None:
            deliveries.postpone(self.tx, found, state, self.now + seconds * 1000, failed=True)
            self.model[conversation][0] = (found.effect, state)
            assert due_at(self.tx, self.lane(conversation)) == self.now + seconds * 1000

    @rule()
    def crash_and_recover(self) -> None:
        attempts.recover(self.tx, self.now)
        for conversation, owed in self.model.items():
            self.model[conversation] = [(e, "unsure" if state == "sending" else state) for e, state in owed]

    @rule(conversation=places)
    def withdraw(self, conversation: ConversationId) -> None:
        deliveries.withdraw(
            self.tx, ORGANISATION, conversation, HandoffId(f"hof-{conversation}"), "another way", self.now
        )
        self.model[conversation] = [(e, state) for e, state in self.model[conversation] if state != "pending"]

    @rule()
    def hurry(self) -> None:
        lanes.hurry(self.tx, ORGANISATION, self.now)

    @rule(seconds=st.integers(1, 90))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * 1000

    @precondition(lambda self: hasattr(self, "tx"))
    @invariant()
    def what_is_owed_is_what_the_lists_hold(self) -> None:
        for conversation, owed in self.model.items():
            messages = [effect.message for effect, _ in owed if isinstance(effect, Post)]
            assert (
                deliveries.owed_messages(self.tx, ORGANISATION, conversation, HandoffId(f"hof-{conversation}"))
                == messages
            )
            assert self.delivered[conversation] == sorted(self.delivered[conversation])
            lane = self.lane(conversation)
            idle = due_at(self.tx, lane) is None
            assert idle == (deliveries.head(self.tx, lane) is None)

    def teardown(self) -> None:
        if hasattr(self, "open"):
            self.open.close()


class LanesAsListsOnPostgres(LanesAsLists):
    engine = "postgres"


LanesAsLists.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
LanesAsListsOnPostgres.TestCase.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)
TestLanesAsLists = LanesAsLists.TestCase
TestLanesAsListsOnPostgres = LanesAsListsOnPostgres.TestCase
