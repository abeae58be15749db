"""The pages over HTTP, as a browser without JavaScript would send their forms."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx2
import pytest

from tests.serving import until

from .world import Json, World

Fields = list[tuple[str, str]] | dict[str, str]
BODY = '{\n  "ticket_id": "{{ticket.id}}",\n  "type": "fv:conversation_closed",\n}'


class Browser:
    """Opens pages and sends forms from the emulator's own origin."""

    def __init__(self, base: str) -> None:
        self._client = httpx2.Client(base_url=base, headers={"Origin": base}, timeout=20)

    def close(self) -> None:
        self._client.close()

    def page(self, path: str) -> str:
        answer = self._client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str, fields: Fields | None = None, **headers: str) -> httpx2.Response:
        pairs = list(fields.items()) if isinstance(fields, dict) else fields or []
        body = urlencode([(name, value.replace("\n", "\r\n")) for name, value in pairs])
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._client.post(path, content=body, headers={**form, **headers})

    def submit(self, path: str, fields: Fields | None = None) -> str:
        """Send a form, and give the page it leads to."""
        answer = self.send(path, fields)
        assert answer.status_code == 303, answer.text
        return self.page(answer.headers["location"])


@pytest.fixture(name="browser")
def _browser(world: World) -> Iterator[Browser]:
    browser = Browser(world.base)
    yield browser
    browser.close()


def hook_fields(world: World, connection: str = "events") -> list[tuple[str, str]]:
    return [
        ("connection", connection),
        ("subscriptions", "ticket.status_changed"),
        ("subscriptions", "ticket.agent_assignment_changed"),
        ("subscriptions", "messaging_ticket.message_added"),
        ("name", "escalation"),
        ("description", ""),
        ("endpoint", f"{world.receiver.url}/hook"),
        ("http_method", "POST"),
        ("request_format", "json"),
        ("status", "active"),
        ("authentication", "bearer_token"),
        ("token", "hook-token"),
        ("header_name", "fv-organisation-id"),
        ("header_value", "org-42"),
        ("header_name", ""),
        ("header_value", ""),
        ("payload", '{"hello": true}'),
    ]


def trigger_fields(webhook_id: str, body: str = BODY) -> list[tuple[str, str]]:
    return [
        ("title", "Chat left Active"),
        ("description", ""),
        ("category_id", ""),
        ("all_field", "messaging.session_state"),
        ("all_operator", "value_previous"),
        ("all_value", "active"),
        ("all_text", ""),
        ("any_field", ""),
        ("any_operator", "is"),
        ("any_value", ""),
        ("any_text", ""),
        ("action_field", "notification_webhook"),
        ("action_webhook", webhook_id),
        ("action_body", body),
        ("action_value", ""),
        ("action_text", ""),
    ]


def only_webhook(world: World) -> Json:
    (hook,) = world.zendesk.get("/webhooks").json()["webhooks"]
    return dict(hook)


def sun_log(world: World, conversation: str) -> list[str]:
    messages = world.emulator.account.records.conversations[conversation].messages
    return [str(message.content.get("text")) for message in messages]


# Every page


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/desk", "/desk?view=mine", "/desk?view=open", "/desk?view=solved", "/desk?view=all", "/admin"),
        *("/admin/conversations-api", "/admin/oauth-clients", "/admin/api-tokens", "/admin/webhooks"),
        *("/admin/webhooks/new", "/admin/triggers", "/admin/triggers/new", "/admin/messaging", "/admin/groups"),
        *("/admin/agents", "/admin/articles", "/admin/requests", "/admin/faults"),
    ],
)
def test_every_page_says_that_it_is_not_zendesk_and_holds_no_inline_code(browser: Browser, path: str) -> None:
    page = browser.page(path)
    assert "Emulator – not Zendesk" in page
    assert " style=" not in page
    assert " onclick=" not in page
    assert page.count("<script") == page.count("<script src=")


