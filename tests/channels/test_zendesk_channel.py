"""Zendesk Support against the emulator over HTTP: once, in the customer's words, whatever the network does."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from escalade.channels.base import Account, After, CallsTo, ChannelName, Job, LinkKind, MissedCall
from escalade.channels.http import Outbound
from escalade.channels.zendesk import webhook, wire
from escalade.channels.zendesk.channel import ZendeskChannel
from escalade.channels.zendesk.oauth import Pair
from escalade.domain.effects import AddNote, Answer, EnsureUser, MergeTicket, NameRequester, OpenTicket, Post
from escalade.domain.errors import Gone, Refused, Retryable, Uncertain, Unverified
from escalade.domain.model import Customer, CustomerId, MessageId, OrganisationId, Role
from escalade.domain.organisation import AuthType, Settings, TicketSettings
from zendesk_emulator import control_admin
from zendesk_emulator.records.webhooks import Attempt, Invocation, Webhook
from zendesk_emulator.switchboard import AGENTS
from zendesk_emulator.text import rest_time

from .scene import HANDOFF, World, a_job, again, links_of, message

OPEN, NOTE, NAME = OpenTicket(handoff=HANDOFF), AddNote(handoff=HANDOFF), NameRequester(handoff=HANDOFF)
MARK = (ChannelName.ZENDESK, LinkKind.TICKET)


@pytest.fixture
def channel(world: World, outbound: Outbound) -> ZendeskChannel:
    return ZendeskChannel(outbound, world.now)


def frozen(channel: ZendeskChannel, account: Account, job: Job) -> Job:
    return replace(job, frozen=channel.freeze(account, job))


async def opened(world: World, channel: ZendeskChannel, account: Account) -> Job:
    """A job whose links hold a fresh ticket."""
    job = a_job(OPEN, world.now())
    sent = await channel.send(account, frozen(channel, account, job))
    return replace(job, links=links_of(sent))


def post(job: Job, id: str, text: str) -> Job:
    said = message(id, text, seq=9)
    return replace(job, key=f"dlv_{id}", effect=Post(handoff=HANDOFF, message=said.id), message=said)


async def test_a_ticket_opens_in_the_customers_own_words(world: World, channel: ZendeskChannel) -> None:
    group = next(g for g in world.emulator.account.records.groups.values() if g.name == "Billing")
    fields = world.emulator.account.records.ticket_fields
    tickets = TicketSettings(
        group_id=group.id, tags=("ai", "chat"), priority="high", custom_fields={str(next(iter(fields))): "x"}
    )
    account = world.account(Settings(tickets=tickets))
    sent = await channel.send(account, frozen(channel, account, a_job(OPEN, world.now())))
    links = {link.kind: link for link in sent.links}
    ticket = world.emulator.account.records.tickets[int(links[LinkKind.TICKET].theirs)]
    assert wire.restored(ticket.comments[0].body) == "My invoice is wrong: {{ticket.requester.email}} <b>40</b>  not 14"
    assert ticket.comments[0].public
    assert ticket.subject.startswith("My invoice is wrong: {\u2060{ticket")
    assert (ticket.group_id, ticket.tags, ticket.priority) == (group.id, ["ai", "chat"], "high")
    assert ticket.custom_fields == {next(iter(fields)): "x"}
    assert ticket.external_id == HANDOFF == links[LinkKind.TICKET].ours
    requester = world.emulator.account.records.users[ticket.requester_id]
    assert (requester.name, requester.email) == ("Mara Okafor", "mara@example.com")
    assert links[LinkKind.REQUESTER].theirs == str(requester.id)
    assert links[LinkKind.MESSAGE].ours == "msg_1"
    assert links[LinkKind.MESSAGE].theirs == str(ticket.comments[0].id)
    assert sent.status == 201
    assert "Bearer" not in sent.answer


async def test_opening_twice_with_the_same_body_opens_one(world: World, channel: ZendeskChannel) -> None:
    account = world.account()
    job = frozen(channel, account, a_job(OPEN, world.now()))
    assert channel.after_uncertain(job) is After.REPEAT
    world.break_next("drop", "POST", "/api/v2/tickets", when="after")
    with pytest.raises(Uncertain):
        await channel.send(account, job)
    job = again(job)
    assert channel.after_uncertain(job) is After.REPEAT
    await channel.send(account, job)
    assert len(world.emulator.account.records.tickets) == 1


async def test_another_body_under_the_same_key_finds_the_first_ticket(world: World, channel: ZendeskChannel) -> None:
    account = world.account()
    first = await channel.send(account, a_job(OPEN, world.now()))
    changed = replace(a_job(OPEN, world.now()), frozen='{"ticket":{"comment":{"body":"other"}}}')
    second = await channel.send(account, changed)
    assert links_of(first) == links_of(second)


async def test_after_two_hours_a_ticket_is_found_before_another_is_opened(
    world: World, channel: ZendeskChannel
) -> None:
    account = world.account()
    job = frozen(channel, account, a_job(OPEN, world.now()))
    assert await channel.find(account, job) is None
    sent = await channel.send(account, job)
    world.advance(7500)
    job = again(job, after=7_500_000)
    assert links_of(await channel.send(account, job)) == links_of(sent)
    assert len(world.emulator.account.records.tickets) == 1


async def test_a_suspended_requester_is_a_lasting_no(world: World, channel: ZendeskChannel) -> None:
    world.emulator.account.add_user(name="Mara", email="mara@example.com").suspended = True
    with pytest.raises(Refused, match="suspended") as refused:
        await channel.send(world.account(), a_job(OPEN, world.now()))
    assert refused.value.status == 422
    assert "UserSuspended" in refused.value.answer


async def test_a_customer_without_an_address_is_a_name(world: World, channel: ZendeskChannel) -> None:
    job = a_job(OPEN, world.now())
    job = replace(job, conversation=replace(job.conversation, customer=Customer(id=CustomerId("cus_9"))), message=None)
    sent = await channel.send(world.account(), job)
    ticket = world.emulator.account.records.tickets[int(links_of(sent)[MARK])]
    requester = world.emulator.account.records.users[ticket.requester_id]
    assert (requester.name, requester.email) == ("Visitor", None)
    assert [link.kind for link in sent.links] == [LinkKind.TICKET, LinkKind.REQUESTER]


async def test_the_note_is_internal_and_left_once(world: World, channel: ZendeskChannel) -> None:
    account = world.account()
    job = replace(await opened(world, channel, account), effect=NOTE)
    world.break_next("drop", "PUT", "/api/v2/tickets/", when="after")
    with pytest.raises(Uncertain):
        await channel.send(account, job)
    assert channel.after_uncertain(job) is After.LOOK
    assert await channel.find(account, again(job)) is not None
    await channel.send(account, again(job))
    ticket = world.emulator.account.records.tickets[int(job.links[MARK])]
    notes = [comment for comment in ticket.comments if not comment.public]
    assert len(notes) == 1
    assert "Wants: My invoice is wrong" in notes[0].body
    assert "plan: gold" in notes[0].body
    assert (await channel.send(account, job)).status == 200


async def test_a_post_is_public_by_the_customer_and_reopens(world: World, channel: ZendeskChannel) -> None:
    account = world.account()
    job = await opened(world, channel, account)
    ticket = world.emulator.account.records.tickets[int(job.links[MARK])]
    await channel.send(account, post(job, "msg_2", "one"))
    assert ticket.status == "new"
    world.emulator.desk.set_status(ticket, world.emulator.desk.agent(), "solved")
    sent = await channel.send(account, post(job, "msg_3", "{% if x %}two\n  three"))
    assert ticket.status == "open"
    added = ticket.comments[-1]
    assert added.public
    assert added.author_id == ticket.requester_id
    assert wire.restored(added.body) == "{% if x %}two\n  three"
    assert [(link.kind, link.theirs, link.ours) for link in sent.links] == [
        (LinkKind.MESSAGE, str(added.id), "msg_3"),
    ]


@pytest.mark.parametrize("fault", [{"action": "drop", "when": "after"}, {"action": "truncate"}, {"action": "html"}])
async def test_an_uncertain_post_is_looked_for_first(
    world: World, channel: ZendeskChannel, fault: dict[str, str]
) -> None:
    account = world.account()
    job = post(await opened(world, channel, account), "msg_2", "once")
    world.break_next(fault["action"], "PUT", "/tickets/", **{k: v for k, v in fault.items() if k != "action"})
    with pytest.raises(Uncertain):
        await channel.send(account, job)
    found = await channel.find(account, again(job))
    assert (found is None) == (fault["action"] == "html")  # the sign-in page came from someone who never passed it on
    sent = await channel.send(account, again(job))
    ticket = world.emulator.account.records.tickets[int(job.links[MARK])]
    assert [comment.body for comment in ticket.comments].count("once") == 1
    assert sent.links[0].theirs == str(ticket.comments[-1].id)


async def test_a_late_arrival_collides_with_a_careful_repetition(world: World, channel: ZendeskChannel) -> None:
    account = world.account()
    job = post(await opened(world, channel, account), "msg_2", "late")
    on_its_way, arrives = asyncio.Event(), asyncio.Event()

    async def late(_seconds: float) -> None:
        on_its_way.set()
        await arrives.wait()

    world.emulator.ports = replace(world.emulator.ports, sleep=late)
    world.break_next("delay", "PUT", "/tickets/", when="before")
    ticket = world.emulator.account.records.tickets[int(job.links[MARK])]
    sending = asyncio.create_task(channel.send(account, again(job)))
    await on_its_way.wait()
    world.emulator.account.advance(3)
    world.emulator.tickets.update(ticket.id, {"comment": {"body": "someone"}}, actor=world.emulator.desk.agent())
    arrives.set()
    with pytest.raises(Retryable) as refused:
        await sending
    assert refused.value.status == 409


async def test_the_requester_gets_a_name_later(world: World, channel: ZendeskChannel) -> None:
    account = world.account()
    job = await opened(world, channel, account)
    renamed = Customer(id=CustomerId("cus_1"), name="Mara O.", email="mara.o@example.com")
    job = replace(job, effect=NAME, conversation=replace(job.conversation, customer=renamed))
    assert channel.after_uncertain(job) is After.REPEAT
    assert await channel.find(account, job) is None
    sent = await channel.send(account, job)
    ticket = world.emulator.account.records.tickets[int(job.links[MARK])]
    assert world.emulator.account.records.users[ticket.requester_id].email == "mara.o@example.com"
    assert sent.links[0].theirs == str(ticket.requester_id)


async def test_what_cannot_be_sent_is_refused(world: World, channel: ZendeskChannel) -> None:
    account, job = world.account(), await opened(world, channel, world.account())
    for wrong in (
        replace(job, effect=EnsureUser(handoff=HANDOFF)),
        replace(job, effect=Answer(message=MessageId("m"))),
        replace(job, effect=Post(handoff=HANDOFF, message=MessageId("m")), message=None),
        replace(job, effect=NOTE, links={}),
        replace(job, conversation=replace(job.conversation, handoff=None)),
        replace(post(job, "msg_9", "&" * 20_000)),
        replace(post(job, "msg_9", "x"), links={MARK: "999999"}),
    ):
        with pytest.raises(Refused):
            await channel.send(account, wrong)
    with pytest.raises(Refused, match="not connected"):
        await channel.send(replace(account, zendesk=None), job)


async def test_replies_are_heard_and_nothing_else(world: World, channel: ZendeskChannel) -> None:
    account, desk = world.account(), world.emulator.desk
    job = await opened(world, channel, account)
    ticket = world.emulator.account.records.tickets[int(job.links[MARK])]
    jonas = next(agent for agent in world.emulator.account.agents() if agent.name == "Jonas Berg")
    await channel.send(account, replace(job, effect=NOTE))
    await channel.send(account, post(job, "msg_2", "hello?"))
    desk.note(ticket, jonas, "between us")
    desk.comment(ticket, jonas, "Hi Mara")
    page = await channel.heard_since(account, job.links, None)
    assert [(heard.ours, heard.role, heard.text) for heard in page.heard if not heard.ours] == [
        (False, Role.AGENT, "Hi Mara"),
    ]
    heard = page.heard[-1]
    assert heard.agent is not None
    assert (heard.agent.name, heard.agent.id) == ("Jonas Berg", str(jonas.id))
    assert not any("between us" in heard.text or "Wants:" in heard.text for heard in page.heard)
    assert await channel.heard_since(account, job.links, page.cursor) == replace(page, heard=())
    for n in range(130):
        desk.comment(ticket, jonas, f"line {n}")
    later = await channel.heard_since(account, job.links, page.cursor)
    assert [heard.text for heard in later.heard] == [f"line {n}" for n in range(130)]
    without = {key: value for key, value in job.links.items() if key[1] is LinkKind.TICKET}
    assert (await channel.heard_since(account, without, page.cursor)).heard == later.heard
    assert (await channel.heard_since(account, {}, "7")).cursor == "7"
    assert world.calls("GET", f"/api/v2/users/{jonas.id}") == 1


@pytest.mark.parametrize("status", ["closed", "deleted"])
async def test_a_ticket_that_is_over_takes_no_more(world: World, channel: ZendeskChannel, status: str) -> None:
    account = world.account()
    job = await opened(world, channel, account)
    desk = world.emulator.desk
    if status == "closed":
        desk.set_status(desk.latest(), desk.agent(), "closed")
    else:
        desk.delete(desk.latest(), desk.agent())
    for word in (post(job, "msg_2", "x"), again(post(job, "msg_2", "x"), after=60_000)):
        with pytest.raises(Gone, match=status):
            await channel.send(account, word)


async def test_what_arrived_before_a_ticket_was_closed_has_arrived(world: World, channel: ZendeskChannel) -> None:
    account = world.account()
    word = post(await opened(world, channel, account), "msg_2", "x")
    sent = await channel.send(account, word)
    desk = world.emulator.desk
    desk.set_status(desk.latest(), desk.agent(), "closed")
    assert links_of(await channel.send(account, again(word, after=60_000))) == links_of(sent)


@pytest.mark.parametrize("status", [404, 422])
async def test_a_no_to_one_comment_says_nothing_of_its_ticket(
    world: World, channel: ZendeskChannel, status: int
) -> None:
    account = world.account()
    job = await opened(world, channel, account)
    world.break_next("answer", "PUT", "/tickets/", status=status, body={})
    with pytest.raises(Refused) as refused:
        await channel.send(account, post(job, "msg_2", "x"))
    assert not isinstance(refused.value, Gone)


def a_chat(world: World, n: int) -> tuple[str, str]:
    """Let a live chat begin at the desk; give its conversation and its ticket."""
    emulator = world.emulator
    user = emulator.conversations.create_user({"externalId": f"visitor-{n}"})
    talk = emulator.conversations.create({"type": "personal", "participants": [{"userId": user.id}]})
    emulator.switchboard.pass_control(talk, AGENTS)
    assert talk.ticket_id is not None
    return talk.id, str(talk.ticket_id)


async def test_a_chats_ticket_is_found_among_many_and_each_is_read_once(world: World, channel: ZendeskChannel) -> None:
    account, since = world.account(), world.now()
    talk, ticket = a_chat(world, 0)
    for n in range(1, 25):
        a_chat(world, n)
    found = [await channel.ticket_of(account, talk, since) for _ in range(4)]
    assert found == [None, None, ticket, ticket]  # ten audits a search, the newest first
    assert world.calls("GET", "/audits") == 25
    assert world.calls("GET", "/api/v2/tickets?") == 4


async def test_a_chats_ticket_is_not_one_that_is_older_than_its_handoff(world: World, channel: ZendeskChannel) -> None:
    talk, _ = a_chat(world, 0)
    assert await channel.ticket_of(world.account(), talk, world.now() + 120_000) is None
    assert world.calls("GET", "/audits") == 0


async def test_a_second_ticket_of_a_request_is_merged_once(world: World, channel: ZendeskChannel) -> None:
    account = world.account()
    job = await opened(world, channel, account)
    second = await channel.send(account, frozen(channel, account, replace(job, key="another")))
    double = links_of(second)[MARK]
    assert [ticket.id for ticket in await channel.tickets_of(account, HANDOFF)] == [job.links[MARK], double]
    merge = replace(job, effect=MergeTicket(handoff=HANDOFF, theirs=double))
    assert channel.after_uncertain(merge) is After.REPEAT
    await channel.send(account, merge)
    assert (await channel.ticket(account, double)).status == "closed"
    kept = world.emulator.account.records.tickets[int(job.links[MARK])]
    assert [comment.public for comment in kept.comments] == [True, False]
    assert (await channel.send(account, again(merge, after=60_000))).answer == f"ticket {double} is closed"
    assert len(kept.comments) == 2


async def test_a_ticket_can_be_asked_for(world: World, channel: ZendeskChannel) -> None:
    account = world.account()
    job = await opened(world, channel, account)
    assert (await channel.ticket(account, job.links[MARK])).status == "new"
    assert (await channel.ticket(account, "999999")).status == "deleted"
    world.break_next("answer", "GET", "/tickets/", status=200, body={"ticket": {}})
    with pytest.raises(Retryable):
        await channel.ticket(account, job.links[MARK])
    world.break_next("answer", "GET", "/tickets/", status=400, body={"error": "Bad"})
    with pytest.raises(Refused):
        await channel.ticket(account, job.links[MARK])


async def test_agents_have_names_and_customers_are_none(world: World, channel: ZendeskChannel) -> None:
    account = world.account()
    mara = world.emulator.account.add_user(name="Mara")
    jonas = next(agent for agent in world.emulator.account.agents() if agent.name == "Jonas Berg")
    found = await channel.agent(account, str(jonas.id))
    assert found is not None
    assert found.name == "Jonas Berg"
    assert await channel.agent(account, str(mara.id)) is None
    assert await channel.agent(account, "424242") is None
    assert await channel.agent(account, "424242") is None
    assert world.calls("GET", "/users/424242") == 1
    world.advance(700)
    world.break_next("answer", "GET", "/users/", status=422, body={})
    with pytest.raises(Refused):
        await channel.agent(account, str(jonas.id))


async def test_staffing_is_asked_and_remembered(world: World, channel: ZendeskChannel) -> None:
    account = world.account()
    records = world.emulator.account.records
    jonas = next(agent for agent in world.emulator.account.agents() if agent.name == "Jonas Berg")
    billing = next(group for group in records.groups.values() if group.name == "Billing")
    assert await channel.staffed(account) is True
    assert await channel.staffed(world.account(Settings(tickets=TicketSettings(group_id=billing.id)))) is False
    world.emulator.desk.set_messaging(jonas, "offline")
    assert await channel.staffed(account) is True
    world.advance(16)
    assert await channel.staffed(account) is False
    world.advance(16)
    world.break_next("answer", "GET", "availabilities", status=403, body={"error": "Forbidden"})
    assert await channel.staffed(account) is None
    assert await channel.staffed(replace(account, zendesk=None)) is None


async def test_a_credential_is_proved_or_named(world: World, channel: ZendeskChannel) -> None:
    seed = world.emulator.seed
    assert (await channel.check(world.account())).role == "admin"
    token = world.account(auth=AuthType.API_TOKEN, email=seed.admin_email, token=seed.api_token)
    assert (await channel.check(token)).name == "Ada Admin"
    for wrong, who in (
        (world.account(client_secret="wrong"), "OAuth client"),
        (world.account(auth=AuthType.API_TOKEN, email=seed.admin_email, token="wrong"), "API token of ada@"),
        (world.account(auth=AuthType.AUTHORIZATION_CODE), "connect Zendesk again"),
    ):
        with pytest.raises(Unverified, match=who):
            await channel.check(wrong)
    world.break_next("answer", "GET", "/users/me", status=200, body={"user": {"id": None, "name": "Anonymous user"}})
    with pytest.raises(Unverified, match="nobody"):
        await channel.check(world.account())
    body = {"user": {"id": 5, "name": "Mara", "role": "end-user"}}
    world.break_next("answer", "GET", "/users/me", status=200, body=body)
    with pytest.raises(Unverified, match="not an agent"):
        await channel.check(world.account())
    world.break_next("answer", "GET", "/users/me", status=500, body={})
    with pytest.raises(Retryable):
        await channel.check(world.account())


async def test_a_dead_credential_waits_for_an_operator(world: World, channel: ZendeskChannel) -> None:
    account = world.account(client_secret="wrong")
    with pytest.raises(Retryable, match="OAuth client") as refused:
        await channel.send(account, a_job(OPEN, world.now()))
    assert refused.value.after == 60
    assert refused.value.status == 401


async def test_one_token_serves_everyone_and_is_renewed_in_time(world: World, channel: ZendeskChannel) -> None:
    account = world.account()
    await asyncio.gather(*(channel.check(account) for _ in range(20)))
    assert world.calls("POST", "/oauth/tokens") == 1
    world.advance(1800 - 61)
    await channel.check(account)
    assert world.calls("POST", "/oauth/tokens") == 1
    world.advance(2)
    await channel.check(account)
    assert world.calls("POST", "/oauth/tokens") == 2


async def test_a_token_that_dies_early_is_renewed_once(world: World, channel: ZendeskChannel) -> None:
    account = world.account()
    await channel.check(account)
    world.emulator.account.records.oauth_tokens.clear()
    await asyncio.gather(*(channel.check(account) for _ in range(10)))
    assert world.calls("POST", "/oauth/tokens") == 2
    world.break_next("answer", "GET", "/users/me", status=401, times=2, body={"error": "Couldn't authenticate you"})
    with pytest.raises(Unverified):
        await channel.check(account)
    assert world.calls("POST", "/oauth/tokens") == 3


async def test_refresh_tokens_rotate_and_the_new_pair_is_kept(world: World, outbound: Outbound) -> None:
    kept: list[tuple[OrganisationId, Pair]] = []

    async def keep(organisation: OrganisationId, pair: Pair) -> None:
        kept.append((organisation, pair))

    emulator = world.emulator
    client = next(iter(emulator.account.records.oauth_clients.values()))
    from zendesk_emulator.oauth import _issue

    token = _issue(emulator.account, client, ["read", "write"], client.user_id, refreshable=True)
    assert token.refresh is not None
    account = world.account(auth=AuthType.AUTHORIZATION_CODE, refresh_token=token.refresh)
    channel = ZendeskChannel(outbound, world.now, keep=keep)
    await asyncio.gather(*(channel.check(account) for _ in range(5)))
    assert len(kept) == 1
    assert kept[0][0] == "org_1"
    assert kept[0][1].refresh_token != token.refresh
    assert kept[0][1].access_token not in repr(kept[0][1])
    world.advance(1790)
    await channel.check(account)
    assert len(kept) == 2
    # Another process has rotated meanwhile: ours is dead, the stored one is not.
    other = ZendeskChannel(outbound, world.now, keep=keep)
    world.advance(1790)
    assert account.zendesk is not None
    await other.check(replace(account, zendesk=replace(account.zendesk, refresh_token=kept[-1][1].refresh_token)))
    stored = replace(account, zendesk=replace(account.zendesk, refresh_token=kept[-1][1].refresh_token))
    await channel.check(stored)
    assert len(kept) == 4


async def test_tokens_that_cannot_be_fetched_are_fetched_later(world: World, channel: ZendeskChannel) -> None:
    account = world.account()
    for fault in ({"action": "drop", "when": "after"}, {"action": "answer", "status": 200, "body": {"a": 1}}):
        options = {key: value for key, value in fault.items() if key != "action"}
        world.break_next(str(fault["action"]), "POST", "/oauth/tokens", **options)
        with pytest.raises(Retryable):
            await channel.send(account, a_job(OPEN, world.now()))
    body = {"access_token": "x", "expires_in": None}
    world.break_next("answer", "POST", "/oauth/tokens", status=200, body=body)
    world.break_next("answer", "GET", "/users/me", status=401, times=2, body={})
    with pytest.raises(Unverified):  # the made-up token is refused, and its renewal too
        await channel.check(account)


async def test_asked_to_slow_down(world: World, channel: ZendeskChannel) -> None:
    world.break_next("answer", "POST", "/tickets", status=429, headers={"Retry-After": "7"}, body={})
    with pytest.raises(Retryable) as refused:
        await channel.send(world.account(), a_job(OPEN, world.now()))
    assert refused.value.after == 7


async def test_a_redirect_is_not_followed(world: World, channel: ZendeskChannel) -> None:
    world.break_next("redirect", "POST", "/tickets", location="http://127.0.0.1:1/")
    with pytest.raises(Retryable, match="redirect"):
        await channel.send(world.account(), a_job(OPEN, world.now()))


async def test_the_console_can_offer_choices(world: World, channel: ZendeskChannel) -> None:
    account = world.account()
    lists = await channel.pick_lists(account)
    assert lists.groups is not None
    assert lists.agents is not None
    assert [choice.name for choice in lists.groups] == ["Billing", "Support"]
    assert [choice.name for choice in lists.agents] == ["Ada Admin", "Jonas Berg", "Mira Sato"]
    world.break_next("answer", "GET", "/groups", status=403, body={})
    assert (await channel.pick_lists(account)).groups is None
    world.break_next("answer", "GET", "/groups", status=500, body={})
    with pytest.raises(Retryable):
        await channel.pick_lists(account)


async def test_an_agent_who_tries_it_out_as_a_customer_is_not_heard_as_an_agent(
    world: World, channel: ZendeskChannel
) -> None:
    account = world.account()
    job = await opened(world, channel, account)
    jonas = next(agent for agent in world.emulator.account.agents() if agent.name == "Jonas Berg")
    me = Customer(id=CustomerId("cus_1"), name="Jonas Berg", email=str(jonas.email))
    await channel.send(account, replace(job, effect=NAME, conversation=replace(job.conversation, customer=me)))
    await channel.send(account, post(job, "msg_2", "as a customer"))
    page = await channel.heard_since(account, job.links, None)
    assert [heard.ours for heard in page.heard] == [True, True]


async def test_an_answer_without_what_was_asked_for_is_no_answer(world: World, channel: ZendeskChannel) -> None:
    """An agent whose user cannot be read passed for the customer, and the words were never shown."""
    account = world.account()
    job = await opened(world, channel, account)
    desk = world.emulator.desk
    desk.comment(desk.ticket(int(job.links[MARK])), desk.agent("jonas"), "Here I am")
    cursor = (await channel.heard_since(account, {MARK: job.links[MARK]}, None)).cursor
    desk.comment(desk.ticket(int(job.links[MARK])), desk.agent("mira"), "Still here")
    world.emulator.faults.add({"path": "/comments", "action": "answer", "status": 200, "body": {}, "times": 1})
    with pytest.raises(Retryable, match="shows no comments"):
        await channel.heard_since(account, job.links, cursor)
    fresh = ZendeskChannel(channel.calls._transport, world.now)
    world.emulator.faults.add({"path": "/users/", "action": "answer", "status": 200, "body": {"user": {}}, "times": 1})
    with pytest.raises(Retryable, match="shows no user"):
        await fresh.person(account, str(desk.agent("mira").id))
    page = await fresh.heard_since(account, job.links, cursor)
    assert [(heard.text, heard.ours) for heard in page.heard] == [("Still here", False)]


async def test_a_look_that_shows_no_list_denies_nothing(world: World, channel: ZendeskChannel) -> None:
    account = world.account()
    job = again(post(await opened(world, channel, account), "msg_2", "And another thing"))
    world.emulator.faults.add({"path": "/audits", "action": "answer", "status": 200, "body": {"count": 0}})
    with pytest.raises(Retryable):
        await channel.find(account, job)


async def test_of_two_replies_in_one_second_neither_is_passed_over(world: World, channel: ZendeskChannel) -> None:
    account, desk = world.account(), world.emulator.desk
    job = await opened(world, channel, account)
    ticket, jonas = desk.ticket(int(job.links[MARK])), desk.agent("jonas")
    first = await channel.heard_since(account, job.links, None)
    one, two, three = (desk.comment(ticket, jonas, text) for text in ("one", "two", "three"))
    one.created_at = two.created_at = ticket.comments[0].created_at + timedelta(seconds=1)
    three.created_at = one.created_at + timedelta(seconds=1)
    ticket.comments[1:] = [one]
    page = await channel.heard_since(account, job.links, first.cursor)
    assert [heard.text for heard in page.heard] == ["one"]
    ticket.comments[1:] = [two, one]  # newest first, the second one comes behind the first
    later = await channel.heard_since(account, job.links, page.cursor)
    assert [heard.text for heard in later.heard] == ["two"]
    assert (await channel.heard_since(account, job.links, later.cursor)).heard == ()
    ticket.comments[1:] = [two, one, three]
    last = await channel.heard_since(account, job.links, later.cursor)
    assert [heard.text for heard in last.heard] == ["three"]
    assert [heard.text for heard in (await channel.heard_since(account, job.links, None)).heard][-3:] == [
        "one",
        "two",
        "three",
    ]


async def test_after_a_very_long_talk_replies_are_heard_and_marks_are_found(
    world: World, channel: ZendeskChannel
) -> None:
    account, desk = world.account(), world.emulator.desk
    job = await opened(world, channel, account)
    talk = tuple(message(f"msg_{n}", "My stove is broken. " * 100, seq=n) for n in range(300))
    await channel.send(account, replace(job, effect=NOTE, transcript=talk))
    said = post(job, "msg_2", "hello?")
    await channel.send(account, said)
    desk.comment(desk.ticket(int(job.links[MARK])), desk.agent("jonas"), "Hi Mara")
    page = await channel.heard_since(account, job.links, None)
    assert [heard.text for heard in page.heard if not heard.ours] == ["Hi Mara"]
    assert await channel.find(account, again(said)) is not None


async def test_a_page_that_is_more_than_we_take_is_read_in_smaller_ones(world: World, channel: ZendeskChannel) -> None:
    account, desk = world.account(), world.emulator.desk
    job = await opened(world, channel, account)
    ticket, jonas = desk.ticket(int(job.links[MARK])), desk.agent("jonas")
    said = [f"{n} " + "x" * 60_000 for n in range(110)]  # each is shown three times over
    for n, text in enumerate(said):
        desk.comment(ticket, jonas, text).created_at += timedelta(seconds=n)
    page = await channel.heard_since(account, job.links, None)
    assert [heard.text for heard in page.heard if not heard.ours] == said
    asked = world.calls("GET", "/comments")
    assert (await channel.heard_since(account, job.links, page.cursor)).heard == ()
    assert world.calls("GET", "/comments") == asked + 2  # one too large, and a smaller one


# What never reached us


def a_webhook(world: World) -> Webhook:
    """A webhook to where nobody is."""
    made = control_admin.make(
        world.emulator,
        "webhook",
        {
            "name": "gone",
            "status": "active",
            "endpoint": "http://127.0.0.1:1/nobody",
            "http_method": "POST",
            "request_format": "json",
            "subscriptions": ["zen:event-type:ticket.status_changed"],
        },
    )
    return world.emulator.account.records.webhooks[made["webhook"]["id"]]


async def missed(
    channel: ZendeskChannel, account: Account, hook: Webhook, since: str | None = None
) -> list[MissedCall | CallsTo]:
    return [call async for call in channel.missed(account, hook.id, since, lambda _: False)]


async def test_calls_that_failed_are_read_back_with_what_they_said(world: World, channel: ZendeskChannel) -> None:
    account, emulator = world.account(), world.emulator
    hook = a_webhook(world)
    job = a_job(OPEN, world.now())
    sent = await channel.send(account, frozen(channel, account, job))
    id = int(next(link.theirs for link in sent.links if link.kind is LinkKind.TICKET))
    emulator.desk.set_status(emulator.desk.ticket(id), emulator.desk.agent(), "solved")
    while not hook.invocations or not hook.invocations[0].attempts:
        await asyncio.sleep(0.01)
    [call] = await missed(channel, account, hook)
    assert isinstance(call, MissedCall)
    assert call.body is not None
    read = webhook.read_webhook(json.loads(call.body))
    assert isinstance(read, webhook.StatusChanged)
    assert (read.ticket_id, read.current) == (str(id), "solved")
    assert await missed(channel, account, hook, call.ended) == [call]
    assert await missed(channel, account, hook, "2999-01-01T00:00:00Z") == []


def ended(world: World, hook: Webhook, second: int, status: str, tried_for: int = 0) -> str:
    """Let a call have come to its end some seconds after the webhook was made; give its id."""
    at = hook.created_at + timedelta(seconds=second)
    id = f"{second:06}-{len(hook.invocations):06}"
    first = at - timedelta(seconds=tried_for)
    attempt = Attempt(status=status, completed_at=first, request_payload=f'{{"id":"{id}"}}')
    hook.invocations.append(
        Invocation(id=id, webhook_id=hook.id, kind="event", status=status, latest_completed_at=at, attempts=[attempt])
    )
    return id


async def read_in_rounds(world: World, channel: ZendeskChannel, hook: Webhook, rounds: int) -> list[str]:
    """Read a webhook's failures the way it is done once a minute; give those that were told."""
    told: list[str] = []
    since: str | None = None
    for _ in range(rounds):
        async for found in channel.missed(world.account(), hook.id, since, told.__contains__):
            since = found.ended
            if isinstance(found, MissedCall):
                told.append(found.invocation)
    return told


