"""Start product, fake Zendesk and shop, wire them the way the guide says, and stop them together.

Nothing here is a shortcut: the product is told what an administrator would tell it, through its own commands and API,
and the fake Zendesk is set up the way its admin pages do it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from escalade.demo.shop import Shop
from escalade.domain.errors import ConfigError

HOME = Path(".demo")
ARTICLES = Path(__file__).parent / "articles"
COMPANY = "Fernhill Outdoor"
OPERATOR = "owner@fernhill.example"
CONTROL_TOKEN = "demo-control"  # noqa: S105 - opens the fake Zendesk of this machine only
READY_S = 60.0
# The reference guide's trigger body, byte for byte.
SESSION_END_BODY = '{ "ticket_id": "{{ticket.id}}", "type": "fv:conversation_closed", }'
EVENTS = [
    "zen:event-type:ticket.status_changed",
    "zen:event-type:ticket.agent_assignment_changed",
    "zen:event-type:messaging_ticket.message_added",
]


def run(port: int, *, fresh: bool, browser: bool) -> None:
    """Run the demo until it is interrupted."""
    started = time.monotonic()
    _require_free(port, port + 1, port + 2)
    if fresh:
        _forget()
    HOME.mkdir(mode=0o700, exist_ok=True)
    product, zendesk, shop = (
        f"http://127.0.0.1:{port}",
        f"http://127.0.0.1:{port + 1}",
        f"http://localhost:{port + 2}",
    )
    environment = {
        "ESCALADE_ENV": "development",
        "ESCALADE_DATABASE_URL": f"sqlite:///{HOME / 'escalade.db'}",
        "ESCALADE_PUBLIC_URL": product,
        "ESCALADE_HOST": "127.0.0.1",
        "ESCALADE_PORT": str(port),
    }
    os.environ.update(environment)
    _say("Starting the fake Zendesk and the product …")
    with _programs() as programs:
        programs.start(
            "zendesk",
            ["-m", "zendesk_emulator", "serve", "--port", str(port + 1), "--token", CONTROL_TOKEN],
            f"{zendesk}/emulator/fidelity",
        )
        keys = _organisation()
        programs.start("escalade", ["-m", "escalade", "serve"], f"{product}/api/v1/ready")
        _connect(product, zendesk, keys)
        _learn(keys["organisation_id"])
        from escalade.admin import add_operator

        link = add_operator(OPERATOR, keys["organisation_id"], "owner")
        with Shop(port + 2, product=product, widget_key=keys["widget_key"], desk=zendesk, console=link):
            _welcome(product, zendesk, shop, link, time.monotonic() - started)
            if browser and _has_screen():
                webbrowser.open(shop)
            programs.wait()


def _require_free(*ports: int) -> None:
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has just ended does not count
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise ConfigError(
                    f"port {port} is taken; stop what uses it, or choose other ports with `--port`"
                ) from error


def _forget() -> None:
    for path in HOME.glob("*"):
        path.unlink()


def _organisation() -> dict[str, str]:
    """Create the demo company once; its keys are shown once, so the demo keeps them."""
    kept = HOME / "keys.json"
    if kept.exists():
        found: dict[str, str] = json.loads(kept.read_text())
        return found
    from escalade.admin import create_organisation

    keys = create_organisation(COMPANY)
    with os.fdopen(os.open(kept, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
        json.dump(keys, file)
    return keys


def _connect(product: str, zendesk: str, keys: dict[str, str]) -> None:
    """Tell each side of the other: credentials here, webhooks and trigger there."""
    with httpx2.Client(headers={"Authorization": f"Bearer {CONTROL_TOKEN}"}, timeout=20) as desk:
        seed = _answered(desk.get(f"{zendesk}/emulator/seed"))
        settings = {
            "zendesk": {
                "subdomain": seed["subdomain"],
                "base_url": zendesk,
                "auth": {
                    "type": "client_credentials",
                    "client_id": seed["oauth_client_id"],
                    "client_secret": seed["oauth_client_secret"],
                },
            },
            "live": {
                "enabled": True,
                "app_id": seed["app_id"],
                "key_id": seed["key_id"],
                "secret": seed["key_secret"],
                "base_url": f"{zendesk}/sc",
            },
        }
        key = {"Authorization": f"Bearer {keys['api_key']}"}
        _answered(httpx2.patch(f"{product}/api/v1/settings", json=settings, headers=key, timeout=20))
        common = {
            "status": "active",
            "endpoint": f"{product}/ai-agent/escalation/webhooks/zendesk/all",
            "http_method": "POST",
            "request_format": "json",
            "authentication": {
                "type": "bearer_token",
                "data": {"token": keys["webhook_token"]},
                "add_position": "header",
            },
            "custom_headers": {"fv-organisation-id": keys["organisation_id"]},
        }
        make = f"{zendesk}/emulator/admin"
        _answered(desk.post(f"{make}/webhook", json={"name": "Agent replies", "subscriptions": EVENTS, **common}))
        ending = {"name": "Session end", "subscriptions": ["conditional_ticket_events"], **common}
        webhook = _answered(desk.post(f"{make}/webhook", json=ending))["webhook"]["id"]
        admin = (f"{seed['admin_email']}/token", seed["api_token"])
        # What the condition is called is found by its title, as someone does who picks it from the list.
        known = _answered(httpx2.get(f"{zendesk}/api/v2/triggers/definitions", auth=admin))["definitions"]
        state = next(c["subject"] for c in known["conditions_any"] if c["title"] == "Messaging session state")
        app = {"name": "Escalade", "url": f"{product}/zendesk/app/{keys['organisation_id']}"}
        installed = _answered(desk.post(f"{make}/app", json=app))["app"]
        sidebar = {"installation_id": installed["installation_id"], "public_key": installed["public_key"]}
        _answered(httpx2.patch(f"{product}/api/v1/settings", json={"sidebar": sidebar}, headers=key, timeout=20))
        trigger = {
            "title": "Session end",
            "conditions": {"all": [], "any": [{"field": state, "operator": "value_previous", "value": "active"}]},
            "actions": [{"field": "notification_webhook", "value": [webhook, SESSION_END_BODY]}],
        }
        _answered(desk.post(f"{make}/trigger", json=trigger))


def _answered(answer: httpx2.Response) -> Any:
    if answer.status_code >= 300:
        raise ConfigError(f"{answer.request.url} answered {answer.status_code}: {answer.text[:300]}")
    return answer.json()


def _learn(organisation: str) -> None:
    """Import the company's articles with the product's own command."""
    _say("Reading the company's help articles …")
    done = subprocess.run(
        [sys.executable, "-m", "escalade", "knowledge", "add", str(ARTICLES), "--org", organisation],
        check=False,
        stdout=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise ConfigError("the demo's articles could not be imported; the lines above say why")


def _welcome(product: str, zendesk: str, shop: str, link: str, seconds: float) -> None:
    print(
        f"""
  Ready after {seconds:.0f} s.

  The shop, be the customer     {shop}
  The agent desk, be the agent  {zendesk}/desk
  The console, be the admin     {link}
  The API's pages               {product}/api/v1/docs

  Ask "How do I return something?", then "I want to talk to a human", and answer at the desk.
  Ctrl-C stops everything; `--fresh` forgets what was said.
