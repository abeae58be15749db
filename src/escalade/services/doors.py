"""Stop knocking where nobody answers: a breaker for each door of each organisation's Zendesk.

A door leads to Zendesk Support or to Sunshine Conversations for one organisation. It is shut when half of what was
tried lately failed, when we were asked to slow down, and when our credential is not accepted. Nothing goes through a
shut door but one probe at a time, and what comes of the probe opens it or keeps it shut. Deliveries and looks keep to
it alike; what belongs to other organisations, or to the other door, goes on. Where only one ticket is asked of too
often, what goes to that one waits, and nobody else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from escalade.channels.base import ChannelName
from escalade.domain.errors import Crowded, DeliveryError, Refused, Retryable, Unaccepted
from escalade.domain.model import Millis, OrganisationId
from escalade.services.backoff import doubling
from escalade.services.ports import Ports
from escalade.store import doors, lanes
from escalade.store.database import Database, Tx
from escalade.store.doors import Door, DoorState

log = structlog.get_logger()
T = TypeVar("T")
Key = tuple[OrganisationId, ChannelName]

LATELY_MS = 30_000
FEWEST = 10  # outcomes within that time before a share of them means anything
FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 30.0
LOCKED_WAIT_S = 60.0  # until an operator has mended the credential; hammering would not help
MOST_TOLD_S = {ChannelName.SUNSHINE: 120.0, ChannelName.ZENDESK: 900.0}  # a customer waits in a live chat
PROBE_S = 15.0  # a probe of which nothing was heard by then makes way for the next


class Doors:
    """The doors of every organisation."""

    def __init__(self, database: Database, ports: Ports) -> None:
        self._database = database
        self._ports = ports
        self._lately: dict[Key, deque[tuple[Millis, bool]]] = {}

    async def probe(self, door: Door | None) -> bool | None:
        """Say whether a call may go through: yes (`False`), as the probe (`True`), or not now (nothing)."""
        if door is None:
            return False
        now = self._ports.now()
        if door.until > now:
            return None
        until = now + int(PROBE_S * 1000)
        return await self._database.write(lambda tx: doors.claim_probe(tx, door, now, until)) or None

    async def call(self, organisation: OrganisationId, channel: ChannelName, work: Callable[[], Awaitable[T]]) -> T:
        """Ask something through a door, or say at once that it is shut."""
        door = (await self._database.read(lambda tx: doors.of(tx, organisation))).get(channel)
        probe = await self.probe(door)
        if probe is None:
            assert door is not None
            raise Retryable(door.why, after=self.opens_in(door))
        try:
            found = await work()
        except DeliveryError as error:
            await self.note(organisation, channel, error, door if probe else None)
            raise
        await self.note(organisation, channel, None, door if probe else None)
        return found

    def opens_in(self, door: Door) -> float:
        """Say in how many seconds a shut door may be tried, and somewhat more, so that not all come at once."""
        return max(1.0, (door.until - self._ports.now()) / 1000 + self._ports.jitter())

    async def note(
        self, organisation: OrganisationId, channel: ChannelName, error: DeliveryError | None, probed: Door | None
    ) -> None:
        """Learn from what came of a call; `probed` is the shut door whose probe it was."""
        now, key = self._ports.now(), (organisation, channel)
        if error is None or isinstance(error, Refused | Crowded) or error.status in {200, 409}:  # they answered
            self._remember(key, now, failed=False)
            if probed is not None:
                await self._database.write(lambda tx: self._open(tx, organisation, channel))
            return
        worked_lately = any(not failed for at, failed in self._lately.get(key, ()) if at > now - LATELY_MS)
        self._remember(key, now, failed=True)
        if isinstance(error, Unaccepted):
            # A no to one thing while others are let through is about that thing, not about who we are.
            if error.status == 401 or probed is not None or not worked_lately:
                await self._shut(key, DoorState.LOCKED, LOCKED_WAIT_S, error.detail, probed)
        elif error.status == 429:
            told = min(getattr(error, "after", None) or FIRST_WAIT_S, MOST_TOLD_S[channel])
            await self._shut(key, DoorState.PAUSED, told * max(1.0, self._ports.jitter()), error.detail, probed)
        elif probed is not None:
            wait = doubling(FIRST_WAIT_S, probed.probes + 1, LONGEST_WAIT_S)
            await self._shut(key, DoorState.FAILING, wait, error.detail, probed)
        elif self._is_failing(key, now):
            await self._shut(key, DoorState.FAILING, FIRST_WAIT_S, error.detail, None)

    def _remember(self, key: Key, now: Millis, *, failed: bool) -> None:
        lately = self._lately.setdefault(key, deque(maxlen=1000))
        lately.append((now, failed))
        while lately[0][0] <= now - LATELY_MS:
            lately.popleft()

    def _is_failing(self, key: Key, now: Millis) -> bool:
        lately = self._lately[key]
        return len(lately) >= FEWEST and 2 * sum(failed for _, failed in lately) >= len(lately)

    async def _shut(self, key: Key, state: DoorState, wait: float, why: str, probed: Door | None) -> None:
        organisation, channel = key
        now = self._ports.now()
        door = Door(
            organisation=organisation,
            channel=channel.value,
            state=state,
            until=now + int(wait * 1000),
            since=now,
            why=why,
            probes=0 if probed is None else probed.probes + 1,
        )
        self._lately.pop(key, None)  # judged: what comes next is judged by itself
        await self._database.write(lambda tx: doors.shut(tx, door))
        log.warning("door_shut", organisation=organisation, channel=channel.value, state=state.value, why=why[:200])

    def _open(self, tx: Tx, organisation: OrganisationId, channel: ChannelName) -> None:
        if doors.open_up(tx, organisation, channel.value):
            lanes.hurry(tx, organisation, self._ports.now())
            tx.ring("door", organisation)
            log.info("door_opened", organisation=organisation, channel=channel.value)
