"""The composition root: names every part once and ties them together. `app` stands in front of it."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Protocol

import structlog

from escalade.assistant.answering import Assistant
from escalade.assistant.budget import Budget
from escalade.assistant.composer import Composer
from escalade.assistant.language_model import LanguageModel, ModelFailed
from escalade.assistant.providers import ProvidersModel
from escalade.assistant.summary import SECONDS as SUMMARY_SECONDS
from escalade.assistant.summary import Summariser
from escalade.channels.base import Account, Channel, ChannelName
from escalade.channels.bot.channel import BotChannel
from escalade.channels.http import Outbound, Transport
from escalade.channels.sunshine.channel import SunshineChannel
from escalade.channels.zendesk.channel import ZendeskChannel
from escalade.channels.zendesk.oauth import Pair
from escalade.domain.errors import ConfigError
from escalade.domain.model import OrganisationId
from escalade.reach import Outside
from escalade.readers import read_missed
from escalade.services.accounts import ZENDESK_REFRESH, Accounts
from escalade.services.arrivals import Arrivals
from escalade.services.bell import Bell
from escalade.services.courier import Courier, CourierPolicy
from escalade.services.customers import Customers
from escalade.services.desk import Desk
from escalade.services.doors import Doors
from escalade.services.doubles import Doubles
from escalade.services.embeddings import load_encoder
from escalade.services.files import Files
from escalade.services.history import History
from escalade.services.inspection import Inspect, Inspector
from escalade.services.intake import Intake
from escalade.services.library import Library
from escalade.services.missed import Missed
from escalade.services.own_bot import OwnBot
from escalade.services.owners import Alone, Owners
from escalade.services.porter import Porter
from escalade.services.ports import Ports
from escalade.services.reconcile import Reconcile
from escalade.services.redrive import Redrive
from escalade.services.replier import AssistantReplier
from escalade.services.resync import Resync
from escalade.services.selfcheck import SelfCheck
from escalade.services.tuning import Tuning
from escalade.services.upkeep import Upkeep
from escalade.services.vectors import Vectors
from escalade.services.watch import Watch
from escalade.settings import Settings
from escalade.store import organisations, schema
from escalade.store.database import Ring, ServedDatabase, dialect_of
from escalade.store.engines import check_server, commands, open_database
from escalade.store.sql import Dialect
from escalade.store.sqlite import make_folder, sqlite_path
from escalade.store.vault import NONCE_BYTES, Vault
from escalade.web.access import Access
from escalade.web.limits import Limits
from escalade.web.stream import Streams

if TYPE_CHECKING:
    from escalade.store.doorbell import Doorbell
    from escalade.store.ownership import SessionLocks

log = structlog.get_logger()


class Role(StrEnum):
    """What a process does of what there is to do."""

    ALL = "all"
    WEB = "web"  # answers requests and holds streams
    COURIER = "courier"  # sends, looks and makes the rounds


class Part(Protocol):
    """Something that works beside the requests."""

    async def run(self) -> None:
        """Work until cancelled."""
        ...


class Product:
    """Every part of the product, tied together. The database, HTTP and the rest of the world can be given."""

    def __init__(
        self,
        settings: Settings,
        ports: Ports | None = None,
        *,
        database: ServedDatabase | None = None,
        outbound: Transport | None = None,
        inspect: Inspect | None = None,
        model: LanguageModel | None = None,
        owners: Owners | None = None,
        role: Role = Role.ALL,
    ) -> None:
        self.settings = settings
        self.role = role
        self.ports = ports or Ports()
        self._history = None if settings.history is None else History(settings.history, self.ports.now)
        if self._history is not None:
            self.ports = replace(self.ports, note=self._history.note)
        self.bell = Bell()
        self.vault = Vault(settings.master_keys())
        self.accounts = Accounts(self.vault)
        self.database: ServedDatabase = database or open_database(settings.database_url)
        self.database.on_commit = self._announce
        self.owners: Owners = owners or Alone()
        self._locks: SessionLocks | None = None
        self._doorbell: Doorbell | None = None
        if database is None and dialect_of(settings.database_url) is Dialect.POSTGRES:
            self._share()
        if (note := self.ports.note) is not None:
            self.database.on_note = lambda fact: note(*fact)
        self.outbound: Transport = outbound or Outbound(settings.is_development)
        self.inspect: Inspect = inspect or Inspector(self.ports.aside)
        self.zendesk = ZendeskChannel(self.outbound, now=self.ports.now, keep=self._keep_pair)
        self.sunshine = SunshineChannel(self.outbound, self.ports.now)
        channels: dict[ChannelName, Channel] = {ChannelName.ZENDESK: self.zendesk, ChannelName.SUNSHINE: self.sunshine}
        self.vectors = Vectors(
            self.database, self.ports, partial(load_encoder, settings.embeddings_folder), self.owners
        )
        self.library = Library(
            self.database,
            self.ports,
            reach=Outside(self.database, self.ports, self.outbound, self.accounts, self.zendesk),
            every_h=settings.sync_hours,
            meaning=self.vectors,
        )
        self.model = model or open_model(settings, self.ports)
        bot = OwnBot(self.database, self.ports, self.accounts, BotChannel(self.outbound, self.ports.wall))
        budget = Budget(settings.model_questions_per_hour, self.ports.now)
        self.assistant = Assistant(self.library, self._composer(budget), bot)
        self.intake = Intake(self.ports)
        self.arrivals = Arrivals(self.ports, self.intake)
        self.replier = AssistantReplier(self.database, self.ports, self.assistant, self.staffed, self.bell)
        self.doors = Doors(self.database, self.ports)
        self.courier = Courier(
            self.database,
            self.bell,
            self.ports,
            self.intake,
            self.accounts,
            channels,
            self.replier,
            self.doors,
            CourierPolicy(unsure_wait_s=settings.unsure_wait_s),
            self.owners,
            self._summariser(budget),
        )
        self.reconcile = Reconcile(
            self.database,
            self.ports,
            self.intake,
            self.arrivals,
            self.accounts,
            channels,
            self.zendesk,
            self.sunshine,
            self.doors,
        )
        self.watch = Watch(self.database, self.ports, self.reconcile, self.owners)
        self.customers = Customers(self.database, self.ports, self.intake)
        self.missed = Missed(
            self.database, self.ports, self.arrivals, self.accounts, self.zendesk, partial(read_missed, self.ports)
        )
        self.upkeep = Upkeep(self.database, self.ports, self.intake, self.arrivals, self.customers, self.owners)
        self.selfcheck = SelfCheck(self.database, self.ports)
        self.doubles = Doubles(
            self.database, self.ports, self.intake, self.accounts, self.zendesk, self.doors, self.owners
        )
        self.porter = Porter(self.database, self.bell, self.ports, self.accounts, channels, self.inspect, self.owners)
        self.resync = Resync(
            self.database, self.bell, self.ports, self.library, self.owners, by_schedule=settings.sync_hours > 0
        )
        self.desk = Desk(self.database, self.ports, self.intake, self.accounts, self.staffed)
        self.redrive = Redrive(self.database, self.ports, self.intake)
        self.files = Files(self.database, self.ports, self.desk, self.inspect)
        self.tuning = Tuning(
            self.database,
            self.ports,
            self.accounts,
            self.vault,
            development=settings.is_development,
            check_live=self._check_live,
        )
        self.limits = Limits()
        self.access = Access(self.database, self.accounts, self.ports, self.limits)
        self.streams = Streams(self.desk, self.bell)

    def _share(self) -> None:
        """Where several processes serve one database, each owns what it sends for, and a ring reaches them all."""
        from escalade.store.doorbell import Doorbell
        from escalade.store.ownership import SessionLocks

        url = self.settings.database_url
        self.owners = self._locks = SessionLocks(url)
        if self.settings.bell != "memory":
            self._doorbell = Doorbell(url, self._hear, self.bell.ring_all, self.ports.now)

    def _announce(self, rings: set[Ring]) -> None:
        ordered = sorted(rings)  # a set has no order of its own, and the same commit must wake in the same order
        self._hear(ordered)
        if self._doorbell is not None:
            self._doorbell.ring(ordered)

    def _hear(self, rings: list[Ring]) -> None:
        self.bell.ring(rings)
        if self.role is not Role.WEB:
            self.watch.ring(rings)

    def _composer(self, budget: Budget) -> Composer | None:
        """Give what puts answers together with the language model, where there is one."""
        if self.model is None:
            return None
        return Composer(self.model, self.library, self.settings.model_wait_s, budget)

    def _summariser(self, budget: Budget) -> Summariser | None:
        """Give what sums up handoffs with the language model, where there is one."""
        if self.model is None:
            return None
        return Summariser(self.model, budget, min(SUMMARY_SECONDS, self.settings.model_wait_s))

    async def warm_up(self) -> None:
        """Load the language model, once the port is open: the first customer need not wait for it."""
        if self.model is not None:
            with suppress(ModelFailed):  # it is logged, and whoever asks goes to people
                await self.model.open()

    async def staffed(self, account: Account) -> bool | None:
        """Ask whether an agent is online for live chat, where that matters."""
        live = account.settings.live
        if not live.enabled or not live.require_online_agent or account.zendesk is None:
            return None
        return await self.zendesk.staffed(account)

    async def _keep_pair(self, organisation: OrganisationId, pair: Pair) -> None:
        sealed = self.vault.seal(
            pair.refresh_token,
            organisation=organisation,
            name=ZENDESK_REFRESH,
            nonce=self.ports.random_bytes(NONCE_BYTES),
        )
        last4, now = pair.refresh_token[-4:], self.ports.now()
        await self.database.write(
            lambda tx: organisations.save_secret(tx, organisation, ZENDESK_REFRESH, sealed, last4, now)
        )

    async def _check_live(self, account: Account) -> None:
        assert account.sunshine is not None
        await self.sunshine.check(account.sunshine)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold the courier's lock, bring the tables to this version, and be at work until the block ends."""
        with courier_lock(self.settings.database_url):
            told = check_server(self.settings.database_url, development=self.settings.is_development)
            if told is not None:
                log.warning("database_role", told=told)
            with commands(self.settings.database_url, checkpoint=True) as engine:
                schema.migrate(engine)
            async with self.at_work():
                yield

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Open the database and keep the courier, the watch, the porter and the rounds at work until the block ends."""
        self.database.start()
        if self._doorbell is not None:
            self._doorbell.start()
        if self.ports.note is not None:
            self.ports.note("B.boot", {})
        parts: dict[str, Part] = {}
        if self.role is not Role.WEB:
            parts = {
                "courier": self.courier,
                "watch": self.watch,
                "porter": self.porter,
                "upkeep": self.upkeep,
                "missed": self.missed,
                "doubles": self.doubles,
                "selfcheck": self.selfcheck,
                "resync": self.resync,
                "vectors": self.vectors,
            }
            if self._locks is not None:
                parts["locks"] = self._locks
        tasks = [asyncio.create_task(part.run(), name=name) for name, part in parts.items()]
        for task in tasks:
            task.add_done_callback(self._die_loudly)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.courier.close()
            await self.watch.close()
            await self.porter.close()
            await self.outbound.close()
            if self.model is not None:
                await self.model.close()
            if self._locks is not None:
                await self._locks.close()
            if self._doorbell is not None:
                await self._doorbell.close()
            await self.database.close()
            if self._history is not None:
                self._history.close()

    def _die_loudly(self, task: asyncio.Task[None]) -> None:
        """End the process when a part has stopped for good: a supervisor starts it again, and nothing is lost."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("part_stopped", part=task.get_name(), error=repr(error), exc_info=error)
            self.ports.halt()


