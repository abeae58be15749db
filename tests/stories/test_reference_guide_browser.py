"""The reference guide, followed word by word on the fake Zendesk's admin pages; then it works without another step."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import a_browser, needs_chromium
from tests.world import SESSION_END_BODY, World

pytestmark = [pytest.mark.processes, pytest.mark.browser, needs_chromium]


@pytest.fixture
def page() -> Iterator[Page]:
    with a_browser() as browser:
        yield browser.new_context().new_page()


def create_webhook(page: Page, world: World, name: str, *, events: list[str]) -> None:
    """Apps and integrations › Webhooks › Create webhook."""
    page.goto(f"{world.zendesk.url}/admin/webhooks")
    with page.expect_navigation():
        page.get_by_role("link", name="Create webhook").click()
    page.get_by_role("radio", name="Zendesk events" if events else "Trigger or automation").check()
    for event in events:
        page.get_by_role("checkbox", name=event).check()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Endpoint URL").fill(world.product.keys["webhook_url"])
    page.get_by_label("Authentication").select_option(label="Bearer token")
    page.get_by_label("Token", exact=True).fill(world.product.keys["webhook_token"])
    page.get_by_label("Header name").first.fill("fv-organisation-id")
    page.get_by_label("Header value").first.fill(world.product.keys["organisation_id"])
    with page.expect_navigation():
        page.get_by_role("button", name="Create webhook").click()
    expect(page.locator("main")).to_contain_text(name)


def test_a_webhook_and_a_trigger_set_up_by_the_guide_just_work(fresh_world: World, page: Page) -> None:
    world = fresh_world
    page.goto(f"{world.zendesk.url}/admin/conversations-api")
    page.get_by_label("Name").fill("Escalade")
    page.get_by_role("button", name="Create API key").click()
    shown = page.get_by_role("region", name=re.compile("copy these now")).inner_text()
    app_id, key_id, secret = (
        re.search(rf"{label}\s+(\S+)", shown)[1]  # type: ignore[index]
        for label in ("App ID", "Key ID", "Secret(?: key)?")
    )
    world.connect(live=True, webhooks=False, app_id=app_id, key_id=key_id, secret=secret)
    create_webhook(page, world, "AI escalation", events=["Status changed", "Agent assignment changed", "Message added"])
    create_webhook(page, world, "AI escalation: session end", events=[])

    page.goto(f"{world.zendesk.url}/admin/triggers")
    with page.expect_navigation():
        page.get_by_role("link", name="Create trigger").click()
    page.get_by_label("Trigger name").fill("AI escalation: session end")
    page.get_by_label("Trigger category").select_option(label="Notifications")
    any_of = page.get_by_role("group", name=re.compile("Meet ANY"))
    any_of.get_by_label("Condition").first.select_option(label="Messaging session state")
    any_of.get_by_label("Operator").first.select_option(label="Changed from")
    any_of.get_by_label("Value").first.select_option(label="Active")
    page.get_by_label("Action", exact=True).first.select_option(label="Active webhook")
    page.get_by_label("Webhook", exact=True).first.select_option(label="AI escalation: session end")
    page.get_by_label("JSON body").first.fill(SESSION_END_BODY)
    with page.expect_navigation():  # the page before names the webhook, which is called the same
        page.get_by_role("button", name="Create trigger").click()
    expect(page.locator("main")).to_contain_text("AI escalation: session end")

    customer = world.customer()
    customer.says("May I speak to someone?")
    customer.wait_until(state="queued")
    ticket = str(world.ticket_of(customer)["id"])
    world.zendesk.agent("accept", ticket=ticket)
    customer.wait_until(state="with_agent")
    world.zendesk.agent("reply", ticket=ticket, body="Hello from the desk")
    customer.wait_for("agent", "Hello from the desk")
    world.zendesk.agent("end-session", ticket=ticket)
    customer.wait_until(state="ended", ended="by_agent")

    heard = {r["kind"] for r in world.product.api("GET", "/receipts")["receipts"] if r["source"] == "zendesk"}
    assert {"message_added", "assignment_changed", "status_changed", "session_end"} <= heard
