"""Gaps: what customers asked and nobody but a person could answer, and which answers did not help them."""

from __future__ import annotations

from starlette.responses import Response

from escalade.services.usefulness import usefulness
from escalade.web.console.gate import Visit

DAYS = (7, 30, 90)  # to choose from
DAY_MS = 24 * 3600_000
AT_ONCE = 2  # looks of one organisation


async def show(visit: Visit) -> Response:
    """Show the gaps of the last days, and what customers found of the answers in them."""
    days = visit.number("days", 30)
    days = days if days in DAYS else 30
    parts, organisation = visit.parts, visit.organisation
    since = parts.ports.now() - days * DAY_MS
    with parts.limits.hold(AT_ONCE, "looks for gaps", organisation.id):
        lacking = await parts.gaps.of(organisation.id, since)
        useful = await usefulness(parts.database, organisation.id, since)
    demanded = organisation.settings.assistant.minimum_confidence
    return visit.show("assistant/gaps.html", lacking=lacking, useful=useful, days=days, choices=DAYS, demanded=demanded)
