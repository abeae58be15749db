"""The developer API: thin routes over the front desk, described by OpenAPI."""

# Annotations are evaluated here and now: the routes name types that exist only inside `router`.

import asyncio
import functools
import hashlib
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from escalade.assistant.answering import Assistant, AssistantSettings, Question, Turn
from escalade.channels import strict_json
from escalade.domain.errors import NotFound, Rejected, Unavailable
from escalade.domain.files import MOST as MOST_FILES
from escalade.domain.model import ConversationId, CustomerId, FileId, OrganisationId, Reason, Role, Wish
from escalade.services.customers import Customers
from escalade.services.desk import Desk
from escalade.services.files import Files
from escalade.services.redrive import Redrive
from escalade.services.replay import Replay
from escalade.services.tuning import Tuning
from escalade.store import organisations, overview
from escalade.store.database import Database, Row, Tx
from escalade.store.receipts import Receipt, recent
from escalade.web import sheets, views
from escalade.web.access import Access
from escalade.web.description import describe
from escalade.web.files import LONGEST_GIVEN_NAME, Uploads, headers_of
from escalade.web.limits import Limits
from escalade.web.reference import reference_page
from escalade.web.stream import LONGEST_WAIT_S, Streams
from escalade.web.wire import BODY_SECONDS, PROBLEM, Problem, late, out_of_memory, rejected, unavailable

BODY_LIMIT = 256 * 1024
MOST = 500
_ANY_BYTES: dict[str, Any] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
BYTES_IN: dict[str, Any] = {"required": True, "content": _ANY_BYTES}
BYTES_OUT: dict[str, Any] = {"description": "The file.", "content": _ANY_BYTES}
SHEET_OUT: dict[str, Any] = {"description": "The list.", "content": {"text/csv": {"schema": {"type": "string"}}}}


class Closed(BaseModel):
    """A shape without unknown fields."""

    model_config = ConfigDict(extra="forbid")


# What the description tells of the services' own checks, which say what is wrong better than a pattern does.
Id = Annotated[str, Field(json_schema_extra={"pattern": "^([A-Za-z0-9_.:~-]{1,128})?$"})]
Word = Annotated[str, Field(json_schema_extra={"pattern": r"^[^\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]{0,128}$"})]
Email = Annotated[
    str, Field(json_schema_extra={"pattern": r"^([a-z0-9._+-]{1,64}@([a-z0-9]{1,60}\.){1,3}[a-z]{2,20})?$"})
]
Locale = Annotated[str, Field(json_schema_extra={"pattern": r"^[A-Za-z0-9_.@-]{0,35}$"})]


class CustomerIn(Closed):
    """What is said of a customer; nothing of it is proof."""

    id: Id | None = None
    name: Word | None = None
    email: Email | None = None
    locale: Locale | None = None


class ConversationIn(Closed):
    """A conversation to open."""

    id: Id | None = None
    customer: CustomerIn = CustomerIn()
    context: dict[str, Any] = {}


class AttachmentIn(Closed):
    """A file of a message, uploaded before."""

    id: str = Field(max_length=128)


class DetailsIn(Closed):
    """What a customer says of themselves."""

    name: Word | None = None
    email: Email | None = None


class MessageIn(Closed):
    """A message to take."""

    id: Id | None = None
    author: Literal["customer", "assistant"] = "customer"
    text: str = ""
    attachments: list[AttachmentIn] = Field(default=[], max_length=MOST_FILES)


class EscalateIn(Closed):
    """A person asked for."""

    reason: Reason = Reason.API
    mode: Wish = Wish.AUTO
    summary: str = Field(default="", max_length=4000)
    note: str = Field(default="", max_length=8000)


class TurnIn(Closed):
    """One earlier turn."""

    role: Role
    text: str = Field(max_length=8000)


class AskIn(Closed):
    """A question to consider without doing anything."""

    text: str = Field(min_length=1, max_length=4000)
    history: list[TurnIn] = Field(default=[], max_length=50)
    locale: str | None = None


