"""The running product the requests go to: three organisations, a fake Zendesk, and the scenes cases play in.

    A  Fernhill   live chat and tickets; what a case sends is sent to it unless it says otherwise
    B  Rivals     whose rows must never show
    C  Sealed     its webhooks are signed

A scene is a conversation made for one case. `quiet` is one for all cases that are to change nothing.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import PIPE
from typing import Any, Literal

import httpx2
from psycopg.conninfo import conninfo_to_dict

from tests import engines, signed
from tests.backstage import KEY
from tests.inputs import wire
from tests.inputs.cases import Case
from tests.world import Escalade, Zendesk, eventually

HOOK = "/ai-agent/escalation/webhooks/zendesk/all"
SECRET = "c2lnbmluZyBzZWNyZXQ="
ACCOUNT = 900
CANARY = "canary-7f3a91"
SAID = "My stove is broken"
THEIRS = "Rivals only: the blue ledger"  # words of another organisation
SHARED = {"quiet", "sealed"}  # scenes that all cases play in
Parser = Literal["httptools", "h11"]
CALL_S = 0.005  # between two looks through the developer API: 200 a second leave a case its share of the 250


@dataclass
class Scene:
    """What one case plays with."""

    names: dict[str, str]
    body: bytes = b""
    sent: list[wire.Answer] = field(default_factory=list)


class Place:
    """The product, served, and everything a case may name."""

    def __init__(self, folder: Path, parser: Parser, database: str, *, patient: bool = False) -> None:
        self._database = database
        self._next_call = 0.0
        self.zendesk = Zendesk(folder)
        self.product = Escalade(folder, ESCALADE_DATABASE_URL=database, ESCALADE_SECRET_KEY=KEY)
        self.product.program._arguments = ["-m", "tests.inputs.serve", parser, *(["patient"] if patient else [])]

    def start(self) -> None:
        """Furnish three organisations, each with a conversation that people have."""
        environment = os.environ | self.product.environment
        made = subprocess.run([sys.executable, "-m", "tests.inputs.furnish"], env=environment, check=True, stdout=PIPE)
        self.keys = json.loads(made.stdout.splitlines()[-1])
        self.product.keys = self.keys["A"]
        self.zendesk.start()
        self.product.program.start()
        for letter in self.keys:
            self.patch(letter, {"zendesk": self._connection()})
        self.patch("A", {"live": self._live(), "widget": {"allowed_origins": ["https://shop.example.com"]}})
        self.patch("A", {"assistant": {"prompt": f"Never say {CANARY}."}})
        for letter, installation, key in (
            ("A", signed.INSTALLATION, "ours"),
            ("B", signed.OTHER_INSTALLATION, "theirs"),
        ):
            sidebar = {"installation_id": installation, "public_key": signed.public(key)}
            self.patch(letter, {"sidebar": sidebar})
        self.patch("C", {"webhooks": {"signing_secrets": [SECRET]}})
        self.quiet = self.handed_over("A", "ticket")
        self.theirs = self.handed_over("B", "ticket", THEIRS)
        self._sealed = self.handed_over("C", "ticket")
        self._introduce()
        self._their_visitor = self.visitor("B")
        self._other_visitor = self.visitor("A")

    def _introduce(self) -> None:
        """Let A's Zendesk account become known, as its first genuine event does."""
        ticket = self.quiet["ticket"]
        event = {"id": "introduction", "type": "zen:event-type:ticket.status_changed", "account_id": ACCOUNT}
        event |= {"subject": f"zen:ticket:{ticket}", "detail": {"id": ticket}, "event": {"current": "OPEN"}}
        answer = self.product.webhook(json.dumps(event).encode())
        assert answer.json() == {"status": "accepted"}, answer.text

    def close(self) -> None:
        """End both programs."""
        self.product.close()
        self.zendesk.close()

    # organisations

    def _connection(self) -> dict[str, Any]:
        seed = self.zendesk.seed
        auth = {"type": "client_credentials", "client_id": seed["oauth_client_id"]}
        auth["client_secret"] = seed["oauth_client_secret"]
        return {"subdomain": seed["subdomain"], "base_url": self.zendesk.url, "auth": auth}

    def _live(self) -> dict[str, Any]:
        seed = self.zendesk.seed
        found = {"app_id": seed["app_id"], "key_id": seed["key_id"], "secret": seed["key_secret"]}
        return found | {"enabled": True, "base_url": f"{self.zendesk.url}/sc", "require_online_agent": False}

    def call(self, letter: str, method: str, path: str, document: Any = None) -> httpx2.Response:
        """Call the developer API of an organisation, never so often that it would say so."""
        time.sleep(max(0.0, self._next_call - time.monotonic()))
        self._next_call = time.monotonic() + CALL_S
        key = {"Authorization": f"Bearer {self.keys[letter]['api_key']}"}
        return self.product.http.request(method, f"/api/v1{path}", headers=key, json=document)

    def done(self, letter: str, path: str, document: Any) -> None:
        """Post to the developer API of an organisation, which takes it."""
        answer = self.call(letter, "POST", path, document)
        assert answer.is_success, answer.text

    def upload(self, letter: str, conversation: str, name: str, content: bytes, *, id: str) -> None:
        """Upload a file to a conversation of an organisation."""
        key = {"Authorization": f"Bearer {self.keys[letter]['api_key']}"}
        path = f"/api/v1/conversations/{conversation}/files"
        answer = self.product.http.post(path, headers=key, params={"name": name, "file": id}, content=content)
        assert answer.status_code == 201, answer.text

    def patch(self, letter: str, tree: Mapping[str, Any]) -> None:
        """Change an organisation's settings."""
        answer = self.call(letter, "PATCH", "/settings", tree)
        assert answer.status_code == 200, answer.text

    def handed_over(self, letter: str, mode: str, said: str = SAID) -> dict[str, str]:
        """Open a conversation, say something and hand it over; give what can be named of it."""
        id = f"conversation-{uuid.uuid4().hex}"
        customer = {"name": "Noor", "email": "noor@example.com"}
        message = f"message-{uuid.uuid4().hex}"
        self.done(letter, "/conversations", {"id": id, "customer": customer})
        self.done(letter, f"/conversations/{id}/escalate", {"mode": mode})
        self.done(letter, f"/conversations/{id}/messages", {"id": message, "text": said})
        ticket = eventually(
            lambda: (self.conversation(letter, id)["handoff"] or {}).get("ticket_id"), "the ticket's number is known"
        )
        state = "queued" if mode == "live" else "asynchronous"
        eventually(lambda: self.conversation(letter, id)["handoff"]["state"] == state, f"the handoff is {state}")
        eventually(
            lambda: all(said["delivery"] != "pending" for said in self.page(letter, id)["messages"]), "nothing is owed"
        )
        return {"conversation": id, "ticket": str(ticket), "message": message}

    def conversation(self, letter: str, id: str) -> dict[str, Any]:
        """Show a conversation."""
        answer = self.call(letter, "GET", f"/conversations/{id}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def page(self, letter: str, id: str) -> dict[str, Any]:
        """Show what was said in a conversation."""
        answer = self.call(letter, "GET", f"/conversations/{id}/messages")
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    def receipts(self, letter: str = "A") -> list[dict[str, Any]]:
        """List what came in, newest first."""
        answer = self.call(letter, "GET", "/receipts?limit=500")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["receipts"]
        return found

    def visitor(self, letter: str, *, origin: str = "") -> dict[str, str]:
        """Begin a widget's session and open a conversation in it."""
        origin = f"Origin: {origin}" if origin else "X-Origin: none"
        begun = self.speak("/widget/v1/sessions", {"key": self.keys[letter]["widget_key"]}, origin).json
        id = f"conversation-{uuid.uuid4().hex}"
        said = {"Authorization": f"Bearer {begun['token']}"}
        self.product.http.post("/widget/v1/conversations", json={"id": id}, headers=said)
        return {"visitor": begun["token"], "conversation": id, "message": f"message-{uuid.uuid4().hex}"}

    def speak(self, path: str, document: Any, *headers: str) -> wire.Answer:
        """Post a document from an address of its own."""
        body = json.dumps(document).encode()
        lines = [
            f"POST {path} HTTP/1.1",
            "Host: test",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        return wire.send(self.product.port, "\r\n".join([*lines, *headers, "", ""]).encode(), body)

    @contextmanager
    def database_stopped(self) -> Iterator[None]:
        """Let the database take nothing until the block ends: its file is held, or its server lets nobody in."""
        if self._database.startswith("sqlite"):
            holder = sqlite3.connect(self._database.removeprefix("sqlite:///"), isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                holder.execute("ROLLBACK")
                holder.close()
            return
        server, name = engines.postgres_server(), conninfo_to_dict(self._database)["dbname"]
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        try:
            yield
        finally:
            server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    @property
    def memory(self) -> int:
        """Give the bytes of memory the product has resident."""
        process = self.product.program.process
        assert process is not None
        line = next(
            one for one in Path(f"/proc/{process.pid}/status").read_text().splitlines() if one.startswith("VmRSS")
        )
        return int(line.split()[1]) * 1024

    # scenes

    def scene(self, case: Case) -> Scene:
        """Make what a case plays with."""
        made: dict[str, str]
        letter = "A"
        match case.given:
            case "quiet":
                made = self.quiet
            case "ticket" | "live":
                made = self.handed_over("A", case.given)
            case "sealed":
                letter, made = "C", self._sealed
            case "sealed ticket":
                letter, made = "C", self.handed_over("C", "ticket")
            case "visitor":
                made = self.visitor("A")
            case "visitor waiting":
                made = self.visitor("A")
                asked = {"Authorization": f"Bearer {made['visitor']}"}
                path = f"/widget/v1/conversations/{made['conversation']}"
                self.product.http.post(f"{path}/messages", headers=asked, json={"id": made["message"], "text": SAID})
            case "visitor closed":
                made = self.visitor("A")
                asked = {"Authorization": f"Bearer {made['visitor']}"}
                self.product.http.post(f"/widget/v1/conversations/{made['conversation']}/close", headers=asked)
            case _:
                raise AssertionError(f"no such scene: {case.given}")
        tokens = self._app_tokens() if case.row.startswith("Z") else {}
        return Scene(names=self._names(letter) | made | tokens)

    def _app_tokens(self) -> dict[str, str]:
        """Give what Zendesk signs for our app, a pass, and everything that must open nothing."""
        tokens = {"good": signed.token()} | signed.wrong()
        form, head = f"token={tokens['good']}", "Content-Type: application/x-www-form-urlencoded"
        lines = [f"POST /zendesk/app/{self.keys['A']['organisation_id']} HTTP/1.1", "Host: test", head]
        raw = "\r\n".join([*lines, f"Content-Length: {len(form)}", "", ""]).encode()
        opened = wire.send(self.product.port, raw, form.encode())
        assert opened.status == 200, opened
        sealed = opened.headers["set-cookie"].split("=", 1)[1].split(";")[0]
        return {"app pass": sealed} | {f"token {name}": token for name, token in tokens.items()}

    def over(self, scene: Scene, case: Case) -> None:
        """End what was made for one case, so that nobody goes on looking after it."""
        if case.given not in SHARED:
            names = scene.names
            self.call(names["letter"], "POST", f"/conversations/{names['conversation']}/close")

    def _names(self, letter: str) -> dict[str, str]:
        """Give everything a case may name beside its scene."""
        keys, now = self.keys[letter], datetime.now(UTC)
        stamp = "%Y-%m-%dT%H:%M:%SZ"
        return {
            "letter": letter,
            "hook": HOOK,
            "host": f"127.0.0.1:{self.product.port}",
            "port": str(self.product.port),
            "token": keys["webhook_token"],
            "organisation": keys["organisation_id"],
            "api key": keys["api_key"],
            "widget key": keys["widget_key"],
            "their token": self.keys["B"]["webhook_token"],
            "their organisation": self.keys["B"]["organisation_id"],
            "their api key": self.keys["B"]["api_key"],
            "their widget key": self.keys["B"]["widget_key"],
            "their ticket": self.theirs["ticket"],
            "their conversation": self._their_visitor["conversation"],
            "their visitor": self._their_visitor["visitor"],
            "other conversation": self._other_visitor["conversation"],
            "other visitor": self._other_visitor["visitor"],
            "emulator token": self.zendesk.token,
            "secret": SECRET,
            "account": str(ACCOUNT),
            "new": uuid.uuid4().hex,
            "now": now.strftime(stamp),
            "old": (now - timedelta(minutes=16)).strftime(stamp),
            "ahead": (now + timedelta(minutes=16)).strftime(stamp),
            "before": (now - timedelta(minutes=10)).strftime(stamp),
        }

    def send(self, scene: Scene, case: Case) -> wire.Answer:
        """Send a case's bytes once."""
        head, scene.body = case.bytes(scene.names)
        answer = wire.send(self.product.port, head, scene.body, pace=case.pace, to_the_end=case.closes)
        scene.sent.append(answer)
        return answer


@contextmanager
def a_place(folder: Path, parser: Parser, database: str, *, patient: bool = False) -> Iterator[Place]:
    """Open the place on a database with every table, and close it."""
    place = Place(folder, parser, database, patient=patient)
    try:
        place.start()
        yield place
    finally:
        place.close()
