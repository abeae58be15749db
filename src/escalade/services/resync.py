"""Read the sources of knowledge again: each on its turn, one at a time, and at once where an operator wants it.

A help centre is asked for its changes more often than it is read whole; only a whole reading sees what was deleted.
"""

from __future__ import annotations

from functools import partial

import structlog

from escalade.domain.errors import EscaladeError, Unavailable
from escalade.services.bell import Bell
from escalade.services.library import Library
from escalade.services.owners import Alone, Owners
from escalade.services.ports import Ports
from escalade.store import readings
from escalade.store.database import Database

log = structlog.get_logger()

EVERY_S = 300.0  # for what falls due some time; what an operator wants rings
SILENT_MS = 5 * 60_000  # without a sign of life, after which a reading is taken to be dead
RING = ("source", "")


class Resync:
    """The part of a server that keeps knowledge in step."""

    def __init__(
        self,
        database: Database,
        bell: Bell,
        ports: Ports,
        library: Library,
        owners: Owners | None = None,
        *,
        by_schedule: bool = True,
    ) -> None:
        self._database = database
        self._bell = bell
        self._ports = ports
        self._library = library
        self._owners: Owners = owners or Alone()
        self._by_schedule = by_schedule

    async def run(self) -> None:
        """Read what is due until cancelled."""
        with self._bell.listen(RING) as listener:
            while True:
                try:
                    found = await self._owners.lead() and await self.read_one()
                except Unavailable as error:
                    log.warning("knowledge_waits_for_database", why=str(error))
                    found = False
                if not found:
                    await listener.wait(EVERY_S)

    async def read_one(self) -> bool:
        """Read the source that is due first, if one is; what goes wrong is kept with it and stops nothing."""
        now = self._ports.now()
        work = partial(readings.next_due, now=now, silent_since=now - SILENT_MS, by_schedule=self._by_schedule)
        source = await self._database.read(work)
        if source is None:
            return False
        try:
            read = await self._library.read(source, whole=source.wanted_at is not None)
        except Unavailable:
            raise
        except EscaladeError as error:
            log.warning("knowledge_not_read", source=source.id, why=type(error).__name__)
        except Exception:
            log.exception("knowledge_stumbled", source=source.id)
        else:
            counts = {"added": read.added, "replaced": read.replaced, "removed": read.removed}
            log.info("knowledge_read", source=source.id, failed=len(read.failed), **counts)
        return True
