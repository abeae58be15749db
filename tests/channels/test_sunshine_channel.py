"""Sunshine Conversations against the emulator over HTTP: a whole handoff, and each step when the network breaks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from escalade.channels.base import Account, After, ChannelName, Job, LinkKind, Sent, Session
from escalade.channels.http import Outbound
from escalade.channels.sunshine.channel import SunshineChannel
from escalade.domain.effects import (
    AddNote,
    ConfirmControl,
    EnsureConversation,
    EnsureUser,
    OpenTicket,
    PassToAgents,
    Post,
    PostContext,
    ReleaseControl,
    RemoveDouble,
    TakeControl,
)
from escalade.domain.errors import DeliveryError, Gone, Refused, Retryable, Uncertain
from escalade.domain.model import Conversation as Talk
from escalade.domain.model import HandoffId, MessageId, Role
from escalade.domain.organisation import Settings, TicketSettings
from zendesk_emulator.records.messaging import Conversation, Message
from zendesk_emulator.records.tickets import Ticket

from .scene import HANDOFF, World, a_job, again, links_of, message

STEPS = (EnsureUser, EnsureConversation, TakeControl, PostContext, PassToAgents, ConfirmControl)
SETTINGS = Settings(tickets=TicketSettings(tags=("ai", "chat"), priority="high"))


@pytest.fixture
def channel(world: World, outbound: Outbound) -> SunshineChannel:
    return SunshineChannel(outbound, world.now)


async def through(world: World, channel: SunshineChannel, account: Account, *, until: type | None = None) -> Job:
    """Send the steps of a handoff, up to but not including one."""
    job = a_job(EnsureUser(handoff=HANDOFF), world.now())
    for step in STEPS:
        if step is until:
            break
        job = replace(job, effect=step(handoff=HANDOFF))
        job = replace(job, frozen=channel.freeze(account, job))
        sent = await channel.send(account, job)
        job = replace(job, links={**job.links, **links_of(sent)}, frozen=None)
    return job


def at(job: Job, step: type) -> Job:
    return replace(job, effect=step(handoff=HANDOFF))


def post(job: Job, id: str, text: str) -> Job:
    said = message(id, text, seq=9)
    return replace(job, key=f"dlv_{id}", effect=Post(handoff=HANDOFF, message=said.id), message=said)


def conversation(world: World, job: Job) -> Conversation:
    return world.emulator.account.records.conversations[job.links[ChannelName.SUNSHINE, LinkKind.CONVERSATION]]


def ticket(world: World, job: Job) -> Ticket:
    return world.emulator.account.records.tickets[conversation(world, job).ticket_id or 0]


def marks(messages: list[Message]) -> list[str]:
    return [str(one.metadata.get("bridge_msg")) for one in messages]


async def test_a_handoff_ends_with_the_agents_in_control_and_the_context_before_them(
    world: World, channel: SunshineChannel
) -> None:
    account = world.account(SETTINGS)
    job = await through(world, channel, account)
    made = ticket(world, job)
    user = world.emulator.account.records.sun_users[job.links[ChannelName.SUNSHINE, LinkKind.USER]]
    assert user.external_id == "escalade:cus_1"
    assert user.profile == {"givenName": "Mara", "surname": "Okafor", "email": "mara@example.com"}
    assert conversation(world, job).metadata["bridge_session"] == HANDOFF
    assert marks(conversation(world, job).messages) == [f"ctx:{HANDOFF}:0"]
    assert "Wants: My invoice is wrong" in conversation(world, job).messages[0].content["text"]
    assert conversation(world, job).messages[0].author == {"type": "business", "displayName": "Assistant"}
    assert not conversation(world, job).bot_ticket
    requester = world.emulator.account.records.users[made.requester_id]
    assert (requester.name, requester.email) == ("Mara Okafor", "mara@example.com")
    assert (made.tags, made.priority) == (["ai", "chat"], "high")
    assert made.subject.startswith("My invoice is wrong")
    seats = [seat.name for seat in world.emulator.account.records.seats.values()]
    assert seats == ["zd-agentWorkspace", "zd-answerBot", "escalade"]
    assert await channel.session(account, job.links) is Session.ACTIVE


async def test_every_step_can_be_repeated(world: World, channel: SunshineChannel) -> None:
    account = world.account(SETTINGS)
    job = await through(world, channel, account)
    for step in STEPS:
        sent = await channel.send(account, again(at(job, step)))
        assert all(job.links[link.channel, link.kind] == link.theirs for link in sent.links)
    assert len(world.emulator.account.records.conversations) == 1
    assert len(world.emulator.account.records.seats) == 3
    assert len(conversation(world, job).messages) == 1


@pytest.mark.parametrize("action", [{"action": "drop", "when": "after"}, {"action": "truncate"}])
@pytest.mark.parametrize("step", STEPS[:5])
async def test_every_step_survives_a_lost_answer(
    world: World, channel: SunshineChannel, step: type, action: dict[str, str]
) -> None:
    account = world.account(SETTINGS)
    job = at(await through(world, channel, account, until=step), step)
    options = {key: value for key, value in action.items() if key != "action"}
    world.break_next(action["action"], "POST", "/sc/", **options)
    with pytest.raises(Uncertain):
        await channel.send(account, job)
    looked = channel.after_uncertain(job) is After.LOOK
    found = await channel.find(account, again(job))
    assert (found is not None) == (looked and step is EnsureConversation)
    sent = found or await channel.send(account, again(job))
    rest = replace(job, links={**job.links, **links_of(sent)})
    for following in STEPS[STEPS.index(step) + 1 :]:
        sent = await channel.send(account, at(rest, following))
        rest = replace(rest, links={**rest.links, **links_of(sent)})
    assert len(world.emulator.account.records.sun_users) == 1
    assert len(world.emulator.account.records.conversations) == 1
    assert marks(conversation(world, rest).messages) == [f"ctx:{HANDOFF}:0"]
    assert await channel.session(account, rest.links) is Session.ACTIVE


async def test_a_second_try_at_the_conversation_finds_the_first(world: World, channel: SunshineChannel) -> None:
    account = world.account()
    job = at(await through(world, channel, account, until=TakeControl), EnsureConversation)
    sent = await channel.send(account, again(job))
    assert links_of(sent).items() <= dict(job.links).items()
    fresh = await channel.send(account, replace(job, conversation=_other(job, "hof_2")))
    assert links_of(fresh) != links_of(sent)


async def test_where_one_conversation_is_allowed_it_is_used_again(world: World, channel: SunshineChannel) -> None:
    world.emulator.account.settings.multi_conversations = False
    account = world.account(SETTINGS)
    job = await through(world, channel, account)
    first = conversation(world, job)
    await channel.send(account, at(job, ReleaseControl))
    job = replace(job, conversation=_other(job, "hof_2"))
    for step in STEPS[1:]:
        sent = await channel.send(account, replace(job, effect=step(handoff=HandoffId("hof_2"))))
        job = replace(job, links={**job.links, **links_of(sent)})
    assert conversation(world, job) is first
    assert first.metadata["bridge_session"] == "hof_2"
    assert marks(first.messages) == [f"ctx:{HANDOFF}:0", "ctx:hof_2:0"]
    page = await channel.heard_since(account, job.links, None)
    assert len(page.heard) == 1  # what was said in the earlier handoff is not said again


async def test_before_we_have_spoken_in_a_conversation_used_again_nothing_in_it_is_new(
    world: World, channel: SunshineChannel
) -> None:
    world.emulator.account.settings.multi_conversations = False
    account, desk = world.account(SETTINGS), world.emulator.desk
    job = await through(world, channel, account)
    desk.accept(ticket(world, job), desk.agent("jonas"))
    desk.reply(ticket(world, job), desk.agent("jonas"), "That was yesterday.")
    await channel.send(account, at(job, ReleaseControl))
    job = replace(job, conversation=_other(job, "hof_2"))
    ensure = replace(job, effect=EnsureConversation(handoff=HandoffId("hof_2")))
    used, found = await channel.send(account, ensure), await channel.find(account, ensure)
    assert found is not None
    assert found.answer == "found by its mark"
    for sent in (used, found):
        assert (await channel.heard_since(account, links_of(sent), sent.cursor)).heard == ()
    for step in STEPS[2:]:
        await channel.send(account, replace(job, effect=step(handoff=HandoffId("hof_2"))))
    desk.accept(ticket(world, job), desk.agent("mira"))
    desk.reply(ticket(world, job), desk.agent("mira"), "Hello again!")
    page = await channel.heard_since(account, job.links, used.cursor)
    assert [heard.text for heard in page.heard if not heard.ours] == ["Hello again!"]


async def test_a_refused_conversation_without_another_stays_refused(world: World, channel: SunshineChannel) -> None:
    account = world.account()
    job = at(await through(world, channel, account, until=EnsureConversation), EnsureConversation)
    for status, kind in ((400, Refused), (403, Retryable), (413, Refused), (423, Refused), (429, Retryable)):
        world.break_next("answer", "POST", "/conversations", status=status, body={"errors": []})
        with pytest.raises(kind):
            await channel.send(account, job)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/switchboards", 403), ("POST", "/integrations", 400), ("POST", "/switchboardIntegrations", 400)],
)
async def test_without_a_seat_of_our_own_the_handoff_goes_on(
    world: World, channel: SunshineChannel, method: str, path: str, status: int
) -> None:
    account = world.account()
    world.break_next(
        "answer", method, path, status=status, times=None, body={"errors": [{"code": "no", "title": "No"}]}
    )
    job = await through(world, channel, account, until=PostContext)
    sent = await channel.send(account, at(job, TakeControl))
    assert "without control" in sent.answer
    assert "no: No" in sent.answer
    for step in STEPS[3:]:
        await channel.send(account, at(job, step))
    assert await channel.session(account, job.links) is Session.ACTIVE


async def test_a_seat_someone_else_has_just_taken_for_us_is_used(world: World, channel: SunshineChannel) -> None:
    account = world.account()
    job = await through(world, channel, account, until=TakeControl)
    world.break_next("answer", "POST", "/switchboardIntegrations", status=409, when="after", body={"errors": []})
    assert "without" not in (await channel.send(account, at(job, TakeControl))).answer


@pytest.mark.parametrize("path", ["/switchboards", "/integrations", "/switchboardIntegrations"])
async def test_a_busy_switchboard_is_tried_again(world: World, channel: SunshineChannel, path: str) -> None:
    account = world.account()
    job = await through(world, channel, account, until=TakeControl)
    world.break_next("answer", "GET" if path == "/switchboards" else "POST", path, status=503, body={})
    with pytest.raises((Retryable, Uncertain)):
        await channel.send(account, at(job, TakeControl))
    world.emulator.faults.clear()
    assert "without" not in (await channel.send(account, at(job, TakeControl))).answer
    world.advance(601)
    world.break_next("answer", "GET", "/switchboards", status=503, body={})
    with pytest.raises(Retryable):
        await channel.send(account, at(job, PassToAgents))


async def test_odd_switchboards(world: World, channel: SunshineChannel) -> None:
    account = world.account()
    job = await through(world, channel, account, until=TakeControl)
    world.break_next("answer", "GET", "/switchboards", status=200, body={"switchboards": []})
    assert "no switchboard" in (await channel.send(account, at(job, TakeControl))).answer
    world.advance(601)
    world.break_next("answer", "POST", "/integrations", status=201, body={})
    assert "no integration" in (await channel.send(account, at(job, TakeControl))).answer


async def test_a_long_context_is_split_and_only_what_is_missing_is_sent(world: World, channel: SunshineChannel) -> None:
    account = world.account()
    job = at(await through(world, channel, account, until=PostContext), PostContext)
    long = tuple(message(f"msg_{n}", f"line {n} " + "word " * 100, seq=n + 1) for n in range(30))
    job = replace(job, transcript=long)
    job = replace(job, frozen=channel.freeze(account, job))
    world.break_next("answer", "POST", "/messages", skip=2, status=429, body={"errors": []})
    with pytest.raises(Retryable):
        await channel.send(account, job)
    await channel.send(account, again(job))
    posted = conversation(world, job).messages
    assert marks(posted) == [f"ctx:{HANDOFF}:{n}" for n in range(len(posted))]
    assert len(posted) > 3
    assert "".join(one.content["text"] for one in posted) == job.frozen
    assert (await channel.send(account, again(job))).answer == "every part was there"
    await channel.send(account, at(job, PassToAgents))
    await channel.send(account, at(job, ConfirmControl))
    assert ticket(world, job).conversation_id == conversation(world, job).id


async def test_control_is_believed_when_seen(world: World, channel: SunshineChannel) -> None:
    account = world.account()
    job = at(await through(world, channel, account, until=PassToAgents), ConfirmControl)
    with pytest.raises(Retryable, match="custom has") as early:
        await channel.send(account, job)
    assert early.value.after == 1
    with pytest.raises(Retryable):
        await channel.send(account, again(job, after=19_000))
    with pytest.raises(Refused, match="do not have control"):
        await channel.send(account, again(job, after=20_000))
    await channel.send(account, at(job, ReleaseControl))
    with pytest.raises(Retryable, match="nobody has"):
        await channel.send(account, job)


async def test_what_the_customer_writes_reaches_the_agents_once(world: World, channel: SunshineChannel) -> None:
    account = world.account()
    job = await through(world, channel, account)
    sent = await channel.send(account, post(job, "msg_2", "Are you there? {{x}}"))
    posted = conversation(world, job).messages[-1]
    assert (posted.author["type"], posted.content["text"]) == ("user", "Are you there? {{x}}")
    assert [(link.kind, link.theirs, link.ours) for link in sent.links] == [(LinkKind.MESSAGE, posted.id, "msg_2")]
    for action, arrived in (
        ({"action": "drop", "when": "after"}, True),
        ({"action": "drop", "when": "before"}, False),
        ({"action": "html"}, False),
        ({"action": "truncate"}, True),
        ({"action": "answer", "when": "after", "status": 502}, True),
        ({"action": "answer", "when": "before", "status": 502}, False),
    ):
        one = post(job, f"msg_{action}", "again")
        options = {key: value for key, value in action.items() if key != "action"}
        world.break_next(str(action["action"]), "POST", "/messages", **options)
        with pytest.raises(Uncertain):
            await channel.send(account, one)
        assert channel.after_uncertain(one) is After.LOOK
        assert (await channel.find(account, again(one)) is not None) == arrived
        await channel.send(account, again(one))
        assert marks(conversation(world, job).messages).count(f"msg_{action}") == 1


async def test_a_long_message_arrives_whole(world: World, channel: SunshineChannel) -> None:
    account = world.account()
    job = await through(world, channel, account)
    text = "👩‍👩‍👧 family and words " * 500
    one = post(job, "msg_2", text)
    world.break_next("drop", "POST", "/messages", skip=1, when="before")
    with pytest.raises(Uncertain):
        await channel.send(account, one)
    assert await channel.find(account, again(one)) is None  # only half of it is there
    sent = await channel.send(account, again(one))
    posted = [m for m in conversation(world, job).messages if m.author["type"] == "user"]
    assert "".join(m.content["text"] for m in posted) == text
    assert marks(posted) == [f"msg_2:{n}" for n in range(len(posted))]
    assert sent.links[0].theirs == posted[0].id
    found = await channel.find(account, again(one))
    assert found is not None
    assert found.links == sent.links
    assert (await channel.send(account, again(one))).answer == "every part was there"


async def test_a_look_pages_back_as_far_as_what_was_delivered_before(world: World, channel: SunshineChannel) -> None:
    account = world.account()
    job = await through(world, channel, account)
    one = post(job, "msg_2", "early")
    await channel.send(account, one)
    for n in range(150):
        world.emulator.desk.trigger_says(ticket(world, job), f"noise {n}")
    assert await channel.find(account, again(one)) is not None
    await channel.send(account, post(job, "msg_3", "later"))
    missing = again(post(job, "msg_4", "never arrived"))
    before = world.calls("GET", "/messages")
    assert await channel.find(account, missing) is None
    assert world.calls("GET", "/messages") == before + 1  # nothing before msg_3 can be it


async def test_a_second_copy_is_removed_and_removing_it_twice_is_the_same_as_once(
    world: World, channel: SunshineChannel
) -> None:
    account = world.account()
    job = await through(world, channel, account)
    one = post(job, "msg_2", "Hello?")
    first = await channel.send(account, one)
    second = await channel.send(account, one)
    heard = (await channel.heard_since(account, job.links, None)).heard
    assert [(message.mark, message.text) for message in heard if message.mark == "msg_2"] == [("msg_2", "Hello?")] * 2
    double = replace(one, effect=RemoveDouble(handoff=HANDOFF, theirs=second.links[0].theirs))
    assert channel.after_uncertain(double) is After.REPEAT
    for _ in range(2):
        await channel.send(account, double)
    left = [
        message.id for message in conversation(world, job).messages if message.metadata.get("bridge_msg") == "msg_2"
    ]
    assert left == [first.links[0].theirs]


async def test_a_message_without_an_id_is_uncertain(world: World, channel: SunshineChannel) -> None:
    account = world.account()
    job = await through(world, channel, account)
    world.break_next("answer", "POST", "/messages", status=201, body={"messages": []})
    with pytest.raises(Uncertain, match="names no message"):
        await channel.send(account, post(job, "msg_2", "x"))
    world.break_next("answer", "POST", "/users", status=201, body={"user": {}})
    with pytest.raises(Uncertain, match="names no user"):
        await channel.send(account, at(job, EnsureUser))


async def test_a_full_conversation_takes_no_more(world: World, channel: SunshineChannel) -> None:
    account = world.account()
    job = await through(world, channel, account)
    world.emulator.account.settings.messages_per_conversation = 1
    with pytest.raises(Gone, match="locked"):
        await channel.send(account, post(job, "msg_2", "x"))


async def test_a_conversation_that_is_gone_takes_no_more_and_need_not_be_left(
    world: World, channel: SunshineChannel
) -> None:
    account = world.account()
    job = await through(world, channel, account)
    world.emulator.desk.forget_customer(world.emulator.desk.latest())
    with pytest.raises(Gone):
        await channel.send(account, post(job, "msg_2", "x"))
    assert (await channel.send(account, at(job, ReleaseControl))).status == 404


@pytest.mark.parametrize("status", [404, 423, 422])
async def test_a_no_to_one_message_says_nothing_of_its_conversation(
    world: World, channel: SunshineChannel, status: int
) -> None:
    account = world.account()
    job = await through(world, channel, account)
    world.break_next("answer", "POST", "/messages", status=status, body={})
    with pytest.raises(Refused) as refused:
        await channel.send(account, post(job, "msg_2", "x"))
    assert not isinstance(refused.value, Gone)


async def test_what_cannot_be_sent_is_refused(world: World, channel: SunshineChannel) -> None:
    account, job = world.account(), a_job(EnsureUser(handoff=HANDOFF), world.now())
    for wrong in (
        at(job, OpenTicket),
        at(job, AddNote),
        at(job, TakeControl),
        at(job, EnsureConversation),
        replace(job, effect=Post(handoff=HANDOFF, message=MessageId("m")), message=None),
        replace(job, conversation=replace(job.conversation, handoff=None)),
    ):
        with pytest.raises(Refused):
            await channel.send(account, wrong)
    with pytest.raises(Refused, match="not connected"):
        await channel.send(replace(account, sunshine=None), job)
    assert await channel.find(account, job) is None
    with pytest.raises(Refused):
        await channel.session(account, {})


async def test_agents_are_heard_and_echoes_and_machines_are_told_apart(world: World, channel: SunshineChannel) -> None:
    account, desk = world.account(), world.emulator.desk
    job = await through(world, channel, account)
    await channel.send(account, post(job, "msg_2", "hello?"))
    chat = ticket(world, job)
    jonas = next(agent for agent in world.emulator.account.agents() if agent.name == "Jonas Berg")
    desk.accept(chat, jonas)
    desk.reply(chat, jonas, "Hi Mara")
    desk.send_file(chat, jonas, name="invoice.pdf", content_type="application/pdf", data=b"%PDF")
    desk.trigger_says(chat, "We are here from 9 to 5")
    page = await channel.heard_since(account, job.links, None)
    said = [
        (heard.role, heard.text, heard.agent.name if heard.agent else None) for heard in page.heard if not heard.ours
    ]
    assert said == [
        (Role.AGENT, "Hi Mara", "Jonas Berg"),
        (Role.AGENT, "", "Jonas Berg"),
        (Role.SYSTEM, "We are here from 9 to 5", None),
    ]
    assert [heard.ours for heard in page.heard] == [True, True, False, False, False]
    files = [file for heard in page.heard for file in heard.attachments]
    assert len(files) == 1
    assert files[0].url.startswith(f"{world.base_url}/sc/attachments/")
    assert (await channel.heard_since(account, job.links, page.cursor)).heard == ()
    for n in range(130):
        desk.reply(chat, jonas, f"line {n}")
    later = await channel.heard_since(account, job.links, page.cursor)
    assert [heard.text for heard in later.heard] == [f"line {n}" for n in range(130)]
    gone = conversation(world, job).messages.pop()
    again_all = await channel.heard_since(account, job.links, gone.id)  # a deleted message as a cursor
    assert len(again_all.heard) == len(conversation(world, job).messages)
    assert (await channel.heard_since(account, {}, "x")).cursor == "x"
    world.break_next("answer", "GET", "/messages", status=413, body={})
    with pytest.raises(Refused):
        await channel.heard_since(account, job.links, page.cursor)


async def test_a_page_of_long_messages_is_read_in_any_script(world: World, channel: SunshineChannel) -> None:
    account, desk = world.account(), world.emulator.desk
    job = await through(world, channel, account)
    await channel.send(account, post(job, "msg_2", "hello?"))
    chat, jonas = ticket(world, job), desk.agent("jonas")
    desk.accept(chat, jonas)
    said = [f"{n} " + "語" * 4_000 for n in range(99)]
    for text in said:
        desk.reply(chat, jonas, text)
    page = await channel.heard_since(account, job.links, None)
    assert [heard.text for heard in page.heard if not heard.ours] == said


async def test_a_context_that_arrives_again_hides_nothing_that_was_said_before_it(
    world: World, channel: SunshineChannel
) -> None:
    account, desk = world.account(), world.emulator.desk
    job = await through(world, channel, account)
    chat = ticket(world, job)
    jonas = next(agent for agent in world.emulator.account.agents() if agent.name == "Jonas Berg")
    desk.accept(chat, jonas)
    for n in range(130):
        desk.reply(chat, jonas, f"line {n}")
    desk.reply(chat, jonas, "in whose place it comes")
    posted = conversation(world, job).messages  # the first attempt was given up, and has its effect only now
    posted[-1] = replace(posted[0], id=posted[-1].id, received=posted[-1].received)
    desk.reply(chat, jonas, "Are you there?")
    assert marks(posted).count(f"ctx:{HANDOFF}:0") == 2
    heard = (await channel.heard_since(account, job.links, None)).heard
    assert [it.text for it in heard if not it.ours] == [*(f"line {n}" for n in range(130)), "Are you there?"]


async def test_a_session_ends_in_several_ways(world: World, channel: SunshineChannel) -> None:
    account, desk = world.account(), world.emulator.desk
    job = await through(world, channel, account)
    jonas = next(agent for agent in world.emulator.account.agents() if agent.name == "Jonas Berg")
    desk.end_session(ticket(world, job), jonas)
    assert await channel.session(account, job.links) is Session.ENDED

    other = replace(job, conversation=_other(job, "hof_2"))
    for step in STEPS[1:]:
        sent = await channel.send(account, replace(other, effect=step(handoff=HandoffId("hof_2"))))
        other = replace(other, links={**other.links, **links_of(sent)})
    desk.set_status(ticket(world, other), jonas, "closed")
    assert await channel.session(account, other.links) is Session.CLOSED
    gone = {**job.links, (ChannelName.SUNSHINE, LinkKind.CONVERSATION): "gone"}
    assert await channel.session(account, gone) is Session.CLOSED
    world.break_next("answer", "GET", "/conversations/", status=400, body={})
    with pytest.raises(Refused):
        await channel.session(account, job.links)


async def test_the_customer_can_leave(world: World, channel: SunshineChannel) -> None:
    account = world.account()
    job = await through(world, channel, account)
    sent: Sent = await channel.send(account, at(job, ReleaseControl))
    assert sent.status == 200
    assert conversation(world, job).active is None
    assert await channel.session(account, job.links) is Session.ENDED


async def test_a_key_is_proved_or_refused(world: World, channel: SunshineChannel) -> None:
    app = world.account().sunshine
    assert app is not None
    facts = await channel.check(app)
    assert (facts.name, facts.multiple_conversations, facts.agents_may_end_sessions) == ("acme", True, True)
    with pytest.raises(Refused, match=f"Conversations key {app.key_id}"):
        await channel.check(replace(app, secret="wrong"))
    world.break_next("answer", "GET", "/sc/v2/apps", status=500, body={})
    with pytest.raises(Retryable):
        await channel.check(app)
    world.break_next("answer", "GET", "/sc/v2/apps", status=200, body={"app": "odd"})
    assert (await channel.check(app)).multiple_conversations is None


async def test_a_wrong_key_waits_for_an_operator(world: World, channel: SunshineChannel) -> None:
    account = world.account()
    assert account.sunshine is not None
    wrong = replace(account, sunshine=replace(account.sunshine, secret="wrong-secret"))
    with pytest.raises(DeliveryError) as refused:
        await channel.send(wrong, a_job(EnsureUser(handoff=HANDOFF), world.now()))
    assert isinstance(refused.value, Retryable)
    assert refused.value.after == 60
    assert "wrong-secret" not in refused.value.detail + refused.value.answer


def _other(job: Job, handoff: str) -> Talk:
    assert job.conversation.handoff is not None
    return replace(job.conversation, handoff=replace(job.conversation.handoff, id=HandoffId(handoff)))


@pytest.mark.parametrize("body", [{}, {"messages": None}, {"messages": [{"id": 7}]}])
async def test_a_look_that_shows_no_messages_denies_nothing(
    world: World, channel: SunshineChannel, body: dict[str, object]
) -> None:
    """Taken for an empty list it would have been sent again, and be there twice."""
    account = world.account(SETTINGS)
    job = again(post(await through(world, channel, account), "msg_2", "Hello?"))
    world.break_next("answer", "GET", "/messages", status=200, body=body)
    with pytest.raises(Retryable):
        await channel.find(account, job)


async def test_a_session_is_not_over_because_an_answer_shows_none(world: World, channel: SunshineChannel) -> None:
    account = world.account(SETTINGS)
    job = await through(world, channel, account)
    world.break_next("answer", "GET", "/conversations/", status=200, body={"unexpected": True})
    with pytest.raises(Retryable):
        await channel.session(account, dict(job.links))
    assert await channel.session(account, dict(job.links)) is Session.ACTIVE
