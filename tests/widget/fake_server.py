"""A scripted server for the widget: the documented answers, and whatever a test makes happen next.

It keeps the promises the panel relies on (ids make repetition harmless, `after` resumes) and has no
rules of its own: a test plays the assistant and the agents.
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.serving import Server

ASSETS = Path(__file__).parents[2] / "src/escalade/web/static/widget"
STATES = {"delivery", "file", "feedback"}  # not fleeting: whoever comes late is told
HEARTBEAT_S = 2.0
LOOK_AGAIN_S = 0.03

Json = dict[str, Any]


def panel_csp(origin: str) -> str:
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        f"frame-ancestors {origin}; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


@dataclass
class Talk:
    """One conversation, as the script has made it so far."""

    id: str
    customer: str
    context: Json
    status: str = "open"
    control: str = "assistant"
    handoff: Json | None = None
    messages: list[Json] = field(default_factory=list)
    events: list[tuple[str, Json]] = field(default_factory=list)
    files: dict[str, tuple[Json, bytes]] = field(default_factory=dict)
    feedback: dict[str, str | None] = field(default_factory=dict)
    streams: int = 0  # begun so far
    created_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())

    def shown(self) -> Json:
        return {"status": self.status, "control": self.control, "handoff": self.handoff}

    def say(self, role: str, text: str, *, name: str | None = None, ident: str | None = None, **more: Any) -> Json:
        """Append a message; the streams pick it up."""
        seq = len(self.messages) + 1
        message: Json = {
            "id": ident or f"m{seq}-{self.id[:6]}",
            "seq": seq,
            "author": {"role": role, "name": name},
            "text": text,
            "attachments": [],
            "citations": [],
            "created_at": datetime.now(UTC).isoformat(),
            "delivery": "none",
            **more,
        }
        self.messages.append(message)
        return message

    def answer(self, text: str, citations: list[tuple[str, str | None]] | None = None) -> None:
        cited = [{"n": n, "title": t, "url": u, "source_id": str(n)} for n, (t, u) in enumerate(citations or [], 1)]
        self.events.append(("typing", {"role": "assistant", "on": False}))
        self.say("assistant", text, name="Assistant", citations=cited)

    def deliver(self, message: Json, how: str = "delivered") -> None:
        """Say what has become of a message."""
        message["delivery"] = how
        self.events.append(("delivery", {"id": message["id"], "delivery": how}))

    def typing(self, role: str, on: bool = True) -> None:
        self.events.append(("typing", {"role": role, "on": on}))

    def listened_to(self, patience: float = 20) -> None:
        """Wait for a stream to begin: as in the product, what is fleeting reaches those who listen and nobody else."""
        end = time.monotonic() + patience
        while not self.streams:
            assert time.monotonic() < end, "nobody follows the conversation"
            time.sleep(0.02)

    def draft(self, ident: str, text: str, *titles: str) -> None:
        """Show how far an answer has come."""
        cited = [{"n": n, "title": title, "url": None, "source_id": str(n)} for n, title in enumerate(titles, 1)]
        self.events.append(("draft", {"id": ident, "text": text, "citations": cited}))

    def become(self, control: str, status: str = "open", **handoff: Any) -> None:
        """Move to another state and tell the streams."""
        self.control, self.status = control, status
        if handoff:
            fresh: Json = {
                "id": f"h{len(self.events)}",
                "state": "requested",
                "mode": "live",
                "reason": "asked_for_person",
                "ticket_id": None,
                "agent": None,
                "ended": None,
                "needs_email": False,
            }
            old = self.handoff if self.handoff and self.handoff["state"] != "ended" else None
            self.handoff = {**(old or fresh), **handoff}
        self.events.append(("conversation", self.shown()))

    def file(self, ident: str, name: str, content: bytes = b"", **more: Any) -> Json:
        """Have a file, kept unless said otherwise, and tell the streams how it stands."""
        shown: Json = {"id": ident, "name": name, "media_type": None, "size": len(content), "state": "kept"} | more
        self.files[ident] = (shown, content)
        self.events.append(("file", shown))
        return shown

    # The usual turns of a hand-off

    def queue(self, **more: Any) -> None:
        self.become("pending", state="queued", **more)

    def join(self, name: str) -> None:
        self.become("agent", state="with_agent", mode="live", agent={"name": name, "avatar_url": None})
        self.say("system", "", name=name, notice="agent_joined")

    def end(self, how: str, notice: str = "ended") -> None:
        self.say("system", "", notice=notice)
        self.become("assistant", state="ended", ended=how)

    def ticket(self, number: str, *, needs_email: bool = False) -> None:
        self.become("pending", state="asynchronous", mode="ticket", ticket_id=number, needs_email=needs_email)
        self.say("system", f"Request #{number} created", notice="ticket_created")


@dataclass
class FakeServer:
    """What the server knows and how it should misbehave."""

    talks: dict[str, Talk] = field(default_factory=dict)
    customers: dict[str, Json] = field(default_factory=dict)
    organisation: str = "Northwind Outdoor"
    # Where, with what, and for how many seconds the widget is told to let it be.
    refuse_next: list[tuple[str, int] | tuple[str, int, int]] = field(default_factory=list)
    mute_streams: bool = False
    after_escalate: Any = None
    requests: list[str] = field(default_factory=list)
    sessions_made: int = 0
    port: int = 0
    shop_port: int = 0
    stopping: bool = False

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def shop(self) -> str:
        return f"http://localhost:{self.shop_port}"

    def newest(self, patience: float = 20) -> Talk:
        """Wait for the widget to begin a conversation and say something in it."""
        end = time.monotonic() + patience
        while not any(talk.messages for talk in list(self.talks.values())):
            assert time.monotonic() < end, "the widget began no conversation"
            time.sleep(0.02)
        return list(self.talks.values())[-1]

    def reset(self) -> None:
        self.talks.clear()
        self.customers.clear()
        self.refuse_next.clear()
        self.requests.clear()
        self.mute_streams = False
        self.after_escalate = None

    # Routes

    def refused(self, request: Request) -> Response | None:
        self.requests.append(f"{request.method} {request.url.path}")
        for rule in self.refuse_next:
            if self.requests[-1].endswith(rule[0]) and self.requests[-1].startswith("POST"):
                self.refuse_next.remove(rule)
                refusal = problem(rule[1], "refused by the script")
                if len(rule) == 3:
                    refusal.headers["retry-after"] = str(rule[2])
                return refusal
        return None

    def customer(self, request: Request) -> str | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return token if token in self.customers else None

    def talk(self, request: Request) -> Talk | Response:
        """Find the conversation a request may see, or say why not."""
        refused = self.refused(request)
        if refused:
            return refused
        customer = self.customer(request)
        if customer is None:
            return problem(401, "unknown token")
        talk = self.talks.get(request.path_params["id"])
        return talk if talk and talk.customer == customer else problem(404, "no such conversation")

    async def panel(self, request: Request) -> Response:
        manifest = json.loads((ASSETS / "manifest.json").read_text())["panel/main.tsx"]
        key, origin = request.query_params["key"], request.query_params["origin"]
        page = (
            '<!doctype html><html lang="en" dir="ltr"><head><meta charset="utf-8"><title>Support chat</title>'
            '<meta name="viewport" content="width=device-width,initial-scale=1,interactive-widget=resizes-content">'
            + "".join(f'<link rel="stylesheet" href="/widget/{css}">' for css in manifest["css"])
            + f'<script type="module" src="/widget/{manifest["file"]}"></script></head>'
            f'<body data-key="{escape(key)}" data-origin="{escape(origin)}" data-name="{escape(self.organisation)}">'
            '<div id="app"></div></body></html>'
        )
        return HTMLResponse(page, headers={"content-security-policy": panel_csp(self.shop)})

    async def sessions(self, request: Request) -> Response:
        refused = self.refused(request)
        if refused:
            return refused
        self.sessions_made += 1
        token = f"token-{self.sessions_made}"
        self.customers[token] = {"id": f"c{self.sessions_made}", "name": None, "email": None}
        return JSONResponse(
            {
                "token": token,
                "customer": self.customers[token],
                "organisation": {"name": self.organisation},
                "assistant": {"name": "Assistant", "enabled": True},
            },
            201,
        )

    async def conversations(self, request: Request) -> Response:
        refused = self.refused(request)
        if refused:
            return refused
        customer = self.customer(request)
        if customer is None:
            return problem(401, "unknown token")
        if request.method == "POST":
            body = await request.json()
            talk = self.talks.setdefault(body["id"], Talk(body["id"], customer, body.get("context", {})))
            if talk.customer != customer:
                return problem(409, "that id is taken")
            return JSONResponse({"id": talk.id, **talk.shown(), "created_at": talk.created_at}, 201)
        mine = [talk for talk in reversed(self.talks.values()) if talk.customer == customer]
        return JSONResponse({"conversations": [{"id": t.id, **t.shown(), "created_at": t.created_at} for t in mine]})

    async def messages(self, request: Request) -> Response:
        talk = self.talk(request)
        if isinstance(talk, Response):
            return talk
        if request.method == "POST":
            body = await request.json()
            for message in talk.messages:
                if message["id"] == body["id"]:
                    return JSONResponse(message, 201)
            if talk.status == "closed":
                return problem(409, "the conversation is closed")
            carried = [talk.files[file["id"]][0] for file in body.get("attachments", [])]
            message = talk.say("customer", body["text"], ident=body["id"], delivery="pending", attachments=carried)
            return JSONResponse(message, 201)
        rated = [{"id": id, "feedback": found} for id, found in talk.feedback.items()]
        after, wait = int(request.query_params.get("after", 0)), float(request.query_params.get("wait", 0))
        end, events = time.monotonic() + wait, len(talk.events)
        while len(talk.messages) <= after and len(talk.events) == events and time.monotonic() < end:
            await asyncio.sleep(LOOK_AGAIN_S)
        marks = [{"id": one["id"], "delivery": one["delivery"]} for one in talk.messages[:after]]
        page = {"messages": talk.messages[after:], "conversation": talk.shown(), "deliveries": marks, "feedback": rated}
        return JSONResponse(page)

    async def events(self, request: Request) -> Response:
        talk = self.talk(request)
        if isinstance(talk, Response):
            return talk
        after = int(request.query_params.get("after", 0))

        async def stream() -> AsyncIterator[str]:
            seq, told, beat = after, len(talk.events), 0.0
            talk.streams += 1
            if not self.mute_streams:
                for event, data in talk.events:
                    if event in STATES:
                        yield f"event: {event}\ndata: {json.dumps(data)}\n\n"
                yield f"event: conversation\ndata: {json.dumps(talk.shown())}\n\n"
                typing = [data for event, data in talk.events if event == "typing"]
                if typing and typing[-1]["on"]:
                    yield f"event: typing\ndata: {json.dumps(typing[-1])}\n\n"
            while not self.stopping:
                await asyncio.sleep(LOOK_AGAIN_S)
                if self.mute_streams:
                    continue
                events, messages = talk.events[told:], talk.messages[seq:]  # more may be said while these are told
                told, seq = told + len(events), seq + len(messages)
                for event, data in events:
                    yield f"event: {event}\ndata: {json.dumps(data)}\n\n"
                for message in messages:
                    yield f"id: {message['seq']}\nevent: message\ndata: {json.dumps(message)}\n\n"
                if time.monotonic() - beat > HEARTBEAT_S:
                    beat = time.monotonic()
                    yield ": beat\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"cache-control": "no-store"})

    async def rate(self, request: Request) -> Response:
        talk = self.talk(request)
        if isinstance(talk, Response):
            return talk
        rating = {"id": request.path_params["message"], "feedback": (await request.json())["feedback"]}
        talk.feedback[rating["id"]] = rating["feedback"]
        talk.events.append(("feedback", rating))
        return JSONResponse(rating)

    async def upload(self, request: Request) -> Response:
        talk = self.talk(request)
        if isinstance(talk, Response):
            return talk
        name, content = request.query_params["name"], await request.body()
        if name.endswith(".exe"):
            return problem(422, "files of this kind are not taken")
        kind = "image/png" if content.startswith(b"\x89PNG") else "application/pdf"
        return JSONResponse(talk.file(request.query_params["file"], name, content, media_type=kind), 201)

    async def give(self, request: Request) -> Response:
        talk = self.talk(request)
        if isinstance(talk, Response):
            return talk
        shown, content = talk.files[request.path_params["file"]]
        return Response(content, media_type=shown["media_type"])

    async def fetch(self, request: Request) -> Response:
        talk = self.talk(request)
        if isinstance(talk, Response):
            return talk
        shown, _ = talk.files[request.path_params["file"]]
        return JSONResponse({**shown, "state": "awaited"}, 202)

    async def act(self, request: Request) -> Response:
        talk = self.talk(request)
        if isinstance(talk, Response):
            return talk
        body = await request.json()
        match request.path_params["verb"]:
            case "escalate":
                if talk.handoff is None or talk.handoff["state"] in {"ended", "failed"}:
                    talk.become("pending", id=f"h{len(talk.events)}", state="requested")
                if self.after_escalate:
                    self.after_escalate(talk)
                return JSONResponse({"handoff": talk.handoff}, 202)
            case "release":
                talk.become("assistant", state="ended", ended="by_customer")
                talk.say("system", "", notice="back_to_assistant")
            case "close":
                talk.say("system", "", notice="ended")
                talk.become("nobody", "closed", state="ended", ended="by_customer")
            case "customer":
                if "@" not in body.get("email", "") or body["email"].endswith(".invalid"):
                    return problem(422, "That address does not work. Please check it.")
                self.customers[talk.customer].update(body)
                if talk.handoff:
                    talk.become(talk.control, talk.status, needs_email=False)
        return JSONResponse({"customer": self.customers[talk.customer]})

    def app(self) -> Starlette:
        prefix = "/widget/v1"
        return Starlette(
            routes=[
                Route("/widget/loader.js", lambda _: FileResponse(ASSETS / "loader.js", media_type="text/javascript")),
                Route("/widget/assets/{name}", lambda r: FileResponse(ASSETS / "assets" / r.path_params["name"])),
                Route(f"{prefix}/panel", self.panel),
                Route(f"{prefix}/sessions", self.sessions, methods=["POST"]),
                Route(f"{prefix}/conversations", self.conversations, methods=["GET", "POST"]),
                Route(f"{prefix}/conversations/{{id}}/messages", self.messages, methods=["GET", "POST"]),
                Route(f"{prefix}/conversations/{{id}}/messages/{{message}}/feedback", self.rate, methods=["POST"]),
                Route(f"{prefix}/conversations/{{id}}/events", self.events),
                Route(f"{prefix}/conversations/{{id}}/files", self.upload, methods=["POST"]),
                Route(f"{prefix}/conversations/{{id}}/files/{{file}}", self.give),
                Route(f"{prefix}/conversations/{{id}}/files/{{file}}/fetch", self.fetch, methods=["POST"]),
                Route(f"{prefix}/conversations/{{id}}/{{verb}}", self.act, methods=["POST"]),
            ]
        )


def problem(status: int, detail: str) -> JSONResponse:
    return JSONResponse(
        {"title": detail, "status": status, "detail": detail}, status, media_type="application/problem+json"
    )


# The host page: a shop on another origin, plain, hostile, or under a strict policy.

SHOP = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Northwind Outdoor</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="stylesheet" href="/shop.css"></head>
<body><header><strong>Northwind&nbsp;Outdoor</strong><nav><a href="#">Tents</a> <a href="#">Packs</a>
<a href="#">Boots</a></nav></header><main><p class="eyebrow">Autumn collection</p>
<h1>Made for the long way round.</h1><p class="lead">Light shelters, honest materials, and repairs for life.</p>
<button id="buy">Shop tents</button><div class="cards"><i></i><i></i><i></i></div></main>
<script async src="{server}/widget/loader.js" data-key="pk_test"></script></body></html>"""

