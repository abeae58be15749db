"""The services on a real database, with a clock that moves only when told, and two rooms behind
the desk that remember what they were sent.

The rooms are channels with state: they can be told to answer badly once or for a while, to take a message and lose
the answer, and to be out of reach. What arrived in them is what arrived.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from escalade.channels.base import Account, After, ChannelName, Heard, Job, Link, LinkKind, Page, Sent, Session
from escalade.domain.effects import (
    Effect,
    EnsureConversation,
    EnsureUser,
    LaneName,
    OpenTicket,
    Post,
)
from escalade.domain.errors import DeliveryError, Refused, Retryable, Uncertain
from escalade.domain.events import AssistantSaid, Event
from escalade.domain.model import (
    Agent,
    AgentId,
    Attachment,
    Conversation,
    ConversationId,
    FileId,
    Message,
    MessageId,
    Millis,
    OrganisationId,
    Role,
)
from escalade.domain.organisation import LiveSettings, Organisation, Settings, ZendeskSettings
from escalade.services.accounts import LIVE_SECRET, Accounts
from escalade.services.arrivals import Arrivals
from escalade.services.bell import Bell
from escalade.services.courier import Courier, CourierPolicy
from escalade.services.customers import Customers
from escalade.services.desk import Desk
from escalade.services.doors import Doors
from escalade.services.files import Files
from escalade.services.intake import Intake
from escalade.services.porter import Porter
from escalade.services.ports import Ports
from escalade.services.reconcile import Reconcile
from escalade.services.redrive import Redrive
from escalade.services.scrutiny import Inspected, look
from escalade.services.tuning import Tuning
from escalade.services.upkeep import Upkeep
from escalade.services.watch import Watch
from escalade.store import conversations, lanes, organisations, overview, receipts
from escalade.store.database import Ring, Row, ServedDatabase, Tx
from escalade.store.engines import open_database
from escalade.store.vault import Vault

T = TypeVar("T")

KEY = "the-master-key-of-these-tests-is-long-enough"
ORGANISATION = OrganisationId("org_1")
OTHER = OrganisationId("org_2")
NOON: Millis = 1_768_478_400_000
INES = Agent(id=AgentId("7"), name="Inès")
Ids = tuple[ChannelName, LinkKind]


@asynccontextmanager
async def opened(url: str, *, checkpoint: bool = True) -> AsyncIterator[ServedDatabase]:
    """Open a database and close it."""
    database = open_database(url, checkpoint=checkpoint)
    database.start()
    try:
        yield database
    finally:
        await database.close()


class Clock:
    """Time that moves when somebody sleeps or a test says so; `wrong_by` is what somebody did to the wall clock."""

    def __init__(self) -> None:
        self.at: Millis = NOON
        self.wrong_by: Millis = 0

    def now(self) -> Millis:
        return self.at

    def wall(self) -> Millis:
        return self.at + self.wrong_by

    def passes(self, seconds: float) -> None:
        self.at += int(seconds * 1000)

    async def sleep(self, seconds: float) -> None:
        self.passes(seconds)
        await asyncio.sleep(0)


def ports(clock: Clock) -> Ports:
    """Give ports on a test's clock; ids are counted, so that a failure reads the same twice."""
    count = itertools.count(1)
    return Ports(
        now=clock.now,
        wall=clock.wall,
        sleep=clock.sleep,
        new_id=lambda: f"id-{next(count)}",
        new_token=lambda: f"token-{next(count)}-of-this-test",
        jitter=lambda: 1.0,
    )


class Unheard(Uncertain):
    """The request may have arrived, and has not."""