async def test_more_calls_than_one_round_asks_for_may_fail_in_one_second(world: World, channel: ZendeskChannel) -> None:
    hook = a_webhook(world)
    failed = [ended(world, hook, 1, "terminated") for _ in range(120)] + [ended(world, hook, 2, "timeout")]
    assert sorted(await read_in_rounds(world, channel, hook, 3)) == failed


async def test_a_call_that_was_tried_for_minutes_is_read_back_though_it_began_before_the_last(
    world: World, channel: ZendeskChannel
) -> None:
    hook = a_webhook(world)
    early = ended(world, hook, 400, "terminated")
    assert await read_in_rounds(world, channel, hook, 1) == [early]
    late = ended(world, hook, 410, "timeout", tried_for=300)
    [call] = await missed(channel, world.account(), hook, rest_time(hook.created_at + timedelta(seconds=401)))
    assert isinstance(call, MissedCall)
    assert call.invocation == late


async def test_the_first_calls_that_failed_in_a_long_outage_are_not_passed_over_for_the_last(
    world: World, channel: ZendeskChannel
) -> None:
    hook = a_webhook(world)
    failed = [ended(world, hook, second, "terminated") for second in range(3)]
    for second in range(3, 4_500):
        ended(world, hook, second, "success")
    failed.append(ended(world, hook, 4_500, "terminated"))
    assert await read_in_rounds(world, channel, hook, 3) == failed
    before = world.calls("GET", "/invocations")
    assert await read_in_rounds(world, channel, hook, 1) == failed[:3]
    assert world.calls("GET", "/invocations") - before < 25
