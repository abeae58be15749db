"""Serve the Webhooks API: secrets blacked out on reading, 204 for changes, 201 for a new signing secret.

https://developer.zendesk.com/api-reference/webhooks/webhooks-api/webhooks/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from zendesk_emulator import webhook_rules
from zendesk_emulator.access import Call, Caller, identify, route
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.errors import forbidden, unauthenticated
from zendesk_emulator.paging import by_cursor
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.webhooks import Attempt, Invocation, Webhook
from zendesk_emulator.text import rest_time

BASE = "/api/v2/webhooks"


def routes(emulator: Emulator) -> Sequence[BaseRoute]:
    """Give the routes of webhooks."""
    read, write, one = "webhooks:read", "webhooks:write", f"{BASE}/{{webhook_id}}"

    async def test(request: Request) -> Response:
        caller = identify(emulator.account, request.headers.get("authorization"))
        if caller is None:
            raise unauthenticated()
        if not caller.may(write) or caller.user.role != "admin":
            raise forbidden("You do not have access to this page")
        return await _test(emulator, caller, request)

    return [
        Route(f"{BASE}/test", test, methods=["POST"]),
        route(emulator, "GET", BASE, _list, read, admin=True),
        route(emulator, "POST", BASE, _create, write, admin=True, status=201),
        route(emulator, "GET", one, lambda call: {"webhook": shown(_found(call))}, read, admin=True),
        route(emulator, "PUT", one, _replace, write, admin=True),
        route(emulator, "PATCH", one, _patch, write, admin=True),
        route(emulator, "DELETE", one, _delete, write, admin=True),
        route(emulator, "GET", f"{one}/signing_secret", _secret, "read", admin=True),
        route(emulator, "POST", f"{one}/signing_secret", _new_secret, write, admin=True, status=201),
        route(emulator, "GET", f"{one}/invocations", _invocations, read, admin=True),
        route(emulator, "GET", f"{one}/invocations/{{invocation_id}}/attempts", _attempts, read, admin=True),
    ]


def shown(webhook: Webhook) -> Json:
    """Show a webhook the way it is read back: without any secret."""
    record: Json = {
        "id": webhook.id,
        "name": webhook.name,
        "status": webhook.status,
        "subscriptions": webhook.subscriptions,
        "created_at": rest_time(webhook.created_at),
        "created_by": webhook.created_by,
        "endpoint": webhook.endpoint,
        "http_method": webhook.http_method,
        "request_format": webhook.request_format,
        "updated_at": rest_time(webhook.updated_at),
        "updated_by": webhook.updated_by,
    }
    if webhook.description is not None:
        record["description"] = webhook.description
    if webhook.custom_headers:
        record["custom_headers"] = webhook.custom_headers
    if webhook.authentication:
        record["authentication"] = _without_secret(webhook.authentication)
    return record


def _without_secret(authentication: Json) -> Json:
    safe: Json = {"type": authentication.get("type"), "add_position": authentication.get("add_position", "header")}
    data = authentication.get("data") or {}
    if safe["type"] == "basic_auth":
        safe["data"] = {"username": data.get("username")}
    elif safe["type"] == "api_key":
        safe["data"] = {"name": data.get("name")}
    return safe


def _found(call: Call) -> Webhook:
    return webhook_rules.get(call.account, call.word("webhook_id"))


def _list(call: Call) -> Json:
    hooks = list(call.account.records.webhooks.values())
    if call.query("filter[status]"):
        hooks = [hook for hook in hooks if hook.status == call.query("filter[status]")]
    contained = call.query("filter[name_contains]").lower()
    hooks = [hook for hook in hooks if contained in hook.name.lower()]
    sort = call.query("sort")
    if sort.lstrip("-") in ("name", "status"):
        hooks.sort(key=lambda hook: str(getattr(hook, sort.lstrip("-"))), reverse=sort.startswith("-"))
    return by_cursor(call.request, call.account.base_url, "webhooks", hooks, shown)


def _create(call: Call) -> Json:
    cloned = call.query("clone_webhook_id")
    if cloned:
        return {"webhook": shown(webhook_rules.clone(call.account, cloned, by=str(call.user.id)))}
    return {"webhook": shown(webhook_rules.create(call.account, call.json("webhook"), by=str(call.user.id)))}


def _replace(call: Call) -> Response:
    # Recorded: what a PUT leaves out is cleared, except the subscriptions.
    fields = {"authentication": None, "description": None, "custom_headers": None, **call.json("webhook")}
    webhook_rules.change(call.account, _found(call), fields, by=str(call.user.id))
    return Response(status_code=204)


def _patch(call: Call) -> Response:
    webhook_rules.change(call.account, _found(call), call.json("webhook"), by=str(call.user.id))
    return Response(status_code=204)


def _delete(call: Call) -> Response:
    del call.account.records.webhooks[_found(call).id]
    return Response(status_code=204)


def _secret(call: Call) -> Json:
    return {"signing_secret": {"secret": _found(call).secret, "algorithm": "SHA256"}}


def _new_secret(call: Call) -> Json:
    _found(call).secret = call.account.ids.signing_secret()
    return _secret(call)


async def _test(emulator: Emulator, caller: Caller, request: Request) -> Response:
    call = Call(emulator=emulator, request=request, caller=caller, raw=await request.body())
    given = dict(call.json("request")) if call.raw else {}
    webhook_id = call.query("webhook_id")
    if webhook_id:
        known = webhook_rules.get(emulator.account, webhook_id)
        given = {
            "endpoint": known.endpoint,
            "http_method": known.http_method,
            "request_format": known.request_format,
            "authentication": known.authentication,
            "custom_headers": known.custom_headers,
            "signing_secret": known.secret,
            **given,
        }
    return JSONResponse({"response": await emulator.delivery.test(given)})


def _invocations(call: Call) -> Json:
    webhook = _found(call)
    kept = sorted(webhook.invocations, key=_completed_at)
    if call.query("sort").startswith("-"):
        kept.reverse()
    if call.query("filter[from_ts]"):
        # Which instant counts is not documented: here it is the earlier, which leaves more out.
        kept = [invocation for invocation in kept if _began_at(invocation) >= call.query("filter[from_ts]")]
    if call.query("filter[status]"):
        kept = [invocation for invocation in kept if invocation.status == call.query("filter[status]")]
    return by_cursor(call.request, call.account.base_url, "invocations", kept, _invocation)


def _began_at(invocation: Invocation) -> str:
    """Say when a call was first tried."""
    return rest_time(invocation.attempts[0].completed_at) if invocation.attempts else _completed_at(invocation)


def _completed_at(invocation: Invocation) -> str:
    """Say when a call came to its end; one that has none yet comes last."""
    return "under way" if invocation.latest_completed_at is None else rest_time(invocation.latest_completed_at)


def _invocation(invocation: Invocation) -> Json:
    record: Json = {"id": invocation.id, "status": invocation.status}
    if invocation.status_code is not None:
        record["status_code"] = invocation.status_code
    if invocation.latest_completed_at is not None:
        record["latest_completed_at"] = rest_time(invocation.latest_completed_at)
    return record


def _attempts(call: Call) -> Json:
    webhook = _found(call)
    invocation = next((known for known in webhook.invocations if known.id == call.word("invocation_id")), None)
    if invocation is None:
        raise webhook_rules.unknown()
    return {"attempts": [_attempt(webhook.id, invocation.id, attempt) for attempt in invocation.attempts]}


def _attempt(webhook_id: str, invocation_id: str, attempt: Attempt) -> Json:
    record: Json = {
        "id": webhook_id,
        "invocation_id": invocation_id,
        "status": attempt.status,
        "completed_at": rest_time(attempt.completed_at),
    }
    if attempt.status_code is not None:
        record["status_code"] = attempt.status_code
    if attempt.request_payload is not None:
        record["request"] = {"headers": _pairs(attempt.request_headers), "payload": attempt.request_payload}
    if attempt.response_payload is not None:
        record["response"] = {"headers": _pairs(attempt.response_headers), "payload": attempt.response_payload}
    return record


def _pairs(headers: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in headers]