def test_pages_forbid_everything_that_is_not_their_own(world: World) -> None:
    answer = world.anonymous.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert world.anonymous.get("/pages/static/pages.css").status_code == 200


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_pair_of_colours_can_be_read(browser: Browser, scheme: int) -> None:
    sheet = browser.page("/pages/static/pages.css")
    tokens = {
        name: pair[scheme]
        for name, *pair in re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", sheet)
    }
    grounds = ("ground", "surface", "sunken", "plain-soft")
    text = [(ink, ground) for ink in ("ink", "quiet", "accent") for ground in grounds]
    text += [(name, f"{name}-soft") for name in ("bad", "good", "warn", "info")]
    text += [("accent-strong", "accent-soft"), ("on-accent", "accent"), ("note-ink", "note"), ("ink", "info-soft")]
    text += [("bad", "surface"), ("ink", "accent-soft"), ("on-accent", "accent-strong")]
    for ink, ground in text:
        assert contrast(tokens[ink], tokens[ground]) >= 4.5, (ink, ground)
    for ground in ("ground", "surface", "sunken"):
        assert contrast(tokens["edge"], tokens[ground]) >= 3, ground


def test_the_first_page_shows_addresses_and_credentials(world: World, browser: Browser) -> None:
    page = browser.page("/")
    for value in (world.base, f"{world.base}/sc", world.seed.oauth_client_id, world.seed.app_id, world.seed.key_secret):
        assert value in page


def test_unknown_pages_are_told_in_html(world: World) -> None:
    for path in ("/desk/tickets/999999", "/desk/nowhere/at/all", "/admin/webhooks/unknown", "/admin/triggers/1"):
        answer = world.anonymous.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")


# Who may


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://127.0.0.1:1"])
def test_a_foreign_page_cannot_drive_the_emulator(browser: Browser, world: World, origin: str) -> None:
    answer = browser.send("/admin/conversations-api", {"name": "stolen"}, Origin=origin)
    assert answer.status_code == 403
    assert len(world.emulator.account.records.conversations_keys) == 1


def test_a_rebound_name_sees_no_page(world: World) -> None:
    answer = world.anonymous.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 401
    assert world.seed.key_secret not in answer.text


def test_the_control_token_opens_the_pages_elsewhere(world: World) -> None:
    elsewhere = {"Host": "emulator.example", "Origin": "http://emulator.example"}
    wrong = world.anonymous.post("/pages/sign-in", data={"token": "guess"}, headers=elsewhere)
    assert wrong.headers["location"] == "/pages/sign-in?again=1"
    right = world.anonymous.post("/pages/sign-in", data={"token": world.seed.control_token}, headers=elsewhere)
    cookie = right.headers["set-cookie"].partition(";")[0]
    assert world.anonymous.get("/desk", headers={"Host": "emulator.example", "Cookie": cookie}).status_code == 200


# Admin


def test_a_conversations_key_is_shown_once_and_works(world: World, browser: Browser) -> None:
    answer = browser.send("/admin/conversations-api", {"name": "Bridge"})
    shown = browser.page(answer.headers["location"])
    key = list(world.emulator.account.records.conversations_keys.values())[-1]
    assert key.display_name == "Bridge"
    assert world.seed.app_id in shown
    assert key.id in shown
    assert key.secret in shown
    assert key.secret not in browser.page(answer.headers["location"])
    app = f"{world.base}/sc/v2/apps/{world.seed.app_id}"
    assert httpx2.get(app, auth=(key.id, key.secret)).status_code == 200
    browser.submit(f"/admin/conversations-api/{key.id}/delete")
    assert httpx2.get(app, auth=(key.id, key.secret)).status_code == 401


