"""Admin › Apps and integrations › Webhooks: create, edit, test, look at what was sent, reveal or reset the secret."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.routing import BaseRoute

from zendesk_emulator import webhook_rules
from zendesk_emulator.delivery import authentication_headers
from zendesk_emulator.errors import DeskRefused, Refused
from zendesk_emulator.pages import webhook_form, words
from zendesk_emulator.pages.guard import is_loopback
from zendesk_emulator.pages.shell import Form, Pages, Visit
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.triggers import Trigger
from zendesk_emulator.records.webhooks import Webhook

LIST = "/admin/webhooks"
ONE = f"{LIST}/{{webhook_id}}"
INVOCATIONS_SHOWN = 50
HTTP_HEADERS = "Custom headers are sent here over http as well; in Zendesk they only work with an https address."


def routes(pages: Pages) -> Sequence[BaseRoute]:
    """Give the routes of webhooks."""
    return [
        pages.get(LIST, _list),
        pages.post(LIST, _create, back=f"{LIST}/new"),
        pages.get(f"{LIST}/new", _new),
        pages.post(f"{LIST}/test", _test_draft, back=f"{LIST}/new"),
        pages.get(ONE, _show),
        pages.get(f"{ONE}/edit", _edit),
        pages.post(f"{ONE}/edit", _save, back=f"{ONE}/edit"),
        pages.post(f"{ONE}/test", _test, back=ONE),
        pages.post(f"{ONE}/secret", _secret, back=ONE),
        pages.post(f"{ONE}/status", _status, back=ONE),
        pages.post(f"{ONE}/delete", _delete, back=ONE),
    ]


def _found(visit: Visit) -> Webhook:
    return webhook_rules.get(visit.account, visit.word("webhook_id"))


def _connected(visit: Visit, webhook: Webhook) -> list[Trigger]:
    return [
        trigger
        for trigger in visit.account.records.triggers.values()
        for action in trigger.actions
        if action.get("field") == "notification_webhook" and str(action["value"][0]) == webhook.id
    ]


async def _list(visit: Visit) -> Response:
    return visit.show("admin/webhooks.html", hooks=list(visit.account.records.webhooks.values()))


async def _new(visit: Visit) -> Response:
    draft = webhook_form.of_form(visit.notice.draft) if visit.notice.draft.fields else webhook_form.Draft()
    return _form(visit, draft, None)


def _form(visit: Visit, draft: webhook_form.Draft, webhook: Webhook | None, **values: object) -> Response:
    status = 422 if values.get("trouble") else 200
    values = {"trouble": "", "answer": None, **values}
    return visit.show("admin/webhook_form.html", status=status, draft=draft, webhook=webhook, **values)


def _checked(form: Form, known: Webhook | None = None) -> Json:
    """Read the form, refusing what the guide would not let one leave empty."""
    fields = webhook_form.fields(form, known)
    if not fields["name"]:
        raise DeskRefused("Name: cannot be blank")
    if not fields["endpoint"]:
        raise DeskRefused("Endpoint URL: cannot be blank")
    if not fields["subscriptions"]:
        raise DeskRefused("Choose at least one event")
    data = (fields["authentication"] or {}).get("data") or {}
    if not all(data.values()):
        raise DeskRefused("Authentication: cannot be blank")
    return fields


async def _create(visit: Visit) -> Response:
    try:
        webhook = webhook_rules.create(visit.account, _checked(visit.form), by=str(visit.admin.id))
    except (DeskRefused, Refused) as error:
        return _form(visit, webhook_form.of_form(visit.form), None, trouble=words.sentence(error))
    return visit.go(f"{LIST}/{webhook.id}", said=f"Webhook {webhook.name} created. {_http_note(webhook)}".strip())


async def _edit(visit: Visit) -> Response:
    webhook = _found(visit)
    return _form(visit, webhook_form.of_webhook(webhook), webhook)


async def _save(visit: Visit) -> Response:
    webhook = _found(visit)
    try:
        webhook_rules.change(visit.account, webhook, _checked(visit.form, webhook), by=str(visit.admin.id))
    except (DeskRefused, Refused) as error:
        return _form(visit, webhook_form.of_form(visit.form), webhook, trouble=words.sentence(error))
    return visit.go(f"{LIST}/{webhook.id}", said=f"Webhook saved. {_http_note(webhook)}".strip())


def _http_note(webhook: Webhook) -> str:
    """Say what would be different with the real thing."""
    address = urlsplit(webhook.endpoint)
    if not webhook.custom_headers or address.scheme == "https":
        return ""
    if is_loopback(address.hostname or ""):
        return HTTP_HEADERS
    return f"{HTTP_HEADERS} This address is not on this machine: use https."


async def _show(visit: Visit) -> Response:
    webhook = _found(visit)
    return visit.show(
        "admin/webhook.html",
        webhook=webhook,
        draft=webhook_form.of_webhook(webhook),
        invocations=webhook.invocations[::-1][:INVOCATIONS_SHOWN],
        triggers=_connected(visit, webhook),
        secret_headers=_secret_headers(webhook),
        answer=visit.notice.facts.get("answer"),
        secret=visit.notice.facts.get("secret"),
    )


def _secret_headers(webhook: Webhook) -> set[str]:
    """Name the headers that carry the webhook's own credentials."""
    return {name.lower() for name in ("Authorization", *authentication_headers(webhook.authentication))}


