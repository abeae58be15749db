"""Read the form of a webhook into the fields the API would take, and fill the form from a webhook.

A secret left empty while editing stays what it was: like the API, the page never shows one again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from zendesk_emulator.events import PREFIX, SUBSCRIBABLE
from zendesk_emulator.pages.shell import Form
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.webhooks import Webhook
from zendesk_emulator.triggers import CONDITIONAL

SAMPLE_EVENT = """{
   "account_id": 123456,
   "detail": {"id": "1"},
   "event": {"current": "SOLVED", "previous": "OPEN"},
   "id": "00000000-0000-4000-a000-000000000000",
   "subject": "zen:ticket:1",
   "time": "2026-01-15T09:30:00Z",
   "type": "zen:event-type:ticket.status_changed",
   "zendesk_event_version": "2022-11-06"
}
"""
SAMPLE_TRIGGER = '{ "ticket_id": "1", "type": "test" }'


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the form shows."""

    name: str = ""
    description: str = ""
    endpoint: str = ""
    http_method: str = "POST"
    request_format: str = "json"
    status: str = "active"
    connection: str = "events"
    subscriptions: list[str] = field(default_factory=list)  # without their prefix
    authentication: str = "none"
    plain: dict[str, str] = field(default_factory=dict)  # the parts of the authentication that are no secret
    headers: list[tuple[str, str]] = field(default_factory=list)
    payload: str = SAMPLE_EVENT


def of_webhook(webhook: Webhook) -> Draft:
    """Fill the form from a webhook, without its secrets."""
    on_trigger = webhook.subscriptions == [CONDITIONAL]
    given = webhook.authentication or {}
    data = given.get("data") or {}
    return Draft(
        name=webhook.name,
        description=webhook.description or "",
        endpoint=webhook.endpoint,
        http_method=webhook.http_method,
        request_format=webhook.request_format,
        status=webhook.status,
        connection="trigger" if on_trigger else "events",
        subscriptions=[name.removeprefix(PREFIX) for name in webhook.subscriptions],
        authentication=str(given.get("type") or "none"),
        plain={"username": str(data.get("username") or ""), "api_key_name": str(data.get("name") or "")},
        headers=list((webhook.custom_headers or {}).items()),
        payload=SAMPLE_TRIGGER if on_trigger else SAMPLE_EVENT,
    )


def of_form(form: Form) -> Draft:
    """Fill the form from what was sent, so that nothing has to be typed twice."""
    return Draft(
        name=form.text("name"),
        description=form.text("description"),
        endpoint=form.text("endpoint"),
        http_method=form.text("http_method", "POST"),
        request_format=form.text("request_format", "json"),
        status=form.text("status", "active"),
        connection=form.text("connection", "events"),
        subscriptions=form.all("subscriptions"),
        authentication=form.text("authentication", "none"),
        plain={name: form.text(name) for name in ("username", "api_key_name", "token", "password", "api_key_value")},
        headers=list(zip(form.all("header_name"), form.all("header_value"), strict=False)),
        payload=form.text("payload", SAMPLE_EVENT),
    )


def fields(form: Form, known: Webhook | None = None) -> Json:
    """Read the form as the API's fields."""
    on_trigger = form.text("connection", "events") == "trigger"
    headers = {
        name.strip(): value
        for name, value in zip(form.all("header_name"), form.all("header_value"), strict=False)
        if name.strip()
    }
    wanted = [name for name in SUBSCRIBABLE if name in form.all("subscriptions")]
    return {
        "name": form.text("name").strip(),
        "description": form.text("description").strip() or None,
        "endpoint": form.text("endpoint").strip(),
        "http_method": "POST" if not on_trigger else form.text("http_method", "POST"),
        "request_format": "json" if not on_trigger else form.text("request_format", "json"),
        "status": form.text("status", "active"),
        "subscriptions": [CONDITIONAL] if on_trigger else [PREFIX + name for name in wanted],
        "authentication": authentication(form, known),
        "custom_headers": headers or None,
    }


def authentication(form: Form, known: Webhook | None = None) -> Json | None:
    """Read the authentication; what was left empty is kept from the webhook being edited."""
    kind = form.text("authentication", "none")
    parts = {
        "bearer_token": {"token": "token"},
        "basic_auth": {"username": "username", "password": "password"},
        "api_key": {"name": "api_key_name", "value": "api_key_value"},
    }.get(kind)
    if parts is None:
        return None
    before = (known.authentication or {}) if known else {}
    kept = (before.get("data") or {}) if before.get("type") == kind else {}
    data = {key: form.text(name) or str(kept.get(key, "")) for key, name in parts.items()}
    return {"type": kind, "data": data, "add_position": "header"}