class Room:
    """A system on the desk's side, with what arrived in it and how it behaves next.

    `next` is worked off one verdict a send: an error is raised, and where it is `Uncertain` the effect has taken place
    all the same, unless it is `Unheard`. `looks` marks the effects it does not recognise when they come twice.
    """

    def __init__(self, name: ChannelName, clock: Clock) -> None:
        self.name = name
        self._clock = clock
        self.ticket_is = "open"
        self.arrived: list[tuple[str, str]] = []  # effect and text or id, in the order of arrival
        self.sends: list[str] = []  # the effect of every attempt
        self.jobs: list[Job] = []
        self.finds = 0
        self.next: list[DeliveryError] = []
        self.next_find: list[DeliveryError] = []
        self.always: DeliveryError | None = None
        self.looks: tuple[type[Effect], ...] = (Post,)
        self.holds: asyncio.Event | None = None  # a send waits for it after it has arrived
        self.answers = ""  # what it says of what it takes
        self.takes = 0.0  # seconds that pass before what a send comes to
        self.reached = asyncio.Event()
        self.list: list[Heard] = []
        self.files: dict[str, bytes | DeliveryError] = {}  # by address: what is there, or what asking for it brings
        self.loses: tuple[FileId, ...] = ()  # files it does not take
        self.unreachable = False
        self.tells_no_session = False
        self.gone = False
        self.asked_after: list[str | None] = []
        self.state = Session.ACTIVE
        self.freezes: str | None = None
        self.only_conversation: str | None = None  # the one it allows a customer
        self.frozen_bodies: list[str | None] = []
        self._marks: dict[str, Sent] = {}

    def freeze(self, account: Account, job: Job) -> str | None:
        return None if self.freezes is None else f"{self.freezes} {job.key}"

    def after_uncertain(self, job: Job) -> After:
        return After.LOOK if isinstance(job.effect, self.looks) else After.REPEAT

    async def send(self, account: Account, job: Job) -> Sent:
        self.sends.append(type(job.effect).__name__)
        self.jobs.append(job)
        self.frozen_bodies.append(job.frozen)
        self._clock.passes(self.takes)
        error = self.next.pop(0) if self.next else self.always
        if error is not None and (isinstance(error, Unheard) or not isinstance(error, Uncertain)):
            raise error
        sent = self._take(job)
        self.reached.set()
        if self.holds is not None:
            await self.holds.wait()
        if error is not None:
            raise error
        return sent

    def _take(self, job: Job) -> Sent:
        known = self._marks.get(_mark(job))
        if known is not None and not isinstance(job.effect, self.looks):
            return known  # a repetition it recognises
        text = job.message.text if isinstance(job.effect, Post) and job.message else ""
        self.arrived.append((type(job.effect).__name__, text))
        used = isinstance(job.effect, EnsureConversation) and self.only_conversation is not None and self.list
        cursor = str(len(self.list)) if used else None
        sent = Sent(links=self._links(job), status=201, answer=self.answers, lost=self.loses, cursor=cursor)
        return self._marks.setdefault(_mark(job), sent)

    def _links(self, job: Job) -> tuple[Link, ...]:
        effect, place = job.effect, f"{self.name.value}-{len(self.arrived)}"
        match effect:
            case OpenTicket():
                return (Link(channel=self.name, kind=LinkKind.TICKET, theirs="4711", ours=effect.handoff),)
            case EnsureUser():
                return (Link(channel=self.name, kind=LinkKind.USER, theirs=place, ours=effect.handoff),)
            case EnsureConversation():
                there = self.only_conversation or place
                return (Link(channel=self.name, kind=LinkKind.CONVERSATION, theirs=there, ours=effect.handoff),)
            case Post(message=message):
                return (Link(channel=self.name, kind=LinkKind.MESSAGE, theirs=place, ours=message),)
            case _:
                return ()

    async def find(self, account: Account, job: Job) -> Sent | None:
        self.finds += 1
        if self.next_find:
            raise self.next_find.pop(0)
        return self._marks.get(_mark(job))

    async def heard_since(self, account: Account, links: Mapping[Ids, str], cursor: str | None) -> Page:
        self.asked_after.append(cursor)
        if self.unreachable:
            raise Retryable("out of reach")
        if self.gone:
            raise Refused("no such conversation", status=404)
        begin = 0 if cursor is None else int(cursor)
        return Page(heard=tuple(self.list[begin:]), cursor=str(len(self.list)))

    async def fetch(self, account: Account, url: str) -> bytes:
        found = self.files[url]
        if isinstance(found, DeliveryError):
            raise found
        return found

    def forgets(self) -> None:
        """Let nothing of what was sent have arrived."""
        self.arrived.clear()
        self._marks.clear()

    def says(
        self,
        text: str,
        *,
        agent: Agent | None = INES,
        ours: bool = False,
        id: str | None = None,
        files: tuple[Attachment, ...] = (),
    ) -> str:
        """Put a message at the end of the room's own list."""
        id = id or f"theirs-{len(self.list) + 1}"
        role = Role.AGENT if agent is not None else Role.SYSTEM
        self.list.append(Heard(id=id, ours=ours, role=role, text=text, agent=agent, attachments=files))
        return id

    # what the desk can name and say of a session

    async def ticket_of(self, account: Account, conversation: str, since: Millis) -> str | None:
        return None

    async def ticket_status(self, account: Account, ticket_id: str) -> str:
        return self.ticket_is

    async def agent(self, account: Account, agent_id: str) -> Agent | None:
        return INES if agent_id == INES.id else None

    async def session(self, account: Account, links: dict[Ids, str]) -> Session:
        if self.unreachable or self.tells_no_session:
            raise Retryable("out of reach")
        return self.state

    @property
    def posted(self) -> list[str]:
        """Give the customer's words that arrived, in order."""
        return [text for effect, text in self.arrived if effect == "Post"]