def open_model(settings: Settings, ports: Ports) -> ProvidersModel | None:
    """Give the language model of this deployment; nothing where the assistant quotes by itself."""
    if settings.model == "local":
        return None
    key = settings.model_key.get_secret_value()
    return ProvidersModel(settings.model, ports.aside, url=settings.model_url, key=key, seconds=settings.model_wait_s)


@contextmanager
def courier_lock(url: str) -> Iterator[None]:
    """Hold the lock that makes this process the only one on its file; the kernel frees it when we die.

    PostgreSQL serves many processes: there a courier owns one conversation at a time.
    """
    if dialect_of(url) is Dialect.POSTGRES:
        yield
        return
    database = sqlite_path(url)
    path = database.with_name(database.name + ".lock")
    make_folder(url)
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ConfigError(f"another escalade is serving {database}; stop it first, or name another database") from error
    finally:
        os.close(descriptor)


@asynccontextmanager
async def open_product(settings: Settings) -> AsyncIterator[Product]:
    """Open the product for a command, with nothing at work in it; safe beside a running server."""
    with commands(settings.database_url) as engine:
        schema.migrate(engine)
    product = Product(settings, database=open_database(settings.database_url, checkpoint=False))
    product.database.start()
    try:
        yield product
    finally:
        if product.model is not None:
            await product.model.close()
        await product.outbound.close()
        await product.database.close()


@asynccontextmanager
async def open_library(settings: Settings) -> AsyncIterator[Library]:
    """Open the library for a command; safe beside a running server."""
    async with open_product(settings) as product:
        yield product.library
