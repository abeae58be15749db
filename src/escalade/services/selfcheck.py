"""Hold the running product against its own promises, and count what does not hold.

The judge of a proof reads what both ends saw (docs/promises.md); this reads only our own database, which is less, and
does so all the time. Each breach is logged once and counted in `/metrics`: anything but nought is a bug of ours.
"""

from __future__ import annotations

from collections import Counter

import structlog

from escalade.domain.errors import Unavailable
from escalade.domain.model import Millis
from escalade.services.ports import Ports
from escalade.store import breaches, organisations
from escalade.store.breaches import Breach
from escalade.store.database import Database

log = structlog.get_logger()

EVERY_S = 60.0
LATELY_MS = 60 * 60_000
FIRST_MS = 24 * 3600_000  # after a start: what an earlier process may have left
METRIC = "bridge_invariant_violation_total"


class SelfCheck:
    """Looks once a minute, or when asked after a minute."""

    def __init__(self, database: Database, ports: Ports) -> None:
        self._database = database
        self._ports = ports
        self._looked_at: Millis | None = None
        self._found: set[Breach] = set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except Unavailable as error:
                log.warning("selfcheck_waits_for_database", why=str(error))
            await self._ports.sleep(EVERY_S)

    async def look(self) -> None:
        """Look at what has changed lately, unless that was done within the minute."""
        now, last = self._ports.now(), self._looked_at
        if last is not None and now - last < EVERY_S * 1000:
            return
        since = now - (FIRST_MS if last is None else LATELY_MS)
        fresh: set[Breach] = set()
        for organisation in await self._database.read(organisations.everyone):
            fresh |= await self._database.read(lambda tx, whose=organisation.id: breaches.found(tx, whose, since))  # type: ignore[misc]
        fresh -= self._found
        self._looked_at = now
        self._found |= fresh
        for breach in sorted(fresh):
            log.error("promise_broken", **breach._asdict())

    async def metrics(self) -> str:
        """Write what was found since this process started, as Prometheus reads it."""
        await self.look()
        counts = Counter(breach.invariant for breach in self._found)
        lines = [f"# HELP {METRIC} Conversations in which a promise of ours does not hold.", f"# TYPE {METRIC} counter"]
        lines += [f'{METRIC}{{id="{invariant}"}} {counts[invariant]}' for invariant in breaches.QUERIES]
        return "\n".join([*lines, ""])
