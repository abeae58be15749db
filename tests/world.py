"""The real programs in processes of their own, spoken to over HTTP: the product, the fake Zendesk, a customer.

A story reads like what happened; nothing here knows the product's insides.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from torture.customer import entry_of
from torture.history import History, digest, read
from torture.judge import Verdict, judge

T = TypeVar("T")
PORTS = 15_000, 32_000  # below those a system gives to whoever calls out
PATIENCE_S = 60.0  # of a machine that does much else; what is there is seen at once
EVENTS = (
    "zen:event-type:ticket.status_changed",
    "zen:event-type:ticket.agent_assignment_changed",
    "zen:event-type:messaging_ticket.message_added",
)
# The reference guide's trigger body, trailing comma and all.
SESSION_END_BODY = '{ "ticket_id": "{{ticket.id}}", "type": "fv:conversation_closed", }'


def free_port() -> int:
    """Give a port nobody listens on; no call to elsewhere gets it either, while its program is away or yet to start."""
    while True:
        port = random.SystemRandom().randrange(*PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def eventually(look: Callable[[], T | None], what: str, seconds: float = PATIENCE_S) -> T:
    """Look again and again until there is something, or fail saying what was missing."""
    deadline, pause = time.monotonic() + seconds, 0.005
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"never happened within {seconds:g} s: {what}")
        time.sleep(pause)
        pause = min(0.05, pause * 1.5)


class Program:
    """One program in a process of its own."""

    def __init__(self, arguments: list[str], environment: dict[str, str], log: Path, ready_url: str) -> None:
        self._arguments = arguments
        self._environment = environment
        self._log = log
        self._ready_url = ready_url
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self._arguments],
                env=os.environ | self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually(self._answers, f"{self._ready_url} answers; see {self._log}: {self.tail()}")

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}: {self.tail()}")
        try:
            return httpx2.get(self._ready_url, timeout=1).status_code < 500
        except httpx2.HTTPError:
            return False

    def tail(self) -> str:
        """Give the end of its log."""
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""

    def log(self) -> str:
        """Give its whole log."""
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        """End it as a power cut would: no warning, no clean-up."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()


class Zendesk:
    """The fake Zendesk, through its control API."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = "control-token-of-this-test"
        arguments = ["-m", "zendesk_emulator", "serve", "--port", str(self.port), "--token", self.token]
        arguments += ["--history", str(folder / "desk.jsonl")]
        self.program = Program(arguments, {}, folder / "zendesk.log", self.url + "/emulator/fidelity")
        self._http = httpx2.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=40)

    def start(self) -> None:
        self.program.start()
        self.seed = self.get("/emulator/seed")

    def get(self, path: str, **params: Any) -> Any:
        answer = self._http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None) -> Any:
        answer = self._http.post(path, json=body if body is not None else {})
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    def support(self, path: str) -> Any:
        """Read Zendesk's own API as its administrator."""
        auth = (f"{self.seed['admin_email']}/token", self.seed["api_token"])
        answer = self._http.get(f"/api/v2{path}", auth=auth)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create_ticket(self, **ticket: Any) -> dict[str, Any]:
        """Open a ticket through Zendesk's own API as its administrator."""
        auth = (f"{self.seed['admin_email']}/token", self.seed["api_token"])
        answer = self._http.post("/api/v2/tickets", auth=auth, json={"ticket": ticket})
        assert answer.status_code == 201, answer.text
        opened: dict[str, Any] = answer.json()["ticket"]
        return opened

    def ticket(self, id: str) -> dict[str, Any]:
        """Give one ticket with its comments and conversation log."""
        return next(t for t in self.tickets() if str(t["id"]) == str(id))

    def offer(self, action: str, **body: Any) -> httpx2.Response:
        """Try something as an agent, who may be told that it is too late."""
        return self._http.post(f"/emulator/agent/{action}", json=body)

    def agent(self, action: str, **body: Any) -> Any:
        """Do something as an agent: accept, reply, note, comment, assign, status, end-session, inactive …"""
        return self.post(f"/emulator/agent/{action}", body)

    def fault(self, **rule: Any) -> Any:
        """Break something."""
        return self.post("/emulator/faults", rule)

    def heal(self) -> None:
        """Mend everything."""
        assert self._http.delete("/emulator/faults").status_code == 200

    def state(self) -> Any:
        return self.get("/emulator/state")

    def tickets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.state()["tickets"]
        return found

    def close(self) -> None:
        self._http.close()
        self.program.stop()


