"""Secrets stay silent (I19, O02), and every key can be changed while people talk (E27)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from tests.world import World, a_world, eventually

pytestmark = pytest.mark.processes

OLD, NEW = "planted-old-master-key-0123456789abcdef", "planted-new-master-key-fedcba9876543210"


@pytest.fixture
def sign_in() -> Iterator[Callable[[World], Operator]]:
    """Sign somebody in; the browser is closed after the story."""
    opened: list[Operator] = []

    def enter(world: World) -> Operator:
        opened.append(Operator(world))
        return opened[-1]

    yield enter
    for one in opened:
        one.http.close()


@pytest.fixture
def sealed_world(tmp_path: Path) -> Iterator[World]:
    with a_world(tmp_path, ESCALADE_SECRET_KEY=OLD, ESCALADE_LOG_LEVEL="debug") as world:
        world.connect(live=True, require_online_agent=False)
        yield world


class Operator:
    """Somebody at the console, without a screen."""

    def __init__(self, world: World) -> None:
        self.link = world.product.command("operator", "add", "olga@example.com", "--org", "Fernhill").stdout.strip()
        self.http = httpx2.Client(base_url=world.product.url, timeout=30)
        self.token = self.link.partition("token=")[2]
        entered = self.http.post("/console/sign-in", data={"token": self.token}, headers={"origin": world.product.url})
        assert entered.status_code == 303, entered.text
        self.cookies = dict(self.http.cookies)

    def press(self, page: str, path: str, **form: str) -> str:
        """Send a form of a page and give the page it leads to."""
        csrf = re.search(r'name="csrf" value="([^"]+)"', self.http.get(page).text)
        assert csrf is not None
        done = self.http.post(path, data={"csrf": csrf[1], **form})
        assert done.status_code == 303, done.text
        return self.http.get(done.headers["location"]).text


def test_o02_planted_secrets_are_nowhere(
    sealed_world: World, sign_in: Callable[[World], Operator], tmp_path: Path
) -> None:
    world, product = sealed_world, sealed_world.product
    signing = "cGxhbnRlZC1zaWduaW5nLXNlY3JldA=="
    operator = sign_in(world)
    begun = product.http.post("/widget/v1/sessions", json={"key": product.keys["widget_key"]}).json()
    planted = {
        "master key": OLD,
        "OAuth client's secret": world.zendesk.seed["oauth_client_secret"],
        "Sunshine secret": world.zendesk.seed["key_secret"],
        "API key": product.keys["api_key"],
        "webhook token": product.keys["webhook_token"],
        "signing secret": signing,
        "sign-in link": operator.token,
        "console session": next(iter(operator.cookies.values())),
    }
    answers: list[str] = []

    def heard(answer: httpx2.Response) -> None:
        answers.append(f"{answer.request.method} {answer.request.url.path}\n{dict(answer.headers)}\n{answer.text}")

    customer = world.customer()
    customer.says("My tent arrived torn, I want a human")
    customer.wait_until(state="queued")
    world.zendesk.fault(
        method="POST", path="/messages", action="answer", status=401, body=f"no: {planted['Sunshine secret']}", times=1
    )
    customer.says("order 4711")
    eventually(lambda: "attempt_failed" in product.program.log(), "a call was refused")
    product.api("PATCH", "/settings", webhooks={"signing_secrets": [signing]})
    key, visitor = product.key, {"Authorization": f"Bearer {begun['token']}"}
    person = product.api("GET", f"/conversations/{customer.id}")["customer"]["id"]
    for path in (
        "/settings",
        "/deliveries",
        "/receipts",
        f"/conversations/{customer.id}/messages",
        f"/customers/{person}/export",
    ):
        heard(product.http.get(f"/api/v1{path}", headers=key))
    for path in ("", "/settings", "/escalate/connection", "/escalate/live", "/escalate/webhook", "/settings/audit",
                 "/deliveries", f"/conversations/{customer.id}", "/knowledge"):  # fmt: skip
        heard(operator.http.get(f"/console{path}"))
    heard(product.http.get("/widget/v1/conversations", headers=visitor))
    token = planted["webhook token"]
    for query in ("", f"?token={token}"):  # H07: a token in the query opens nothing and is not written down
        heard(product.http.post(f"/ai-agent/escalation/webhooks/zendesk/all{query}", json={"ticket_id": "1"}))
    heard(product.webhook(b"{", X_Zendesk_Webhook_Signature="wrong"))
    heard(product.http.get("/api/v1/conversations/none", headers=key))
    heard(
        product.http.post("/api/v1/conversations", content=b"\xff", headers=key | {"content-type": "application/json"})
    )
    heard(operator.http.get(f"/console/sign-in?token={operator.token}"))
    for command in (["db", "check"], ["knowledge", "list", "--org", "Fernhill"]):
        done = product.command(*command)
        answers.append(done.stdout + done.stderr)
    product.program.kill()

    log = product.program.log()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("escalade.db*"))
    assert "attempt_failed" in log
    assert len(answers) > 15
    for name, secret in planted.items():
        assert secret not in log, f"{name} in the log"
        assert secret.encode() not in stored, f"{name} in the database"
        for answer in answers:
            assert secret not in answer, f"{name} in {answer[:200]}"
    assert begun["token"].encode() not in stored
    product.program.start()  # whoever judges the story asks it for the last views


def test_keys_change_under_load_and_nothing_fails(sealed_world: World, sign_in: Callable[[World], Operator]) -> None:
    world, product = sealed_world, sealed_world.product
    operator = sign_in(world)
    customer = world.customer()
    customer.says("I want to talk to a human")
    customer.wait_until(state="queued")
    statuses: list[int] = []
    sent: list[str] = []
    stop = threading.Event()
    credentials = {"api": product.keys["api_key"], "webhook": product.keys["webhook_token"]}

    def hook(body: bytes) -> httpx2.Response:
        head = {
            "Authorization": f"Bearer {credentials['webhook']}",
            "fv-organisation-id": product.keys["organisation_id"],
        }
        return httpx2.post(
            f"{product.url}/ai-agent/escalation/webhooks/zendesk/all",
            content=body, headers=head | {"content-type": "application/json"}, timeout=30,
        )  # fmt: skip

    def talk() -> None:
        n = 0
        while not stop.is_set():
            n += 1
            key = {"Authorization": f"Bearer {credentials['api']}"}
            statuses.append(customer.tries(f"word-{n}", f"word {n}", key=key).status_code)
            sent.append(f"word {n}")
            statuses.append(hook(b'{"ticket_id": "999999", "type": "fv:conversation_closed", }').status_code)

    talking = threading.Thread(target=talk)
    talking.start()
    try:
        for _ in range(3):
            before = len(statuses)
            eventually(lambda before=before: len(statuses) > before + 6, "people talk")  # type: ignore[misc]
            page = operator.press("/console/settings", "/console/settings/api-key")
            fresh_key = re.search(r"ek_[\w-]{20,}", page)
            page = operator.press("/console/escalate/webhook", "/console/escalate/webhook/rotate")
            fresh_token = re.search(r"wt_[\w-]{20,}", page)
            assert fresh_key is not None
            assert fresh_token is not None
            before = len(statuses)
            eventually(lambda before=before: len(statuses) > before + 6, "the old ones still work")  # type: ignore[misc]
            credentials.update(api=fresh_key[0], webhook=fresh_token[0])
    finally:
        stop.set()
        talking.join(30)
    assert set(statuses) == {201, 200}, statuses
    product.keys["api_key"] = credentials["api"]
    for text in sent:
        assert text in customer.transcript("customer")

    # The master key: both, seal anew, the new one alone.
    for keys, reseal in ((f"{NEW},{OLD}", True), (NEW, False)):
        product.program.stop()
        product.environment["ESCALADE_SECRET_KEY"] = keys
        product.program._environment["ESCALADE_SECRET_KEY"] = keys
        product.program.start()
        customer.wait_delivered(customer.says(f"after {len(keys)}"))
        if reseal:
            assert "may be removed" in product.command("db", "reseal").stdout
    assert product.command("db", "check").stdout.startswith("the database is whole")
