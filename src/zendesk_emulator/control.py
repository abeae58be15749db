"""Let tests and pages steer the emulator: look inside, inject faults, act as the agent, set things up, wait.

Everything lives under `/emulator/` and asks for the control token; none of it exists in Zendesk.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from zendesk_emulator import control_admin, control_agent, fidelity, help_center, state
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.errors import DeskRefused, Refused
from zendesk_emulator.faults import BadRule
from zendesk_emulator.records.json import Json

LONGEST_WAIT = 60.0

Handler = Callable[[Emulator, Request, Json], Awaitable[object]]


def routes(emulator: Emulator) -> Sequence[BaseRoute]:
    """Give the routes of the control API."""
    table: tuple[tuple[str, str, Handler], ...] = (
        ("GET", "/emulator/state", _state),
        ("GET", "/emulator/counts", _counts),
        ("GET", "/emulator/seed", _seed),
        ("GET", "/emulator/requests", _requests),
        ("GET", "/emulator/wait", _wait),
        ("POST", "/emulator/history", _history),
        ("POST", "/emulator/reset", _reset),
        ("POST", "/emulator/clock", _clock),
        ("GET", "/emulator/settings", _settings),
        ("POST", "/emulator/settings", _settings),
        ("GET", "/emulator/faults", _faults),
        ("POST", "/emulator/faults", _add_fault),
        ("DELETE", "/emulator/faults", _clear_faults),
        ("DELETE", "/emulator/faults/{rule_id:int}", _clear_faults),
        ("POST", "/emulator/faults/release", _release),
        ("POST", "/emulator/agent/{action}", _agent),
        ("POST", "/emulator/admin/{thing}", _admin),
        ("POST", "/emulator/help_center/articles", _load_articles),
        ("DELETE", "/emulator/help_center/articles/{article_id:int}", _delete_article),
    )
    guarded = [Route(path, _guarded(emulator, handler), methods=[method]) for method, path, handler in table]

    async def fidelity_table(_: Request) -> Response:
        return JSONResponse({"behaviours": fidelity.as_json()})

    return [*guarded, Route("/emulator/fidelity", fidelity_table)]


def is_control(emulator: Emulator, header: str | None) -> bool:
    """Tell whether an Authorization header carries the control token."""
    wanted = f"Bearer {emulator.seed.control_token}".encode()
    return hmac.compare_digest((header or "").encode("utf-8", "replace"), wanted)


def _guarded(emulator: Emulator, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if not is_control(emulator, request.headers.get("authorization")):
            return JSONResponse({"error": "the control token is missing or wrong"}, 401)
        raw = await request.body()
        try:
            body = json.loads(raw) if raw else {}
            if not isinstance(body, dict):
                raise TypeError("the body must be an object")
            return JSONResponse(await handler(emulator, request, body))
        except (BadRule, KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return endpoint


# Looking


async def _state(emulator: Emulator, _: Request, __: Json) -> Json:
    return state.everything(emulator)


async def _counts(emulator: Emulator, _: Request, __: Json) -> Json:
    return state.counts(emulator)


async def _seed(emulator: Emulator, _: Request, __: Json) -> Json:
    known = emulator.seed
    return {
        "base_url": emulator.account.base_url,
        "subdomain": emulator.account.subdomain,
        "account_id": emulator.account.id,
        "admin_email": known.admin_email,
        "oauth_client_id": known.oauth_client_id,
        "oauth_client_secret": known.oauth_client_secret,
        "api_token": known.api_token,
        "app_id": known.app_id,
        "key_id": known.key_id,
        "key_secret": known.key_secret,
    }


async def _requests(emulator: Emulator, request: Request, _: Json) -> Json:
    query = request.query_params
    entries = emulator.log.since(int(query.get("since", "0")))
    for name in ("direction", "kind", "method"):
        if name in query:
            entries = [entry for entry in entries if entry[name] == query[name]]
    if "url" in query:
        entries = [entry for entry in entries if query["url"] in entry["url"]]
    return {"requests": entries, "last": entries[-1]["n"] if entries else int(query.get("since", "0"))}


async def _wait(emulator: Emulator, request: Request, _: Json) -> Json:
    """Answer once every count asked for is reached, or the time is over: `?tickets=1&messages=3&timeout=10`.

    `ticket=101&status=solved&session=ended&contains=text` waits for one ticket; `rings=N` for anything after N.
    """
    query = dict(request.query_params)
    timeout = min(LONGEST_WAIT, float(query.pop("timeout", "10")))
    deadline = emulator.ports.now().timestamp() + timeout
    while True:
        rings = emulator.account.bell.rings
        reached = _is_reached(emulator, query)
        remaining = deadline - emulator.ports.now().timestamp()
        if reached or remaining <= 0:
            return {"reached": reached, "counts": state.counts(emulator), "rings": rings}
        await emulator.account.bell.next(rings, remaining)


def _is_reached(emulator: Emulator, query: dict[str, str]) -> bool:
    counts = state.counts(emulator)
    for name, value in query.items():
        if name in counts and counts[name] < int(value):
            return False
        if name == "rings" and emulator.account.bell.rings <= int(value):
            return False
        if name not in counts and name not in ("rings", "ticket", "status", "session", "contains"):
            raise ValueError(f"nothing to wait for is called {name!r}")
    if "ticket" not in query:
        return True
    ticket = emulator.account.records.tickets.get(int(query["ticket"]))
    if ticket is None:
        return False
    if query.get("status", ticket.status) != ticket.status or query.get("session", ticket.session) != ticket.session:
        return False
    return query.get("contains", "") in json.dumps(state.ticket(emulator.account, ticket), ensure_ascii=False)


# Steering


async def _reset(emulator: Emulator, _: Request, __: Json) -> Json:
    await emulator.ports.stop()
    emulator.reset()
    return {"reset": True}


async def _history(emulator: Emulator, _: Request, body: Json) -> Json:
    """Write every list into the history as it stands: `{"final": true}` once everything has drained."""
    if emulator.history is None:
        raise ValueError("no history is written; start with --history FILE")
    emulator.history.view(final=bool(body.get("final", False)))
    return {"written": True}


async def _clock(emulator: Emulator, _: Request, body: Json) -> Json:
    """Skip time: `{"advance_seconds": 1800}`."""
    emulator.account.advance(float(body["advance_seconds"]))
    return {"now": emulator.account.now().isoformat()}


async def _settings(emulator: Emulator, _: Request, body: Json) -> Json:
    settings = emulator.account.settings
    for name, value in body.items():
        if not hasattr(settings, name):
            raise ValueError(f"there is no setting {name!r}")
        setattr(settings, name, value)
    emulator.account.bell.ring()
    return {name: getattr(settings, name) for name in settings.__slots__}


async def _faults(emulator: Emulator, _: Request, __: Json) -> Json:
    return {"faults": [rule.shown() for rule in emulator.faults.rules], "held": len(emulator.faults.held)}


async def _add_fault(emulator: Emulator, _: Request, body: Json) -> Json:
    rule = emulator.faults.add(body)
    emulator.account.bell.ring()
    return {"fault": rule.shown()}


async def _clear_faults(emulator: Emulator, request: Request, _: Json) -> Json:
    emulator.faults.clear(request.path_params.get("rule_id"))
    emulator.account.bell.ring()
    return {"faults": [rule.shown() for rule in emulator.faults.rules]}


async def _release(emulator: Emulator, _: Request, body: Json) -> Json:
    return {"released": emulator.faults.release(str(body.get("order", "first")))}


async def _agent(emulator: Emulator, request: Request, body: Json) -> Json:
    try:
        return control_agent.act(emulator, str(request.path_params["action"]), body)
    except DeskRefused as refusal:
        raise Refused(409, {"error": str(refusal)}) from refusal


async def _admin(emulator: Emulator, request: Request, body: Json) -> Json:
    return control_admin.make(emulator, str(request.path_params["thing"]), body)


async def _load_articles(emulator: Emulator, _: Request, body: Json) -> Json:
    loaded = help_center.load(emulator.account, list(body["articles"]))
    return {"articles": [help_center.shown(emulator.account, article) for article in loaded]}


async def _delete_article(emulator: Emulator, request: Request, _: Json) -> Json:
    emulator.account.records.articles.pop(int(request.path_params["article_id"]), None)
    return {"deleted": True}
