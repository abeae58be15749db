"""Files both ways against the emulator over HTTP: each shown once whatever happens, and the words go on without."""

from __future__ import annotations

from dataclasses import replace

import pytest

from escalade.channels.base import Account, After, Channel, ChannelName, Job, LinkKind, Sent
from escalade.channels.http import Outbound
from escalade.channels.sunshine.channel import SunshineChannel
from escalade.channels.zendesk.channel import ZendeskChannel
from escalade.domain.effects import AddNote, OpenTicket, Post, PostContext
from escalade.domain.errors import DeliveryError, Refused, Retryable, Uncertain
from escalade.domain.model import Attachment, FileId, FileState, Message
from tests import pictures
from zendesk_emulator.records.messaging import Message as Shown
from zendesk_emulator.records.tickets import Attachment as Theirs
from zendesk_emulator.records.tickets import Comment, Ticket

from .scene import HANDOFF, TRANSCRIPT, World, a_job, again, links_of, message
from .test_sunshine_channel import at, conversation, marks, through, ticket

STORED = {FileId("f-1"): pictures.png(), FileId("f-2"): pictures.pdf()}
PICTURE = Attachment(id=FileId("f-1"), name="torn tent.png", media_type="image/png", state=FileState.KEPT)
PAPER = Attachment(id=FileId("f-2"), name="Rechnung März.pdf", media_type="application/pdf", state=FileState.KEPT)


async def read_file(id: FileId) -> bytes:
    return STORED[id]


@pytest.fixture
def sunshine(world: World, outbound: Outbound) -> SunshineChannel:
    return SunshineChannel(outbound, world.now)


@pytest.fixture
def zendesk(world: World, outbound: Outbound) -> ZendeskChannel:
    return ZendeskChannel(outbound, world.now)


def with_files(id: str, text: str, *files: Attachment) -> Message:
    return replace(message(id, text, seq=9), attachments=files)


def post(job: Job, said: Message) -> Job:
    return replace(
        job, key=f"dlv_{said.id}", effect=Post(handoff=HANDOFF, message=said.id), message=said, read_file=read_file
    )


async def until_it_is_there(channel: Channel, account: Account, job: Job) -> Sent:
    """Do what the courier does: send, and after an uncertain attempt look before sending again."""
    unsure = False
    for _ in range(10):
        try:
            if unsure and channel.after_uncertain(job) is After.LOOK:
                found = await channel.find(account, job)
                if found is not None:
                    return found
            return await channel.send(account, job)
        except (Retryable, Uncertain) as error:
            unsure = unsure or isinstance(error, Uncertain)
            job = again(job)
    raise AssertionError("never there")


# Live


def contents(world: World, job: Job) -> list[tuple[str, str]]:
    """Say what the customer's messages show at the desk: words, or the name of a file."""
    shown: list[Shown] = [one for one in conversation(world, job).messages if one.author["type"] == "user"]
    return [(one.content["type"], one.content.get("text") or one.content["altText"]) for one in shown]


async def test_live_the_words_come_first_and_then_each_file(world: World, sunshine: SunshineChannel) -> None:
    account = world.account()
    job = post(await through(world, sunshine, account), with_files("msg_2", "Look", PICTURE, PAPER))
    sent = await sunshine.send(account, job)
    assert contents(world, job) == [("text", "Look"), ("image", PICTURE.name), ("file", PAPER.name)]
    assert marks(conversation(world, job).messages)[-3:] == ["msg_2:0", "msg_2:1", "msg_2:2"]
    assert sent.lost == ()
    assert [link.theirs for link in sent.links] == [conversation(world, job).messages[-3].id]
    kept = world.emulator.account.records.sun_attachments
    assert [file.data for file in kept.values()] == list(STORED.values())
    assert [file.content_type for file in kept.values()] == ["image/png", "application/pdf"]