class Escalade:
    """The product with one organisation."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "ESCALADE_ENV": "development",
            "ESCALADE_DATABASE_URL": f"sqlite:///{folder / 'escalade.db'}",
            "ESCALADE_PUBLIC_URL": self.url,
            "ESCALADE_PORT": str(self.port),
            "ESCALADE_LOG_FORMAT": "json",
            "ESCALADE_UNSURE_WAIT_S": "4",
            "ESCALADE_HISTORY": str(folder / "bridge.jsonl"),
        } | environment
        self.program = Program(
            ["-m", "escalade", "serve"], self.environment, folder / "escalade.log", self.url + "/api/v1/ready"
        )
        self.http = httpx2.Client(base_url=self.url, timeout=30)
        self.history = History("customers", lambda: time.time_ns() // 1_000_000, folder / "customers.jsonl")

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of the product beside it."""
        done = subprocess.run(
            [sys.executable, "-m", "escalade", *arguments],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stderr
        return done

    def create_organisation(self, name: str = "Fernhill") -> None:
        self.keys: dict[str, str] = json.loads(self.command("org", "create", name, "--json").stdout)

    @property
    def key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys['api_key']}"}

    def api(self, method: str, path: str, expect: int | None = None, **body: Any) -> Any:
        """Call the developer API."""
        answer = self.http.request(method, f"/api/v1{path}", headers=self.key, json=body or None)
        if expect is None:
            assert answer.status_code < 300, f"{answer.status_code} {answer.text}"
        else:
            assert answer.status_code == expect, f"{answer.status_code} {answer.text}"
        return answer.json()

    def webhook(self, body: bytes, **headers: str) -> httpx2.Response:
        """Post a webhook as Zendesk would."""
        sent = {
            "Authorization": f"Bearer {self.keys['webhook_token']}",
            "fv-organisation-id": self.keys["organisation_id"],
            "Content-Type": "application/json",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post("/ai-agent/escalation/webhooks/zendesk/all", content=body, headers=sent)

    def close(self) -> None:
        self.http.close()
        self.program.stop()
        self.history.close()


class Customer:
    """Someone who writes to the company, through the developer API; what they do and see is written down."""

    def __init__(self, product: Escalade, *, context: dict[str, str] | None = None, **customer: str) -> None:
        self._product = product
        self.id = f"conversation-{uuid.uuid4().hex}"
        self._shown: list[Any] = []
        self._handoff: dict[str, Any] = {}
        product.api("POST", "/conversations", id=self.id, customer=customer, context=context or {})

    def _note(self, kind: str, **fields: Any) -> None:
        self._product.history.note(kind, o=self._product.keys["organisation_id"], c=self.id, **fields)

    def sends(self, *files: tuple[str, bytes], text: str = "") -> str:
        """Upload files, each by its name, and write a message with them."""
        uploaded = []
        for name, content in files:
            id = uuid.uuid4().hex

            def taken(name: str = name, content: bytes = content, id: str = id) -> bool:
                answer = self._product.http.post(
                    f"/api/v1/conversations/{self.id}/files",
                    params={"name": name, "file": id},
                    content=content,
                    headers=self._product.key,
                )
                assert answer.status_code in {201, 503}, answer.text
                return answer.status_code == 201

            eventually(taken, f"{name} is uploaded")
            uploaded.append(id)
        return self.says(text, files=uploaded)

    def says(self, text: str, id: str | None = None, files: Sequence[str] = ()) -> str:
        """Write a message, repeating it with the same id until it is taken."""
        id = id or uuid.uuid4().hex

        def sent() -> bool:
            try:
                answer = self.tries(id, text, files)
            except httpx2.HTTPError:
                return False
            if answer.status_code in {429, 503}:
                return False
            assert answer.status_code == 201, answer.text
            return True

        eventually(sent, f"the message {text!r} is taken")
        return id

    def tries(
        self, id: str, text: str, files: Sequence[str] = (), key: dict[str, str] | None = None
    ) -> httpx2.Response:
        """Send a message once, whatever comes of it."""
        self._note("C.submit", mid=id, h=digest(text) if text else None)
        answer = self._product.http.post(
            f"/api/v1/conversations/{self.id}/messages",
            json={"id": id, "text": text, "attachments": [{"id": file} for file in files]},
            headers=key or self._product.key,
        )
        if answer.status_code == 201:
            self._note("C.ack", mid=id, seq=answer.json()["seq"], mark=answer.json()["delivery"])
        return answer

    def page(self, *, final: bool = False) -> dict[str, Any]:
        """Load the conversation; what has changed since the last time is written down."""
        page: dict[str, Any] = self._product.api("GET", f"/conversations/{self.id}/messages")
        entries = [entry_of(message) for message in page["messages"]]
        if final or entries != self._shown:
            self._note("C.view", reader="page", final=final, entries=entries)
            self._shown = entries
        handoff = page["conversation"]["handoff"]
        if handoff is not None:
            seen = {"handoff": handoff["id"], **{name: handoff[name] for name in ("mode", "state", "ended")}}
            if seen != self._handoff:
                self._note("C.handoff", **seen)
                self._handoff = seen
        return page

    def leave(self, how: str) -> None:
        """Go `back` to the assistant, or `close` the conversation."""
        self._note("C.leave", how=how)
        self._product.api("POST", f"/conversations/{self.id}/{'release' if how == 'back' else 'close'}")

    def is_erased(self) -> None:
        """Say that they were erased: from here on nobody can say what they are shown."""
        self._note("C.leave", how="erased")

    def transcript(self, *roles: str) -> list[str]:
        """Give the texts the customer sees, of these roles or all."""
        return [m["text"] for m in self.page()["messages"] if not roles or m["author"]["role"] in roles]

    def waits(self) -> bool:
        """Say whether a message of theirs is under way."""
        return any(message["delivery"] == "pending" for message in self.page()["messages"])

    def notices(self) -> list[str]:
        return [m["notice"] for m in self.page()["messages"] if "notice" in m]

    def handoff(self) -> dict[str, Any]:
        handoff: dict[str, Any] = self.page()["conversation"]["handoff"] or {}
        return handoff

    def wait_for(self, role: str, text: str) -> None:
        eventually(
            lambda: any(text in said for said in self.transcript(role)),
            f"the customer sees {text!r} from {role}; it is {self.transcript()}",
        )

    def wait_until(self, **expected: str) -> None:
        """Wait until the handoff, or `control` and `status`, are as said."""

        def reached() -> bool:
            conversation = self.page()["conversation"]
            found = dict(conversation["handoff"] or {})
            found |= {"control": conversation["control"], "status": conversation["status"]}
            return all(found.get(name) == value for name, value in expected.items())

        eventually(reached, f"{expected}; it is {self.page()['conversation']}")

    def wait_delivered(self, id: str) -> None:
        eventually(
            lambda: any(m["id"] == id and m["delivery"] == "delivered" for m in self.page()["messages"]),
            f"{id} is delivered; {[(m['text'], m['delivery']) for m in self.page()['messages']]}",
        )

    def escalate(self, **body: Any) -> dict[str, Any]:
        handoff: dict[str, Any] = self._product.api("POST", f"/conversations/{self.id}/escalate", **body)["handoff"]
        return handoff


class World:
    """Product and Zendesk, wired the way the reference guide says."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.customers: list[Customer] = []
        self.zendesk = Zendesk(folder)
        self.product = Escalade(folder, **environment)

    def start(self) -> None:
        self.zendesk.start()
        self.product.create_organisation()
        self.product.program.start()

    def connect(self, *, live: bool = False, webhooks: bool = True, **more: Any) -> None:
        """Connect Zendesk, turn live chat on if asked, and set the webhook and the trigger up."""
        seed = self.zendesk.seed
        patch: dict[str, Any] = {
            "zendesk": {
                "subdomain": seed["subdomain"],
                "base_url": self.zendesk.url,
                "auth": {
                    "type": "client_credentials",
                    "client_id": seed["oauth_client_id"],
                    "client_secret": seed["oauth_client_secret"],
                },
            }
        }
        if live:
            patch["live"] = {
                "enabled": True,
                "app_id": seed["app_id"],
                "key_id": seed["key_id"],
                "secret": seed["key_secret"],
                "base_url": f"{self.zendesk.url}/sc",
            } | more
        self.product.api("PATCH", "/settings", **patch)
        if webhooks:
            self.set_webhooks_up()

    def set_webhooks_up(self) -> None:
        """Create the webhooks and the trigger of the reference guide."""
        common = {
            "status": "active",
            "endpoint": self.product.keys["webhook_url"],
            "http_method": "POST",
            "request_format": "json",
            "authentication": {
                "type": "bearer_token",
                "data": {"token": self.product.keys["webhook_token"]},
                "add_position": "header",
            },
            "custom_headers": {"fv-organisation-id": self.product.keys["organisation_id"]},
        }
        self.zendesk.post("/emulator/admin/webhook", {"name": "AI escalation", "subscriptions": list(EVENTS), **common})
        ends = self.zendesk.post(
            "/emulator/admin/webhook",
            {"name": "AI escalation: session end", "subscriptions": ["conditional_ticket_events"], **common},
        )
        self.zendesk.post(
            "/emulator/admin/trigger",
            {
                "title": "AI escalation: session end",
                "conditions": {
                    "all": [],
                    "any": [{"field": self._session_state(), "operator": "value_previous", "value": "active"}],
                },
                "actions": [{"field": "notification_webhook", "value": [ends["webhook"]["id"], SESSION_END_BODY]}],
            },
        )

    def _session_state(self) -> str:
        """Find the condition by its title, as someone who picks it from the list does."""
        conditions = self.zendesk.support("/triggers/definitions")["definitions"]["conditions_any"]
        return next(str(c["subject"]) for c in conditions if c["title"] == "Messaging session state")

    def ticket_of(self, customer: Customer) -> dict[str, Any]:
        """Give the ticket of a customer's handoff, once its number is known."""
        number = eventually(lambda: customer.handoff().get("ticket_id"), "the ticket's number is known")
        return self.zendesk.ticket(number)

    def customer(self, *, context: dict[str, str] | None = None, **customer: str) -> Customer:
        known = {"name": "Noor", "email": "noor@example.com"} | customer
        made = Customer(self.product, context=context, **known)
        self.customers.append(made)
        return made

    def judge(self) -> Verdict:
        """Take the final views of everybody, and have all that was written down judged."""
        for customer in self.customers:
            customer.page(final=True)
        self.zendesk.post("/emulator/history", {"final": True})
        return judge(read(sorted(self.folder.glob("*.jsonl"))))

    def drain(self) -> None:
        """Mend everything and wait until nothing is under way any more."""
        self.zendesk.heal()
        for customer in self.customers:
            eventually(lambda customer=customer: not customer.waits(), "nothing is under way any more", 90)  # type: ignore[misc]

    def close(self) -> None:
        self.product.close()
        self.zendesk.close()


@contextmanager
def a_world(folder: Path, **environment: str) -> Iterator[World]:
    """Start a world and end it; what everybody has written down of it is judged."""
    world = World(folder, **environment)
    try:
        world.start()
        yield world
        verdict = world.judge()
        assert verdict.holds, str(verdict)
    finally:
        world.close()
