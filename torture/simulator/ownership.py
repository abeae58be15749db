"""Who may send for a conversation where several processes share the disk: locks that live as long as their holder.

A model of `escalade.store.ownership`, whose locks are PostgreSQL's: a process that stands still keeps what it holds,
one that dies has lost it, and a session that breaks loses everything at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from escalade.domain.errors import Unavailable
from torture.simulator.chaos import Chaos
from torture.simulator.loop import Owner, sleep
from torture.simulator.profile import Fault

LEADER = "leader"
LATENCY_S = 0.004


class Locks:
    """What the database knows of who is at work, and who holds what."""

    def __init__(self) -> None:
        self.holders: dict[str, Owner] = {}
        self.present: dict[Owner, None] = {}
        self.alone: Owner | None = None  # whoever begins anew, and lets nobody in meanwhile

    def others(self, than: Owner) -> bool:
        """Say whether another living process is at work, or about to be."""
        known = [*self.present, *([self.alone] if self.alone is not None else [])]
        return any(process is not than and not process.dead for process in known)


class Session:
    """The locks of one process."""

    def __init__(self, locks: Locks, chaos: Chaos, process: Owner) -> None:
        self.on_loss: Callable[[], None] = lambda: None
        self._locks = locks
        self._chaos = chaos
        self._process = process
        self._held: Counter[str] = Counter()

    async def join(self) -> bool:
        """Come to work; say whether nobody else is there."""
        await self._ask()
        if self._locks.others(self._process):
            return False
        self._locks.alone = self._process
        return True

    async def joined(self) -> None:
        """Let others come, too."""
        while (first := self._locks.alone) is not None and first is not self._process and not first.dead:
            await sleep(LATENCY_S)
        self._locks.alone = None
        self._locks.present[self._process] = None

    async def claim(self, name: str) -> bool:
        """Become the owner of a conversation, or say that another process is."""
        if not self._held[name]:
            await self._ask()
            holder = self._locks.holders.get(name)
            if holder is not None and holder is not self._process and not holder.dead:
                return False
            self._locks.holders[name] = self._process
        self._held[name] += 1
        return True

    async def release(self, name: str) -> None:
        """Give back one claim."""
        self._held[name] -= self._held[name] > 0
        if not self._held[name] and self._locks.holders.get(name) is self._process:
            del self._locks.holders[name]

    async def lead(self) -> bool:
        """Say whether this process leads; it does until its session ends."""
        return self.leads or await self.claim(LEADER)

    @property
    def leads(self) -> bool:
        """Whether this process leads, as far as it knows."""
        return self._held[LEADER] > 0

    async def _ask(self) -> None:
        await sleep(self._chaos.tape.seconds(0.0, LATENCY_S))
        if self._chaos.strikes(Fault.LOCKS_LOST):
            self._held.clear()
            for name, holder in list(self._locks.holders.items()):
                if holder is self._process:
                    del self._locks.holders[name]
            self.on_loss()
            raise Unavailable("the session that holds our conversations is lost")
