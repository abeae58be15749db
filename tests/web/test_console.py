"""The console over real HTTP: who gets in, what is refused, what is saved, and what is never shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

from escalade.domain.errors import DeliveryError
from escalade.store import audit
from escalade.web.console.words import VERDICT
from tests import pictures
from tests.serving import until

from .stage import Browser, Stage, stage

PAGES = [
    "/console",
    "/console/conversations",
    "/console/deliveries",
    "/console/escalate",
    "/console/escalate/connection",
    "/console/escalate/tickets",
    "/console/escalate/live",
    "/console/escalate/webhook",
    "/console/escalate/session-end",
    "/console/escalate/app",
    "/console/knowledge",
    "/console/widget",
    "/console/settings",
    "/console/settings/audit",
]
XSS = '<script>alert("x")</script><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("console")) as found:
        yield found


@pytest.fixture
def owner(running: Stage) -> Browser:
    return running.signed_in()


def connection(running: Stage, **other: str) -> dict[str, str]:
    seed = running.emulator.seed
    return {
        "subdomain": "acme",
        "base_url": running.zendesk,
        "auth": "client_credentials",
        "client_id": seed.oauth_client_id,
        "client_secret": seed.oauth_client_secret,
        "email": "",
        "token": "",
        "then": "save",
    } | other


def live(running: Stage, **other: str) -> dict[str, str]:
    seed = running.emulator.seed
    return {
        "app_id": seed.app_id,
        "key_id": seed.key_id,
        "secret": seed.key_secret,
        "base_url": f"{running.zendesk}/sc",
        "answer_within_s": "180",
        "require_online_agent": "on",
        "on_session_inactive": "close",
    } | other


def settings(running: Stage) -> dict[str, Any]:
    found: dict[str, Any] = running.api("GET", "/settings").json()
    return found


# signing in


def test_a_link_signs_in_once_and_looking_at_it_uses_nothing_up(running: Stage) -> None:
    token = running.link("once@example.com")
    first, second = running.browser(), running.browser()
    for _ in range(3):  # a mail scanner, a preview, the person
        assert "Sign in" in first.get(f"/console/sign-in?token={token}").text
    assert first.client.cookies.get("escalade_console") is None
    answer = first.client.post("/console/sign-in", data={"token": token})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/console"
    again = second.client.post("/console/sign-in", data={"token": token})
    assert again.status_code == 410
    assert "has been used" in again.text
    assert "escalade operator add" in again.text
    assert second.get(f"/console/sign-in?token={token}").status_code == 410
    assert second.get("/console").status_code == 303


def test_a_made_up_link_says_how_to_get_a_good_one(running: Stage) -> None:
    answer = running.browser().get("/console/sign-in?token=nothing")
    assert answer.status_code == 410
    assert "escalade operator add" in answer.text


def test_the_cookie_is_closed_to_scripts_and_lasts_twelve_hours(running: Stage) -> None:
    answer = running.browser().client.post("/console/sign-in", data={"token": running.link()})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "max-age=43200" in cookie
    assert "path=/" in cookie


def test_behind_tls_the_cookie_belongs_to_this_host_alone(tmp_path: Path) -> None:
    with stage(tmp_path, public_url="https://support.example.com") as found:
        answer = found.browser().client.post(
            "/console/sign-in", data={"token": found.link()}, headers={"origin": "https://support.example.com"}
        )
        assert answer.status_code == 303
        assert answer.headers["set-cookie"].startswith("__Host-escalade=")
        assert "secure" in answer.headers["set-cookie"].lower()
        foreign = found.browser().client.post(
            "/console/sign-in", data={"token": found.link()}, headers={"origin": found.base_url}
        )
        assert foreign.status_code == 403


def test_signing_out_ends_the_session_on_the_server(running: Stage, owner: Browser) -> None:
    cookies = dict(owner.client.cookies)
    assert owner.post("/console/sign-out").status_code == 303
    stolen = running.browser()
    stolen.client.cookies.update(cookies)
    assert stolen.get("/console").headers["location"] == "/console/sign-in"


def test_without_a_session_every_page_leads_to_the_door(running: Stage) -> None:
    stranger = running.browser()
    for path in [*PAGES, "/console/conversations/x", "/console/conversations/x/raw.json"]:
        answer = stranger.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in"), path


def test_the_root_leads_to_the_console(running: Stage) -> None:
    answer = running.browser().get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")


# what every page has


class _Inline(HTMLParser):
    """Notes scripts, styles and handlers that a page carries in itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if (tag == "script" and "src" not in named) or tag == "style" or "style" in named:
            self.found.append(tag)
        self.found += [name for name in named if name.startswith("on")]
        if tag in {"script", "img", "link"}:
            self.addresses.append(named.get("src") or named.get("href") or "")


