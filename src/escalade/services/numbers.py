"""Learn the number of a live handoff's ticket where the webhook that would have named it never came.

The chat does without it; the console, the console's links and the agents' sidebar do not. It is sought every minute at
first and seldom later, for as long as the handoff is read.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Protocol

import structlog

from escalade.channels.base import Account, ChannelName
from escalade.domain.errors import DeliveryError
from escalade.domain.model import Handoff, HandoffId, Millis, Mode
from escalade.services.doors import Doors
from escalade.services.ports import Ports

log = structlog.get_logger()

SEEK_AFTER_MS = 5_000
SEEK_EVERY_MS = 60_000
SELDOM_AFTER_MS = 10 * 60_000
SELDOM_EVERY_MS = 10 * 60_000


class Directory(Protocol):
    """Who can find a ticket."""

    async def ticket_of(self, account: Account, conversation: str, since: Millis) -> str | None:
        """Find the ticket of a live conversation."""
        ...


class Numbers:
    """Seeks, each handoff's in its own time."""

    def __init__(self, ports: Ports, directory: Directory, doors: Doors) -> None:
        self._ports = ports
        self._directory = directory
        self._doors = doors
        self._due_at: dict[HandoffId, Millis] = {}

    async def seek(self, account: Account, handoff: Handoff, conversation: str | None) -> str | None:
        """Find a handoff's ticket, if its number is unknown and it is time to ask."""
        if handoff.mode is not Mode.LIVE or handoff.ticket_id is not None or handoff.queued_at is None:
            return None
        now = self._ports.now()
        due_at = self._due_at.get(handoff.id, handoff.queued_at + SEEK_AFTER_MS)
        if conversation is None or account.zendesk is None or now < due_at:
            return None
        seldom = now - handoff.queued_at >= SELDOM_AFTER_MS
        self._due_at[handoff.id] = now + (SELDOM_EVERY_MS if seldom else SEEK_EVERY_MS)
        try:
            since = self._ports.wall() - (now - handoff.asked_at)  # by their clock
            asks = partial(self._directory.ticket_of, account, conversation, since)
            return await self._doors.call(account.organisation, ChannelName.ZENDESK, asks)
        except DeliveryError as error:
            log.warning("ticket_unknown", handoff=handoff.id, why=error.detail)
            return None

    def forget(self, but: Collection[HandoffId]) -> None:
        """Forget every handoff that is not read any more."""
        for handoff in self._due_at.keys() - set(but):
            del self._due_at[handoff]
