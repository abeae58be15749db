"""Live chat: the credentials, proved before the switch turns on, and what happens when nobody answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from escalade.domain.errors import Invalid
from escalade.domain.organisation import OnInactive
from escalade.web.console.checks import Checks
from escalade.web.console.connection import secret
from escalade.web.console.forms import Form
from escalade.web.console.gate import Note, Visit

PATH = "/console/escalate/live"


class Live:
    """The page."""

    def __init__(self, checks: Checks) -> None:
        self._checks = checks

    async def show(self, visit: Visit) -> Response:
        """Show live chat as it is set."""
        live = visit.organisation.settings.live
        typed = {
            "app_id": live.app_id,
            "key_id": live.key_id,
            "base_url": live.base_url or "",
            "answer_within_s": str(live.answer_within_s),
            "on_session_inactive": live.on_session_inactive.value,
        }
        typed |= {"enabled": "on"} if live.enabled else {}
        typed |= {"require_online_agent": "on"} if live.require_online_agent else {}
        return await self._draw(visit, typed)

    async def save(self, visit: Visit) -> Response:
        """Save the form; with the switch on, Zendesk must accept the credentials first."""
        try:
            await visit.parts.tuning.change(visit.organisation.id, {"live": _patch(visit.form)}, visit.operator.email)
        except Invalid as error:
            return await self._draw(visit, visit.form.values, {error.pointer: error.detail}, status=422)
        self._checks.forget(visit.organisation.id, "live")
        if visit.form.ticked("enabled"):
            note = await self._checks.live(visit)
            title = "Saved. Live chat is on" if note.tone == "good" else note.title
            note = Note(tone=note.tone, title=title, text=note.text, answer=note.answer)
            return visit.back(PATH, note)
        return visit.back(PATH, Note(tone="good", title="Saved", text="Live chat is off: every handoff is a ticket."))

    async def test(self, visit: Visit) -> Response:
        """Test the saved credentials."""
        return visit.back(PATH, await self._checks.live(visit))

    async def _draw(
        self, visit: Visit, typed: Mapping[str, str], errors: dict[str, str] | None = None, status: int = 200
    ) -> Response:
        tree = await visit.parts.tuning.read(visit.organisation.id)
        return visit.show(
            "escalate/live.html",
            status=status,
            section="live",
            typed=typed,
            errors=errors or {},
            secret=tree["live"]["secret"],
            is_on=visit.organisation.settings.live.enabled,
            connected=visit.organisation.settings.zendesk.is_connected,
            last=self._checks.last(visit.organisation.id, "live"),
        )


def _patch(form: Form) -> dict[str, Any]:
    inactive = form.text("on_session_inactive")
    if inactive not in set(OnInactive):
        raise Invalid("close or keep", pointer="/live/on_session_inactive")
    seconds = form.whole("answer_within_s", "/live/answer_within_s")
    if seconds is None:
        raise Invalid("how many seconds an agent has to answer", pointer="/live/answer_within_s")
    patch: dict[str, Any] = {
        "enabled": form.ticked("enabled"),
        "app_id": form.text("app_id"),
        "key_id": form.text("key_id"),
        "answer_within_s": seconds,
        "require_online_agent": form.ticked("require_online_agent"),
        "on_session_inactive": inactive,
    }
    if "base_url" in form.values:
        patch["base_url"] = form.text("base_url") or None
    return patch | secret(form, "secret")