""",
        flush=True,
    )


def _say(line: str) -> None:
    print(f"  {line}", flush=True)


def _has_screen() -> bool:
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class _Programs:
    """Child programs that live and end together."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._stopped = threading.Event()

    def start(self, name: str, arguments: list[str], ready_url: str) -> None:
        """Start a program and wait until it answers; its log goes to a file of its own."""
        log = HOME / f"{name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen([sys.executable, *arguments], stdout=file, stderr=file, start_new_session=True)
        self._running[name] = process
        deadline = time.monotonic() + READY_S
        while True:
            if process.poll() is not None:
                raise ConfigError(f"{name} did not start:\n{log.read_text(errors='replace')[-1500:]}")
            try:
                if httpx2.get(ready_url, timeout=1).status_code < 500:
                    return
            except httpx2.HTTPError:
                pass
            if time.monotonic() > deadline:
                raise ConfigError(f"{name} did not answer within {READY_S:g} s; see {log}")
            time.sleep(0.05)

    def wait(self) -> None:
        """Wait for an interruption, or for a program that ends by itself."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stopped.set())
        while not self._stopped.wait(0.5):
            for name, process in self._running.items():
                if process.poll() is not None:
                    raise ConfigError(f"{name} has ended; see {HOME / f'{name}.log'}")

    def stop(self) -> None:
        """End every program, the last one started first."""
        for process in reversed(self._running.values()):
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(8)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def _programs() -> Iterator[_Programs]:
    programs = _Programs()
    try:
        yield programs
    finally:
        programs.stop()
