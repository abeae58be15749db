"""The console in a real browser: set up by keyboard alone, a story that grows by itself, nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from escalade.domain import policy as words
from tests.browser import CHROMIUM, needs_chromium
from tests.serving import until

from .stage import Stage, stage

TO_PEOPLE = f"Assistant: {words.ASKED_TICKET}"

pytestmark = [pytest.mark.browser, needs_chromium]

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PAGES = [
    "",
    "/conversations",
    "/deliveries",
    "/escalate",
    "/escalate/connection",
    "/escalate/tickets",
    "/escalate/live",
    "/escalate/webhook",
    "/escalate/session-end",
    "/escalate/app",
    "/knowledge",
    "/assistant",
    "/gaps",
    "/playground",
    "/hindsight",
    "/widget",
    "/settings",
    "/settings/audit",
]
NAME_OF_FOCUS = """() => {
  const at = document.activeElement;
  const label = at.labels?.[0]?.querySelector('strong') ?? at.labels?.[0];
  return label?.innerText || at.getAttribute('aria-label') || at.innerText || '';
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield launched
        launched.close()


@pytest.fixture
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("console")) as found:
        yield found


class Operator:
    """A person at a browser, with everything its console complained about."""

    def __init__(self, context: BrowserContext, running: Stage) -> None:
        self.running = running
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in {"error", "warning"} else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._seen(request.url))

    def _seen(self, url: str) -> None:
        if not url.startswith(self.running.base_url):
            self.foreign.append(url)

    def sign_in(self) -> None:
        self.page.goto(f"{self.running.base_url}/console/sign-in?token={self.running.link()}")
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Home")).to_be_visible()

    def open(self, path: str) -> None:
        self.page.goto(f"{self.running.base_url}/console{path}")

    # by keyboard

    def tab_to(self, name: str) -> None:
        """Press Tab until something of this name has the focus."""
        for _ in range(80):
            self.page.keyboard.press("Tab")
            if str(self.page.evaluate(NAME_OF_FOCUS)).strip().startswith(name):
                return
        raise AssertionError(f"{name} cannot be reached by keyboard")

    def press(self, name: str, key: str = "Enter") -> None:
        self.tab_to(name)
        self.page.keyboard.press(key)

    def follow(self, name: str) -> None:
        """Press Enter on what leads to another page."""
        self.tab_to(name)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def type(self, name: str, text: str) -> None:
        self.tab_to(name)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)


@pytest.fixture
def operator(chromium: Browser, running: Stage) -> Iterator[Operator]:
    context = chromium.new_context(viewport={"width": 1280, "height": 860})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=running.base_url)
    yield Operator(context, running)
    context.close()


def test_human_handoff_is_set_up_by_keyboard_alone(operator: Operator, running: Stage) -> None:
    page, seed = operator.page, running.emulator.seed
    page.goto(f"{running.base_url}/console/sign-in?token={running.link()}")
    operator.follow("Sign in")
    expect(page.get_by_text("0 of 7 done")).to_be_visible()
    operator.press("Skip to content")
    operator.follow("Connect")

    operator.type("Subdomain", "acme")
    operator.type("Base address", running.zendesk)
    operator.type("Client ID", seed.oauth_client_id)
    operator.type("Client secret", seed.oauth_client_secret)
    operator.follow("Save and test")
    expect(page.get_by_role("status")).to_contain_text("Connected as Ada Admin (admin)")
    expect(page.get_by_role("status")).to_be_focused()
    expect(page.get_by_label("Client secret")).to_have_value("")
    expect(page.get_by_text(f"•••• {seed.oauth_client_secret[-4:]}")).to_be_visible()

    operator.open("/escalate")
    operator.follow("Support tickets")
    operator.tab_to("Group")
    page.keyboard.type("Bil")
    operator.type("Tags", "from-the-widget")
    operator.follow("Save")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(page.get_by_label("Group", exact=False).first).to_contain_text("Billing")
    assert page.locator("select[name=group_id] option:checked").inner_text() == "Billing"

    operator.open("/escalate")
    operator.follow("Live chat")
    operator.tab_to("Session end")  # the last of the tabs; the switch is next
    operator.press("Live chat", "Space")
    operator.type("App ID", seed.app_id)
    operator.type("Key ID", seed.key_id)
    operator.type("Secret", "not-the-secret")
    operator.type("Base address", f"{running.zendesk}/sc")
    operator.follow("Save")
    expect(page.get_by_role("alert")).to_contain_text("Live chat stays off")
    expect(page.get_by_role("alert")).to_contain_text("unauthorized")
    expect(page.get_by_role("alert")).to_be_focused()
    operator.type("Secret", seed.key_secret)
    operator.follow("Save")
    expect(page.get_by_role("status")).to_contain_text("Live chat is on")

    operator.open("")
    expect(page.get_by_text("3 of 7 done")).to_be_visible()
    assert operator.foreign == []
    assert [text for text in operator.complaints if "422" not in text] == []


