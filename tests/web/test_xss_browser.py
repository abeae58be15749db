"""Whatever people write is text: two hundred payloads in every place, in a real browser (T10, bar 19).

An execution would set `window.ran`, open a dialog or call another address; the policy would report what it had to stop.
All of these must stay at nothing: the payload is inert because it is text, not because the policy caught it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from escalade.domain.model import ConversationId, Customer, CustomerId, MessageId, Role, Utterance
from escalade.store import audit, conversations, customers, messages
from escalade.store.database import Tx
from tests.browser import a_browser, needs_chromium
from tests.serving import until
from tests.web.payloads import payloads
from tests.web.stage import Stage, stage

pytestmark = [pytest.mark.browser, needs_chromium]

PAYLOADS = payloads()
LAST_WORDS = "and that was all of them"
WATCH = """
  window.ran = undefined; window.reports = [];
  document.addEventListener('securitypolicyviolation',
    e => window.reports.push(e.violatedDirective + ' ' + e.blockedURI));
"""

STIR = """() => {
  for (const element of document.querySelectorAll('*'))
    for (const type of ['mouseover', 'pointerenter', 'focus', 'toggle', 'wheel'])
      element.dispatchEvent(new Event(type, { bubbles: true }));
}"""


class Witness:
    """A page, and everything that must not happen on it."""

    def __init__(self, browser: Browser, running: Stage) -> None:
        self.running = running
        self.context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.page: Page = self.context.new_page()
        self.happened: list[str] = []
        self.page.add_init_script(WATCH)
        self.page.on("dialog", self._asked_aloud)
        self.page.on("request", self._asked)
        self.page.on("pageerror", lambda error: self.happened.append(f"error {error}"))
        self.page.on("popup", lambda page: self.happened.append(f"popup {page.url}"))
        self.page.on(
            "console",
            lambda m: (
                self.happened.append(m.text) if "Content Security Policy" in m.text or "Trusted" in m.text else None
            ),
        )

    def _asked_aloud(self, dialog: Dialog) -> None:
        self.happened.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _asked(self, request: object) -> None:
        url = str(getattr(request, "url", ""))
        if not url.startswith((self.running.base_url, "data:")):
            self.happened.append(f"request {url}")

    def see(self, path: str) -> Page:
        self.page.goto(self.running.base_url + path)
        self.page.wait_for_load_state("networkidle")
        return self.page

    def sees_nothing_happen(self) -> None:
        """Move over everything and look for what ran."""
        self.page.evaluate(STIR)
        assert self.page.evaluate("() => window.ran") is None
        assert self.page.evaluate("() => window.reports") == []
        assert self.happened == []


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("hostile")) as found:
        _hostile(found)
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as found:
        yield found


@pytest.fixture
def witness(browser: Browser, running: Stage) -> Iterator[Witness]:
    found = Witness(browser, running)
    yield found
    found.context.close()


def _hostile(running: Stage) -> None:
    """Put the payloads wherever somebody else's words can stand."""
    running.connect()
    id = running.conversation("Hello")

    def written(tx: Tx) -> None:
        now = running.product.ports.now()
        for n, payload in enumerate(PAYLOADS):
            person = Customer(
                id=CustomerId(f"c-{n}"), name=payload[:128], email=payload[:254], external_id=payload[:128]
            )
            customers.save(tx, running.organisation, person, now)
        organisation = running.organisation
        tx.run("UPDATE organisation SET name = :name", name="<img src=x onerror=window.ran=1>")
        conversation = conversations.load(tx, organisation, ConversationId(id))
        assert conversation is not None
        _say_all(tx, running, ConversationId(id))
        tx.run(
            "UPDATE customer SET name = :it, email = :it WHERE id = :id", it=PAYLOADS[0], id=conversation.customer.id
        )
        for payload in PAYLOADS:
            audit.record(tx, organisation, payload, payload, {payload: payload}, now)
            tx.run(
                "INSERT INTO receipt (organisation, source, key, kind, conversation, body, state, outcome, received_at)"
                " VALUES (:o, :it, :it, :it, :c, :it, 'ignored', :it, :now)",
                o=organisation, it=payload, c=id, now=now,
            )  # fmt: skip

    running.write(written)
    for n, payload in enumerate(PAYLOADS[::7]):
        customer = {"id": f"x-{n}", "name": payload[:100].replace("\n", " ").replace("\x01", "").replace("\t", " ")}
        running.conversation(payload if payload.strip() else "x", customer=customer)