async def look_here(name: str, content: bytes) -> Inspected:
    """Look into a file in this process: what is tested here is not what a hostile one could do."""
    return look(name, content)


def _mark(job: Job) -> str:
    """Say how a room knows an effect again: by our mark, which a delivery that is owed again carries too."""
    return job.effect.message if isinstance(job.effect, Post) else job.key


class Scripted:
    """An assistant that says what it is told to."""

    def __init__(self) -> None:
        self.answers: dict[str, Event] = {}
        self.asked: list[str] = []
        self.thinks: asyncio.Event | None = None

    async def reply(self, account: Account, conversation: Conversation, question: Message) -> Event:
        self.asked.append(question.text)
        if self.thinks is not None:
            await self.thinks.wait()
        fallback = AssistantSaid(id=MessageId(f"answer-{question.id}"), text=f"About “{question.text}” …")
        return self.answers.get(question.text, fallback)


@dataclass
class Backstage:
    """Every service, and what they stand on."""

    url: str
    database: ServedDatabase
    clock: Clock
    ports: Ports
    bell: Bell
    vault: Vault
    accounts: Accounts
    intake: Intake
    arrivals: Arrivals
    zendesk: Room
    sunshine: Room
    assistant: Scripted
    doors: Doors
    courier: Courier
    reconcile: Reconcile
    watch: Watch
    upkeep: Upkeep
    desk: Desk
    files: Files
    porter: Porter
    redrive: Redrive
    tuning: Tuning
    checked: list[Account] = field(default_factory=list)
    staffed: bool | None = None
    rung: set[Ring] = field(default_factory=set)

    async def write(self, work: Callable[[Tx], T]) -> T:
        return await self.database.write(work)

    async def read(self, work: Callable[[Tx], T]) -> T:
        return await self.database.read(work)

    async def open(
        self, conversation: str = "c-1", organisation: OrganisationId = ORGANISATION, **customer: Any
    ) -> Customer:
        """Open a conversation."""
        opened = await self.desk.open_conversation(organisation, id=conversation, customer=customer)
        return Customer(self, organisation, opened.id)

    async def step(self, lane: LaneName = LaneName.DESK, id: str = "c-1") -> bool:
        """Let the courier move the head of a lane once."""
        conversation = ConversationId(id)
        return await self.courier.step(lanes.Lane(organisation=ORGANISATION, conversation=conversation, name=lane))

    async def drain(self, id: str = "c-1") -> None:
        """Let the courier work as far as it gets without waiting, in both lanes."""
        for lane in (LaneName.ASSISTANT, LaneName.DESK):
            while await self.step(lane, id):
                pass

    async def settle(self, id: str = "c-1", *, seconds: float = 600) -> None:
        """Let the courier work until everything owed is settled; time passes as it waits, at most this long."""
        end = self.clock.at + int(seconds * 1000)
        while self.clock.at < end:
            await self.drain(id)
            due = await self.read(lanes.next_due_at)
            if due is None:
                return
            self.clock.at = max(self.clock.at + 1, due)
        raise AssertionError(f"still owed: {await self.owed(id)}")

    async def deliveries(self, id: str = "c-1") -> list[Row]:
        conversation = ConversationId(id)
        found = await self.read(lambda tx: overview.deliveries(tx, ORGANISATION, conversation=conversation))
        return sorted(found, key=lambda row: (row["lane"], row["position"]))

    async def owed(self, id: str = "c-1") -> list[tuple[str, str]]:
        """Give effect and state of each delivery in the desk lane."""
        return [(row["effect"], row["state"]) for row in await self.deliveries(id) if row["lane"] == "desk"]

    async def receipts(self, organisation: OrganisationId = ORGANISATION) -> list[receipts.Receipt]:
        found = await self.read(lambda tx: receipts.recent(tx, organisation))
        return found[::-1]

    async def attempts(self, delivery: int) -> list[tuple[str, str]]:
        rows = await self.read(lambda tx: overview.attempts(tx, ORGANISATION, delivery))
        return [(row["kind"], row["verdict"]) for row in rows]