def test_a_story_grows_while_it_is_looked_at(operator: Operator, running: Stage) -> None:
    running.connect()
    operator.sign_in()
    id = running.conversation("Where is <b>my</b> parcel? A person please")
    until(lambda: (running.api("GET", f"/conversations/{id}").json()["handoff"] or {}).get("ticket_id"))
    page = operator.page
    operator.open("/conversations")
    page.get_by_role("link", name="Mara Okafor").click()
    story = page.get_by_role("region", name="Timeline")
    said = story.locator(".said")
    expect(said.get_by_text("Where is <b>my</b> parcel? A person please")).to_be_visible()
    expect(story.get_by_text("Handoff asked for", exact=True)).to_be_visible()
    line = story.locator("details.technical", has_text="Owed · Open the ticket")
    line.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(line.get_by_text("OpenTicket").first).to_be_visible()
    page.keyboard.press("Tab")
    page.evaluate("document.activeElement.blur()")
    running.api("POST", f"/conversations/{id}/messages", {"text": "Number 4711"})
    expect(said.get_by_text("Number 4711")).to_be_visible()
    expect(line.get_by_text("OpenTicket").first).to_be_visible()  # what was open stays open
    assert operator.complaints == []


def test_a_new_token_can_be_copied_and_is_gone_after_a_look(operator: Operator, running: Stage) -> None:
    operator.sign_in()
    page = operator.page
    operator.open("/escalate/webhook")
    page.get_by_text("Rotate…").click()
    page.get_by_role("button", name="Rotate", exact=True).click()
    note = page.get_by_role("status").first
    token = note.get_by_role("textbox").inner_text()
    assert token.startswith("wt_")
    note.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == token
    page.reload()
    expect(page.get_by_text(token)).to_have_count(0)


def test_everything_works_without_a_script(chromium: Browser, running: Stage) -> None:
    context = chromium.new_context(java_script_enabled=False)
    operator, seed = Operator(context, running), running.emulator.seed
    operator.sign_in()
    page = operator.page
    operator.open("/escalate/connection")
    page.get_by_label("Subdomain").fill("acme")
    page.get_by_label("Base address").fill(running.zendesk)
    page.get_by_label("Existing API token").check()
    expect(page.get_by_text("API tokens stop working on 30 April 2027")).to_be_visible()
    page.get_by_label("Email").fill(seed.admin_email)
    page.get_by_label("API token", exact=True).fill(seed.api_token)
    page.get_by_role("button", name="Save and test").click()
    expect(page.get_by_role("status")).to_contain_text("Connected as")
    page.get_by_text("Disconnect…").click()
    page.get_by_role("button", name="Disconnect", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Disconnected")
    context.close()


def test_every_page_fits_its_window_in_both_schemes(operator: Operator, running: Stage) -> None:
    running.connect()
    running.api("PATCH", "/settings", {"tickets": {"group_id": 4242, "assignee_id": 4343}})
    id = running.conversation("A person please", "a" * 300)
    until(lambda: running.api("GET", "/deliveries?state=refused").json()["deliveries"])
    operator.sign_in()
    page = operator.page
    for path in [*PAGES, f"/conversations/{id}", "/conversations/none"]:
        operator.open(path)
        page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
        schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            for width in (320, 390, 900, 1280):
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
    assert operator.foreign == []
    assert [text for text in operator.complaints if "404" not in text] == []


def test_the_confidence_is_a_slider_along_its_curve(operator: Operator) -> None:
    page = operator.page
    operator.sign_in()
    operator.open("/assistant")
    number, slider = page.locator("input[name=minimum_confidence]"), page.get_by_role("slider")
    expect(slider).to_have_value("90")
    mark = page.locator(".curve .mark")
    before = mark.get_attribute("transform")
    slider.focus()
    page.keyboard.press("Home")
    expect(number).to_have_value("0")
    assert mark.get_attribute("transform") != before
    row = page.locator("tr", has=page.locator("th", has_text="95 %"))
    number.fill("95")
    expect(slider).to_have_value("95")
    page.get_by_text("As a table").click()
    expect(page.locator("[data-share='0']")).to_have_text(row.locator("[data-label=Precision]").inner_text())
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", re.compile("^95 %: precision"))
    assert operator.complaints == []


def test_a_question_is_tried_and_the_past_looked_at_without_a_script(chromium: Browser, running: Stage) -> None:
    running.connect()
    running.conversation("A person please")
    until(lambda: running.write(lambda tx: tx.value("SELECT count(*) FROM handoff WHERE organisation = 'org_acme'")))
    context = chromium.new_context(java_script_enabled=False)
    operator = Operator(context, running)
    operator.sign_in()
    page = operator.page
    operator.open("/playground")
    page.get_by_label("What the customer writes").fill("Do you sell bread?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("The assistant had no answer")).to_be_visible()
    page.get_by_role("button", name="Go on from here").click()
    expect(page.get_by_label("Earlier turns")).to_have_value("Customer: Do you sell bread?\n" + TO_PEOPLE)
    operator.open("/assistant")
    page.locator("input[name=minimum_confidence]").fill("50")
    page.get_by_role("button", name="Try on past conversations").click()
    expect(page.get_by_text("With settings that are not saved")).to_be_visible()
    expect(page.get_by_role("cell", name="As it was")).to_be_visible()
    page.get_by_text("The ticket", exact=False).last.click()
    expect(page.get_by_text("Internal note")).to_be_visible()
    context.close()


def test_the_menu_of_a_phone_opens_and_closes_by_keyboard(operator: Operator) -> None:
    page = operator.page
    operator.sign_in()
    page.set_viewport_size({"width": 390, "height": 800})
    operator.press("Menu")
    expect(page.get_by_role("link", name="Conversations", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Conversations", exact=True)).to_be_hidden()
    operator.press("Menu")
    operator.follow("Knowledge")
    expect(page.get_by_role("heading", name="Knowledge", exact=True)).to_be_visible()
