"""Switch faults on and off: wrong answers, delays and lost answers on the APIs; lost or disordered webhooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import BaseRoute

from zendesk_emulator.errors import DeskRefused
from zendesk_emulator.faults import BadRule
from zendesk_emulator.pages.shell import Pages, Visit
from zendesk_emulator.records.json import Json

PAGE = "/admin/faults"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A fault one can switch on by name."""

    label: str
    says: str
    side: str
    rule: Callable[[int], Json]
    asks: str = ""  # what the number means
    number: int = 0


KINDS: Mapping[str, Kind] = {
    "429": Kind(
        label="429 with Retry-After",
        says="Too many requests: nothing happens.",
        side="api",
        rule=lambda number: {
            "action": "answer",
            "status": 429,
            "headers": {"Retry-After": str(number)},
            "body": "Number of allowed API requests per minute exceeded",
        },
        asks="Retry-After, seconds",
        number=5,
    ),
    "500": Kind(
        label="500",
        says="Internal error: nothing happens.",
        side="api",
        rule=lambda _: {"action": "answer", "status": 500, "body": {"error": "InternalServerError"}},
    ),
    "401": Kind(
        label="401",
        says="As if the credentials had been revoked.",
        side="api",
        rule=lambda _: {"action": "answer", "status": 401, "body": {"error": "Couldn't authenticate you"}},
    ),
    "delay": Kind(
        label="Delay",
        says="Waits, then does what was asked.",
        side="api",
        rule=lambda number: {"action": "delay", "seconds": number, "when": "before"},
        asks="Seconds",
        number=3,
    ),
    "timeout-after-success": Kind(
        label="Time-out after success",
        says="Does what was asked, and answers too late.",
        side="api",
        rule=lambda number: {"action": "delay", "seconds": number, "when": "after"},
        asks="Seconds",
        number=60,
    ),
    "drop-after-success": Kind(
        label="Hang up after success",
        says="Does what was asked, and never answers.",
        side="api",
        rule=lambda _: {"action": "drop", "when": "after"},
    ),
    "webhook-drop": Kind(
        label="Drop webhooks",
        says="Never sends them.",
        side="webhook",
        rule=lambda _: {"action": "drop"},
    ),
    "webhook-duplicate": Kind(
        label="Duplicate webhooks",
        says="Sends copies at once.",
        side="webhook",
        rule=lambda number: {"action": "duplicate", "copies": max(1, number)},
        asks="Extra copies",
        number=1,
    ),
    "webhook-delay": Kind(
        label="Delay webhooks",
        says="Sends them later.",
        side="webhook",
        rule=lambda number: {"action": "delay", "seconds": number},
        asks="Seconds",
        number=5,
    ),
    "webhook-reorder": Kind(
        label="Reorder webhooks",
        says="Collects some, then sends the last one first.",
        side="webhook",
        rule=lambda number: {"action": "reorder", "count": max(2, number)},
        asks="How many",
        number=2,
    ),
    "webhook-hold": Kind(
        label="Hold webhooks",
        says="Keeps them until you release them.",
        side="webhook",
        rule=lambda _: {"action": "hold"},
    ),
}


def routes(pages: Pages) -> Sequence[BaseRoute]:
    """Give the routes of faults."""
    return [
        pages.get(PAGE, _show),
        pages.post(PAGE, _switch_on, back=PAGE),
        pages.post(f"{PAGE}/clear", _clear, back=PAGE),
        pages.post(f"{PAGE}/{{rule_id:int}}/clear", _clear, back=PAGE),
        pages.post(f"{PAGE}/release", _release, back=PAGE),
    ]


async def _show(visit: Visit) -> Response:
    faults = visit.emulator.faults
    return visit.show(
        "admin/faults.html",
        kinds={side: {name: kind for name, kind in KINDS.items() if kind.side == side} for side in ("api", "webhook")},
        rules=[(rule, rule.shown()) for rule in faults.rules],
        held=len(faults.held),
    )


async def _switch_on(visit: Visit) -> Response:
    form = visit.form
    kind = KINDS.get(form.text("fault"))
    if kind is None:
        raise DeskRefused("There is no such fault.")
    asked = form.number("number")
    fields: Json = {"side": kind.side, **kind.rule(kind.number if asked is None else asked)}
    if form.text("path").strip():
        fields["path"] = form.text("path").strip()
    if form.text("kind").strip():
        fields["kind"] = form.text("kind").strip()
    if kind.side == "api" and form.text("method"):
        fields["method"] = form.text("method")
    if form.number("times"):
        fields["times"] = form.number("times")
    try:
        visit.emulator.faults.add(fields)
    except BadRule as error:
        raise DeskRefused(str(error)) from error
    visit.account.bell.ring()
    return visit.go(PAGE, said=f"Switched on: {kind.label}.")


async def _clear(visit: Visit) -> Response:
    number = visit.request.path_params.get("rule_id")
    visit.emulator.faults.clear(number)
    visit.account.bell.ring()
    return visit.go(PAGE, said="Switched off." if number else "All faults are off.")


async def _release(visit: Visit) -> Response:
    released = visit.emulator.faults.release(visit.form.text("order", "first"))
    visit.account.bell.ring()
    return visit.go(PAGE, said=f"Released {released}.")
