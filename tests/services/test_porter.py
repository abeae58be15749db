"""An agent's file holds nothing up: the words are shown at once, the file when it is here, or that it is not."""

from __future__ import annotations

from escalade.channels.base import ArrivalKind, Heard
from escalade.domain.errors import Refused, Retryable
from escalade.domain.events import AgentAssigned, SessionEnded
from escalade.domain.files import ANYTHING
from escalade.domain.model import Agent, AgentId, Attachment, Control, Ending, FileState, Role
from escalade.services.customers import Customers
from escalade.services.inquiry import PATIENCE_MS as SHOWN_AFTER_MS
from escalade.services.porter import PATIENCE_MS
from escalade.store import files
from tests import pictures
from tests.backstage import ORGANISATION, Backstage, Customer

from .test_reconcile import in_a_live_chat, rings, the_handoff

URL = "https://acme.zendesk.com/sc/attachments/v2/1/plan.png"
PLAN = Attachment(name="../plan.png", url=URL, media_type="image/png")


async def told(stage: Backstage, customer: Customer, *sent: Attachment, text: str = "Here is the plan") -> None:
    """Let an agent write, and look."""
    stage.sunshine.says(text, files=sent)
    await stage.reconcile.look((await the_handoff(customer)).id, session=False)


async def the_file(customer: Customer) -> Attachment:
    return [file for message in await customer.messages() for file in message.attachments][-1]


async def bring(stage: Backstage) -> int:
    """Fetch what is due."""
    due = await stage.read(lambda tx: files.due(tx, stage.clock.at))
    for file in due:
        await stage.porter.bring(file)
    return len(due)


