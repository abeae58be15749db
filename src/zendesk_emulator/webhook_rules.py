"""What a webhook may be: subscribed to events, or connected to triggers, never both and never switched.

https://developer.zendesk.com/api-reference/webhooks/webhooks-api/webhooks/
"""

from __future__ import annotations

from typing import Any

from zendesk_emulator import events
from zendesk_emulator.account import Account
from zendesk_emulator.errors import Refused
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.webhooks import Webhook
from zendesk_emulator.triggers import CONDITIONAL

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FORMATS = ("json", "xml", "form_encoded")
TRIAL_WEBHOOKS = 10


def get(account: Account, webhook_id: str) -> Webhook:
    """Find a webhook, or refuse with 404."""
    webhook = account.records.webhooks.get(webhook_id)
    if webhook is None:
        raise unknown()
    return webhook


def unknown() -> Refused:
    """Say that there is no such webhook."""
    return Refused(404, {"errors": [{"code": "WebhookNotFound", "title": "Not found"}]})


def create(account: Account, fields: Json, *, by: str) -> Webhook:
    """Create a webhook with a fresh signing secret."""
    if account.settings.trial_throttling and len(account.records.webhooks) >= TRIAL_WEBHOOKS:
        raise _wrong(f"A trial account has at most {TRIAL_WEBHOOKS} webhooks")
    for name in ("name", "status", "endpoint", "http_method", "request_format"):
        if not fields.get(name):
            raise _wrong(f"{name} is required")
    now = account.now()
    webhook = Webhook(
        id=account.ids.ulid(now),
        name="",
        endpoint="",
        http_method="POST",
        request_format="json",
        status="active",
        subscriptions=[],
        secret=account.ids.signing_secret(),
        created_at=now,
        updated_at=now,
        created_by=by,
        updated_by=by,
    )
    change(account, webhook, {"subscriptions": [CONDITIONAL], **fields}, by=by)
    account.records.webhooks[webhook.id] = webhook
    return webhook


def clone(account: Account, webhook_id: str, *, by: str) -> Webhook:
    """Copy a webhook under a new id and secret."""
    known = get(account, webhook_id)
    names = (
        *("endpoint", "http_method", "request_format", "status", "subscriptions"),
        *("authentication", "custom_headers", "description"),
    )
    fields = {name: getattr(known, name) for name in names}
    return create(account, {**fields, "name": f"{known.name} (copy)"}, by=by)


def change(account: Account, webhook: Webhook, fields: Json, *, by: str) -> None:
    """Change what is given, after checking how it all fits together."""
    names = (
        *("name", "description", "status", "endpoint", "http_method", "request_format"),
        *("authentication", "custom_headers", "subscriptions"),
    )
    wanted = {name: fields.get(name, getattr(webhook, name)) for name in names}
    _check(wanted, was=webhook.subscriptions)
    for name, value in wanted.items():
        setattr(webhook, name, value)
    webhook.updated_at, webhook.updated_by = account.now(), by
    account.bell.ring()


def _check(wanted: dict[str, Any], *, was: list[str]) -> None:
    subscriptions = wanted["subscriptions"]
    if wanted["status"] not in ("active", "inactive"):
        raise _wrong("status must be active or inactive")
    if wanted["http_method"] not in METHODS:
        raise _wrong("http_method is not valid")
    if wanted["request_format"] not in FORMATS:
        raise _wrong("request_format is not valid")
    if not str(wanted["endpoint"]).startswith(("http://", "https://")):
        raise _wrong("endpoint must be a URL")
    if not isinstance(subscriptions, list):
        raise _wrong("subscriptions must be a list")
    if was and (CONDITIONAL in was) != (CONDITIONAL in subscriptions):
        raise _wrong("a webhook cannot be switched between events and triggers")
    if CONDITIONAL in subscriptions:
        if subscriptions != [CONDITIONAL]:
            raise _wrong(f"{CONDITIONAL} cannot be combined with events")
        return
    for name in subscriptions:
        if not str(name).startswith(events.PREFIX):
            raise _wrong(f"{name} is not an event type")
    if subscriptions and (wanted["http_method"] != "POST" or wanted["request_format"] != "json"):
        raise _wrong("event subscriptions need POST and json")


def _wrong(title: str) -> Refused:
    return Refused(400, {"errors": [{"code": "InvalidWebhook", "title": title}]})
