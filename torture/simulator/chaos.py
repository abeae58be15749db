"""Whatever breaks: asks the tape whether a fault acts now, tells the history, and counts what each fault has met."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NoReturn

from torture.history import History
from torture.simulator.loop import owner
from torture.simulator.profile import LONG_OUTAGE_S, SPELLS, Fault, Profile
from torture.simulator.tape import Tape


class Chaos:
    """The faults of one schedule, until it is told to be calm."""

    def __init__(self, tape: Tape, profile: Profile, clock: Callable[[], float], history: History) -> None:
        self.tape = tape
        self.profile = profile
        self.calm = False
        self.met: Counter[str] = Counter()
        self.crash: Callable[[], None] = lambda: None
        self.states: Callable[[], tuple[str, ...]] = lambda: ()
        self._clock = clock
        self._history = history
        self._quiet_until = profile.quiet_s
        self._begun: set[Fault] = set()
        self.calm_comes = asyncio.Event()
        self.longest_told_s = 0.0  # how long the desk has told us to wait at most
        self._spells: Mapping[Fault, tuple[tuple[float, float], ...]] = {}

    def lay_out(self) -> None:
        """Choose when the faults that last will begin and end; call it once the story starts."""
        profile, now = self.profile, self._clock()
        spells: dict[Fault, tuple[tuple[float, float], ...]] = {}
        for fault, (least, most) in SPELLS.items():
            if profile.rate(fault) <= 0:
                continue
            found = []
            for _ in range(1 + self.tape.below(3)):
                begin = now + profile.quiet_s + self.tape.seconds(0.0, profile.chaos_s)
                found.append((begin, begin + self.tape.seconds(least, most)))
            if profile.long_outage:
                begin = now + self.tape.seconds(0.0, profile.chaos_s)
                found.append((begin, begin + LONG_OUTAGE_S))
            spells[fault] = tuple(found)
        self._spells = spells

    @property
    def ends_at(self) -> float:
        """Say when the last spell is over."""
        return max((end for spells in self._spells.values() for _, end in spells), default=0.0)

    def strikes(self, fault: Fault) -> bool:
        """Ask whether a fault acts on the operation at hand."""
        rate = self.profile.rates.get(fault)
        if rate is None or self.calm or self._clock() < self._quiet_until or not self.tape.happens(rate):
            return False
        self.meets(fault)
        return True

    def lasts(self, fault: Fault) -> bool:
        """Say whether a fault that lasts is acting."""
        spells = self._spells.get(fault)
        if not spells:
            return False
        now = self._clock()
        if not any(begin <= now < end for begin, end in spells):
            return False
        self.meets(fault)
        return True

    def crashes(self, where: str) -> bool:
        """Let the process die here, or not."""
        if not self.lasts(Fault.PROCESS_DOWN) and not self.strikes(Fault.CRASH):
            return False
        self.met[f"crash {where}"] += 1
        self.crash()
        return True

    async def until_calm(self, seconds: float) -> None:
        """Hold something back for so long, or until the trouble is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.calm_comes.wait()

    async def edge(self, where: str) -> None:
        """Stand at an edge of the product's world: it may die here, and the dead get no further."""
        mine = owner()
        if mine is not None and (self.crashes(where) or mine.dead):
            await never()

    def meets(self, fault: Fault) -> None:
        """Write down that a fault acts, and count what it finds."""
        self.begin(fault)
        for state in self.states():
            self.met[f"met.{fault.value}.{state}"] += 1

    def begin(self, fault: Fault) -> None:
        """Write down that a fault acts for the first time."""
        if fault not in self._begun:
            self._begun.add(fault)
            self._history.note("F.begin", fault=fault.value)

    def quiet_down(self, within_s: float) -> None:
        """End every fault."""
        self.calm = True
        self.calm_comes.set()
        self._spells = {}
        for fault in Fault:
            if fault in self._begun:
                self._history.note("F.end", fault=fault.value)
        self._history.note("F.calm", within=int(within_s * 1000))


async def never() -> NoReturn:
    """Wait for what does not come; only being cancelled ends it."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("the future of nothing is never set")