@dataclass
class Customer:
    """One conversation, seen from the customer's side."""

    stage: Backstage
    organisation: OrganisationId
    id: ConversationId

    async def says(self, text: str, id: str | None = None) -> MessageId:
        said = await self.stage.desk.say(self.organisation, self.id, role=Role.CUSTOMER, text=text, id=id)
        return said.message.id

    async def conversation(self) -> Conversation:
        return await self.stage.desk.load(self.organisation, self.id)

    async def messages(self) -> list[Message]:
        return (await self.stage.desk.messages(self.organisation, self.id))[1]

    async def transcript(self, *roles: Role) -> list[str]:
        return [m.text for m in await self.messages() if not roles or m.role in roles]

    async def notices(self) -> list[str]:
        return [m.notice.value for m in await self.messages() if m.notice]

    async def deliveries(self) -> dict[str, str]:
        """Say what became of each of the customer's messages, by its text."""
        return {m.text: m.delivery.value for m in await self.messages() if m.role is Role.CUSTOMER}

    async def happens(self, event: Event) -> Conversation:
        """Let a fact become known, as any service would."""

        def written(tx: Tx) -> Conversation:
            current = conversations.load(tx, self.organisation, self.id)
            assert current is not None
            found = organisations.load(tx, self.organisation)
            assert found is not None
            from escalade.domain.policy import Policy

            return self.stage.intake.apply(tx, current, event, Policy.of(found.settings)).decision.conversation

        return await self.stage.write(written)

    async def is_erased(self) -> None:
        """Let every word of the customer be taken away, and their rows, too."""
        customers = Customers(self.stage.database, self.stage.ports, self.stage.intake)
        await customers.erase(self.organisation, (await self.conversation()).customer.id, "owner")
        await self.stage.settle(self.id)
        await customers.sweep()
        assert await self.stage.read(lambda tx: conversations.load(tx, self.organisation, self.id)) is None


TICKETS = Settings(zendesk=ZendeskSettings(subdomain="acme"))
LIVE = Settings(
    zendesk=ZendeskSettings(subdomain="acme"),
    live=LiveSettings(enabled=True, app_id="app", key_id="key", require_online_agent=False),
)


@asynccontextmanager
async def backstage(
    url: str, *, settings: Settings = TICKETS, development: bool = False, unsure_wait_s: float = 60.0
) -> AsyncIterator[Backstage]:
    """Open every service on a fresh database (`tests/engines.py`) with two organisations."""
    clock = Clock()
    made = ports(clock)
    vault = Vault(KEY)
    accounts = Accounts(vault)
    async with opened(url) as database:
        intake = Intake(made)
        arrivals = Arrivals(made, intake)
        zendesk, sunshine = Room(ChannelName.ZENDESK, clock), Room(ChannelName.SUNSHINE, clock)
        sunshine.looks = (Post, EnsureConversation)
        channels: Any = {ChannelName.ZENDESK: zendesk, ChannelName.SUNSHINE: sunshine}
        bell, assistant = Bell(), Scripted()
        policy = CourierPolicy(unsure_wait_s=unsure_wait_s)
        doors = Doors(database, made)
        found: Backstage

        async def staffed(_account: Account) -> bool | None:
            return found.staffed

        async def check_live(account: Account) -> None:
            found.checked.append(account)
            if sunshine.always is not None:
                raise sunshine.always

        found = Backstage(
            url=url,
            database=database,
            clock=clock,
            ports=made,
            bell=bell,
            vault=vault,
            accounts=accounts,
            intake=intake,
            arrivals=arrivals,
            zendesk=zendesk,
            sunshine=sunshine,
            assistant=assistant,
            doors=doors,
            courier=Courier(database, bell, made, intake, accounts, channels, assistant, doors, policy),
            reconcile=(
                reconcile := Reconcile(database, made, intake, arrivals, accounts, channels, zendesk, sunshine, doors)
            ),
            watch=Watch(database, made, reconcile),
            upkeep=Upkeep(database, made, intake, arrivals, Customers(database, made, intake)),
            desk=(desk := Desk(database, made, intake, accounts, staffed)),
            files=Files(database, made, desk, look_here),
            porter=Porter(database, bell, made, accounts, channels, look_here),
            redrive=Redrive(database, made, intake),
            tuning=Tuning(database, made, accounts, vault, development=development, check_live=check_live),
        )

        def rang(rings: set[Ring]) -> None:
            found.rung |= rings
            bell.ring(rings)

        database.on_commit = rang

        def furnished(tx: Tx) -> None:
            for id in (ORGANISATION, OTHER):
                organisation = Organisation(id=id, name=f"Company {id}", widget_key=f"pk_{id}", settings=settings)
                organisations.create(tx, organisation, NOON)
                if settings.live.enabled:
                    sealed = vault.seal("s3cret", organisation=id, name=LIVE_SECRET, nonce=b"0" * 12)
                    organisations.save_secret(tx, id, LIVE_SECRET, sealed, "cret", NOON)

        await database.write(furnished)
        yield found
        await found.courier.close()
        await found.watch.close()