@pytest.mark.parametrize("path", [*PAGES, "/console/sign-in?token=x", "/console/nowhere"])
def test_pages_carry_nothing_inline_and_nothing_foreign(owner: Browser, path: str) -> None:
    answer = owner.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    inline = _Inline()
    inline.feed(answer.text)
    assert inline.found == []
    assert all(address.startswith("/static/console/") for address in inline.addresses)


def test_the_pages_files_are_served(running: Stage) -> None:
    for name in ("console.css", "console.js", "mark.svg"):
        assert running.browser().get(f"/static/console/{name}").status_code == 200


# forms


def test_a_form_without_its_token_changes_nothing(running: Stage, owner: Browser) -> None:
    before = settings(running)
    answer = owner.post("/console/widget", {"csrf": "made-up", "allowed_origins": "https://evil.example.com"})
    assert answer.status_code == 403
    assert settings(running) == before


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null"])
def test_a_form_from_another_site_changes_nothing(running: Stage, owner: Browser, origin: str) -> None:
    before = settings(running)
    answer = owner.post("/console/widget", {"allowed_origins": "https://evil.example.com"}, origin=origin)
    assert answer.status_code == 403
    assert settings(running) == before


def test_a_browser_that_says_cross_site_is_believed(owner: Browser) -> None:
    form = {"allowed_origins": ""}
    assert owner.post("/console/widget", form, **{"sec-fetch-site": "cross-site"}).status_code == 403


def test_a_body_that_is_no_form_is_refused(owner: Browser) -> None:
    answer = owner.client.post("/console/widget", json={"csrf": owner.csrf()}, headers={"origin": owner.base_url})
    assert answer.status_code == 415


# roles


ACTS = [
    "/console/escalate",
    "/console/escalate/connection",
    "/console/escalate/connection/test",
    "/console/escalate/connection/disconnect",
    "/console/escalate/tickets",
    "/console/escalate/live",
    "/console/escalate/live/test",
    "/console/escalate/webhook/rotate",
    "/console/escalate/webhook/signing",
    "/console/widget",
    "/console/settings/api-key",
    "/console/deliveries/1/resend",
    "/console/deliveries/1/skip",
]


def test_a_viewer_looks_at_everything_and_changes_nothing(running: Stage) -> None:
    viewer = running.signed_in("viewer", "vera@example.com")
    for path in PAGES:
        assert viewer.get(path).status_code == 200, path
    before = settings(running)
    for path in ACTS:
        viewer.get("/console")
        answer = viewer.post(path, {"mode": "off"})
        assert answer.status_code == 403, path
        assert "Your role, viewer" in answer.text
    assert settings(running) == before
    viewer.get("/console/escalate/tickets")
    assert ">Save<" not in viewer.page


def test_a_developer_reads_no_transcripts(running: Stage) -> None:
    running.connect()
    developer = running.signed_in("developer", "dev@example.com")
    id = running.conversation("What customers write")
    assert developer.get(f"/console/conversations/{id}").status_code == 403
    assert developer.get("/console/conversations").status_code == 403
    until(lambda: running.api("GET", f"/conversations/{id}").json()["counts"].get("deliveries_delivered"))
    page = developer.get("/console/deliveries").text
    assert "Ask the assistant" in page
    assert "What customers write" not in page
    developer.get("/console")
    assert developer.post("/console/widget", {"allowed_origins": ""}).status_code == 403
    assert developer.post("/console/settings/api-key").status_code == 303


# connection


def test_connecting_saves_and_shows_whose_credential_it_is(running: Stage, owner: Browser) -> None:
    owner.get("/console/escalate/connection")
    page = owner.done("/console/escalate/connection", connection(running, then="test"))
    assert "The connection works" in page
    assert "Connected as Ada Admin (admin)" in page
    saved = settings(running)["zendesk"]
    assert saved["subdomain"] == "acme"
    assert saved["auth"]["client_secret"]["set"] is True


