"""Serve integrations, their webhooks, and the switchboard.

https://developer.zendesk.com/api-reference/conversations/
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from zendesk_emulator import sunshine_json
from zendesk_emulator.account import Account
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.errors import SunRefused
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.messaging import Integration, SunWebhook, SwitchboardIntegration
from zendesk_emulator.sunshine_access import SunCall, sun_page, sun_route
from zendesk_emulator.sunshine_delivery import TRIGGERS

WEBHOOKS_PER_APP = 10


def routes(emulator: Emulator) -> Sequence[BaseRoute]:
    """Give the routes of the set-up."""
    one = "/integrations/{integration_id}"
    hook = f"{one}/webhooks/{{webhook_id}}"
    seats = "/switchboards/{switchboard_id}/switchboardIntegrations"
    seat = f"{seats}/{{seat_id}}"
    return [
        sun_route(emulator, "GET", "/integrations", _list),
        sun_route(emulator, "POST", "/integrations", _create, status=201),
        sun_route(emulator, "GET", one, lambda call: {"integration": sunshine_json.integration(_found(call))}),
        sun_route(emulator, "PATCH", one, _rename),
        sun_route(emulator, "DELETE", one, _delete),
        sun_route(emulator, "GET", f"{one}/webhooks", _webhooks),
        sun_route(emulator, "POST", f"{one}/webhooks", _add_webhook, status=201),
        sun_route(emulator, "GET", hook, lambda call: {"webhook": sunshine_json.webhook(_found_webhook(call))}),
        sun_route(emulator, "PATCH", hook, _change_webhook),
        sun_route(emulator, "DELETE", hook, _delete_webhook),
        sun_route(emulator, "GET", "/switchboards", lambda call: {"switchboards": [_switchboard(call.account)]}),
        sun_route(emulator, "PATCH", "/switchboards/{switchboard_id}", _change_switchboard),
        sun_route(emulator, "GET", seats, _seats),
        sun_route(emulator, "POST", seats, _add_seat, status=201),
        sun_route(emulator, "PATCH", seat, _change_seat),
        sun_route(emulator, "DELETE", seat, _delete_seat),
    ]


# Integrations and their webhooks


def add_integration(account: Account, fields: Json) -> Integration:
    """Create a custom integration with its first webhook."""
    if fields.get("type") != "custom":
        raise SunRefused(400, "bad_request", "Only custom integrations can be created here")
    webhooks = fields.get("webhooks") or []
    if len(webhooks) > 1:
        raise SunRefused(400, "bad_request", "Exactly one webhook is taken on creation")
    integration = Integration(
        id=account.ids.hex24(account.now()), type="custom", display_name=str(fields.get("displayName") or "custom")
    )
    for given in webhooks:
        integration.webhooks.append(new_webhook(account, given))
    account.records.integrations[integration.id] = integration
    account.bell.ring()
    return integration


def new_webhook(account: Account, fields: Json) -> SunWebhook:
    """Make a webhook with a fresh key; an app has ten at most."""
    if sum(len(known.webhooks) for known in account.records.integrations.values()) >= WEBHOOKS_PER_APP:
        raise SunRefused(400, "bad_request", f"An app has at most {WEBHOOKS_PER_APP} webhooks")
    webhook = SunWebhook(id=account.ids.hex24(account.now()), target="", triggers=[], secret=account.ids.secret(86))
    _fill(webhook, {"target": "", "triggers": [], **fields})
    return webhook


def _fill(webhook: SunWebhook, fields: Json) -> None:
    target, triggers = fields.get("target", webhook.target), fields.get("triggers", webhook.triggers)
    if not str(target).startswith(("http://", "https://")):
        raise SunRefused(400, "bad_request", "target must be a URL")
    unknown = [name for name in triggers if name not in TRIGGERS]
    if unknown or not triggers:
        raise SunRefused(400, "bad_request", f"triggers: unknown {unknown}" if unknown else "triggers is required")
    webhook.target, webhook.triggers = str(target), list(triggers)
    webhook.include_full_user = bool(fields.get("includeFullUser", webhook.include_full_user))
    webhook.include_full_source = bool(fields.get("includeFullSource", webhook.include_full_source))


def _found(call: SunCall) -> Integration:
    integration = call.account.records.integrations.get(call.word("integration_id"))
    if integration is None:
        raise SunRefused(404, "integration_not_found", "Integration not found")
    return integration


def _found_webhook(call: SunCall) -> SunWebhook:
    webhook = next((known for known in _found(call).webhooks if known.id == call.word("webhook_id")), None)
    if webhook is None:
        raise SunRefused(404, "webhook_not_found", "Webhook not found")
    return webhook


def _list(call: SunCall) -> Json:
    wanted = [word for word in call.query("filter[types]").split(",") if word]
    found = [known for known in call.account.records.integrations.values() if not wanted or known.type in wanted]
    return sun_page(call, "integrations", found, sunshine_json.integration)


def _create(call: SunCall) -> Json:
    integration = add_integration(call.account, call.json())
    return {"integration": sunshine_json.integration(integration, with_secrets=True)}


def _rename(call: SunCall) -> Json:
    integration = _found(call)
    integration.display_name = str(call.json().get("displayName") or integration.display_name)
    return {"integration": sunshine_json.integration(integration)}


def _delete(call: SunCall) -> None:
    integration = _found(call)
    if integration.type != "custom":
        raise SunRefused(403, "forbidden", "Built-in integrations stay")
    for seat in [seat for seat in call.account.records.seats.values() if seat.integration_id == integration.id]:
        call.emulator.switchboard.remove_seat(seat)
    del call.account.records.integrations[integration.id]


def _webhooks(call: SunCall) -> Json:
    return {"webhooks": [sunshine_json.webhook(webhook) for webhook in _found(call).webhooks]}


def _add_webhook(call: SunCall) -> Json:
    webhook = new_webhook(call.account, call.json())
    _found(call).webhooks.append(webhook)
    return {"webhook": sunshine_json.webhook(webhook)}


def _change_webhook(call: SunCall) -> Json:
    webhook = _found_webhook(call)
    _fill(webhook, call.json())
    return {"webhook": sunshine_json.webhook(webhook)}


def _delete_webhook(call: SunCall) -> None:
    _found(call).webhooks.remove(_found_webhook(call))


# Switchboard


def _switchboard(account: Account) -> Json:
    return {
        "id": account.switchboard_id,
        "enabled": True,
        "defaultSwitchboardIntegrationId": account.records.default_seat,
    }


def _check_switchboard(call: SunCall) -> None:
    if call.word("switchboard_id") != call.account.switchboard_id:
        raise SunRefused(404, "switchboard_not_found", "Switchboard not found")


def _change_switchboard(call: SunCall) -> Json:
    _check_switchboard(call)
    wanted = call.json().get("defaultSwitchboardIntegrationId")
    if wanted is not None:
        if wanted not in call.account.records.seats:
            raise SunRefused(404, "switchboard_integration_not_found", "Switchboard integration not found")
        call.account.records.default_seat = wanted
    return {"switchboard": _switchboard(call.account)}


def _seats(call: SunCall) -> Json:
    _check_switchboard(call)
    seats = call.account.records.seats.values()
    return {"switchboardIntegrations": [sunshine_json.seat(seat) for seat in seats]}


def _add_seat(call: SunCall) -> Json:
    _check_switchboard(call)
    return {"switchboardIntegration": sunshine_json.seat(call.emulator.switchboard.add_seat(call.json()))}


def _found_seat(call: SunCall) -> SwitchboardIntegration:
    _check_switchboard(call)
    seat = call.account.records.seats.get(call.word("seat_id"))
    if seat is None:
        raise SunRefused(404, "switchboard_integration_not_found", "Switchboard integration not found")
    return seat


def _change_seat(call: SunCall) -> Json:
    seat = _found_seat(call)
    call.emulator.switchboard.change_seat(seat, call.json())
    return {"switchboardIntegration": sunshine_json.seat(seat)}


def _delete_seat(call: SunCall) -> None:
    call.emulator.switchboard.remove_seat(_found_seat(call))