@pytest.mark.parametrize("action", ["drop", "answer"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("path", "nth"), [("/attachments", 0), ("/attachments", 1), *(("/messages", n) for n in range(3))]
)
async def test_live_each_part_is_shown_once_whatever_answer_is_lost(
    world: World, sunshine: SunshineChannel, action: str, when: str, path: str, nth: int
) -> None:
    account = world.account()
    job = post(await through(world, sunshine, account), with_files("msg_2", "Look", PICTURE, PAPER))
    world.break_next(action, "POST", path, when=when, skip=nth, status=502)
    await until_it_is_there(sunshine, account, job)
    assert contents(world, job) == [("text", "Look"), ("image", PICTURE.name), ("file", PAPER.name)]


async def test_live_an_upload_that_may_have_arrived_is_no_reason_to_wait(
    world: World, sunshine: SunshineChannel
) -> None:
    account = world.account()
    job = post(await through(world, sunshine, account), with_files("msg_2", "", PICTURE))
    world.break_next("drop", "POST", "/attachments", when="after")
    with pytest.raises(Retryable):
        await sunshine.send(account, job)
    await sunshine.send(account, again(job))
    assert contents(world, job) == [("image", PICTURE.name)]


@pytest.mark.parametrize("path", ["/attachments", "/messages"])
async def test_live_a_file_that_is_refused_gives_way_to_a_line(
    world: World, sunshine: SunshineChannel, path: str
) -> None:
    account = world.account()
    job = post(await through(world, sunshine, account), with_files("msg_2", "", PICTURE, PAPER))
    world.break_next("answer", "POST", path, status=400, body={"errors": [{"title": "File type not supported"}]})
    sent = await sunshine.send(account, job)
    line = "[The customer sent a file, torn tent.png, that could not be delivered here.]"
    assert contents(world, job) == [("text", line), ("file", PAPER.name)]
    assert sent.lost == (PICTURE.id,)
    found = await sunshine.find(account, again(job))
    assert found is not None
    assert found.lost == (PICTURE.id,), "a later look still knows"


async def test_live_what_was_sent_before_comes_with_the_context(world: World, sunshine: SunshineChannel) -> None:
    account = world.account()
    job = await through(world, sunshine, account, until=PostContext)
    step = replace(at(job, PostContext), transcript=(with_files("msg_0", "My tent", PICTURE), *TRANSCRIPT))
    step = replace(step, read_file=read_file, frozen=sunshine.freeze(account, step))
    world.break_next("drop", "POST", "/messages", when="after", skip=1)
    with pytest.raises(Uncertain):
        await sunshine.send(account, step)
    await sunshine.send(account, again(step))
    made = conversation(world, job).messages
    assert marks(made) == [f"ctx:{HANDOFF}:0", f"ctx:{HANDOFF}:f-1:file"]
    assert made[1].author == {"type": "business", "displayName": "Assistant"}
    assert "Customer: My tent\n[file: torn tent.png]" in made[0].content["text"]


# Ticket


async def opened(world: World, channel: ZendeskChannel, account: Account) -> Job:
    job = a_job(OpenTicket(handoff=HANDOFF), world.now())
    sent = await channel.send(account, replace(job, frozen=channel.freeze(account, job)))
    return replace(job, links=links_of(sent), frozen=None, read_file=read_file)


def the_ticket(world: World, job: Job) -> Ticket:
    return world.emulator.account.records.tickets[int(job.links[ChannelName.ZENDESK, LinkKind.TICKET])]


def names(comment: Comment) -> list[str]:
    return [file.file_name for file in comment.attachments]


async def test_on_a_ticket_the_files_are_on_the_comment(world: World, zendesk: ZendeskChannel) -> None:
    account = world.account()
    job = post(await opened(world, zendesk, account), with_files("msg_2", "Look", PICTURE, PAPER))
    sent = await zendesk.send(account, job)
    comment = the_ticket(world, job).comments[-1]
    assert names(comment) == [PICTURE.name, PAPER.name]
    assert [file.data for file in comment.attachments] == list(STORED.values())
    assert [file.content_type for file in comment.attachments] == ["image/png", "application/pdf"]
    assert comment.body == "Look"
    assert sent.lost == ()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("method", "path", "nth"), [("POST", "/uploads", 0), ("POST", "/uploads", 1), ("PUT", "/tickets/", 0)]
)
async def test_on_a_ticket_one_comment_has_the_files_whatever_answer_is_lost(
    world: World, zendesk: ZendeskChannel, when: str, method: str, path: str, nth: int
) -> None:
    account = world.account()
    job = post(await opened(world, zendesk, account), with_files("msg_2", "Look", PICTURE, PAPER))
    before = len(the_ticket(world, job).comments)
    world.break_next("drop", method, path, when=when, skip=nth)
    await until_it_is_there(zendesk, account, job)
    added = the_ticket(world, job).comments[before:]
    assert [names(comment) for comment in added] == [[PICTURE.name, PAPER.name]]