def _say_all(tx: Tx, running: Stage, id: ConversationId) -> None:
    ports = running.product.ports
    roles = (Role.AGENT, Role.ASSISTANT, Role.CUSTOMER, Role.SYSTEM)  # the last words are not the system's
    for n, payload in enumerate([*PAYLOADS, LAST_WORDS]):
        conversation = conversations.load(tx, running.organisation, id)
        assert conversation is not None
        said = Utterance(role=roles[n % 4], text=payload, name=payload[:100], avatar_url=None)
        messages.append(tx, conversation, said, MessageId(f"hostile-{n:04}"), ports.now(), said_at=ports.wall())


def test_there_are_two_hundred_of_them() -> None:
    assert len(PAYLOADS) >= 200


def test_the_witness_would_see_it(witness: Witness) -> None:
    """Show that each of the four ways to notice works, on a page without a policy."""
    witness.page.set_content("<img src=x onerror='window.ran=1'><img src='http://elsewhere.invalid/a.png'>")
    witness.page.wait_for_function("() => window.ran === 1")
    assert any(one.startswith("request http://elsewhere.invalid") for one in witness.happened)


def test_nothing_runs_in_the_widget(witness: Witness) -> None:
    page = witness.see("/widget/v1/panel?key=pk_acme&origin=http://localhost")
    page.get_by_role("textbox").first.fill(PAYLOADS[1])
    page.keyboard.press("Enter")
    expect(page.get_by_text(PAYLOADS[1], exact=True).first).to_be_visible()
    theirs = "SELECT conversation FROM message WHERE text = :it AND id NOT LIKE 'hostile-%'"
    id = until(lambda: witness.running.write(lambda tx: tx.value(theirs, it=PAYLOADS[1])))
    witness.running.write(lambda tx: _say_all(tx, witness.running, ConversationId(id)))
    expect(page.get_by_text(LAST_WORDS).first).to_be_attached()
    witness.sees_nothing_happen()
    shown = page.evaluate("() => document.body.innerText")
    for plain in ("<script>window.ran=1</script>", "<iframe src=http://elsewhere.invalid></iframe>", "{{7*7}}"):
        assert plain in shown, "the words are shown as they were written"
    links = page.evaluate("() => [...document.querySelectorAll('a')].map(a => a.href)")
    assert all(link.startswith(("http:", "https:", "mailto:")) for link in links), links


def _first_conversation(running: Stage) -> str:
    found: str = running.write(
        lambda tx: tx.value("SELECT conversation FROM message WHERE id = 'hostile-0000' ORDER BY created_at LIMIT 1")
    )
    return found


@pytest.mark.parametrize(
    "path",
    ["", "/conversations", "/conversations?text=%3Cscript%3Ewindow.ran=1%3C/script%3E", "/conversations/{id}",
     "/conversations/{id}?view=said", "/deliveries", "/settings", "/settings/audit", "/settings/audit?page=3",
     "/escalate", "/escalate/webhook", "/widget", "/knowledge", "/assistant", "/playground", "/hindsight", "/gaps",
     "/escalate/tickets"],
)  # fmt: skip
def test_nothing_runs_in_the_console(witness: Witness, path: str) -> None:
    token = witness.running.link()
    witness.see(f"/console/sign-in?token={token}")
    with witness.page.expect_navigation():
        witness.page.get_by_role("button", name="Sign in").click()
    page = witness.see("/console" + path.format(id=_first_conversation(witness.running)))
    witness.sees_nothing_happen()
    assert (
        page.evaluate("() => document.querySelectorAll('main script, main iframe, main object, main embed').length")
        == 0
    )
    links = page.evaluate("() => [...document.querySelectorAll('a')].map(a => a.href)")
    assert all(link.startswith(("http:", "https:")) for link in links), links
