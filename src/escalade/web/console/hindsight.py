"""Hindsight: settings, saved or not, over past conversations, dry; what would have been otherwise, and which ticket."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from starlette.responses import Response

from escalade.domain.errors import Invalid
from escalade.domain.model import Millis
from escalade.services.hindsight import MOST, Change, Look
from escalade.web.console import behaviour
from escalade.web.console.gate import Visit

PATH = "/console/hindsight"
DAYS = 7  # looked back over, where nothing else is said
AT_ONCE = 1  # looks of one organisation
ORDER = (Change.NOW, Change.NO_LONGER, Change.OTHERWISE, Change.SAME)


async def show(visit: Visit) -> Response:
    """Show the form as the settings are."""
    return _draw(visit, behaviour.typed_from(visit))


async def look(visit: Visit) -> Response:
    """Look back with the settings of the form, which are not saved."""
    typed = dict(visit.form.values)
    try:
        since, until = _range(visit)
        organisation = await visit.parts.tuning.tried(visit.organisation.id, behaviour.patch(visit.form))
        with visit.parts.limits.hold(AT_ONCE, "looks back", visit.organisation.id):
            found = await visit.parts.hindsight.look(organisation, since, until)
    except Invalid as error:
        return _draw(visit, typed, errors={error.pointer: error.detail}, status=422)
    return _draw(visit, typed, found=found, unsaved=organisation.settings != visit.organisation.settings)


def _range(visit: Visit) -> tuple[Millis, Millis]:
    """Read the days of the form, both included."""
    last = _day(visit.form.text("until"), "/until") or _today(visit)
    first = _day(visit.form.text("since"), "/since") or last - timedelta(days=DAYS)
    if first > last:
        raise Invalid("the first day comes after the last", pointer="/since")
    return _instant(first), _instant(last + timedelta(days=1))


def _day(typed: str, pointer: str) -> date | None:
    if not typed:
        return None
    try:
        found = date.fromisoformat(typed)
    except ValueError as error:
        raise Invalid("a day such as 2026-11-26", pointer=pointer) from error
    if not 1970 <= found.year <= 9998:
        raise Invalid("a day of this century", pointer=pointer)
    return found


def _instant(day: date) -> Millis:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def _today(visit: Visit) -> date:
    return datetime.fromtimestamp(visit.now / 1000, UTC).date()


def _draw(
    visit: Visit,
    typed: Mapping[str, str],
    *,
    found: Look | None = None,
    unsaved: bool = False,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    today = _today(visit)
    days = {"since": (today - timedelta(days=DAYS)).isoformat(), "until": today.isoformat()}
    return visit.show(
        "assistant/hindsight.html",
        status=status,
        typed=days | {name: value for name, value in typed.items() if value or name not in days},
        found=found,
        rows=sorted(found.seen, key=lambda one: ORDER.index(one.change)) if found else (),
        counts=[(change.value, found.count(change)) for change in ORDER] if found else (),
        unsaved=unsaved,
        errors=errors or {},
        most=MOST,
        may_change=True,  # whoever may read may try; nothing is changed
    )