SHOP_CSS = """:root{color-scheme:light dark}
body{margin:0;font:17px/1.6 Georgia,serif;background:light-dark(#faf7f1,#181a1b);
color:light-dark(#27312d,#d9dfdb)}
header{display:flex;gap:32px;align-items:center;justify-content:space-between;padding:22px 6vw;
border-bottom:1px solid light-dark(#e6e0d3,#2c3030)}nav{display:flex;gap:24px}a{color:inherit;text-decoration:none}
main{padding:9vh 6vw}h1{font-size:clamp(36px,5vw,64px);line-height:1.08;max-width:11em;margin:0 0 18px;font-weight:500}
.eyebrow{letter-spacing:.14em;text-transform:uppercase;font-size:13px;opacity:.7}.lead{max-width:30em;opacity:.85}
#buy{font:inherit;margin-top:10px;padding:12px 26px;border:0;border-radius:4px;background:light-dark(#27312d,#d9dfdb);
color:light-dark(#fff,#181a1b)}.cards{display:grid;grid-template-columns:repeat(3,1fr);gap:20px;margin-top:8vh;max-width:820px}
.cards i{height:200px;border-radius:6px;background:light-dark(#e7e0d0,#25292a)}"""

HOSTILE_CSS = """*{all:revert!important;font-size:30px!important;color:red!important;box-sizing:content-box!important}
button,iframe,div,support-chat{all:unset!important;background:red!important;display:none!important;transform:rotate(4deg)!important}"""

