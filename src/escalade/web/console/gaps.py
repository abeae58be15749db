"""Gaps: what customers asked and nobody but a person could answer, so that somebody may write it down."""

from __future__ import annotations

from starlette.responses import Response

from escalade.web.console.gate import Visit

DAYS = (7, 30, 90)  # to choose from
DAY_MS = 24 * 3600_000
AT_ONCE = 2  # looks of one organisation


async def show(visit: Visit) -> Response:
    """Show the gaps of the last days."""
    days = visit.number("days", 30)
    days = days if days in DAYS else 30
    with visit.parts.limits.hold(AT_ONCE, "looks for gaps", visit.organisation.id):
        lacking = await visit.parts.gaps.of(visit.organisation.id, visit.parts.ports.now() - days * DAY_MS)
    demanded = visit.organisation.settings.assistant.minimum_confidence
    return visit.show("assistant/gaps.html", lacking=lacking, days=days, choices=DAYS, demanded=demanded)
