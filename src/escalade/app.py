"""The ASGI application in front of a product: sends each request to the room that answers it.

The three hot paths (webhook in, widget POST, event stream) are plain handlers in front; everything else is FastAPI.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.staticfiles import StaticFiles

from escalade import __version__
from escalade.channels.base import Account
from escalade.domain.errors import NotFound, Unavailable
from escalade.domain.files import LARGEST as LARGEST_FILE
from escalade.product import Product
from escalade.readers import preview_ticket, read_sunshine, read_zendesk, verifier, verify_app
from escalade.services.curves import Curves
from escalade.services.gaps import Gaps
from escalade.services.hindsight import Hindsight
from escalade.services.replay import Replay
from escalade.services.replier import AssistantReplier
from escalade.services.trial import Trial
from escalade.web import hooks as web_hooks
from escalade.web.api.application import Api
from escalade.web.api.problems import add_problems
from escalade.web.console.console import build as build_console
from escalade.web.console.console import is_for_console
from escalade.web.console.parts import Parts
from escalade.web.hooks import Hooks
from escalade.web.sidebar.sidebar import Parts as SidebarParts
from escalade.web.sidebar.sidebar import build as build_sidebar
from escalade.web.sidebar.sidebar import is_for_sidebar
from escalade.web.stream import resume_from
from escalade.web.widget import Widget
from escalade.web.wire import (
    NO_SNIFF,
    NO_STORE,
    Problem,
    Receive,
    Scope,
    Send,
    answer_problem,
    check_address,
    check_head,
    guarded,
    header,
    rejected,
    unavailable,
)

if TYPE_CHECKING:
    pass

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


class App:
    """The ASGI application: a small dispatcher in front of FastAPI."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._hooks = Hooks(
            product.database,
            product.ports,
            product.arrivals,
            product.access,
            product.accounts,
            product.limits,
            read_zendesk=read_zendesk,
            read_sunshine=read_sunshine,
            verify=verifier(development=product.settings.is_development),
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
        try:
            check_address(scope, query=not is_for_console(path))  # the console reads past what makes no sense
        except Problem as problem:
            await answer_problem(send, problem)
            return
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
                trial=Trial(product.assistant, product.ports),
                curves=Curves(product.database, product.ports.wall),
                hindsight=hindsight_of(product),
                gaps=Gaps(product.database, product.ports, product.library, product.vectors),
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
                verify=verify_app,
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
        replay = Replay(product.database, product.intake, product.arrivals, product.ports.wall)
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

        app.mount("/api/v1", api.build(__version__))
        app.mount("/static", StaticFiles(directory=STATIC))
        return app


def hindsight_of(product: Product) -> Hindsight:
    """Build the judge of the past: the same replier, which asks nobody who is online."""

    async def unknown(_account: Account) -> bool | None:
        return None

    replier = AssistantReplier(product.database, product.ports, product.assistant, unknown)
    return Hindsight(product.database, product.ports, product.accounts, replier, preview_ticket)