async def test_on_a_ticket_a_file_that_is_refused_gives_way_to_a_line(world: World, zendesk: ZendeskChannel) -> None:
    account = world.account()
    job = post(await opened(world, zendesk, account), with_files("msg_2", "Look", PICTURE, PAPER))
    world.break_next("answer", "POST", "/uploads", status=422, body={"error": "AttachmentInvalid"})
    sent = await zendesk.send(account, job)
    comment = the_ticket(world, job).comments[-1]
    assert names(comment) == [PAPER.name]
    assert "[The customer sent a file, torn tent.png, that could not be delivered here.]" in comment.body
    assert sent.lost == (PICTURE.id,)
    found = await zendesk.find(account, again(job))
    assert found is not None
    assert found.lost == (PICTURE.id,), "a later look still knows"


async def test_on_a_ticket_what_was_sent_before_comes_with_the_note(world: World, zendesk: ZendeskChannel) -> None:
    account = world.account()
    job = await opened(world, zendesk, account)
    job = replace(
        job, effect=AddNote(handoff=HANDOFF), transcript=(with_files("msg_0", "My tent", PICTURE), *TRANSCRIPT)
    )
    world.break_next("drop", "PUT", "/tickets/", when="after")
    await until_it_is_there(zendesk, account, job)
    notes = [comment for comment in the_ticket(world, job).comments if not comment.public]
    assert [names(note) for note in notes] == [[PICTURE.name]]


async def test_a_note_longer_than_a_comment_takes_several_and_none_twice(world: World, zendesk: ZendeskChannel) -> None:
    account = world.account()
    job = await opened(world, zendesk, account)
    long = tuple(message(f"m-{n}", f"{n} " + "très long " * 390, seq=n) for n in range(1, 61))
    job = replace(job, effect=AddNote(handoff=HANDOFF), transcript=(*long, TRANSCRIPT[-1]))
    world.break_next("drop", "PUT", "/tickets/", when="after", skip=2)
    await until_it_is_there(zendesk, account, job)
    notes = [comment.body for comment in the_ticket(world, job).comments if not comment.public]
    assert len(notes) > 3
    assert all(len(note.encode()) < 64 * 1024 for note in notes)
    whole = "".join(notes).replace("\u00a0", " ")
    assert [whole.count(f"Customer: {n} très") for n in range(1, 61)] == [1] * 60


# Back


async def a_file_from_an_agent(world: World, sunshine: SunshineChannel) -> tuple[Job, Attachment]:
    account, desk = world.account(), world.emulator.desk
    job = await through(world, sunshine, account)
    chat, jonas = ticket(world, job), desk.agent("Jonas Berg")
    desk.send_file(chat, jonas, name="mode d'emploi é.pdf", content_type="application/pdf", data=pictures.pdf())
    page = await sunshine.heard_since(account, job.links, None)
    [file] = [file for heard in page.heard for file in heard.attachments]
    return job, file


async def test_live_an_agents_private_file_is_fetched_with_our_key(world: World, sunshine: SunshineChannel) -> None:
    _, file = await a_file_from_an_agent(world, sunshine)
    assert file.name == "mode d'emploi é.pdf"
    assert await sunshine.fetch(world.account(), file.url) == pictures.pdf()