STRICT = (
    "default-src 'none'; script-src {server}; frame-src {server}; style-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


def shop_app(server: FakeServer) -> Starlette:
    async def page(request: Request) -> Response:
        policy = STRICT.format(server=server.origin) if "strict" in request.query_params else ""
        html = SHOP.replace("{server}", server.origin)
        if "hostile" in request.query_params:
            html = html.replace("/shop.css", "/hostile.css")
        return HTMLResponse(html, headers={"content-security-policy": policy} if policy else {})

    return Starlette(
        routes=[
            Route("/", page),
            Route("/other", page),
            Route("/shop.css", lambda _: Response(SHOP_CSS, media_type="text/css")),
            Route("/hostile.css", lambda _: Response(HOSTILE_CSS, media_type="text/css")),
            Route("/favicon.ico", lambda _: Response(status_code=204)),
        ]
    )


@contextmanager
def serving(app: Starlette, host: str) -> Iterator[int]:
    """Run an application in a thread on a free port."""
    config = uvicorn.Config(
        app, host=host, port=0, log_level="error", ws="none", lifespan="off", timeout_graceful_shutdown=1
    )
    runner = Server(config)
    thread = threading.Thread(target=runner.run, daemon=True)
    thread.start()
    while not runner.started:
        assert thread.is_alive(), "the fake server did not start"
        time.sleep(0.01)
    try:
        yield runner.servers[0].sockets[0].getsockname()[1]
    finally:
        runner.should_exit = True
        thread.join(timeout=5)


@contextmanager
def fake_server() -> Iterator[FakeServer]:
    """Run the widget's server and the shop it stands in, on two sites."""
    server = FakeServer()
    with serving(server.app(), "127.0.0.1") as port, serving(shop_app(server), "localhost") as shop_port:
        server.port, server.shop_port = port, shop_port
        try:
            yield server
        finally:
            server.stopping = True