def test_a_confidential_oauth_client_gets_tokens(world: World, browser: Browser) -> None:
    fields = {"name": "Bridge", "identifier": "bridge", "kind": "confidential", "scopes": "read", "redirect_uris": ""}
    page = browser.submit("/admin/oauth-clients", fields)
    client = list(world.emulator.account.records.oauth_clients.values())[-1]
    assert client.secret in page
    grant = {"grant_type": "client_credentials", "client_id": "bridge", "client_secret": client.secret, "scope": "read"}
    assert world.anonymous.post("/oauth/tokens", json=grant).status_code == 200
    again = browser.submit("/admin/oauth-clients", fields)
    assert "Identifier: bridge is taken" in again


def test_api_tokens_are_listed_but_cannot_be_made(browser: Browser, world: World) -> None:
    page = browser.page("/admin/api-tokens")
    assert world.seed.api_token in page
    assert "since 27 October 2026" in page


def test_an_event_webhook_with_bearer_token_and_header_delivers(world: World, browser: Browser) -> None:
    page = browser.submit("/admin/webhooks", hook_fields(world))
    hook = only_webhook(world)
    assert hook["subscriptions"] == [
        "zen:event-type:ticket.status_changed",
        "zen:event-type:ticket.agent_assignment_changed",
        "zen:event-type:messaging_ticket.message_added",
    ]
    assert "Status changed" in page
    assert "hook-token" not in page
    assert "custom headers" in page.lower()
    ticket = world.ticket()
    browser.submit(f"/desk/tickets/{ticket['id']}/assign", {"to": "me"})
    for request in world.receiver.wait(2):
        assert request.headers["authorization"] == "Bearer hook-token"
        assert request.headers["fv-organisation-id"] == "org-42"
    activity = until(
        lambda: (found := browser.page(f"/admin/webhooks/{hook['id']}")).count("success 200") == 2 and found
    )
    assert "zen:event-type:ticket.agent_assignment_changed" in activity
    assert "hook-token" not in activity


def test_editing_a_webhook_keeps_the_secret_that_is_left_empty(world: World, browser: Browser) -> None:
    browser.submit("/admin/webhooks", hook_fields(world))
    hook = only_webhook(world)
    edited = [(name, "" if name == "token" else value) for name, value in hook_fields(world)]
    browser.submit(f"/admin/webhooks/{hook['id']}/edit", [*edited, ("name", "ignored: the first one counts")])
    kept = world.emulator.account.records.webhooks[hook["id"]]
    assert kept.authentication is not None
    assert kept.authentication["data"] == {"token": "hook-token"}


@pytest.mark.parametrize(
    ("missing", "said"),
    [("subscriptions", "Choose at least one event"), ("token", "Authentication: cannot be blank"), ("name", "Name")],
)
def test_an_unfinished_webhook_comes_back_as_it_was_typed(
    world: World, browser: Browser, missing: str, said: str
) -> None:
    answer = browser.send("/admin/webhooks", [pair for pair in hook_fields(world) if pair[0] != missing])
    assert answer.status_code == 422
    assert said in answer.text
    assert "fv-organisation-id" in answer.text
    assert not world.emulator.account.records.webhooks


def test_the_test_button_sends_what_the_form_says(world: World, browser: Browser) -> None:
    answer = browser.send("/admin/webhooks/test", hook_fields(world))
    assert answer.status_code == 200
    assert "The receiver took it." in answer.text
    (request,) = world.receiver.wait(1)
    assert request.body == b'{"hello": true}'
    assert request.headers["authorization"] == "Bearer hook-token"
    assert request.headers["fv-organisation-id"] == "org-42"


def test_the_signing_secret_is_revealed_on_demand_and_can_be_reset(world: World, browser: Browser) -> None:
    browser.submit("/admin/webhooks", hook_fields(world))
    address = f"/admin/webhooks/{only_webhook(world)['id']}"
    known = world.emulator.account.records.webhooks[address.rpartition("/")[2]]
    before = known.secret
    assert before not in browser.page(address)
    assert before in browser.submit(f"{address}/secret", {"do": "reveal"})
    page = browser.submit(f"{address}/secret", {"do": "reset"})
    assert known.secret != before
    assert known.secret in page
    assert len(base64.b64decode(known.secret)) == 32


