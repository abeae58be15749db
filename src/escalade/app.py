"""The composition root: names every part once, ties them together, and serves them.

The three hot paths (webhook in, widget POST, event stream) are plain handlers in front; everything else is FastAPI.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from enum import StrEnum
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.staticfiles import StaticFiles

from escalade import __version__
from escalade.assistant.answering import Assistant
from escalade.channels import strict_json
from escalade.channels.base import Account, Arrival, Channel, ChannelName, MissedCall, delivery_key
from escalade.channels.http import LIST_LIMIT, Outbound, Transport
from escalade.channels.sunshine import webhook as sunshine_webhook
from escalade.channels.sunshine.channel import SunshineChannel
from escalade.channels.zendesk import webhook as zendesk_webhook
from escalade.channels.zendesk.channel import ZendeskChannel
from escalade.channels.zendesk.help_center import HelpCenter, public_page
from escalade.channels.zendesk.oauth import Pair
from escalade.domain.errors import ConfigError, NotFound, Unavailable
from escalade.domain.files import LARGEST as LARGEST_FILE
from escalade.domain.model import Millis, OrganisationId
from escalade.domain.organisation import Organisation
from escalade.services.accounts import ZENDESK_REFRESH, Accounts
from escalade.services.bell import Bell
from escalade.services.courier import Courier, CourierPolicy
from escalade.services.customers import Customers
from escalade.services.desk import Desk
from escalade.services.doors import Doors
from escalade.services.doubles import Doubles
from escalade.services.files import Files
from escalade.services.history import History
from escalade.services.inspection import Inspect, Inspector
from escalade.services.intake import Intake
from escalade.services.library import Library
from escalade.services.missed import Missed
from escalade.services.owners import Alone, Owners
from escalade.services.porter import Porter
from escalade.services.ports import Ports
from escalade.services.reconcile import Reconcile
from escalade.services.redrive import Redrive
from escalade.services.replay import Replay
from escalade.services.replier import AssistantReplier
from escalade.services.selfcheck import SelfCheck
from escalade.services.tuning import Tuning
from escalade.services.upkeep import Upkeep
from escalade.settings import Settings
from escalade.store import organisations, schema
from escalade.store.database import Ring, ServedDatabase, dialect_of
from escalade.store.engines import check_server, commands, open_database
from escalade.store.sql import Dialect
from escalade.store.sqlite import sqlite_path
from escalade.store.vault import NONCE_BYTES, Vault
from escalade.web import hooks as web_hooks
from escalade.web.access import Access
from escalade.web.api import Api, add_problems, build
from escalade.web.console.console import build as build_console
from escalade.web.console.console import is_for_console
from escalade.web.console.parts import Parts
from escalade.web.hooks import Hooks, Read
from escalade.web.limits import Limits
from escalade.web.sidebar.sidebar import Parts as SidebarParts
from escalade.web.sidebar.sidebar import build as build_sidebar
from escalade.web.sidebar.sidebar import is_for_sidebar
from escalade.web.stream import Streams, resume_from
from escalade.web.widget import Widget
from escalade.web.wire import (
    NO_SNIFF,
    NO_STORE,
    Problem,
    Receive,
    Scope,
    Send,
    answer_problem,
    check_head,
    guarded,
    header,
    rejected,
    unavailable,
)

if TYPE_CHECKING:
    from escalade.store.doorbell import Doorbell
    from escalade.store.ownership import SessionLocks

log = structlog.get_logger()

STATIC = Path(__file__).parent / "web" / "static"
API_EVENTS = "/api/v1/conversations/"
UPLOAD = re.compile(r"/api/v1/conversations/[^/]+/files")
LARGEST_BODY = 1024 * 1024
CAREFUL = (
    NO_STORE,
    NO_SNIFF,
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
)


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
        self.owners: Owners = Alone()
        self._locks: SessionLocks | None = None
        self._doorbell: Doorbell | None = None
        if database is None and dialect_of(settings.database_url) is Dialect.POSTGRES:
            from escalade.store.doorbell import Doorbell
            from escalade.store.ownership import SessionLocks

            self.owners = self._locks = SessionLocks(settings.database_url)
            if settings.bell != "memory":
                self._doorbell = Doorbell(settings.database_url, self._hear, self.bell.ring_all)
        note = self.ports.note
        if note is not None:
            self.database.on_note = lambda fact: note(*fact)
        self.outbound: Transport = outbound or Outbound(settings.is_development)
        self.inspect: Inspect = inspect or Inspector()
        now = self.ports.now
        self.zendesk = ZendeskChannel(self.outbound, now=now, keep=self._keep_pair)
        self.sunshine = SunshineChannel(self.outbound, now)
        channels: dict[ChannelName, Channel] = {ChannelName.ZENDESK: self.zendesk, ChannelName.SUNSHINE: self.sunshine}
        self.library = Library(self.database, self.ports, open_help_center=self._help_center)
        self.assistant = Assistant(self.library)
        self.intake = Intake(self.ports)
        self.replier = AssistantReplier(self.database, self.ports, self.assistant, self.staffed)
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
        )
        self.reconcile = Reconcile(
            self.database,
            self.ports,
            self.intake,
            self.accounts,
            channels,
            self.zendesk,
            self.sunshine,
            self.doors,
            self.owners,
        )
        self.customers = Customers(self.database, self.ports, self.intake)
        self.missed = Missed(
            self.database, self.ports, self.intake, self.accounts, self.zendesk, partial(_read_missed, self.ports)
        )
        self.upkeep = Upkeep(self.database, self.ports, self.intake, self.customers, self.owners)
        self.selfcheck = SelfCheck(self.database, self.ports)
        self.doubles = Doubles(
            self.database, self.ports, self.intake, self.accounts, self.zendesk, self.doors, self.owners
        )
        self.porter = Porter(self.database, self.bell, self.ports, self.accounts, channels, self.inspect, self.owners)
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

    def _announce(self, rings: set[Ring]) -> None:
        ordered = sorted(rings)  # a set has no order of its own, and the same commit must wake in the same order
        self._hear(ordered)
        if self._doorbell is not None:
            self._doorbell.ring(ordered)

    def _hear(self, rings: list[Ring]) -> None:
        self.bell.ring(rings)
        if self.role is not Role.WEB:
            self.reconcile.ring(rings)

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

    async def _help_center(self, organisation: OrganisationId, location: str) -> HelpCenter:
        """Open the organisation's own help centre, or the public one at an address."""
        if "://" in location:
            return HelpCenter(partial(public_page, self.outbound, location))
        found = await self.database.read(lambda tx: organisations.load(tx, organisation))
        if found is None:
            raise NotFound("no such organisation")
        account = await self.database.read(lambda tx: self.accounts.account(tx, found))
        return HelpCenter(partial(self._help_center_page, account))

    async def _help_center_page(self, account: Account, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        return await self.zendesk.calls.get(account, path, query, limit=LIST_LIMIT)

    async def _check_live(self, account: Account) -> None:
        assert account.sunshine is not None
        await self.sunshine.check(account.sunshine)

    def asgi(self) -> App:
        """Build the application."""
        return App(self)

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
        """Open the database and keep the courier, reconcile, the porter and the rounds at work until the block ends."""
        self.database.start()
        if self._doorbell is not None:
            self._doorbell.start()
        if self.ports.note is not None:
            self.ports.note("B.boot", {})
        parts: dict[str, Part] = {}
        if self.role is not Role.WEB:
            parts = {
                "courier": self.courier,
                "reconcile": self.reconcile,
                "porter": self.porter,
                "upkeep": self.upkeep,
                "missed": self.missed,
                "doubles": self.doubles,
                "selfcheck": self.selfcheck,
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
            await self.reconcile.close()
            await self.porter.close()
            await self.outbound.close()
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
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ConfigError(f"another escalade is serving {database}; stop it first, or name another database") from error
    finally:
        os.close(descriptor)


class App:
    """The ASGI application: a small dispatcher in front of FastAPI."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._hooks = Hooks(
            product.database,
            product.ports,
            product.intake,
            product.access,
            product.accounts,
            product.limits,
            read_zendesk=_read_zendesk,
            read_sunshine=_read_sunshine,
            verify=_verifier(development=product.settings.is_development),
        )
        self._widget = Widget(
            product.database,
            product.ports,
            product.access,
            product.desk,
            product.streams,
            product.limits,
            product.files,
            public_url=product.settings.public_url,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a request to whom it is for."""
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        if web_hooks.is_for_hooks(scope):
            await self._hooks(scope, receive, send)
        else:
            await guarded(self._beside_hooks, scope, receive, send)

    async def _beside_hooks(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.startswith("/widget/"):
            await self._widget(scope, receive, send)
        elif path.startswith(API_EVENTS) and path.endswith("/events"):
            await self._events(scope, receive, send)
        elif is_for_console(path):
            await self._console(scope, receive, send)
        elif is_for_sidebar(path):
            await self._sidebar(scope, receive, send)
        else:
            await self._rest_of_it(scope, receive, send)

    async def _rest_of_it(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to FastAPI once its head is in order; nothing of ours is kept in a cache by default."""

        lines = CAREFUL[1:] if scope["path"].startswith("/static/") else CAREFUL

        async def careful(event: MutableMapping[str, Any]) -> None:
            if event["type"] == "http.response.start":
                names = {name.lower() for name, _ in event["headers"]}
                event["headers"] = [*event["headers"], *(line for line in lines if line[0] not in names)]
            await send(event)

        try:
            check_head(scope)
            declared = header(scope, b"content-length")
            most = LARGEST_FILE if UPLOAD.fullmatch(scope["path"]) else LARGEST_BODY
            if declared is not None and (not declared.isdigit() or len(declared) > 9 or int(declared) > most):
                raise Problem("too-large", f"at most {most} bytes", headers=((b"connection", b"close"),))
        except Problem as problem:
            await answer_problem(send, problem)
            return
        await self._rest(scope, receive, careful)

    async def _events(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the developer API's stream."""
        try:
            check_head(scope)
            if scope["method"] != "GET":
                raise Problem("method-not-allowed", headers=((b"allow", b"GET"),))
            caller = await self._product.access.api(scope)
            id = scope["path"].removeprefix(API_EVENTS).removesuffix("/events")
            after = next(
                (part[6:] for part in scope["query_string"].decode("latin-1").split("&") if part.startswith("after=")),
                None,
            )
            await self._product.streams.serve(scope, receive, send, caller, id, after=resume_from(scope, after))
        except Problem as problem:
            await answer_problem(send, self._product.limits.refused(scope, problem, "api"))
        except NotFound as error:
            await answer_problem(send, rejected(error))
        except Unavailable as error:
            await answer_problem(send, unavailable(3, str(error)[:200]))

    @cached_property
    def _console(self) -> Starlette:
        product = self._product
        return build_console(
            Parts(
                settings=product.settings,
                database=product.database,
                ports=product.ports,
                accounts=product.accounts,
                desk=product.desk,
                files=product.files,
                redrive=product.redrive,
                library=product.library,
                tuning=product.tuning,
                support=product.zendesk,
                conversations=product.sunshine,
                limits=product.limits,
            )
        )

    @cached_property
    def _sidebar(self) -> Starlette:
        product = self._product
        return build_sidebar(
            SidebarParts(
                settings=product.settings,
                database=product.database,
                ports=product.ports,
                vault=product.vault,
                limits=product.limits,
                verify=_verify_app,
            )
        )

    @cached_property
    def _rest(self) -> FastAPI:
        """Build everything beside the hot paths; a server asks for it when it starts."""
        product = self._product

        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            async with product.running():
                log.info("serving", version=__version__, url=product.settings.public_url)
                yield

        app = FastAPI(
            title="Escalade", version=__version__, docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan
        )
        add_problems(app)
        replay = Replay(product.database, product.intake, product.ports.wall)
        api = Api(
            product.database,
            product.access,
            product.desk,
            product.tuning,
            product.streams,
            product.assistant,
            replay,
            product.limits,
            product.customers,
            product.files,
            product.redrive,
        )

        @app.get("/api/v1/health")
        async def health() -> dict[str, str]:
            """Say that the process answers."""
            return {"status": "ok"}

        @app.get("/metrics")
        async def metrics() -> PlainTextResponse:
            """Say how often a promise of ours was found broken; it tells nothing of anybody."""
            return PlainTextResponse(await product.selfcheck.metrics(), media_type="text/plain; version=0.0.4")

        @app.get("/api/v1/ready")
        async def ready() -> JSONResponse:
            """Say whether the database takes work."""
            try:
                async with asyncio.timeout(2):
                    await product.database.write(lambda tx: tx.everywhere().value("SELECT 1 FROM organisation LIMIT 1"))
            except Exception as error:
                return JSONResponse({"status": "unavailable", "why": type(error).__name__}, status_code=503)
            return JSONResponse({"status": "ok"})

        app.mount("/api/v1", build(api, __version__))
        app.mount("/static", StaticFiles(directory=STATIC))
        return app


def _read_zendesk(document: object, delivery: str, signed_at: Millis | None) -> Read:
    inbound = zendesk_webhook.read_webhook(document)
    arrival = zendesk_webhook.arrival(inbound, delivery=delivery, sent_at=signed_at)
    return Read(
        arrival,
        account_id=getattr(inbound, "account_id", None),
        is_test=isinstance(inbound, zendesk_webhook.NotRendered),
    )


def _read_missed(ports: Ports, call: MissedCall) -> Arrival | None:
    """Read a webhook that did not reach us as it would have been read; a test call is nothing."""
    assert call.body is not None
    document, _ = strict_json.parse_lenient(call.body, size=LARGEST_BODY, digits=web_hooks.NUMBER_DIGITS)
    read = _read_zendesk(document, delivery_key(call.invocation, call.body, ports.new_id), None)
    return None if read.is_test else read.arrival


def _read_sunshine(document: object) -> Iterable[Arrival]:
    return [sunshine_webhook.arrival(sunshine_webhook.read(event)) for event in sunshine_webhook.split(document)]


def _verify_app(token: str, organisation: Organisation, now: Millis) -> str:
    from escalade.channels.zendesk import app_token  # only where an organisation has the app

    chosen = organisation.settings
    return app_token.verify(
        token,
        public_key=chosen.sidebar.public_key,
        subdomain=chosen.zendesk.subdomain,
        installation_id=chosen.sidebar.installation_id or 0,
        now=now,
    )


def _verifier(*, development: bool) -> web_hooks.Verify:
    def verify(secrets: Iterable[str], timestamp: str, body: bytes, signature: str, now: Millis) -> Millis:
        return zendesk_webhook.verify_signature(secrets, timestamp, body, signature, now, development=development)

    return verify


@asynccontextmanager
async def open_library(settings: Settings) -> AsyncIterator[Library]:
    """Open the library for a command; safe beside a running server."""
    with commands(settings.database_url) as engine:
        schema.migrate(engine)
    product = Product(settings, database=open_database(settings.database_url, checkpoint=False))
    product.database.start()
    try:
        yield product.library
    finally:
        await product.outbound.close()
        await product.database.close()
