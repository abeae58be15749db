"""The rules of control: every event has an answer in every situation, and some answers matter more than others."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalade.domain import policy as words
from escalade.domain.effects import (
    LIVE_STEPS,
    AddNote,
    Answer,
    ConfirmControl,
    Effect,
    EnsureConversation,
    EnsureUser,
    LaneName,
    NameRequester,
    OpenTicket,
    PassToAgents,
    Post,
    PostContext,
    ReleaseControl,
    TakeControl,
    lane_of,
)
from escalade.domain.events import (
    BY_NAME,
    AgentAssigned,
    AssistantSaid,
    Closed,
    CustomerIdentified,
    CustomerSaid,
    DeskSaid,
    Event,
    FilesRefused,
    HandoffAsked,
    HandoffQueued,
    HandoffRefused,
    HandoffRetried,
    NobodyAnswered,
    PostDelayed,
    PostRefused,
    Released,
    SessionEnded,
    TicketMoved,
    TicketOpened,
    TicketStatusChanged,
    Unknown,
)
from escalade.domain.model import (
    Agent,
    AgentId,
    Control,
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
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
    Wish,
)
from escalade.domain.policy import Policy
from escalade.domain.standing import handoff_of, standing
from escalade.domain.switchboard.decision import Decision
from escalade.domain.switchboard.handoffs import choose_mode, plan
from escalade.domain.switchboard.rules import decide

NOON = 1_768_478_400_000
POLICY = Policy(live_enabled=True)
CURRENT, EARLIER, NEXT = HandoffId("hof_1"), HandoffId("hof_0"), HandoffId("hof_3")
QUESTION, TICKET = MessageId("m-question"), TicketId("42")
INES = Agent(id=AgentId("7"), name="Inès")
JONAS = Agent(id=AgentId("8"), name="Jonas")


def a_handoff(mode: Mode = Mode.LIVE, state: HandoffState = HandoffState.QUEUED, **more: object) -> Handoff:
    facts: dict[str, object] = {"reason": Reason.ASKED_FOR_PERSON, "asked_at": NOON, "about": QUESTION} | more
    return Handoff(id=CURRENT, mode=mode, state=state, **facts)  # type: ignore[arg-type]


def a_conversation(control: Control = Control.ASSISTANT, handoff: Handoff | None = None) -> Conversation:
    return Conversation(
        id=ConversationId("c-1"),
        organisation=OrganisationId("org_1"),
        customer=Customer(id=CustomerId("cu-1")),
        status=Status.CLOSED if control is Control.NOBODY else Status.OPEN,
        control=control,
        created_at=NOON,
        updated_at=NOON,
        last_seq=3,
        handoff=handoff,
        context={"page": "/cart"},
    )


def over(ending: Ending) -> Handoff:
    return a_handoff(state=HandoffState.ENDED, ended=ending, ended_at=NOON)


SITUATIONS: dict[str, Conversation] = {
    "with the assistant": a_conversation(),
    "after an agent ended it": a_conversation(handoff=over(Ending.BY_AGENT)),
    "after it was closed": a_conversation(handoff=over(Ending.CLOSED)),
    "after a quiet end": a_conversation(handoff=over(Ending.INACTIVE)),
    "after an unclear end": a_conversation(handoff=over(Ending.UNKNOWN)),
    "after a failure": a_conversation(handoff=a_handoff(Mode.TICKET, HandoffState.FAILED)),
    "live asked for": a_conversation(Control.PENDING, a_handoff(state=HandoffState.REQUESTED)),
    "ticket asked for": a_conversation(Control.PENDING, a_handoff(Mode.TICKET, HandoffState.REQUESTED)),
    "ticket attempted": a_conversation(
        Control.PENDING, a_handoff(Mode.TICKET, HandoffState.REQUESTED, ticket_attempted=True)
    ),
    "in the queue": a_conversation(Control.PENDING, a_handoff(queued_at=NOON)),
    "nobody came": a_conversation(Control.PENDING, a_handoff(state=HandoffState.ASYNCHRONOUS, queued_at=NOON)),
    "ticket open": a_conversation(Control.PENDING, a_handoff(Mode.TICKET, HandoffState.ASYNCHRONOUS, ticket_id=TICKET)),
    "with an agent": a_conversation(Control.AGENT, a_handoff(state=HandoffState.WITH_AGENT, agent=INES)),
    "agent answered the ticket": a_conversation(
        Control.AGENT, a_handoff(Mode.TICKET, HandoffState.ASYNCHRONOUS, ticket_id=TICKET, agent=INES)
    ),
    "closed": a_conversation(Control.NOBODY, over(Ending.BY_CUSTOMER)),
    "closed without a handoff": a_conversation(Control.NOBODY),
}

ONE_OF_EACH: tuple[Event, ...] = (
    CustomerSaid(message=Utterance(id=MessageId("m-2"), role=Role.CUSTOMER, text="Hello?")),
    AssistantSaid(id=MessageId("m-3"), text="Have you tried it?"),
    HandoffAsked(id=HandoffId("hof_2"), reason=Reason.NO_ANSWER, about=QUESTION),
    HandoffQueued(handoff=CURRENT),
    TicketOpened(handoff=CURRENT, ticket_id=TicketId("43")),
    TicketMoved(handoff=CURRENT, ticket_id=TicketId("43")),
    HandoffRetried(handoff=CURRENT),
    PostDelayed(handoff=CURRENT),
    HandoffRefused(handoff=CURRENT, step="OpenTicket", why="no such group"),
    PostRefused(handoff=CURRENT, message=QUESTION, why="too long"),
    FilesRefused(handoff=CURRENT, names=("tent.png",)),
    DeskSaid(handoff=CURRENT, id=MessageId("sunshine:1"), role=Role.AGENT, text="I am Inès.", agent=INES),
    AgentAssigned(handoff=CURRENT, agent=INES),
    TicketStatusChanged(handoff=CURRENT, status="closed"),
    SessionEnded(handoff=CURRENT, ending=Ending.BY_AGENT),
    NobodyAnswered(handoff=CURRENT),
    CustomerIdentified(email="noor@example.com"),
    Released(),
    Closed(),
    Unknown(kind="moon.rose"),
)
VARIANTS: tuple[Event, ...] = (
    HandoffAsked(id=HandoffId("hof_2"), reason=Reason.API, wish=Wish.LIVE, waiting=(MessageId("m-9"),)),
    HandoffAsked(id=HandoffId("hof_2"), reason=Reason.API, wish=Wish.TICKET),
    HandoffRefused(handoff=CURRENT, step="PassToAgents", why="404"),
    PostRefused(handoff=CURRENT, message=MessageId("m-2"), why="it is closed", follow_up=NEXT),
    PostRefused(handoff=EARLIER, message=MessageId("m-2"), why="it is closed", follow_up=NEXT),
    DeskSaid(handoff=CURRENT, id=MessageId("sunshine:2"), role=Role.SYSTEM, text="We are away."),
    DeskSaid(handoff=EARLIER, id=MessageId("sunshine:3"), role=Role.AGENT, text="Still there?", agent=JONAS),
    AgentAssigned(handoff=CURRENT, agent=None),
    AgentAssigned(handoff=EARLIER, agent=JONAS),
    TicketStatusChanged(handoff=CURRENT, status="solved"),
    SessionEnded(handoff=EARLIER, ending=Ending.INACTIVE),
    SessionEnded(handoff=CURRENT, ending=Ending.INACTIVE),
)


def require_invariants(before: Conversation, event: Event, decision: Decision) -> None:
    """Hold what is true after every decision, whatever came before it."""
    after = decision.conversation
    assert (after.open_handoff is not None) == (after.control in {Control.PENDING, Control.AGENT})
    assert (after.status is Status.CLOSED) == (after.control is Control.NOBODY)
    assert (after.id, after.organisation, after.customer.id) == (before.id, before.organisation, before.customer.id)
    assert (after.created_at, after.last_seq, after.context) == (before.created_at, before.last_seq, before.context)
    if decision.ignored:
        assert after == before
        assert (decision.says, decision.effects, decision.withdraws) == ((), (), False)
    went_on = isinstance(event, PostRefused) and after.handoff is not None and after.handoff.id == event.follow_up
    if went_on:
        assert before.handoff is not None
        left = decision.leaves or before.handoff
        assert (left.id, left.ended) == (before.handoff.id, Ending.CLOSED)
        assert (decision.leaves is None) == (not before.handoff.is_open)
    elif before.handoff is not None and not isinstance(event, HandoffAsked):
        assert after.handoff is not None
        assert after.handoff.id == before.handoff.id
        assert before.handoff.ticket_id in {None, after.handoff.ticket_id} or isinstance(event, TicketMoved)
    if after.handoff is not None:
        ended = after.handoff.state is HandoffState.ENDED
        assert ended == (after.handoff.ended is not None) == (after.handoff.ended_at is not None)
    if before.status is Status.CLOSED:
        assert after.status is Status.CLOSED
        assert not {Role.CUSTOMER, Role.ASSISTANT} & {said.role for said in decision.says}
        assert decision.effects == ()
    if before.control in {Control.PENDING, Control.AGENT}:
        assert not any(said.role is Role.ASSISTANT for said in decision.says)
        assert not any(isinstance(effect, Answer) for effect in decision.effects)
    for effect in decision.effects:
        left_behind = {decision.leaves.id} if isinstance(effect, ReleaseControl) and decision.leaves else set()
        assert handoff_of(effect) in {None, after.handoff.id if after.handoff else None} | left_behind
    for said in decision.says:
        assert (said.role is Role.SYSTEM) == (said.notice is not None)


def name_of(event: Event) -> str:
    return type(event).__name__


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("event", ONE_OF_EACH + VARIANTS, ids=name_of)
@pytest.mark.parametrize("policy", [POLICY, Policy(), Policy(zendesk_connected=False)])
def test_every_event_has_an_answer_in_every_situation(situation: str, event: Event, policy: Policy) -> None:
    before = SITUATIONS[situation]
    decision = decide(before, event, policy, NOON + 1)
    assert isinstance(decision, Decision)
    require_invariants(before, event, decision)


def test_one_of_each_event_is_among_the_samples() -> None:
    assert {type(event) for event in ONE_OF_EACH} == set(BY_NAME.values())


def test_every_control_is_among_the_situations() -> None:
    assert {conversation.control for conversation in SITUATIONS.values()} == set(Control)
    states = {conversation.handoff.state for conversation in SITUATIONS.values() if conversation.handoff}
    assert states == set(HandoffState)


# The rules that matter


def happens(situation: str, event: Event, policy: Policy = POLICY) -> Decision:
    return decide(SITUATIONS[situation], event, policy, NOON + 1)


@pytest.mark.parametrize("situation", [name for name, it in SITUATIONS.items() if it.control is not Control.ASSISTANT])
def test_the_assistant_is_mute_while_a_person_has_control_or_it_is_closed(situation: str) -> None:
    assert happens(situation, AssistantSaid(text="By the way …")).ignored


def test_the_assistant_counts_its_turns_and_starts_again_after_a_handoff() -> None:
    spoken = happens("with the assistant", AssistantSaid(text="It ships on Monday.")).conversation
    assert spoken.turns == 1
    ended = decide(
        replace(SITUATIONS["with an agent"], turns=4),
        SessionEnded(handoff=CURRENT, ending=Ending.BY_AGENT),
        POLICY,
        NOON,
    )
    assert ended.conversation.turns == 0


SAID = ONE_OF_EACH[0]


@pytest.mark.parametrize(
    ("situation", "effects"),
    [
        ("with the assistant", (Answer(message=MessageId("m-2")),)),
        ("after an agent ended it", (Answer(message=MessageId("m-2")),)),
        ("after a failure", (Answer(message=MessageId("m-2")),)),
        ("live asked for", (Post(handoff=CURRENT, message=MessageId("m-2")),)),
        ("ticket asked for", (Post(handoff=CURRENT, message=MessageId("m-2")),)),
        ("in the queue", (Post(handoff=CURRENT, message=MessageId("m-2")),)),
        ("ticket open", (Post(handoff=CURRENT, message=MessageId("m-2")),)),
        ("with an agent", (Post(handoff=CURRENT, message=MessageId("m-2")),)),
        ("closed", ()),
    ],
)
def test_a_customers_words_go_to_whoever_has_control(situation: str, effects: tuple[Effect, ...]) -> None:
    decision = happens(situation, SAID)
    assert decision.effects == effects
    owed = bool(effects) and isinstance(effects[0], Post)
    assert [said.tracked for said in decision.says] == ([] if situation == "closed" else [owed])


@pytest.mark.parametrize(
    ("wish", "live", "needs_online", "staffed", "mode"),
    [
        (Wish.AUTO, False, True, True, Mode.TICKET),
        (Wish.AUTO, True, True, True, Mode.LIVE),
        (Wish.AUTO, True, True, False, Mode.TICKET),
        (Wish.AUTO, True, True, None, Mode.LIVE),
        (Wish.AUTO, True, False, False, Mode.LIVE),
        (Wish.LIVE, True, True, False, Mode.LIVE),
        (Wish.LIVE, False, True, True, Mode.TICKET),
        (Wish.TICKET, True, True, True, Mode.TICKET),
    ],
)
def test_live_is_chosen_where_it_is_enabled_and_staffed(
    wish: Wish, live: bool, needs_online: bool, staffed: bool | None, mode: Mode
) -> None:
    asked = HandoffAsked(id=CURRENT, reason=Reason.API, wish=wish, staffed=staffed)
    assert choose_mode(asked, Policy(live_enabled=live, require_online_agent=needs_online)) is mode


def test_a_live_handoff_is_laid_out_with_the_ticket_behind_it() -> None:
    steps = [type(effect) for effect in plan(a_handoff(state=HandoffState.REQUESTED))]
    assert steps == [
        EnsureUser,
        EnsureConversation,
        TakeControl,
        PostContext,
        PassToAgents,
        ConfirmControl,
        OpenTicket,
        AddNote,
        Post,
    ]
    assert {lane_of(effect) for effect in plan(a_handoff())} == {LaneName.DESK}
    assert [type(effect) for effect in plan(a_handoff(Mode.TICKET))] == [OpenTicket, AddNote, Post]
    assert not any(isinstance(effect, Post) for effect in plan(a_handoff(about=None)))


def test_words_said_while_the_assistant_still_thought_follow_the_question_in_order() -> None:
    waiting = (MessageId("m-8"), MessageId("m-9"))
    asked = HandoffAsked(id=CURRENT, reason=Reason.NO_ANSWER, about=QUESTION, waiting=waiting)
    posts = [effect.message for effect in happens("with the assistant", asked).effects if isinstance(effect, Post)]
    assert posts == [QUESTION, *waiting]


def test_asking_without_a_connected_zendesk_says_so_and_changes_nothing() -> None:
    decision = happens("with the assistant", ONE_OF_EACH[2], Policy(zendesk_connected=False))
    assert decision.conversation == SITUATIONS["with the assistant"]
    assert [said.notice for said in decision.says] == [Notice.HANDOFF_FAILED]


ASKED_LIVE = HandoffAsked(
    id=HandoffId("hof_2"), reason=Reason.API, wish=Wish.LIVE, waiting=(QUESTION, MessageId("m-9"))
)


def test_a_ticket_that_was_not_attempted_yet_can_still_become_a_live_chat() -> None:
    decision = happens("ticket asked for", ASKED_LIVE)
    handoff = decision.conversation.handoff
    assert handoff is not None
    assert (handoff.id, handoff.mode) == (CURRENT, Mode.LIVE)
    assert decision.withdraws
    posts = [effect.message for effect in decision.effects if isinstance(effect, Post)]
    assert posts == [QUESTION, MessageId("m-9")]


@pytest.mark.parametrize("situation", ["ticket attempted", "ticket open", "live asked for", "in the queue"])
def test_asking_again_later_gives_the_handoff_that_is_under_way(situation: str) -> None:
    assert happens(situation, ASKED_LIVE).ignored == "a handoff is under way"


def test_a_customer_who_would_rather_not_wait_is_answered_when_someone_writes() -> None:
    leaves = HandoffAsked(id=HandoffId("hof_2"), reason=Reason.API, wish=Wish.TICKET)
    decision = happens("in the queue", leaves)
    handoff = decision.conversation.handoff
    assert handoff is not None
    assert (handoff.id, handoff.mode, handoff.state) == (CURRENT, Mode.LIVE, HandoffState.ASYNCHRONOUS)
    assert decision.conversation.control is Control.PENDING
    assert [said.notice for said in decision.says] == [Notice.ASYNCHRONOUS]


def test_a_live_step_refused_for_good_turns_the_handoff_into_a_ticket() -> None:
    decision = happens("live asked for", HandoffRefused(handoff=CURRENT, step="PassToAgents", why="404"))
    handoff = decision.conversation.handoff
    assert handoff is not None
    assert (handoff.mode, handoff.state, handoff.is_open) == (Mode.TICKET, HandoffState.REQUESTED, True)
    assert [said.text for said in decision.says] == [words.LIVE_FAILED]
    # The ticket is in the lane already; the agents of the chat that was given up are told.
    assert decision.effects == (ReleaseControl(handoff=CURRENT),)
    assert handoff.ticket_id is None


def test_a_ticket_refused_for_good_has_failed_and_gives_control_back() -> None:
    decision = happens("ticket attempted", HandoffRefused(handoff=CURRENT, step="OpenTicket", why="422"))
    assert decision.conversation.control is Control.ASSISTANT
    assert decision.conversation.handoff is not None
    assert decision.conversation.handoff.state is HandoffState.FAILED
    assert [said.notice for said in decision.says] == [Notice.HANDOFF_FAILED]


def test_a_note_refused_for_good_changes_nothing_for_the_customer() -> None:
    assert happens("ticket open", HandoffRefused(handoff=CURRENT, step="AddNote", why="422")).ignored


@pytest.mark.parametrize("status", ["new", "open", "pending", "hold", "solved", "whatever comes next"])
def test_a_solved_ticket_is_not_an_end(status: str) -> None:
    assert happens("with an agent", TicketStatusChanged(handoff=CURRENT, status=status)).ignored


@pytest.mark.parametrize("status", ["closed", "deleted", "archived", "scrubbed"])
def test_a_ticket_that_is_gone_ends_the_handoff(status: str) -> None:
    decision = happens("ticket open", TicketStatusChanged(handoff=CURRENT, status=status))
    assert decision.conversation.control is Control.ASSISTANT
    assert decision.conversation.handoff is not None
    assert decision.conversation.handoff.ended is Ending.CLOSED


@pytest.mark.parametrize("situation", [name for name, it in SITUATIONS.items() if it.control is not Control.NOBODY])
def test_a_late_word_of_an_earlier_handoff_is_shown_without_taking_control(situation: str) -> None:
    late = DeskSaid(handoff=EARLIER, id=MessageId("sunshine:3"), role=Role.AGENT, text="Still there?", agent=JONAS)
    decision = happens(situation, late)
    assert decision.conversation == SITUATIONS[situation]
    assert [said.text for said in decision.says] == ["Still there?"]


@pytest.mark.parametrize(
    ("situation", "control"),
    [
        ("after a quiet end", Control.AGENT),
        ("after an unclear end", Control.AGENT),
        ("after an agent ended it", Control.ASSISTANT),
        ("after a failure", Control.ASSISTANT),
        ("closed", Control.NOBODY),
    ],
)
def test_an_agent_who_writes_after_a_quiet_end_opens_the_chat_again(situation: str, control: Control) -> None:
    back = DeskSaid(handoff=CURRENT, id=MessageId("sunshine:4"), role=Role.AGENT, text="I found it.", agent=INES)
    decision = happens(situation, back)
    assert decision.conversation.control is control
    assert decision.says[-1].text == "I found it."
    if control is Control.AGENT:
        handoff = decision.conversation.handoff
        assert handoff is not None
        assert (handoff.state, handoff.ended, handoff.ended_at) == (HandoffState.WITH_AGENT, None, None)


def test_an_automatic_text_is_an_announcement_and_never_a_persons_word() -> None:
    away = DeskSaid(handoff=CURRENT, id=MessageId("sunshine:2"), role=Role.SYSTEM, text="We are away.")
    decision = happens("in the queue", away)
    assert decision.conversation == SITUATIONS["in the queue"]
    assert [(said.role, said.notice, said.name) for said in decision.says] == [(Role.SYSTEM, Notice.ANNOUNCEMENT, None)]


@pytest.mark.parametrize(
    ("known", "comes", "notices"),
    [
        (None, INES, [Notice.AGENT_JOINED]),
        (INES, INES, []),
        (INES, JONAS, [Notice.AGENT_CHANGED]),
        (Agent(name="Inès"), INES, []),
        (Agent(name="Someone"), INES, [Notice.AGENT_CHANGED]),
    ],
)
def test_an_agent_is_introduced_once(known: Agent | None, comes: Agent, notices: list[Notice]) -> None:
    before = a_conversation(Control.PENDING, a_handoff(agent=known))
    decision = decide(before, AgentAssigned(handoff=CURRENT, agent=comes), POLICY, NOON)
    assert [said.notice for said in decision.says] == notices
    assert decision.conversation.control is Control.AGENT


def test_an_assignee_of_a_ticket_is_an_owner_and_has_not_come_to_talk() -> None:
    decision = happens("ticket open", AgentAssigned(handoff=CURRENT, agent=INES))
    assert decision.conversation.control is Control.PENDING
    assert decision.says == ()


def test_an_agent_taken_off_the_chat_puts_the_customer_back_into_the_queue() -> None:
    decision = happens("with an agent", AgentAssigned(handoff=CURRENT, agent=None))
    assert decision.conversation.control is Control.PENDING
    assert decision.conversation.handoff is not None
    assert (decision.conversation.handoff.state, decision.conversation.handoff.agent) == (HandoffState.QUEUED, None)
    assert [said.notice for said in decision.says] == [Notice.WAITING]


def test_the_queue_is_told_once() -> None:
    queued = happens("live asked for", HandoffQueued(handoff=CURRENT))
    assert queued.conversation.handoff is not None
    assert queued.conversation.handoff.queued_at == NOON + 1
    assert decide(queued.conversation, HandoffQueued(handoff=CURRENT), POLICY, NOON).ignored


@pytest.mark.parametrize(
    ("situation", "told"),
    [
        ("in the queue", [Notice.ASYNCHRONOUS]),
        ("with an agent", [Notice.ASYNCHRONOUS]),  # assigned, and silent: being assigned is not an answer
        ("live asked for", [Notice.WAITING]),  # Zendesk has not taken it yet
        ("ticket asked for", [Notice.WAITING]),
        ("nobody came", []),
        ("ticket open", []),
    ],
)
def test_a_customer_nobody_answered_is_told_once_and_stays_in_the_queue(situation: str, told: list[Notice]) -> None:
    decision = happens(situation, NobodyAnswered(handoff=CURRENT))
    assert decision.conversation.control in {SITUATIONS[situation].control, Control.PENDING}
    assert [said.notice for said in decision.says] == told
    again = decide(decision.conversation, NobodyAnswered(handoff=CURRENT), POLICY, NOON)
    assert again.says == ()


def test_an_agent_who_has_written_has_answered() -> None:
    said = happens("with an agent", DeskSaid(handoff=CURRENT, id=MessageId("m-1"), role=Role.AGENT, text="Hello"))
    assert decide(said.conversation, NobodyAnswered(handoff=CURRENT), POLICY, NOON).ignored


def test_what_was_asked_since_a_quiet_end_goes_to_the_agent_who_comes_back() -> None:
    asked = (MessageId("m-7"), MessageId("m-8"))
    back = DeskSaid(handoff=CURRENT, id=MessageId("m-9"), role=Role.AGENT, text="Back again", waiting=asked)
    decision = happens("after a quiet end", back)
    assert decision.conversation.control is Control.AGENT
    assert decision.effects == tuple(Post(handoff=CURRENT, message=message) for message in asked)


def test_the_ticket_of_a_live_chat_is_learnt_without_a_word() -> None:
    decision = happens("with an agent", TicketOpened(handoff=CURRENT, ticket_id=TICKET))
    assert decision.says == ()
    assert decision.conversation.handoff is not None
    assert decision.conversation.handoff.ticket_id == TICKET


def test_the_number_of_a_ticket_is_told() -> None:
    decision = happens("ticket attempted", TicketOpened(handoff=CURRENT, ticket_id=TICKET))
    assert [said.notice for said in decision.says] == [Notice.TICKET_CREATED]
    assert decision.conversation.handoff is not None
    assert decision.conversation.handoff.state is HandoffState.ASYNCHRONOUS


def test_a_ticket_that_opens_after_the_customer_left_is_known_and_stays_over() -> None:
    left = decide(SITUATIONS["ticket attempted"], Released(), POLICY, NOON).conversation
    decision = decide(left, TicketOpened(handoff=CURRENT, ticket_id=TICKET), POLICY, NOON)
    assert decision.conversation.handoff is not None
    assert (decision.conversation.handoff.ticket_id, decision.conversation.handoff.is_open) == (TICKET, False)
    assert decision.says == ()


@pytest.mark.parametrize("ending", Ending)
def test_each_end_is_told_in_its_own_words(ending: Ending) -> None:
    decision = happens("with an agent", SessionEnded(handoff=CURRENT, ending=ending))
    assert [said.text for said in decision.says] == [words.ENDED[ending]]
    assert (decision.conversation.control, decision.conversation.status) == (Control.ASSISTANT, Status.OPEN)
    assert decide(decision.conversation, SessionEnded(handoff=CURRENT, ending=ending), POLICY, NOON).ignored


@pytest.mark.parametrize(
    ("situation", "effects"),
    [
        ("with an agent", (ReleaseControl(handoff=CURRENT),)),
        ("in the queue", (ReleaseControl(handoff=CURRENT),)),
        ("ticket open", ()),
    ],
)
@pytest.mark.parametrize("event", [Released(), Closed()], ids=name_of)
def test_leaving_a_live_chat_tells_zendesk(situation: str, effects: tuple[Effect, ...], event: Event) -> None:
    decision = happens(situation, event)
    assert decision.effects == effects
    assert decision.conversation.handoff is not None
    assert decision.conversation.handoff.ended is Ending.BY_CUSTOMER


def test_releasing_where_the_assistant_has_control_changes_nothing() -> None:
    assert happens("with the assistant", Released()).ignored


def test_closing_twice_is_the_same_as_once() -> None:
    assert happens("closed", Closed()).ignored
    assert happens("closed", HandoffAsked(id=HandoffId("hof_2"), reason=Reason.API)).ignored


def test_a_word_that_did_not_arrive_is_told_as_a_notice() -> None:
    decision = happens("with an agent", PostRefused(handoff=CURRENT, message=QUESTION, why="It was too long."))
    assert [(said.notice, said.text) for said in decision.says] == [(Notice.NOT_DELIVERED, "It was too long.")]


@pytest.mark.parametrize(
    ("situation", "notices", "mode", "leaves"),
    [
        ("ticket open", [Notice.ENDED, Notice.HANDOFF_REQUESTED], Mode.TICKET, ()),
        ("with an agent", [Notice.ENDED, Notice.HANDOFF_REQUESTED], Mode.LIVE, (ReleaseControl(handoff=CURRENT),)),
        ("after it was closed", [Notice.HANDOFF_REQUESTED], Mode.LIVE, ()),
    ],
)
def test_words_for_a_request_that_takes_no_more_open_another(
    situation: str, notices: list[Notice], mode: Mode, leaves: tuple[Effect, ...]
) -> None:
    word, next_word = MessageId("m-2"), MessageId("m-3")
    refused = PostRefused(handoff=CURRENT, message=word, why="it is closed", follow_up=NEXT, waiting=(next_word,))
    decision = happens(situation, refused)
    assert [said.notice for said in decision.says] == notices
    opened = decision.conversation.handoff
    assert opened is not None
    assert (opened.id, opened.mode, opened.reason, opened.about) == (NEXT, mode, Reason.FOLLOW_UP, word)
    assert decision.effects == (*leaves, *plan(opened), Post(handoff=NEXT, message=next_word))
    assert decision.withdraws


@pytest.mark.parametrize("situation", ["after an agent ended it", "after a quiet end", "closed", "after a failure"])
def test_words_for_a_request_that_ended_otherwise_are_told_as_not_delivered(situation: str) -> None:
    refused = PostRefused(handoff=CURRENT, message=MessageId("m-2"), why="it is closed", follow_up=NEXT)
    assert [said.notice for said in happens(situation, refused).says] == [Notice.NOT_DELIVERED]


def test_the_words_a_chat_was_opened_for_open_a_ticket_the_second_time() -> None:
    opened = happens("with an agent", PostRefused(handoff=CURRENT, message=QUESTION, why="it is full", follow_up=NEXT))
    assert opened.conversation.handoff is not None
    assert opened.conversation.handoff.mode is Mode.TICKET


def test_an_address_reaches_the_open_ticket_and_is_not_forgotten() -> None:
    decision = happens("ticket open", CustomerIdentified(email="noor@example.com", name="Noor"))
    assert decision.effects == (NameRequester(handoff=CURRENT),)
    later = decide(decision.conversation, CustomerIdentified(name="Noor B."), POLICY, NOON).conversation.customer
    assert (later.name, later.email) == ("Noor B.", "noor@example.com")
    assert decide(decision.conversation, CustomerIdentified(name="Noor"), POLICY, NOON).ignored


# What is still true at send time

LIVE_EFFECTS: tuple[Effect, ...] = tuple(step(handoff=CURRENT) for step in LIVE_STEPS)
TICKET_EFFECTS: tuple[Effect, ...] = (OpenTicket(handoff=CURRENT), AddNote(handoff=CURRENT))
POST, ABOUT = Post(handoff=CURRENT, message=MessageId("m-9")), Post(handoff=CURRENT, message=QUESTION)
ANSWER, LEAVE, NAME = Answer(message=QUESTION), ReleaseControl(handoff=CURRENT), NameRequester(handoff=CURRENT)
SEND, COVERED, DROP = (True, False), (False, True), (False, False)


@pytest.mark.parametrize(
    ("situation", "effect", "expected"),
    [
        ("with the assistant", ANSWER, SEND),
        ("after an agent ended it", ANSWER, SEND),
        ("in the queue", ANSWER, DROP),
        ("with an agent", ANSWER, DROP),
        ("closed", ANSWER, DROP),
        *[("live asked for", effect, SEND) for effect in LIVE_EFFECTS],
        *[("ticket asked for", effect, DROP) for effect in LIVE_EFFECTS],
        *[("after an agent ended it", effect, DROP) for effect in LIVE_EFFECTS],
        *[("in the queue", effect, COVERED) for effect in TICKET_EFFECTS],
        ("ticket asked for", OpenTicket(handoff=CURRENT), SEND),
        ("ticket asked for", AddNote(handoff=CURRENT), DROP),
        ("ticket open", OpenTicket(handoff=CURRENT), COVERED),
        ("ticket open", AddNote(handoff=CURRENT), SEND),
        ("ticket open", NAME, SEND),
        ("with an agent", NAME, COVERED),
        ("with an agent", ConfirmControl(handoff=CURRENT), COVERED),
        ("in the queue", ConfirmControl(handoff=CURRENT), SEND),
        ("with an agent", POST, SEND),
        ("in the queue", ABOUT, SEND),
        ("ticket open", ABOUT, COVERED),
        ("ticket open", POST, SEND),
        ("after an agent ended it", POST, DROP),
        ("after a failure", ABOUT, DROP),
        ("with an agent", LEAVE, DROP),
        ("after an agent ended it", LEAVE, SEND),
        ("ticket open", LEAVE, SEND),  # of a live way that was given up
        ("with the assistant", POST, DROP),
    ],
)
def test_what_control_has_moved_on_from_is_not_sent(
    situation: str, effect: Effect, expected: tuple[bool, bool]
) -> None:
    found = standing(effect, SITUATIONS[situation])
    assert (found.send, found.covered) == expected
    assert found.send or found.why


def test_nothing_of_an_earlier_handoff_is_sent() -> None:
    old = [step(handoff=EARLIER) for step in (*LIVE_STEPS, OpenTicket, AddNote, NameRequester, ReleaseControl)]
    for effect in (*old, Post(handoff=EARLIER, message=QUESTION)):
        assert not standing(effect, SITUATIONS["in the queue"]).send


def test_a_ticket_that_may_exist_is_pursued_until_it_is_known() -> None:
    left = decide(SITUATIONS["ticket attempted"], Released(), POLICY, NOON).conversation
    assert standing(OpenTicket(handoff=CURRENT), left).send
    never = decide(SITUATIONS["ticket asked for"], Released(), POLICY, NOON).conversation
    assert not standing(OpenTicket(handoff=CURRENT), never).send


# Any story at all


def events() -> st.SearchStrategy[Event]:
    handoffs = st.sampled_from([HandoffId(f"hof_{n}") for n in range(4)])
    agents = st.sampled_from([INES, JONAS, Agent(name="Someone")])
    ids = st.integers(0, 10**6).map(lambda n: MessageId(f"m-{n}"))
    return st.one_of(
        st.builds(CustomerSaid, message=st.builds(Utterance, id=ids, role=st.just(Role.CUSTOMER), text=st.text())),
        st.builds(AssistantSaid, text=st.text()),
        st.builds(
            HandoffAsked,
            id=handoffs,
            reason=st.sampled_from(Reason),
            wish=st.sampled_from(Wish),
            staffed=st.sampled_from([None, True, False]),
            about=st.none() | ids,
            waiting=st.lists(ids, max_size=3).map(tuple),
        ),
        st.builds(HandoffQueued, handoff=handoffs),
        st.builds(TicketOpened, handoff=handoffs, ticket_id=st.sampled_from([TicketId("1"), TicketId("2")])),
        st.builds(
            HandoffRefused,
            handoff=handoffs,
            step=st.sampled_from([step.__name__ for step in (*LIVE_STEPS, OpenTicket, AddNote)]),
            why=st.just("no"),
        ),
        st.builds(PostRefused, handoff=handoffs, message=ids, why=st.just("no"), follow_up=st.none() | handoffs),
        st.builds(FilesRefused, handoff=handoffs, names=st.just(("tent.png",))),
        st.builds(
            DeskSaid,
            handoff=handoffs,
            id=ids,
            role=st.sampled_from([Role.AGENT, Role.SYSTEM]),
            text=st.text(),
            agent=st.none() | agents,
        ),
        st.builds(AgentAssigned, handoff=handoffs, agent=st.none() | agents),
        st.builds(TicketStatusChanged, handoff=handoffs, status=st.sampled_from(["open", "solved", "closed", "x"])),
        st.builds(SessionEnded, handoff=handoffs, ending=st.sampled_from(Ending)),
        st.builds(NobodyAnswered, handoff=handoffs),
        st.builds(CustomerIdentified, name=st.none() | st.text(max_size=3), email=st.none() | st.just("a@b.example")),
        st.just(Released()),
        st.just(Closed()),
        st.builds(Unknown, kind=st.text(max_size=5)),
    )


POLICIES = st.builds(
    Policy,
    zendesk_connected=st.booleans(),
    live_enabled=st.booleans(),
    require_online_agent=st.booleans(),
)


@given(story=st.lists(st.tuples(events(), POLICIES), max_size=30))
def test_no_story_breaks_the_invariants(story: list[tuple[Event, Policy]]) -> None:
    conversation = a_conversation()
    for moment, (event, policy) in enumerate(story):
        decision = decide(conversation, event, policy, NOON + moment)
        require_invariants(conversation, event, decision)
        if isinstance(event, CustomerSaid) and conversation.status is Status.OPEN:
            assert [said.id for said in decision.says] == [event.message.id]
            assert len(decision.effects) == 1  # owed to the assistant or to the desk, never to nobody
        if isinstance(event, DeskSaid):
            assert decision.says[-1].text == event.text  # whatever the desk says is shown
        for effect in decision.effects:
            assert isinstance(standing(effect, decision.conversation).send, bool)
        conversation = decision.conversation


@given(event=events(), policy=POLICIES)
def test_a_decision_depends_on_nothing_but_what_it_is_given(event: Event, policy: Policy) -> None:
    for conversation in SITUATIONS.values():
        assert decide(conversation, event, policy, NOON) == decide(conversation, event, policy, NOON)