def test_a_trigger_keeps_its_body_byte_for_byte(world: World, browser: Browser) -> None:
    browser.submit("/admin/webhooks", hook_fields(world, "trigger"))
    hook = only_webhook(world)
    assert hook["subscriptions"] == ["conditional_ticket_events"]
    page = browser.submit("/admin/triggers", trigger_fields(hook["id"]))
    assert "Messaging session state · Changed from · Active" in page
    (trigger,) = world.emulator.account.records.triggers.values()
    assert trigger.actions == [{"field": "notification_webhook", "value": [hook["id"], BODY]}]
    assert world.emulator.account.records.categories[trigger.category_id].name == "Notifications"
    assert "&#34;fv:conversation_closed&#34;,\n}</textarea>" in browser.page(f"/admin/triggers/{trigger.id}")
    *_, ticket = world.live()
    browser.submit(f"/desk/tickets/{ticket}/end-session")
    (request,) = world.receiver.wait(1)
    assert request.body.decode() == BODY.replace("{{ticket.id}}", str(ticket))


def test_a_trigger_can_be_edited_deactivated_and_deleted(world: World, browser: Browser) -> None:
    browser.submit("/admin/webhooks", hook_fields(world, "trigger"))
    hook = only_webhook(world)
    refused = browser.send("/admin/triggers", trigger_fields("nowhere"))
    assert refused.status_code == 422
    assert "the webhook does not exist" in refused.text
    browser.submit("/admin/triggers", trigger_fields(hook["id"]))
    (trigger,) = world.emulator.account.records.triggers.values()
    browser.submit(f"/admin/triggers/{trigger.id}", trigger_fields(hook["id"], "{}"))
    assert trigger.actions[0]["value"][1] == "{}"
    assert "is inactive" in browser.submit(f"/admin/triggers/{trigger.id}/active")
    assert "A trigger uses this webhook" in browser.submit(f"/admin/webhooks/{hook['id']}/delete")
    browser.submit(f"/admin/triggers/{trigger.id}/delete")
    browser.submit(f"/admin/webhooks/{hook['id']}/delete")
    assert not world.emulator.account.records.webhooks


def test_messaging_settings_are_kept(world: World, browser: Browser) -> None:
    browser.submit("/admin/messaging", {"conversation_control": "pass", "inactive_after_minutes": "2.5"})
    settings = world.emulator.account.settings
    assert (settings.end_session, settings.multi_conversations) == (False, False)
    assert (settings.conversation_control, settings.inactive_after_minutes) == ("pass", 2.5)
    *_, ticket = world.live()
    assert "End session" not in browser.page(f"/desk/tickets/{ticket}")
    for wrong in ("soon", "nan", "-1", "inf"):
        assert "must be a number" in browser.submit("/admin/messaging", {"inactive_after_minutes": wrong})


def test_articles_are_listed_and_can_be_read(world: World, browser: Browser) -> None:
    article = {"title": "Change your address", "body": "<p>Open <b>Settings</b>.</p><script>x</script>"}
    (loaded,) = world.steer("/help_center/articles", {"articles": [article]})["articles"]
    assert "Change your address" in browser.page("/admin/articles")
    assert "Open Settings." in browser.page(f"/hc/en-us/articles/{loaded['id']}")


# Desk