async def a_comment_with(world: World, zendesk: ZendeskChannel, **file: object) -> tuple[Job, Attachment]:
    account, desk = world.account(), world.emulator.desk
    job = await opened(world, zendesk, account)
    data = Theirs(
        id=991,
        file_name="plan 1.png",
        content_type="image/png",
        data=pictures.png(),
        **file,  # type: ignore[arg-type]
    )
    desk.comment(the_ticket(world, job), desk.agent("Jonas Berg"), "See the plan", [data])
    page = await zendesk.heard_since(account, job.links, None)
    [heard] = [heard for heard in page.heard if not heard.ours]
    assert heard.text == "See the plan"
    return job, heard.attachments[0]


@pytest.mark.parametrize("private", [True, False])
async def test_a_file_on_a_comment_is_fetched(world: World, zendesk: ZendeskChannel, private: bool) -> None:
    world.emulator.account.settings.private_ticket_files = private
    _, file = await a_comment_with(world, zendesk)
    assert (file.name, file.state, file.size) == ("plan 1.png", FileState.AWAITED, len(pictures.png()))
    assert await zendesk.fetch(world.account(), file.url) == pictures.png()


async def test_a_file_in_which_zendesk_found_something_is_told_as_such(world: World, zendesk: ZendeskChannel) -> None:
    _, file = await a_comment_with(world, zendesk, malware=True)
    assert file.state is FileState.FLAGGED


@pytest.mark.parametrize(
    ("action", "options", "error"),
    [
        ("answer", {"status": 404, "body": {}}, Refused),
        ("answer", {"status": 503, "body": {}}, Retryable),
        ("answer", {"status": 429, "body": {}, "headers": {"Retry-After": "7"}}, Retryable),
        ("answer", {"status": 200, "size": 20 * 1024 * 1024 + 1}, Refused),
        ("answer", {"status": 200, "body": ""}, Refused),
        ("answer", {"status": 204, "body": ""}, DeliveryError),
        ("redirect", {"status": 302, "location": "https://evil.example/x"}, Refused),
        ("redirect", {"status": 302, "location": "http://p1.zdusercontent.com/x"}, Refused),
        ("redirect", {"status": 302, "location": "https://p1.zdusercontent.com.evil.example/x"}, Refused),
        ("redirect", {"status": 302, "location": "https://me@p1.zdusercontent.com/x"}, Refused),
        ("redirect", {"status": 302, "location": "//evil.example/x"}, Refused),
        ("truncate", {}, Retryable),
        ("drop", {"when": "before"}, Retryable),
    ],
)
async def test_a_file_that_cannot_be_had_says_for_how_long(
    world: World, sunshine: SunshineChannel, action: str, options: dict[str, object], error: type[DeliveryError]
) -> None:
    _, file = await a_file_from_an_agent(world, sunshine)
    world.break_next(action, "GET", "/attachments/", **options)
    with pytest.raises(error):
        await sunshine.fetch(world.account(), file.url)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/sc/attachments/v2/x/a.png",
        "{base}.evil.example/sc/attachments/v2/x/a.png",
        "{base}@evil.example/sc/attachments/v2/x/a.png",
        "{base}/sc/v2/apps/x/conversations",
        "{base}/api/v2/users/me",
        "//evil.example/sc/attachments/x",
        "file:///etc/passwd",
    ],
)
async def test_nothing_but_the_accounts_own_files_is_fetched(
    world: World, sunshine: SunshineChannel, zendesk: ZendeskChannel, url: str
) -> None:
    for channel in (sunshine, zendesk):
        with pytest.raises(Refused, match="not at an address of this account"):
            await channel.fetch(world.account(), url.format(base=world.base_url))
    assert world.calls("GET", "attachments") == 0


async def test_a_file_that_lies_elsewhere_is_passed_on_as_a_link(world: World, sunshine: SunshineChannel) -> None:
    job, _ = await a_file_from_an_agent(world, sunshine)
    content = conversation(world, job).messages[-1].content
    for url, shown in (
        ("https://files.example/a.pdf", "mode d'emploi é.pdf: https://files.example/a.pdf"),
        ("javascript:alert(1)", "mode d'emploi é.pdf"),
    ):
        content["mediaUrl"] = url
        heard = (await sunshine.heard_since(world.account(), job.links, None)).heard[-1]
        assert (heard.text, heard.attachments) == (shown, ())