async def test_the_words_are_there_at_once_and_the_file_when_it_is_fetched(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    await told(live, customer, PLAN)
    assert (await customer.transcript(Role.AGENT)) == ["Here is the plan"]
    awaited = await the_file(customer)
    assert (awaited.name, awaited.state) == ("plan.png", FileState.AWAITED)
    live.rung.clear()
    live.sunshine.files[URL] = pictures.png()
    assert await bring(live) == 1
    kept = await the_file(customer)
    assert (kept.id, kept.state, kept.media_type) == (awaited.id, FileState.KEPT, "image/png")
    assert any(topic == "conversation" for topic, _ in live.rung)
    assert kept.id is not None
    _, pieces = await live.files.give(ORGANISATION, customer.id, kept.id)
    assert pictures.opened(b"".join([piece async for piece in pieces])).size == (40, 30)
    assert await bring(live) == 0


async def test_looking_again_asks_for_no_file_twice(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    await told(live, customer, PLAN)
    await live.reconcile.look((await the_handoff(customer)).id, session=False)
    assert await live.read(lambda tx: tx.everywhere().value("SELECT count(*) FROM file")) == 1


async def test_a_picture_is_written_anew_and_what_is_not_on_the_list_is_only_to_be_saved(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    photo = Attachment(name="photo.jpg", url="https://z/photo", media_type="image/jpeg")
    page = Attachment(name="page.html", url="https://z/page", media_type="text/html")
    fake = Attachment(name="fake.png", url="https://z/fake", media_type="image/png")
    live.sunshine.files |= {
        photo.url: pictures.photograph(),
        page.url: b"<script>alert(1)</script>",
        fake.url: b"<script>alert(1)</script>",
    }
    await told(live, customer, photo, page, fake)
    assert await bring(live) == 3
    shown = [file for message in await customer.messages() for file in message.attachments]
    assert [file.media_type for file in shown] == ["image/jpeg", ANYTHING, ANYTHING]
    assert shown[0].id is not None
    _, pieces = await live.files.give(ORGANISATION, customer.id, shown[0].id)
    assert b"Noor" not in b"".join([piece async for piece in pieces])


async def test_what_fails_for_now_is_tried_again_for_a_while_and_then_said_to_be_lost(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.files[URL] = Retryable("out of reach")
    await told(live, customer, PLAN)
    began, tries = live.clock.at, 0
    while (await the_file(customer)).state is FileState.AWAITED:
        tries += await bring(live)
        following = await live.read(files.next_due_at)
        live.clock.at = max(live.clock.at, following or 0)
    assert (await the_file(customer)).state is FileState.LOST
    assert 30 < tries < 50
    assert PATIENCE_MS - 60_000 <= live.clock.at - began <= PATIENCE_MS
    assert (await customer.transcript(Role.AGENT)) == ["Here is the plan"]


async def test_what_was_lost_can_be_asked_for_once_more(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.files[URL] = Refused("404", status=404)
    await told(live, customer, PLAN)
    await bring(live)
    lost = await the_file(customer)
    assert lost.state is FileState.LOST
    assert lost.id is not None
    assert await bring(live) == 0
    live.sunshine.files[URL] = pictures.png()
    again = await live.files.fetch_again(ORGANISATION, customer.id, lost.id)
    assert again.state is FileState.AWAITED
    assert ("file", "due") in live.rung
    assert await bring(live) == 1
    assert (await the_file(customer)).state is FileState.KEPT
    assert (await live.files.fetch_again(ORGANISATION, customer.id, lost.id)).state is FileState.KEPT


async def test_zendesk_may_say_when_to_come_back_for_a_file(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.files[URL] = Retryable("slow down", after=40)
    await told(live, customer, PLAN)
    await bring(live)
    assert await live.read(files.next_due_at) == live.clock.at + 40_000


async def test_a_file_in_which_zendesk_found_something_is_never_fetched(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    bad = Attachment(name="invoice.exe", url=URL, state=FileState.FLAGGED)
    await told(live, customer, bad)
    assert await bring(live) == 0
    file = await the_file(customer)
    assert file.state is FileState.FLAGGED
    assert file.id is not None
    assert (await live.files.fetch_again(ORGANISATION, customer.id, file.id)).state is FileState.FLAGGED


async def test_what_an_agent_still_sends_to_an_erased_customer_is_not_kept(live: Backstage) -> None:
    """Leaving the chat is still owed, so the bare rows are there, and the list is read."""
    customer = await in_a_live_chat(live)
    handoff, person = (await the_handoff(customer)).id, (await customer.conversation()).customer.id
    await Customers(live.database, live.ports, live.intake).erase(ORGANISATION, person, "owner")
    live.sunshine.files[URL] = pictures.png()
    live.sunshine.says("Here is the plan", files=(PLAN,))
    await live.reconcile.look(handoff, session=False)
    assert (await customer.conversation()).customer.erased
    assert await bring(live) == 0
    assert await live.read(lambda tx: tx.everywhere().value("SELECT count(*) FROM file")) == 0


async def shown_from_the_webhook(stage: Backstage, customer: Customer) -> Heard:
    """Let Inès send a plan, whose words are shown because the list does not have them; give what it lacks."""
    id = stage.sunshine.says("Here is the plan", files=(PLAN,))
    late = stage.sunshine.list.pop()
    news = {"message_id": id, "actor_type": "agent", "agent_name": "Inès", "text": "Here is the plan"}
    await rings(stage, ArrivalKind.MESSAGE_ADDED, **news)
    stage.clock.passes(SHOWN_AFTER_MS / 1000)
    await stage.reconcile.look((await the_handoff(customer)).id, session=False)
    assert (await customer.transcript(Role.AGENT)) == ["Here is the plan"]
    return late


async def test_words_shown_from_the_webhook_are_followed_by_their_file(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.list.append(await shown_from_the_webhook(live, customer))
    for _ in range(2):
        await live.reconcile.look((await the_handoff(customer)).id, session=False)
    assert (await customer.transcript(Role.AGENT)) == ["Here is the plan", ""]
    assert (await the_file(customer)).state is FileState.AWAITED


async def test_a_file_that_follows_its_words_brings_nobody_back(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    late = await shown_from_the_webhook(live, customer)
    await customer.happens(SessionEnded(handoff=(await the_handoff(customer)).id, ending=Ending.INACTIVE))
    ended = await customer.conversation()
    live.sunshine.list.append(late)
    assert ended.handoff is not None
    await live.reconcile.look(ended.handoff.id, session=False)
    assert (await the_file(customer)).state is FileState.AWAITED
    after = await customer.conversation()
    assert (after.control, after.handoff) == (Control.ASSISTANT, ended.handoff)


async def test_a_file_that_follows_its_words_is_no_change_of_agents(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    late = await shown_from_the_webhook(live, customer)
    jonas = Agent(id=AgentId("8"), name="Jonas")
    await customer.happens(AgentAssigned(handoff=(await the_handoff(customer)).id, agent=jonas))
    live.sunshine.list.append(late)
    await live.reconcile.look((await the_handoff(customer)).id, session=False)
    assert (await customer.transcript(Role.AGENT)) == ["Here is the plan", ""]
    assert (await customer.notices())[-2:] == ["agent_joined", "agent_changed"]
    assert (await the_handoff(customer)).agent == jonas


async def test_a_restart_begins_every_wait_anew(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.files[URL] = Retryable("out of reach", after=500)
    await told(live, customer, PLAN)
    await bring(live)
    assert await bring(live) == 0
    assert await live.porter.recover()
    assert await bring(live) == 1


# The customer's side: what the desk would not take, and what nobody sent


async def test_a_file_that_was_not_taken_is_told_once_though_the_words_arrived(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    file = await live.files.take(ORGANISATION, customer.id, name="tent.png", content=pictures.png())
    assert file.id is not None
    live.sunshine.loses = (file.id,)
    said = await live.desk.say(ORGANISATION, customer.id, role=Role.CUSTOMER, text="Look", attachments=(file.id,))
    await live.drain()
    assert (await customer.notices())[-1] == "file_not_delivered"
    assert "tent.png" in (await customer.transcript(Role.SYSTEM))[-1]
    delivered = next(message for message in await customer.messages() if message.id == said.message.id)
    assert delivered.delivery.value == "delivered"


async def test_a_file_nobody_sent_is_forgotten_after_a_day_and_a_sent_one_is_kept(live: Backstage) -> None:
    customer = await live.open()
    kept, left = [await live.files.take(ORGANISATION, customer.id, name=f"{n}.txt", content=b"Hello") for n in range(2)]
    assert kept.id is not None
    assert left.id is not None
    await live.desk.say(ORGANISATION, customer.id, role=Role.CUSTOMER, text="", attachments=(kept.id,))
    live.clock.passes(24 * 3600 - 1)
    await live.upkeep.round()
    assert await live.read(lambda tx: tx.everywhere().value("SELECT count(*) FROM file_piece")) == 2
    live.clock.passes(2)
    await live.upkeep.round()
    rows = await live.read(
        lambda tx: tx.everywhere().all("SELECT f.id, p.file FROM file f JOIN file_piece p ON p.file = f.id")
    )
    assert [(row["id"], row["file"]) for row in rows] == [(kept.id, kept.id)]
    assert await live.read(lambda tx: tx.everywhere().value("SELECT count(*) FROM file_piece")) == 1