def test_a_chat_is_accepted_answered_noted_and_ended(world: World, browser: Browser) -> None:
    user, conversation, ticket = world.live()
    world.say(conversation, {"type": "user", "userId": user}, "Is anybody there?")
    desk = browser.page("/desk")
    assert "Incoming conversations" in desk
    assert "Is anybody there?" in desk
    at = f"/desk/tickets/{ticket}"
    browser.submit(f"{at}/accept")
    record = world.emulator.desk.ticket(ticket)
    assert (record.status, record.assignee_id, record.unread) == ("open", world.emulator.desk.agent().id, 0)
    assert "Incoming conversations" not in browser.page("/desk")
    browser.submit(f"{at}/reply", {"channel": "messaging", "body": "Yes,\nhello!"})
    assert sun_log(world, conversation)[-1] == "Yes,\nhello!"
    page = browser.submit(f"{at}/note", {"body": "Seems kind."})
    assert "Internal note" in page
    assert record.comments[-1].public is False
    assert "Submitted as Pending" in browser.submit(f"{at}/status", {"status": "pending"})
    browser.submit(f"{at}/end-session")
    assert (record.session, record.status) == ("ended", "pending")
    page = browser.page(at)
    assert "the composer is disabled" in page
    assert "End session" not in page
    draft = browser.submit(f"{at}/reply", {"channel": "messaging", "body": "One more thing"})
    assert "session has ended" in draft
    assert "One more thing" in draft
    assert "One more thing" not in sun_log(world, conversation)


def test_a_session_goes_inactive_and_the_customer_wakes_it(world: World, browser: Browser) -> None:
    *_, ticket = world.live()
    browser.submit(f"/desk/tickets/{ticket}/inactive")
    assert world.emulator.desk.ticket(ticket).session == "inactive"
    browser.submit(f"/desk/tickets/{ticket}/customer", {"body": "Still here"})
    assert world.emulator.desk.ticket(ticket).session == "active"
    assert "Still here" in browser.page(f"/desk/tickets/{ticket}")


def test_a_ticket_is_answered_assigned_tagged_and_solved(world: World, browser: Browser) -> None:
    ticket = world.ticket(subject="Refund", tags=["first"], external_id="order-1")
    at = f"/desk/tickets/{ticket['id']}"
    record = world.emulator.desk.ticket(ticket["id"])
    assert "order-1" in browser.page(at)
    mira = world.emulator.desk.agent("mira")
    billing = next(group for group in world.emulator.account.records.groups.values() if group.name == "Billing")
    browser.submit(f"{at}/assign", {"group": str(billing.id), "to": str(mira.id)})
    assert (record.group_id, record.assignee_id) == (billing.id, mira.id)
    browser.submit(f"{at}/assign", {"to": "me"})
    assert record.assignee_id == world.emulator.desk.agent().id
    page = browser.submit(f"{at}/reply", {"channel": "public", "body": "It is on its way. <b>Really.</b>"})
    assert record.comments[-1].public is True
    assert "<b>Really" not in page
    browser.submit(f"{at}/tags", {"tags": "refund, vip"})
    browser.submit(f"{at}/priority", {"priority": "high"})
    browser.submit(f"{at}/status", {"status": "solved"})
    assert (record.tags, record.priority, record.status) == (["refund", "vip"], "high", "solved")
    browser.submit(f"{at}/status", {"status": "closed"})
    assert "The ticket is closed." in browser.submit(f"{at}/note", {"body": "Late"})


def test_a_file_travels_both_ways(world: World, browser: Browser) -> None:
    *_, conversation, ticket = world.live()
    answer = world.anonymous.post(
        f"/desk/tickets/{ticket}/reply",
        data={"channel": "messaging", "body": ""},
        files={"file": ("plan.txt", b"step one", "text/plain")},
        headers={"Origin": world.base},
    )
    assert answer.status_code == 303
    message = world.emulator.account.records.conversations[conversation].messages[-1]
    assert (message.content["type"], message.content["altText"]) == ("file", "plan.txt")
    key = message.content["mediaUrl"].rpartition("/sc/attachments/v2/")[2]
    got = world.anonymous.get(f"/desk/files/{key}")
    assert (got.content, got.headers["content-type"]) == (b"step one", "application/octet-stream")