async def _test_draft(visit: Visit) -> Response:
    """Send the test request of a form that is not saved yet, signed with the documented static secret."""
    form = visit.form
    known = visit.account.records.webhooks.get(form.text("webhook_id"))
    fields = webhook_form.fields(form, known)
    draft = webhook_form.of_form(form)
    if not str(fields["endpoint"]).startswith(("http://", "https://")):
        return _form(visit, draft, known, trouble="Endpoint URL: must be a URL")
    secret = {"signing_secret": known.secret} if known else {}
    answer = await visit.emulator.delivery.test({**fields, **secret, "payload": form.text("payload")})
    return _form(visit, draft, known, answer=answer)


async def _test(visit: Visit) -> Response:
    webhook = _found(visit)
    answer = await visit.emulator.delivery.test(
        {
            "endpoint": webhook.endpoint,
            "http_method": webhook.http_method,
            "request_format": webhook.request_format,
            "authentication": webhook.authentication,
            "custom_headers": webhook.custom_headers,
            "signing_secret": webhook.secret,
            "payload": visit.form.text("payload"),
        }
    )
    return visit.go(f"{LIST}/{webhook.id}", answer=answer)


async def _secret(visit: Visit) -> Response:
    """Reveal the signing secret, or replace it by a fresh one."""
    webhook = _found(visit)
    if visit.form.text("do") == "reset":
        webhook.secret = visit.account.ids.signing_secret()
        visit.account.bell.ring()
        said = "The signing secret was reset; the old one no longer signs anything."
        return visit.go(f"{LIST}/{webhook.id}", said=said, secret=webhook.secret)
    return visit.go(f"{LIST}/{webhook.id}", secret=webhook.secret)


async def _status(visit: Visit) -> Response:
    webhook = _found(visit)
    status = "inactive" if webhook.status == "active" else "active"
    webhook_rules.change(visit.account, webhook, {"status": status}, by=str(visit.admin.id))
    return visit.go(f"{LIST}/{webhook.id}", said=f"The webhook is {status}.")


async def _delete(visit: Visit) -> Response:
    webhook = _found(visit)
    if _connected(visit, webhook):
        raise DeskRefused("A trigger uses this webhook; delete the trigger first.")
    del visit.account.records.webhooks[webhook.id]
    visit.account.bell.ring()
    return visit.go(LIST, said=f"Webhook {webhook.name} deleted.")
