"""Find the agents' seat at an app's switchboard, and find or take one for ourselves.

Only our own seat is ever added. The default, everyone's next and the channels' responders stay as they are: changing
them would reroute the customer's other channels.
https://developer.zendesk.com/documentation/conversations/messaging-platform/programmable-conversations/switchboard
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from escalade.channels.base import SunshineApp
from escalade.channels.sunshine import wire
from escalade.channels.sunshine.calls import Calls, listed
from escalade.domain.errors import DeliveryError, Refused, Retryable
from escalade.domain.model import Millis

KEPT = 10 * 60 * 1000
NO_SEATS = wire.Seats(ours=None, agents=None)


class Switchboard:
    """The seats of every app, remembered for ten minutes."""

    def __init__(self, calls: Calls, now: Callable[[], Millis]) -> None:
        self._calls = calls
        self._now = now
        self._known: dict[tuple[str, str], tuple[Millis, wire.Seats, str]] = {}

    async def seats(self, app: SunshineApp) -> wire.Seats:
        """Say who sits where; a key that may not ask sees nobody."""
        known = self._known.get(_identity(app))
        if known is not None and self._now() - known[0] < KEPT:
            return known[1]
        try:
            return (await self._look(app))[1]
        except (Refused, Retryable) as error:
            if not _is_lasting(error):
                raise
            return NO_SEATS

    async def our_seat(self, app: SunshineApp) -> tuple[wire.Seats, str]:
        """Say who sits where after taking a seat if we have none; where that is impossible, say why."""
        known = self._known.get(_identity(app))
        if known is not None and self._now() - known[0] < KEPT and (known[1].ours is not None or known[2]):
            return known[1], known[2]
        seats, why = NO_SEATS, ""
        try:
            switchboard, seats = await self._look(app)
            if seats.ours is None:
                await self._take(app, switchboard, seats.agents)
                seats = (await self._look(app))[1]
        except (Refused, Retryable) as error:
            if not _is_lasting(error):
                raise
            why = error.detail
        self._known[_identity(app)] = (self._now(), seats, why)
        return seats, why

    def forget(self, app: SunshineApp) -> None:
        """Look again next time."""
        self._known.pop(_identity(app), None)

    async def _look(self, app: SunshineApp) -> tuple[str, wire.Seats]:
        boards = listed(await self._calls.get(app, "/switchboards"), "switchboards")
        board = next((id for item in boards if (id := wire.text(item.get("id")))), None)
        if board is None:
            raise Refused("the app has no switchboard")
        page = await self._calls.get(app, _seats_path(board))
        seats = wire.read_seats(listed(page, "switchboardIntegrations"))
        self._known[_identity(app)] = (self._now(), seats, "")
        return board, seats

    async def _take(self, app: SunshineApp, board: str, agents: str | None) -> None:
        integrations = await self._calls.listed(app, "/integrations", "integrations", {"filter[types]": "custom"})
        ours = [item for item in integrations if item.get("displayName") == wire.OUR_NAME]
        if not ours:
            body = wire.encode({"type": "custom", "displayName": wire.OUR_NAME, "webhooks": []})
            made = (await self._calls.call(app, "POST", "/integrations", body=body)).json.get("integration")
            ours = [made] if isinstance(made, dict) else []
        id = wire.text(ours[0].get("id")) if ours else None
        if id is None:
            raise Refused("Sunshine made no integration for us")
        try:
            await self._calls.call(app, "POST", _seats_path(board), body=wire.seat_body(id, agents))
        except Retryable as error:
            if error.status != 409:  # somebody has just taken it for us
                raise


def _is_lasting(error: DeliveryError) -> bool:
    """Say whether an account will not let us have a seat; a wrong key or a busy server is another matter."""
    return isinstance(error, Refused) or error.status in {402, 403}


def _seats_path(board: str) -> str:
    return f"/switchboards/{quote(board, safe='')}/switchboardIntegrations"


def _identity(app: SunshineApp) -> tuple[str, str]:
    return app.base_url, app.app_id