def test_one_can_be_another_agent_and_go_away(world: World, browser: Browser) -> None:
    mira = world.emulator.desk.agent("mira")
    browser.submit("/desk/agent", {"agent": str(mira.id)})
    browser.submit("/desk/availability", {"state": "online"})
    assert mira.messaging == "online"
    *_, ticket = world.live()
    browser.submit(f"/desk/tickets/{ticket}/accept")
    assert world.emulator.desk.ticket(ticket).assignee_id == mira.id
    assert "There is no state" in browser.submit("/desk/availability", {"state": "asleep"})


# Tools


def test_the_log_shows_both_ways_and_no_secrets(world: World, browser: Browser) -> None:
    browser.submit("/admin/webhooks", hook_fields(world))
    world.ticket(subject="Logged")
    browser.submit("/desk/tickets/" + str(world.emulator.desk.latest().id) + "/assign", {"to": "me"})
    world.receiver.wait(2)
    until(lambda: browser.page("/admin/requests").count("out →") == 2)
    page = browser.page("/admin/requests")
    assert "/api/v2/tickets" in page
    assert "Logged" in page
    assert world.seed.api_token not in page
    assert "hook-token" not in page
    assert "/api/v2/tickets" not in browser.page("/admin/requests?direction=out")
    assert "Nothing matches." in browser.page("/admin/requests?q=unheard-of")
    assert "Nothing has happened yet." in browser.submit("/admin/requests/clear")


def test_an_api_key_under_any_name_is_blacked_out(world: World, browser: Browser) -> None:
    key = {"type": "api_key", "data": {"name": "X-House-Key", "value": "sesame"}}
    hook = world.subscribe("ticket.created", authentication=key)
    world.ticket()
    assert world.receiver.wait(1)[0].headers["x-house-key"] == "sesame"
    page = until(lambda: (found := browser.page(f"/admin/webhooks/{hook['id']}")).count("success 200") and found)
    for shown in (page, browser.page("/admin/requests?direction=out")):
        assert "X-House-Key: •••" in shown
        assert "sesame" not in shown


def test_faults_are_switched_on_and_off(world: World, browser: Browser) -> None:
    page = browser.submit("/admin/faults", {"fault": "429", "number": "7", "path": "/tickets", "times": "1"})
    assert "Switched on: 429 with Retry-After." in page
    answer = world.zendesk.get("/tickets")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert world.zendesk.get("/tickets").status_code == 200
    for fault in ("500", "401", "delay", "timeout-after-success", "drop-after-success", "webhook-drop"):
        browser.submit("/admin/faults", {"fault": fault})
    for fault in ("webhook-duplicate", "webhook-delay", "webhook-reorder", "webhook-hold"):
        browser.submit("/admin/faults", {"fault": fault})
    assert len(world.emulator.faults.rules) == 11
    assert "is not a pattern" in browser.submit("/admin/faults", {"fault": "500", "path": "("})
    browser.submit(f"/admin/faults/{world.emulator.faults.rules[0].id}/clear")
    assert "All faults are off." in browser.submit("/admin/faults/clear")
    assert world.zendesk.get("/tickets").status_code == 200


def test_held_webhooks_are_released(world: World, browser: Browser) -> None:
    world.subscribe("ticket.created")
    browser.submit("/admin/faults", {"fault": "webhook-hold"})
    world.ticket()
    assert "1 held" in browser.page("/admin/faults")
    assert "Released 1." in browser.submit("/admin/faults/release", {"order": "first"})
    world.receiver.wait(1)


def test_the_rings_grow_when_something_happens(world: World) -> None:
    before = world.anonymous.get("/pages/rings").json()["rings"]
    world.ticket()
    assert world.anonymous.get("/pages/rings").json()["rings"] > before


def test_reset_brings_everything_back(world: World, browser: Browser) -> None:
    browser.submit("/sample/chat")
    browser.submit("/sample/ticket")
    assert len(world.emulator.account.records.tickets) == 2
    browser.submit("/reset")
    assert not world.emulator.account.records.tickets