class StrictRoute(APIRoute):
    """Read every body by the strict JSON profile, so that no two parsers can disagree about it."""

    def get_route_handler(self) -> Any:
        """Give the handler a request that reads strictly."""
        handler = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            strict = _StrictRequest(request.scope, request.receive)
            if await strict.body():
                await strict.json()  # read here, where what is wrong with it can still be said
            answer: Response = await handler(strict)
            return answer

        return strictly


class _StrictRequest(Request):
    async def body(self) -> bytes:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await super().body()
        except TimeoutError as error:
            raise late() from error
        if len(body) > BODY_LIMIT:
            raise Problem("too-large", f"at most {BODY_LIMIT} bytes")
        return body

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = strict_json.parse(await self.body())
        return self._json


class Api:
    """Builds the routes over the services."""

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
        self._uploads = Uploads()

    async def organisation(self, request: Request) -> OrganisationId:
        """Let the caller in."""
        try:
            return await self._access.api(request.scope)
        except Problem as problem:
            raise self._limits.refused(request.scope, problem, "api") from problem

    def router(self) -> APIRouter:
        """Give every route of the developer API."""
        router = APIRouter(route_class=StrictRoute)
        Caller = Annotated[OrganisationId, Depends(self.organisation)]  # noqa: N806 - a type
        Number = Annotated[int, Field(ge=0, le=2**53)]  # noqa: N806 - a type

        @router.get("/settings", tags=["settings"])
        async def read_settings(caller: Caller) -> dict[str, Any]:
            """Read the settings tree; secrets read back as whether they are set."""
            return await self._tuning.read(caller)

        @router.patch("/settings", tags=["settings"])
        async def change_settings(caller: Caller, patch: dict[str, Any]) -> dict[str, Any]:
            """Change any part of the settings tree, whole or not at all."""
            return await self._tuning.change(caller, patch, "api")

        @router.post("/conversations", status_code=201, tags=["conversations"])
        async def open_conversation(caller: Caller, body: ConversationIn, request: Request) -> dict[str, Any]:
            """Open a conversation; the same id or `Idempotency-Key` again gives the same one."""
            conversation = await self._desk.open_conversation(
                caller,
                id=body.id or _from_key(request),
                customer=body.customer.model_dump(exclude_none=True),
                context=body.context,
            )
            return views.opened(conversation)

        @router.get("/conversations/{id}", tags=["conversations"])
        async def show_conversation(caller: Caller, id: str) -> dict[str, Any]:
            """Show all of a conversation."""
            conversation = await self._desk.load(caller, ConversationId(id))
            counts = await self._database.read(lambda tx: overview.counts(tx, caller, ConversationId(id)))
            return views.conversation(conversation, counts)

        @router.post("/conversations/{id}/messages", status_code=201, tags=["conversations"])
        async def say(caller: Caller, id: str, body: MessageIn, request: Request) -> dict[str, Any]:
            """Take a message; the answer means that it is durable. Its files are uploaded before it."""
            said = await self._desk.say(
                caller,
                ConversationId(id),
                role=Role(body.author),
                text=body.text,
                id=body.id or _from_key(request),
                attachments=tuple(FileId(attachment.id) for attachment in body.attachments),
            )
            return views.message(said.message)

        @router.get("/conversations/{id}/messages", tags=["conversations"])
        async def messages(caller: Caller, id: str, after: Number = 0, wait: Number = 0) -> dict[str, Any]:
            """List what was said after a place, waiting up to 25 seconds for something."""
            return await self._streams.poll(
                caller, ConversationId(id), after=after, wait=min(float(wait), LONGEST_WAIT_S)
            )

        @router.post("/conversations/{id}/escalate", status_code=202, tags=["handoff"])
        async def escalate(caller: Caller, id: str, body: EscalateIn | None = None) -> dict[str, Any]:
            """Ask for a person; while a handoff is under way, the same one is given again."""
            body = body or EscalateIn()
            handoff = await self._desk.escalate(
                caller,
                ConversationId(id),
                reason=body.reason,
                wish=body.mode,
                summary=body.summary,
                note=body.note,
            )
            conversation = await self._desk.load(caller, ConversationId(id))
            return {"handoff": views.handoff(handoff, conversation.customer)}

        @router.post("/conversations/{id}/customer", tags=["conversations"])
        async def identify(caller: Caller, id: str, body: DetailsIn) -> dict[str, Any]:
            """Take a name and an address, which an open ticket then carries; neither is proof of anything."""
            conversation = await self._desk.identify(caller, ConversationId(id), name=body.name, email=body.email)
            return views.opened(conversation) | views.state(conversation)

        @router.post("/conversations/{id}/release", tags=["handoff"])
        async def release(caller: Caller, id: str) -> dict[str, Any]:
            """Go back to the assistant."""
            conversation = await self._desk.release(caller, ConversationId(id))
            return views.opened(conversation) | views.state(conversation)

        @router.post("/conversations/{id}/close", tags=["conversations"])
        async def close(caller: Caller, id: str) -> dict[str, Any]:
            """End a conversation for good."""
            conversation = await self._desk.close(caller, ConversationId(id))
            return views.opened(conversation) | views.state(conversation)

        @router.get("/customers/{id}/export", tags=["customers"])
        async def export(caller: Caller, id: str) -> dict[str, Any]:
            """Give everything that is kept about a customer, and name what Zendesk has."""
            return await self._customers.export(caller, CustomerId(id), "api")

        @router.delete("/customers/{id}", tags=["customers"])
        async def erase(caller: Caller, id: str) -> dict[str, Any]:
            """Take away everything that is kept about a customer; name what is left to do in Zendesk."""
            return await self._customers.erase(caller, CustomerId(id), "api")

        @router.post("/assistant/ask", tags=["assistant"])
        async def ask(caller: Caller, body: AskIn) -> dict[str, Any]:
            """Consider a question and show the evidence; nothing is done."""
            return await self._ask(caller, body)

        return router

    def ledger_router(self) -> APIRouter:
        """Give the routes of what is owed and what came in."""
        router = APIRouter(route_class=StrictRoute, tags=["ledger"])
        Caller = Annotated[OrganisationId, Depends(self.organisation)]  # noqa: N806 - a type
        Number = Annotated[int, Field(ge=0, le=2**53)]  # noqa: N806 - a type

        @router.get("/deliveries")
        async def deliveries(caller: Caller, state: str | None = None, limit: Number = 100) -> dict[str, Any]:
            """List what is owed to Zendesk and what became of it, newest first."""
            return await self._database.read(
                lambda tx: {"deliveries": self._deliveries(tx, caller, state, min(limit, MOST))}
            )

        @router.get("/deliveries.csv", response_class=Response, responses={200: SHEET_OUT})
        async def deliveries_sheet(caller: Caller, state: str | None = None) -> Response:
            """Give every delivery as CSV, newest first; no cell begins like a formula."""
            return await sheets.give(self._database, sheets.deliveries(caller, () if state is None else (state,)))

        @router.get("/receipts.csv", response_class=Response, responses={200: SHEET_OUT})
        async def receipts_sheet(caller: Caller) -> Response:
            """Give everything that came in as CSV, newest first; no cell begins like a formula."""
            return await sheets.give(self._database, sheets.receipts(caller))

        @router.get("/conversations.csv", response_class=Response, responses={200: SHEET_OUT})
        async def conversations_sheet(caller: Caller) -> Response:
            """Give every conversation as CSV, newest first; no cell begins like a formula."""
            return await sheets.give(self._database, sheets.conversations(caller, overview.Wanted()))

        @router.post("/deliveries/{id}/resend", status_code=202)
        async def resend(caller: Caller, id: Number) -> dict[str, str]:
            """Owe a delivery again that was refused, dropped or skipped, at the end of its lane."""
            await self._redrive.resend(caller, id, "api")
            return {"status": "pending"}

        @router.post("/deliveries/{id}/skip")
        async def skip(caller: Caller, id: Number) -> dict[str, str]:
            """Give a delivery up for good, so that what waits behind it may move."""
            await self._redrive.skip(caller, id, "api")
            return {"status": "skipped"}

        @router.get("/receipts")
        async def receipts(caller: Caller, limit: Number = 100) -> dict[str, Any]:
            """List what came in and what became of it, newest first."""
            found = await self._database.read(lambda tx: recent(tx, caller, limit=min(limit, MOST)))
            return {"receipts": [_receipt(one) for one in found]}

        @router.post("/receipts/{id}/replay")
        async def replay(caller: Caller, id: Number, dry_run: bool = False) -> dict[str, Any]:
            """Decide a receipt anew on the state of now; with `dry_run`, say what it would do and do nothing."""
            return await self._replay.replay(caller, id, dry_run=dry_run)

        return router

    def files_router(self) -> APIRouter:
        """Give the routes of files: bytes go in and out as they are, and none are read before the caller is known."""
        router = APIRouter(tags=["files"])
        Caller = Annotated[OrganisationId, Depends(self.organisation)]  # noqa: N806 - a type
        Name = Annotated[str, Query(min_length=1, max_length=LONGEST_GIVEN_NAME)]  # noqa: N806 - a type

        @router.post("/conversations/{id}/files", status_code=201, openapi_extra={"requestBody": BYTES_IN})
        async def upload(
            caller: Caller, id: str, request: Request, name: Name, file: str | None = None
        ) -> dict[str, Any]:
            """Upload a file for a message; the body is the file. The same `file` id again gives the same one."""
            place = ConversationId(id)
            await self._files.check_place(caller, place)
            content = await self._uploads.read(request.scope, request.receive)
            kept = await self._files.take(caller, place, name=name, content=content, id=file or _from_key(request))
            return views.attachment(kept)

        @router.get("/conversations/{id}/files/{file}", response_class=Response, responses={200: BYTES_OUT})
        async def download(caller: Caller, id: str, file: str) -> Response:
            """Give a file of this conversation; `409` while it is on its way, was lost, or was held back."""
            found, pieces = await self._files.give(caller, ConversationId(id), FileId(file))
            return StreamingResponse(pieces, headers={k.decode(): v.decode() for k, v in headers_of(found)})

        @router.post("/conversations/{id}/files/{file}/fetch", status_code=202)
        async def fetch(caller: Caller, id: str, file: str) -> dict[str, Any]:
            """Have an agent's file that was lost fetched again."""
            return views.attachment(await self._files.fetch_again(caller, ConversationId(id), FileId(file)))

        return router

    async def _ask(self, caller: OrganisationId, body: AskIn) -> dict[str, Any]:
        organisation = await self._database.read(lambda tx: organisations.load(tx, caller))
        if organisation is None:
            raise NotFound("no such organisation")
        chosen = organisation.settings.assistant
        verdict = await self._assistant.consider(
            Question(
                organisation=caller,
                text=body.text,
                history=tuple(Turn(role=turn.role, text=turn.text) for turn in body.history),
                locale=body.locale,
                settings=AssistantSettings(
                    enabled=chosen.enabled,
                    minimum_confidence=chosen.minimum_confidence,
                    prompt=chosen.prompt,
                    always_escalate_topics=chosen.always_escalate_topics,
                    languages=chosen.languages,
                ),
            )
        )
        return {
            "decision": verdict.decision,
            "reason": None if verdict.reason is None else verdict.reason.value,
            "confidence": verdict.confidence,
            "text": verdict.text,
            "evidence": verdict.evidence,
            "citations": [
                {"n": c.n, "title": c.title, "url": c.url, "source_id": c.source_id} for c in verdict.citations
            ],
            "passages": [
                {"title": p.title, "source_id": p.source_id, "score": p.score, "text": p.text} for p in verdict.passages
            ],
        }

    def _deliveries(self, tx: Tx, caller: OrganisationId, state: str | None, limit: int) -> list[dict[str, Any]]:
        found = overview.deliveries(tx, caller, state=state, limit=limit)
        return [_delivery(row, overview.attempts(tx, caller, row["id"])) for row in found]


