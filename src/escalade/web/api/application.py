"""The developer API: thin routes over the front desk, described by OpenAPI."""

import functools

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from escalade.assistant.answering import Assistant
from escalade.domain.model import OrganisationId
from escalade.services.customers import Customers
from escalade.services.desk import Desk
from escalade.services.files import Files
from escalade.services.redrive import Redrive
from escalade.services.replay import Replay
from escalade.services.tuning import Tuning
from escalade.store.database import Database
from escalade.web.access import Access
from escalade.web.api import ask, conversations, customers, files, ledger, settings
from escalade.web.api.description import describe
from escalade.web.api.problems import add_problems
from escalade.web.api.reference import reference_page
from escalade.web.limits import Limits
from escalade.web.stream import Streams
from escalade.web.wire import Problem


class Api:
    """The developer API over the services."""

    def __init__(
        self,
        database: Database,
        access: Access,
        desk: Desk,
        tuning: Tuning,
        streams: Streams,
        assistant: Assistant,
        replay: Replay,
        limits: Limits,
        customers: Customers,
        files: Files,
        redrive: Redrive,
    ) -> None:
        self._database = database
        self._access = access
        self._desk = desk
        self._tuning = tuning
        self._streams = streams
        self._assistant = assistant
        self._replay = replay
        self._limits = limits
        self._customers = customers
        self._files = files
        self._redrive = redrive

    async def organisation(self, request: Request) -> OrganisationId:
        """Let the caller in."""
        try:
            return await self._access.api(request.scope)
        except Problem as problem:
            raise self._limits.refused(request.scope, problem, "api") from problem

    def build(self, version: str) -> FastAPI:
        """Build the application below `/api/v1`."""
        app = FastAPI(
            title="Escalade",
            version=version,
            docs_url=None,
            redoc_url=None,
            openapi_url="/openapi.json",
            servers=[{"url": "/api/v1"}],
            root_path_in_servers=False,
        )
        caller = self.organisation
        app.include_router(settings.routes(caller, self._tuning))
        app.include_router(conversations.routes(caller, self._database, self._desk, self._streams))
        app.include_router(customers.routes(caller, self._customers))
        app.include_router(ask.routes(caller, self._database, self._assistant))
        app.include_router(ledger.routes(caller, self._database, self._redrive, self._replay))
        app.include_router(files.routes(caller, self._files))
        add_problems(app)
        routes = app.openapi
        app.openapi = functools.cache(lambda: describe(routes()))  # type: ignore[method-assign]

        @app.get("/docs", include_in_schema=False)
        async def docs() -> HTMLResponse:
            """Show the API's pages, without anything from elsewhere."""
            return HTMLResponse(reference_page(app.openapi()))

        return app