def test_a_wrong_secret_is_shown_with_zendesks_own_answer(running: Stage, owner: Browser) -> None:
    owner.get("/console/escalate/connection")
    page = owner.done("/console/escalate/connection", connection(running, client_secret="wrong", then="test"))
    assert "Zendesk did not accept this connection" in page
    assert "Zendesk's answer" in page
    assert "invalid_client" in page
    running.connect()


def test_the_existing_api_token_works_and_its_deadline_is_in_sight(running: Stage, owner: Browser) -> None:
    seed = running.emulator.seed
    assert "30 April 2027" in owner.get("/console/escalate/connection").text
    form = connection(running, auth="api_token", email=seed.admin_email, token=seed.api_token, then="test")
    assert "Connected as" in owner.done("/console/escalate/connection", form)
    running.connect()


def test_a_pasted_address_becomes_the_subdomain(running: Stage, owner: Browser) -> None:
    owner.get("/console/escalate/connection")
    owner.done("/console/escalate/connection", connection(running, subdomain="https://Acme.zendesk.com/agent"))
    assert settings(running)["zendesk"]["subdomain"] == "acme"


@pytest.mark.parametrize(
    ("field", "value", "pointer", "words"),
    [
        ("subdomain", "not a name!", "f-zendesk-subdomain", "The subdomain is the part before"),
        ("client_id", "", "f-zendesk-auth-client_id", "unique identifier"),
        ("base_url", "http://10.0.0.1", "f-zendesk-base_url", "http:// only to this machine"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(
    running: Stage, owner: Browser, field: str, value: str, pointer: str, words: str
) -> None:
    before = settings(running)
    owner.get("/console/escalate/connection")
    answer = owner.post("/console/escalate/connection", connection(running, **{field: value}))
    assert answer.status_code == 422
    assert words in answer.text
    tag = re.search(rf'<input id="{pointer}"[^>]*>', answer.text)
    assert tag is not None
    assert 'aria-invalid="true"' in tag[0]
    assert f"{pointer}-error" in tag[0]
    assert f'id="{pointer}-error"' in answer.text
    assert settings(running) == before


def test_an_empty_secret_field_keeps_the_secret(running: Stage, owner: Browser) -> None:
    running.connect()
    owner.get("/console/escalate/connection")
    assert "Connected as" in owner.done(
        "/console/escalate/connection", connection(running, client_secret="", then="test")
    )


# tickets


def test_tickets_are_routed_by_name_from_zendesks_lists(running: Stage, owner: Browser) -> None:
    running.connect()
    page = owner.get("/console/escalate/tickets").text
    groups = dict(re.findall(r'<option value="(\d+)">(Billing|Support)</option>', page))
    billing = next(id for id, name in groups.items() if name == "Billing")
    agents = dict(re.findall(r'<option value="(\d+)">(Mira Sato|Jonas Berg)</option>', page))
    form = {"group_id": billing, "assignee_id": next(iter(agents)), "tags": "vip, chat vip", "priority": "high"}
    page = owner.done("/console/escalate/tickets", form | {"custom_fields": "360001 = gold\n360002 = true"})
    saved = settings(running)["tickets"]
    assert saved["group_id"] == int(billing)
    assert saved["tags"] == ["vip", "chat"]
    assert saved["priority"] == "high"
    assert saved["custom_fields"] == {"360001": "gold", "360002": True}
    assert f'<option value="{billing}" selected>Billing</option>' in page
    assert "Testing override is on" in page
    assert "Testing override" in owner.get("/console").text


def test_a_raw_id_wins_and_is_marked_unverified(running: Stage, owner: Browser) -> None:
    running.connect()
    owner.get("/console/escalate/tickets")
    page = owner.done("/console/escalate/tickets", {"group_id_typed": "424242", "tags": ""})
    assert settings(running)["tickets"]["group_id"] == 424242
    assert "Unverified" in page
    answer = owner.post("/console/escalate/tickets", {"group_id_typed": "twelve"})
    assert answer.status_code == 422
    assert "whole number" in answer.text


def test_with_zendesk_out_of_reach_ids_can_be_typed(running: Stage, owner: Browser) -> None:
    owner.get("/console/escalate/connection")
    owner.done("/console/escalate/connection", connection(running, base_url="http://127.0.0.1:9"))
    page = owner.get("/console/escalate/tickets").text
    assert "lists cannot be read" in page
    assert "kept unverified" in page
    owner.done("/console/escalate/tickets", {"group_id": "777", "tags": "a"})
    assert settings(running)["tickets"]["group_id"] == 777
    running.connect()


# live chat


def test_live_chat_refuses_to_go_on_with_wrong_credentials(running: Stage, owner: Browser) -> None:
    running.connect()
    owner.get("/console/escalate/live")
    form = live(running, secret="wrong-secret-of-mine", enabled="on")
    answer = owner.post("/console/escalate/live", form)
    assert answer.status_code == 422
    assert "nothing was saved" in answer.text
    assert "unauthorized" in answer.text
    assert "wrong-secret-of-mine" not in answer.text
    assert settings(running)["live"]["enabled"] is False


def test_live_chat_goes_on_with_good_ones(running: Stage, owner: Browser) -> None:
    running.connect()
    owner.get("/console/escalate/live")
    form = live(running, enabled="on", answer_within_s="240", on_session_inactive="keep")
    page = owner.done("/console/escalate/live", form)
    assert "Live chat is on" in page
    saved = settings(running)["live"]
    assert (saved["enabled"], saved["answer_within_s"], saved["on_session_inactive"]) == (True, 240, "keep")
    assert saved["secret"]["last4"] == running.emulator.seed.key_secret[-4:]
    assert "The credentials work" in owner.done("/console/escalate/live/test")
    owner.done("/console/escalate/live", live(running, secret=""))
    assert settings(running)["live"]["enabled"] is False


def test_seconds_out_of_range_are_an_error_beside_the_field(running: Stage, owner: Browser) -> None:
    owner.get("/console/escalate/live")
    answer = owner.post("/console/escalate/live", live(running, answer_within_s="3"))
    assert answer.status_code == 422
    assert 'id="f-live-answer_within_s-error"' in answer.text
    assert 'value="3"' in answer.text


# webhook and session end


def test_the_webhook_page_has_everything_to_copy(running: Stage, owner: Browser) -> None:
    page = owner.get("/console/escalate/webhook").text
    assert f"{running.base_url}/ai-agent/escalation/webhooks/zendesk/all" in page
    assert "fv-organisation-id" in page
    assert running.organisation in page
    for words in ("Status changed", "Agent assignment changed", "Message added"):
        assert words in page
    for name in ("ticket.status_changed", "ticket.agent_assignment_changed", "messaging_ticket.message_added"):
        assert f"zen:event-type:{name}" in page


def test_a_rotated_token_is_shown_once_and_the_old_one_lives_on(running: Stage, owner: Browser) -> None:
    owner.get("/console/escalate/webhook")
    page = owner.done("/console/escalate/webhook/rotate")
    token = re.search(r"wt_[A-Za-z0-9_-]{20,}", page)
    assert token is not None
    assert token[0] not in owner.get("/console/escalate/webhook").text
    body = {"ticket_id": "1", "type": "fv:conversation_closed"}
    assert running.hook(body, token[0]).status_code == 200
    assert running.hook(body).status_code == 200
    assert running.hook(body, "wt_made-up").status_code == 401
    assert "Being replaced" in owner.page


def test_what_was_heard_is_shown(running: Stage, owner: Browser) -> None:
    assert running.hook({"ticket_id": "5", "type": "fv:conversation_closed"}).status_code == 200
    assert "Session ends are heard" in owner.get("/console/escalate/session-end").text
    assert "Zendesk is heard" in owner.get("/console/escalate/webhook").text


def test_the_session_end_body_is_valid_and_the_documented_one_is_mentioned(owner: Browser) -> None:
    page = owner.get("/console/escalate/session-end").text
    for words in ("Messaging session state", "Changed from", "Active", "Notifications", "Notify by"):
        assert words in page
    bodies = [one.replace("&#34;", '"') for one in re.findall(r"\{ &#34;ticket_id.*?\}(?=<)", page)]
    assert json.loads(bodies[0]) == {"ticket_id": "{{ticket.id}}", "type": "fv:conversation_closed"}
    assert bodies[1].endswith('", }')


def test_signing_secrets_are_kept_and_never_shown(running: Stage, owner: Browser) -> None:
    owner.get("/console/escalate/webhook")
    page = owner.done("/console/escalate/webhook/signing", {"signing_secrets": "secret-number-one=\n"})
    assert "•••• one=" in page
    assert "secret-number-one" not in page
    until(lambda: running.hook({"ticket_id": "1", "type": "fv:conversation_closed"}).status_code == 401)
    answer = owner.post("/console/escalate/webhook/signing", {"signing_secrets": "  "})
    assert answer.status_code == 422
    owner.get("/console/escalate/webhook")
    assert "no longer checked" in owner.done("/console/escalate/webhook/signing", {"then": "remove"})


# secrets


def test_no_secret_is_ever_on_any_page(running: Stage, owner: Browser) -> None:
    running.connect()
    owner.get("/console/escalate/live")
    owner.done("/console/escalate/live", live(running))
    seed = running.emulator.seed
    secrets = [seed.oauth_client_secret, seed.key_secret, seed.api_token, running.api_key, running.webhook_token]
    for path in PAGES:
        page = owner.get(path).text
        for secret in secrets:
            assert secret not in page, path


# conversations


def test_a_conversation_tells_its_whole_story(running: Stage, owner: Browser) -> None:
    running.connect()
    id = running.conversation("I want to talk to a person please")
    ticket = until(lambda: (running.api("GET", f"/conversations/{id}").json()["handoff"] or {}).get("ticket_id"))
    page = owner.get(f"/console/conversations/{id}").text
    for words in ("I want to talk to a person please", "Handoff asked for", "Owed · Open the ticket", "HTTP 201"):
        assert words in page
    assert f"#{ticket}" in page
    assert f"{running.zendesk}/agent/tickets/{ticket}" in page
    assert "Mara Okafor" in page
    assert page.index("I want to talk") < page.index("Handoff asked for") < page.index("Owed · Open the ticket")
    said = owner.get(f"/console/conversations/{id}?view=said").text
    assert "I want to talk" in said
    assert "Owed · Open the ticket" not in said
    raw = owner.get(f"/console/conversations/{id}/raw.json").json()
    assert raw["messages"][0]["text"] == "I want to talk to a person please"
    assert {"receipts", "deliveries", "attempts", "handoffs"} <= set(raw)


def test_files_are_in_the_story_and_given_as_what_they_are(running: Stage, owner: Browser) -> None:
    id = running.conversation("Hello")
    key = {"Authorization": f"Bearer {running.api_key}"}
    place = f"{running.base_url}/api/v1/conversations/{id}/files?name=torn%20tent.png"
    file = httpx2.post(place, headers=key, content=pictures.png(8, 8)).json()["id"]
    said = {"id": "with-file", "text": "See", "attachments": [{"id": file}]}
    assert running.api("POST", f"/conversations/{id}/messages", said).is_success
    page = owner.get(f"/console/conversations/{id}").text
    link = f"/console/conversations/{id}/files/{file}"
    assert f'href="{link}"' in page
    assert "torn tent.png" in page
    assert "Not scanned" in page
    given = owner.get(link)
    assert given.headers["content-type"] == "image/png"
    assert given.headers["x-content-type-options"] == "nosniff"
    assert Image.open(BytesIO(given.content)).size == (8, 8)
    assert owner.get(f"/console/conversations/{id}/files/none").status_code == 404


def test_every_way_to_fail_has_words() -> None:
    ways, found = [DeliveryError], set()
    while ways:
        way = ways.pop()
        ways += way.__subclasses__()
        if way.__module__.startswith("escalade."):
            found.add(way.__name__.lower())
    assert found - {"deliveryerror"} <= set(VERDICT)


def test_the_list_is_filtered_by_its_address(running: Stage, owner: Browser) -> None:
    id = running.conversation("Hello", customer={"name": "Zora 100%_sure", "email": "zora@example.com"})
    assert id in owner.get("/console/conversations?text=zora").text
    assert id in owner.get("/console/conversations?text=100%25_s").text
    assert id not in owner.get("/console/conversations?text=100_").text
    assert "Nothing matches" in owner.get("/console/conversations?text=nobody-like-that").text
    assert id not in owner.get("/console/conversations?status=closed").text
    assert owner.get("/console/conversations?page=999").status_code == 200
    assert owner.get("/console/conversations?page=x&status='--").status_code == 200


def test_another_organisations_conversation_is_not_there(running: Stage, owner: Browser) -> None:
    other, key = running.another_organisation()
    id = running.conversation("Ours alone", customer={"name": "Noor"}, key=key)
    for path in (f"/console/conversations/{id}", f"/console/conversations/{id}/raw.json"):
        answer = owner.get(path)
        assert answer.status_code == 404
        assert "Ours alone" not in answer.text
    assert "Ours alone" not in owner.get("/console/conversations").text
    stranger = running.signed_in("owner", "noor@example.com", other)
    assert "Ours alone" in stranger.get(f"/console/conversations/{id}").text


def test_what_people_write_stays_text(running: Stage, owner: Browser) -> None:
    id = running.conversation(XSS, customer={"name": XSS[:100], "email": "x@example.com"})
    for path in (f"/console/conversations/{id}", "/console/conversations", f"/console/conversations?text={XSS}"):
        page = owner.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;" in page
    answer = owner.post("/console/widget", {"allowed_origins": XSS})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text


# deliveries


def test_a_refused_delivery_is_sent_again_by_a_button(running: Stage, owner: Browser) -> None:
    running.connect()
    running.api("PATCH", "/settings", {"tickets": {"group_id": 424242}})  # Zendesk has no such group
    id = running.conversation("A human please")

    def refused() -> int | None:
        found = running.api("GET", "/deliveries?state=refused").json()["deliveries"]
        return next((one["id"] for one in found if one["conversation"] == id), None)

    number = until(refused)
    assert "Group: is invalid" in owner.get("/console/deliveries?state=refused").text
    assert f"/console/deliveries/{number}/resend" in owner.get(f"/console/conversations/{id}").text
    answer = owner.post(f"/console/deliveries/{number}/resend", {"conversation": id})
    assert answer.headers["location"] == f"/console/conversations/{id}"
    assert "Owed again" in owner.get(answer.headers["location"]).text
    for act, title in (("resend", "Nothing was sent again"), ("skip", "Nothing was skipped")):
        page = owner.done(f"/console/deliveries/{number}/{act}")
        assert title in page
        assert "It is resent; only what is refused" in page
    away = owner.post(f"/console/deliveries/{number}/resend", {"conversation": "//evil.example.com/"})
    assert away.headers["location"] == "/console/deliveries"
    running.connect()


def test_another_organisations_delivery_cannot_be_sent_again(running: Stage) -> None:
    other, _ = running.another_organisation("Third")
    stranger = running.signed_in("owner", "third@example.com", other)
    number = running.write(lambda tx: tx.value("SELECT max(id) FROM delivery"))
    before = running.write(lambda tx: tx.value("SELECT count(*) FROM delivery"))
    assert "Nothing was sent again" in stranger.done(f"/console/deliveries/{number}/resend")
    assert running.write(lambda tx: tx.value("SELECT count(*) FROM delivery")) == before


# widget, settings, home


def test_allowed_sites_are_kept_as_origins(running: Stage, owner: Browser) -> None:
    page = owner.get("/console/widget").text
    assert "/widget/loader.js&#34; data-key=&#34;pk_acme&#34;" in page
    owner.done("/console/widget", {"allowed_origins": "https://Shop.example.com/\nhelp.example.com\n\n"})
    assert settings(running)["widget"]["allowed_origins"] == ["https://shop.example.com", "https://help.example.com"]
    answer = owner.post("/console/widget", {"allowed_origins": "https://shop.example.com/path"})
    assert answer.status_code == 422
    assert 'id="f-widget-allowed_origins-error"' in answer.text
    owner.done("/console/widget", {"allowed_origins": ""})


def test_a_rotated_api_key_is_shown_once(running: Stage, owner: Browser) -> None:
    owner.get("/console/settings")
    page = owner.done("/console/settings/api-key")
    key = re.search(r"ek_[A-Za-z0-9_-]{20,}", page)
    assert key is not None
    assert running.api("GET", "/settings", key=key[0]).status_code == 200
    assert running.api("GET", "/settings").status_code == 200
    assert key[0] not in owner.get("/console/settings").text


def test_the_audit_log_names_who_changed_what(running: Stage) -> None:
    admin = running.signed_in("admin", "ana@example.com")
    admin.get("/console/escalate")
    admin.done("/console/escalate", {"mode": "tickets_only"})
    page = admin.get("/console/settings/audit").text
    assert "ana@example.com" in page
    assert "rollout.mode" in page
    admin.get("/console/escalate")
    admin.done("/console/escalate", {"mode": "everyone"})


def test_the_checklist_follows_what_is_really_so(tmp_path: Path) -> None:
    with stage(tmp_path) as found:
        owner = found.signed_in()
        assert "0 of 7 done" in owner.page
        assert "No conversations yet" in owner.get("/console/conversations").text
        assert "No knowledge yet" in owner.get("/console/knowledge").text
        assert "No deliveries yet" in owner.get("/console/deliveries").text
        assert "Zendesk is not connected yet" in owner.get("/console/escalate/tickets").text
        found.connect()
        assert "saved, not tested yet" in owner.get("/console").text
        owner.done("/console/escalate/connection/test")
        assert "1 of 7 done" in owner.get("/console").text
        assert found.hook({"ticket_id": "5", "type": "fv:conversation_closed"}).status_code == 200
        assert "2 of 7 done" in owner.get("/console").text
        owner.get("/console/escalate/connection")
        page = owner.done("/console/escalate/connection/disconnect")
        assert "Disconnected" in page
        assert "1 of 7 done" in owner.get("/console").text


# I17, T03: privileged changes and stored secrets


def test_every_privileged_change_leaves_one_row(tmp_path: Path) -> None:
    with stage(tmp_path) as running:
        owner = running.signed_in()

        def rows() -> int:
            count: int = running.write(lambda tx: tx.value("SELECT count(*) FROM audit"))
            return count

        changes: dict[str, Callable[[], object]] = {
            "sign in": lambda: running.signed_in(email="ada@example.com"),
            "settings by the API": lambda: running.api("PATCH", "/settings", {"tickets": {"tags": ["a"]}}),
            "webhook token": lambda: owner.done("/console/escalate/webhook/rotate"),
            "API key": lambda: owner.done("/console/settings/api-key"),
            "signing secrets": lambda: owner.done("/console/escalate/webhook/signing", {"signing_secrets": "c2VjcmV0"}),
            "no signing secrets": lambda: owner.done("/console/escalate/webhook/signing", {"then": "remove"}),
            "sites": lambda: owner.done("/console/widget", {"allowed_origins": "https://shop.example.com"}),
            "disconnect": lambda: owner.done("/console/escalate/connection/disconnect"),
        }
        for name, change in changes.items():
            owner.get("/console")
            before = rows()
            change()
            assert rows() == before + 1, name
        assert running.write(lambda tx: audit.broken(tx, running.organisation)) is None
        before = rows()
        owner.get("/console/settings")
        running.api("GET", "/settings")
        assert running.api("PATCH", "/settings", {"tickets": {"priority": "no such"}}).status_code == 422
        assert rows() == before


def test_t03_the_operator_is_told_of_a_secret_that_does_not_open(tmp_path: Path) -> None:
    with stage(tmp_path) as running:
        owner = running.signed_in()
        running.api("PATCH", "/settings", {"webhooks": {"signing_secrets": ["c2VjcmV0"]}, "live": {"secret": "one"}})
        assert "does not open" not in owner.get("/console").text
        swap = "UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE name = 'live.secret')"
        running.write(lambda tx: tx.run(swap))
        page = owner.get("/console").text
        assert "A stored secret does not open" in page
        assert "webhooks.signing_secrets" in page
        unsigned = {"ticket_id": "1", "type": "fv:conversation_closed"}
        assert running.hook(unsigned).status_code == 503  # nothing is let in unchecked; Zendesk comes again
        owner.get("/console/escalate/webhook")
        owner.done("/console/escalate/webhook/signing", {"signing_secrets": "bmV3"})
        assert "does not open" not in owner.get("/console").text


def test_a_door_that_is_shut_is_told_on_every_page_until_it_is_mended(running: Stage, owner: Browser) -> None:
    owner.post("/console/escalate/connection", connection(running))
    wrong = {"zendesk": {"auth": {"client_secret": "wrong-secret-of-this-test"}}}
    assert running.api("PATCH", "/settings", wrong).status_code == 200
    running.api("POST", "/conversations", {"id": "locked-out", "customer": {"name": "Noor"}})
    running.api("POST", "/conversations/locked-out/escalate", {"mode": "ticket"})
    told = "Zendesk does not accept our credential"
    until(lambda: told in owner.get("/console").text)
    for page in PAGES:
        assert told in owner.get(page).text
    step = "· does not accept our credential"
    assert step in owner.get("/console").text
    assert "wrong-secret-of-this-test" not in owner.get("/console").text
    owner.post("/console/escalate/connection", connection(running))
    assert told not in owner.get("/console").text
    assert step not in owner.get("/console").text