def _delivery(row: Row, attempts: list[Row]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "conversation": row["conversation"],
        "lane": row["lane"],
        "position": row["position"],
        "effect": row["effect"],
        "message": row["message"],
        "state": row["state"],
        "why": row["why"],
        "created_at": views.moment(row["created_at"]),
        "settled_at": None if row["settled_at"] is None else views.moment(row["settled_at"]),
        "attempts": [
            {
                "number": attempt["number"],
                "kind": attempt["kind"],
                "verdict": attempt["verdict"],
                "status": attempt["status"],
                "detail": attempt["detail"],
                "started_at": views.moment(attempt["started_at"]),
                "ended_at": None if attempt["ended_at"] is None else views.moment(attempt["ended_at"]),
            }
            for attempt in attempts
        ],
    }


def _receipt(one: Receipt) -> dict[str, Any]:
    return {
        "id": one.id,
        "source": one.source,
        "kind": one.kind,
        "key": one.key,
        "conversation": one.conversation,
        "state": one.state,
        "outcome": one.outcome,
        "received_at": views.moment(one.received_at),
        "settled_at": None if one.settled_at is None else views.moment(one.settled_at),
    }


def _from_key(request: Request) -> str | None:
    """Make an id out of an `Idempotency-Key`, so that a repetition finds the same thing."""
    key = request.headers.get("idempotency-key")
    return None if not key else "key-" + hashlib.sha256(key.encode()).hexdigest()[:32]


