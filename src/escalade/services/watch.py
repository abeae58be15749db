"""When to look: at once for a bell, and by itself while a handoff is open.

A webhook that never comes costs the time to the next look, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from functools import partial

import structlog

from escalade.domain.errors import Unavailable
from escalade.domain.model import OPEN_STATES, HandoffId, HandoffState, OrganisationId
from escalade.services.owners import Alone, Owners
from escalade.services.ports import Ports
from escalade.services.reconcile import Reconcile
from escalade.store import handoffs
from escalade.store.database import Database, Row

log = structlog.get_logger()

LIVE_EVERY_MS = 5_000
TICKET_EVERY_MS = 15_000
QUIET_EVERY_MS = 60_000
QUIET_AFTER_MS = 10 * 60_000
ASLEEP_EVERY_MS = 10 * 60_000
ASLEEP_AFTER_MS = 24 * 3600_000
SWEEP_S = 1.0


class Watch:
    """Has every open handoff looked at, one look at a time for each."""

    def __init__(self, database: Database, ports: Ports, reconcile: Reconcile, owners: Owners | None = None) -> None:
        self._database = database
        self._ports = ports
        self._reconcile = reconcile
        self._owners: Owners = owners or Alone()
        self._under_way: dict[HandoffId, asyncio.Task[None]] = {}
        self._again: dict[HandoffId, bool] = {}
        self._rung: dict[HandoffId, asyncio.Event] = {}
        self._looked_at: dict[HandoffId, int] = {}
        self._unread: set[OrganisationId] = set()  # whose lists are to be read, whenever they were read last

    def ring(self, rings: Iterable[tuple[str, str]]) -> None:
        """Start a look for every handoff that was rung for; where several processes serve, the leader looks."""
        if not self._owners.leads:
            return
        for topic, what in rings:
            if topic in {"look", "ask"}:
                self.look_soon(HandoffId(what), session=topic == "ask")
            elif topic == "door":
                self._unread.add(OrganisationId(what))

    def look_soon(self, handoff: HandoffId, *, session: bool = False) -> None:
        """Look now, or once more after the look that is under way."""
        if handoff in self._under_way:
            self._again[handoff] = self._again.get(handoff, False) or session
            self._rung[handoff].set()
            return
        self._rung[handoff] = asyncio.Event()
        self._under_way[handoff] = asyncio.create_task(self._look(handoff, session), name=f"look {handoff}")

    async def run(self) -> None:
        """Look at every open handoff by itself: often while people talk, seldom while it is quiet."""
        blind = True  # after a time without news of ours or theirs, every list is read
        while True:
            now = self._ports.now()
            unread, self._unread = self._unread, set()
            try:
                leads = await self._owners.lead()
                rows = await self._database.read(partial(handoffs.to_read, now=now)) if leads else []
            except Unavailable as error:
                log.warning("handoffs_unreadable", why=str(error))
                blind = True
                await self._ports.sleep(SWEEP_S)
                continue
            for row in rows:
                handoff = HandoffId(row["id"])
                last = self._looked_at.get(handoff, 0)
                if blind or row["organisation"] in unread or now - last >= self._every(row, now):
                    self.look_soon(handoff, session=True)
            blind = not leads
            self._forget({HandoffId(row["id"]) for row in rows})
            await self._ports.sleep(SWEEP_S)

    def _forget(self, but: set[HandoffId]) -> None:
        """Forget what is not read any more."""
        known = but | self._under_way.keys()
        self._reconcile.forget(known)
        for handoff in self._looked_at.keys() - known:
            del self._looked_at[handoff]

    def _every(self, row: Row, now: int) -> int:
        """Say how often to look without being rung for: often while people talk, seldom while it is quiet."""
        state, quiet = HandoffState(row["state"]), now - row["updated_at"]
        if state is HandoffState.REQUESTED or state not in OPEN_STATES:
            return QUIET_EVERY_MS
        if quiet < QUIET_AFTER_MS:
            return TICKET_EVERY_MS if state is HandoffState.ASYNCHRONOUS else LIVE_EVERY_MS
        return QUIET_EVERY_MS if quiet < ASLEEP_AFTER_MS else ASLEEP_EVERY_MS

    async def close(self) -> None:
        """Stop the looks that are under way; whatever they had not written is looked at again."""
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _look(self, handoff: HandoffId, session: bool) -> None:
        try:
            while True:
                self._looked_at[handoff] = self._ports.now()
                self._rung[handoff].clear()
                again_in: float | None
                try:
                    again_in = await self._reconcile.look(handoff, session=session)
                except Unavailable as error:
                    # The next round may be minutes away, and nobody need ring again.
                    log.warning("look_waits_for_database", handoff=handoff, why=str(error))
                    again_in = SWEEP_S
                if again_in is None and handoff not in self._again:
                    return
                # A ring ends the wait: they have spoken, or their door has opened.
                await self._rung_or_after(handoff, again_in or 0.0)
                session = self._again.pop(handoff, session)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("look_failed", handoff=handoff)
        finally:
            self._under_way.pop(handoff, None)
            self._rung.pop(handoff, None)
            if self._again.pop(handoff, None) is not None:
                self.look_soon(handoff)

    async def _rung_or_after(self, handoff: HandoffId, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung[handoff].wait()
