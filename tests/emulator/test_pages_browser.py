"""The pages in a real browser: walk the admin pages as a set-up guide does, then work at the desk."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import a_browser, needs_chromium

from .test_pages import BODY
from .world import World

pytestmark = [pytest.mark.browser, needs_chromium]


@pytest.fixture(scope="module", name="chromium")
def _chromium() -> Iterator[Browser]:
    with a_browser() as browser:
        yield browser


@pytest.fixture(name="page")
def _page(world: World, chromium: Browser) -> Iterator[Page]:
    """Open a page that must stay silent in the console and ask nobody else for anything."""
    complaints: list[str] = []
    context = chromium.new_context(base_url=world.base, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(world.base) else complaints.append(request.url))
    yield page
    context.close()
    assert complaints == []


def follow(page: Page, *names: str) -> None:
    """Follow links, one after the other, and be there: a page does some of its work once it is whole."""
    for name in names:
        with page.expect_navigation():
            page.get_by_role("link", name=name, exact=True).first.click()


def press(page: Page, name: str) -> None:
    """Press a button that leads to another page, and be there: the one before may already show what became of it."""
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def create_webhook(page: Page, name: str, endpoint: str) -> None:
    page.goto("/admin/webhooks")
    follow(page, "Create webhook")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Endpoint URL").fill(endpoint)
    page.get_by_label("Authentication", exact=True).select_option(label="Bearer token")
    page.get_by_label("Token", exact=True).fill("hook-token")
    page.get_by_label("Header name").fill("fv-organisation-id")
    page.get_by_label("Header value").fill("org-42")


def test_the_admin_pages_can_be_walked_like_the_guide(world: World, page: Page) -> None:
    page.goto("/")
    follow(page, "Admin", "Conversations API")
    page.get_by_label("Name", exact=True).fill("Bridge")
    press(page, "Create API key")
    key = list(world.emulator.account.records.conversations_keys.values())[-1]
    once = page.get_by_role("region", name="Bridge: copy these now")
    for value in (world.seed.app_id, key.id, key.secret):
        expect(once.get_by_text(value, exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_text(key.secret)).to_be_hidden()

    follow(page, "OAuth clients")
    page.get_by_label("Client name").fill("Bridge")
    page.get_by_label("Identifier").fill("bridge")
    press(page, "Save client")
    client = list(world.emulator.account.records.oauth_clients.values())[-1]
    expect(page.get_by_text(client.secret, exact=True)).to_be_visible()

    create_webhook(page, "Chat events", f"{world.receiver.url}/events")
    page.get_by_label("Zendesk events").check()
    for event in ("Status changed", "Agent assignment changed", "Message added"):
        page.get_by_label(event, exact=True).check()
    press(page, "Test webhook")
    expect(page.get_by_text("The receiver took it.")).to_be_visible()
    press(page, "Create webhook")
    expect(page.get_by_role("heading", name="Chat events")).to_be_visible()

    create_webhook(page, "Session end", f"{world.receiver.url}/ended")
    page.get_by_label("Trigger or automation").check()
    expect(page.get_by_label("Status changed")).to_be_hidden()
    press(page, "Create webhook")

    follow(page, "Triggers", "Create trigger")
    page.get_by_label("Trigger name").fill("Chat left Active")
    page.get_by_label("Trigger category").select_option(label="Notifications")
    every = page.get_by_role("group", name="Meet ALL of the following conditions")
    every.get_by_label("Condition", exact=True).select_option(label="Messaging session state")
    every.get_by_label("Operator", exact=True).select_option(label="Changed from")
    options = every.get_by_label("Value", exact=True).locator("option").all_inner_texts()
    assert options == ["Choose a value", "Active", "Inactive", "Ended"]
    every.get_by_label("Value", exact=True).select_option(label="Active")
    page.get_by_label("Action", exact=True).select_option(label="Active webhook")
    page.get_by_label("Webhook", exact=True).select_option(label="Session end")
    page.get_by_label("JSON body", exact=True).fill(BODY)
    press(page, "Create trigger")
    expect(page.get_by_text("ALL: Messaging session state · Changed from · Active")).to_be_visible()
    (trigger,) = world.emulator.account.records.triggers.values()
    assert trigger.actions[0]["value"][1] == BODY

    follow(page, "Messaging")
    expect(page.get_by_label("Agents can end messaging sessions at any time")).to_be_checked()

    *_, ticket = world.live()
    page.goto(f"/desk/tickets/{ticket}")
    press(page, "End session")
    ended = next(request for request in world.receiver.wait(2) if request.path == "/ended")
    assert ended.body.decode() == BODY.replace("{{ticket.id}}", str(ticket))
    assert ended.headers["fv-organisation-id"] == "org-42"


def test_an_agent_works_through_a_chat(world: World, page: Page) -> None:
    page.goto("/desk")
    with page.expect_navigation():
        page.get_by_label("You are").select_option(label="Mira Sato")
    press(page, "Online")
    user, conversation, ticket = world.live()
    customer = {"type": "user", "userId": user}
    world.say(conversation, customer, "Is anybody there?")
    incoming = page.get_by_role("region", name="Incoming conversations")
    incoming.get_by_text("Is anybody there?").wait_for()
    incoming.get_by_role("button", name="Accept").click()
    page.get_by_role("heading", name="Conversation", exact=True).wait_for()

    log = page.get_by_role("log")
    page.get_by_label("Reply", exact=True).fill("Hello Mara, I am here.")
    press(page, "Send reply")
    log.get_by_text("Hello Mara, I am here.").wait_for()

    page.get_by_label("Internal note", exact=True).fill("A draft that must survive")
    world.say(conversation, customer, "Wonderful, thank you!")
    log.get_by_text("Wonderful, thank you!").wait_for()
    assert page.get_by_label("Internal note", exact=True).input_value() == "A draft that must survive"
    press(page, "Add internal note")
    log.get_by_text("A draft that must survive").wait_for()

    press(page, "Submit as Solved")
    page.locator("#state").get_by_text("Solved", exact=True).wait_for()
    world.say(conversation, customer, "One more question")
    page.locator("#state").get_by_text("Open", exact=True).wait_for()

    press(page, "Session goes inactive")
    page.get_by_text("Session inactive").first.wait_for()
    press(page, "End session")
    page.get_by_text("the composer is disabled").wait_for()
    expect(page.get_by_role("button", name="End session")).to_have_count(0)
    record = world.emulator.desk.ticket(ticket)
    assert (record.session, record.status) == ("ended", "open")


def test_a_ticket_is_taken_over_and_answered(world: World, page: Page) -> None:
    ticket = world.ticket(subject="Refund for order 1047", tags=["refund"])
    page.goto("/desk")
    follow(page, "Refund for order 1047")
    press(page, "Assign to me")
    page.get_by_text("is yours").wait_for()
    page.get_by_label("Reply", exact=True).fill("It is on its way.")
    with page.expect_navigation():
        page.get_by_label("Reply", exact=True).press("Control+Enter")
    page.get_by_role("log").get_by_text("It is on its way.").wait_for()
    press(page, "Submit as Solved")
    page.get_by_text("Submitted as Solved").wait_for()
    assert world.emulator.desk.ticket(ticket["id"]).status == "solved"


def test_the_request_log_fills_while_one_looks(world: World, page: Page) -> None:
    page.goto("/admin/requests")
    world.ticket(subject="Seen at once")
    page.get_by_text("/api/v2/tickets").first.wait_for()
    page.locator("#entries summary").first.click()
    expect(page.get_by_text("Seen at once").first).to_be_visible()
    world.ticket(subject="And another")
    page.locator("#entries > details").nth(1).wait_for()
    expect(page.get_by_text("Seen at once").first).to_be_visible()
    expect(page.locator("#entries > details[open]")).to_have_count(1)


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_the_screen(world: World, page: Page, width: int) -> None:
    *_, ticket = world.live()
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("/", "/desk?view=all", f"/desk/tickets/{ticket}", "/admin/webhooks/new", "/admin/triggers/new"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    for path in ("/admin/conversations-api", "/admin/oauth-clients", "/admin/faults", "/admin/requests"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_everything_one_can_use_has_a_name(world: World, page: Page) -> None:
    *_, ticket = world.live()
    for path in (
        "/",
        "/desk",
        f"/desk/tickets/{ticket}",
        "/admin/webhooks/new",
        "/admin/triggers/new",
        "/admin/faults",
    ):
        page.goto(path)
        for line in page.locator("body").aria_snapshot().splitlines():
            assert not re.fullmatch(r"\s*- (button|textbox|combobox|link|checkbox|radio)(:.*)?", line), (path, line)


def test_the_desk_works_without_javascript(world: World, chromium: Browser) -> None:
    *_, ticket = world.live()
    context = chromium.new_context(base_url=world.base, java_script_enabled=False)
    page = context.new_page()
    page.goto("/desk")
    page.get_by_role("button", name="Accept").click()
    page.get_by_label("Reply", exact=True).fill("No script needed")
    press(page, "Send reply")
    expect(page.get_by_role("log").get_by_text("No script needed")).to_be_visible()
    context.close()
    assert world.emulator.desk.ticket(ticket).status == "open"