def build(api: Api, version: str) -> FastAPI:
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
    app.include_router(api.router())
    app.include_router(api.ledger_router())
    app.include_router(api.files_router())
    add_problems(app)
    routes = app.openapi
    app.openapi = functools.cache(lambda: describe(routes()))  # type: ignore[method-assign]

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        """Show the API's pages, without anything from elsewhere."""
        return HTMLResponse(reference_page(app.openapi()))

    return app


def _methods(app: FastAPI, path: str, known: str) -> str:
    """List every method an address takes; the framework knows those of one route only."""
    described = app.openapi()["paths"].items()
    calls = (calls for template, calls in described if compile_path(template)[0].match(path))
    methods = {method.upper() for each in calls for method in each}
    return ", ".join(sorted(methods | set(known.replace(",", " ").split())))


def add_problems(app: FastAPI) -> None:
    """Answer every error as a problem document."""

    def respond(problem: Problem) -> Response:
        headers = {name.decode(): value.decode() for name, value in problem.headers}
        headers |= {"cache-control": "no-store", "x-content-type-options": "nosniff"}
        return JSONResponse(problem.body(), status_code=problem.status, headers=headers, media_type=PROBLEM[1].decode())

    @app.exception_handler(Problem)
    async def _problem(_request: Request, error: Problem) -> Response:
        return respond(error)

    @app.exception_handler(Rejected)
    async def _rejected(_request: Request, error: Rejected) -> Response:
        return respond(rejected(error))

    @app.exception_handler(Unavailable)
    async def _unavailable(_request: Request, error: Unavailable) -> Response:
        return respond(unavailable(3, str(error)[:200]))

    @app.exception_handler(MemoryError)
    async def _out_of_memory(_request: Request, _error: MemoryError) -> Response:
        return respond(out_of_memory())

    @app.exception_handler(Exception)
    async def _unexpected(_request: Request, _error: Exception) -> Response:
        return respond(Problem("internal"))  # the framework raises it again, for whoever serves to log

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        pointer = "/" + "/".join(str(step) for step in first["loc"] if step not in {"body", "query", "path"})
        return respond(Problem("validation", str(first["msg"]), pointer=pointer, code=str(first["type"])))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        kinds = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-media-type"}
        given = {name.lower(): value for name, value in (error.headers or {}).items()}
        if error.status_code == 405:
            path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
            given["allow"] = _methods(app, path, given.get("allow", ""))
        headers = tuple((name.encode(), value.encode()) for name, value in given.items())
        return respond(Problem(kinds.get(error.status_code, "malformed-request"), headers=headers))
