"""The overview of the handoff: how far the chain is known to work, link by link, and its main switch."""

from __future__ import annotations

from starlette.responses import Response

from escalade.domain.errors import Invalid
from escalade.domain.organisation import RolloutMode
from escalade.web.console.checklist import Checklist
from escalade.web.console.gate import Note, Visit

PATH = "/console/escalate"


class Escalate:
    """The page."""

    def __init__(self, checklist: Checklist) -> None:
        self._checklist = checklist

    async def show(self, visit: Visit) -> Response:
        """Show the chain."""
        return await self._draw(visit)

    async def save(self, visit: Visit) -> Response:
        """Change who is offered a person."""
        try:
            if visit.form.text("mode") not in set(RolloutMode):
                raise Invalid("choose one of these", pointer="/rollout/mode")
            patch = {"rollout": {"mode": visit.form.text("mode")}}
            await visit.parts.tuning.change(visit.organisation.id, patch, visit.operator.email)
        except Invalid as error:
            return await self._draw(visit, {error.pointer: error.detail}, status=422)
        return visit.back(PATH, Note(tone="good", title="Saved"))

    async def _draw(self, visit: Visit, errors: dict[str, str] | None = None, status: int = 200) -> Response:
        steps = await self._checklist.steps(visit)
        return visit.show(
            "escalate/overview.html",
            status=status,
            section="overview",
            errors=errors or {},
            steps={step.name: step for step in steps},
            mode=visit.form.text("mode") or visit.organisation.settings.rollout.mode.value,
            live=visit.organisation.settings.live.enabled,
        )
