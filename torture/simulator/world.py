"""One schedule: a company, its customers and agents, chaos, calm, and the final views.

Everything that happens is decided by a seed, or by the tape of an earlier run. What both ends saw is in the history;
this module judges nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from escalade.store import breaches, organisations
from escalade.store.database import Tx
from torture.history import Fact, History
from torture.simulator import loop
from torture.simulator.agents import Agents
from torture.simulator.chaos import Chaos
from torture.simulator.company import Company, found
from torture.simulator.customers import Customer
from torture.simulator.database import Disk, image
from torture.simulator.logs import Stumbles, listening
from torture.simulator.loop import Owner, VirtualLoop, sleep
from torture.simulator.network import Network, Post
from torture.simulator.operator import Operator
from torture.simulator.process import NOON_MS, Bridge
from torture.simulator.profile import Fault, Profile, draw
from torture.simulator.side import Side
from torture.simulator.tape import Tape
from zendesk_emulator.app import build
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.ports import Ports

BACK_OFF_S, LOCK_RELEASE_S = 30.0, 5.0
SELDOM_S = 600.0  # how often the list of a talk that seems asleep is read without being rung for
LOOK_EVERY_S = 0.5
SETTLE_S = 4.0
LONGEST_STOP_S = 90.0
UNDISTURBED_S = 2.0  # within which all arrives where nothing breaks; mostly a tenth of it


@dataclass(slots=True)
class Told:
    """What a schedule came to: the facts of both ends, and what it took."""

    seed: int
    profile: Profile
    tape: list[int]
    facts: list[Fact]
    met: Counter[str]
    stumbles: list[str]
    seconds: float
    files: Counter[str]  # how those of agents stand in the end
    news: Counter[str]  # what became of the webhooks
    breaches: tuple[str, ...]  # what the product itself would find broken
    drained_after_s: float | None = None

    @property
    def fingerprint(self) -> str:
        """Give a digest of the whole history: two runs of one seed have the same."""
        text = json.dumps(self.facts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def simulate(seed: int, profile: Profile | None = None, tape: Sequence[int] | None = None) -> Told:
    """Run one schedule to its end."""
    chosen = profile or draw(seed)
    image()  # made with the real world's help, before its doors are shut

    async def run() -> Told:
        with listening() as stumbles:
            return await _Schedule(seed, chosen, Tape(seed, tape), stumbles).run()

    return loop.run(run())


class _Schedule:
    def __init__(self, seed: int, profile: Profile, tape: Tape, stumbles: Stumbles) -> None:
        self._seed = seed
        self._profile = profile
        self._tape = tape
        self._stumbles = stumbles
        running = asyncio.get_running_loop()
        assert isinstance(running, VirtualLoop)
        self._clock = running.time
        self._facts: list[Fact] = []
        self._broken = self._history("chaos")
        self._chaos = Chaos(tape, profile, self._clock, self._broken)
        self._network = Network(self._chaos, profile.unsure_wait_s, self._now)
        self._disk = Disk()
        self._bridge = Bridge(seed, self._chaos, self._network, self._disk, self._clock, self._history("bridge"))
        self._desk = Owner("desk")
        self._people = Owner("people")
        self._sides = [self._side(Company("acme"), "c", profile.customers, self._chaos)]
        if profile.neighbour:
            theirs = Chaos(tape, Profile(), self._clock, self._broken) if profile.spared else self._chaos
            self._sides.append(self._side(Company("birch"), "b", 1, theirs))
        self._over = False

    def _side(self, company: Company, initial: str, customers: int, chaos: Chaos) -> Side:
        emulator = Emulator(self._desk_ports(company, chaos), base_url=company.desk, subdomain=company.name)
        host = company.desk.removeprefix("https://")
        self._network.desks[host] = build(emulator)
        if chaos is not self._chaos:
            self._network.spared[host] = chaos
            self._broken.note("F.spared", o=company.organisation, within=int(UNDISTURBED_S * 1000))
        names = [f"{initial}{n}" for n in range(1, customers + 1)]
        return Side(company, emulator, [self._customer(company, name) for name in names])

    def _history(self, process: str) -> History:
        history = History(process, lambda: NOON_MS + int(self._clock() * 1000))
        history.facts = self._facts
        return history

    def _now(self) -> datetime:
        """Say how late it is at the desks."""
        return datetime.fromtimestamp(NOON_MS / 1000, UTC) + timedelta(seconds=self._clock())

    def _desk_ports(self, company: Company, chaos: Chaos) -> Ports:
        def spawn(work: Coroutine[Any, Any, None]) -> None:
            self._desk.start(work)

        return Ports(
            now=self._now,
            dice=random.Random(f"desk of {company.name} {self._seed}"),
            sleep=sleep,
            send=Post(chaos, self._bridge.knock, self._desk).send,
            spawn=spawn,
        )

    def _customer(self, company: Company, name: str) -> Customer:
        whose = (company.organisation, company.widget_key)
        return Customer(name, self._bridge, self._chaos, self._history(name), *whose, self._seed)

    @property
    def _customers(self) -> list[Customer]:
        return [customer for side in self._sides for customer in side.customers]

    async def run(self) -> Told:
        """Set up, break, quieten, look."""
        profile = self._profile
        for side in self._sides:
            found(
                side.company,
                self._disk,
                side.emulator,
                live=profile.live,
                hears_sunshine=self._seed % 3 == 0,
                unsure_wait_s=profile.unsure_wait_s,
            )
        self._chaos.states = lambda: self._disk.look(_states)
        self._bridge.boot()
        await self._break()
        drained = await self._quieten()
        await self._look()
        facts = sorted(
            [*self._facts, *(fact for side in self._sides for fact in side.seen.facts)], key=lambda fact: fact["t"]
        )
        told = Told(
            seed=self._seed,
            profile=profile,
            tape=self._tape.entries,
            facts=facts,
            met=self._chaos.met,
            stumbles=self._stumbles.said,
            seconds=self._clock(),
            files=self._disk.look(_files),
            news=self._disk.look(_news),
            breaches=self._disk.look(_breaches),
            drained_after_s=drained,
        )
        self._close()
        return told

    async def _break(self) -> None:
        """Let people talk while everything goes wrong."""
        profile, chaos = self._profile, self._chaos
        chaos.lay_out()
        living = [self._people.start(customer.live(self._is_over), customer.name) for customer in self._customers]
        for side in self._sides:
            agents = Agents(side.company.name, side.emulator, chaos)
            living.append(self._people.start(agents.live(self._is_over), "agents"))
        operator: Operator | None = None
        if profile.rates.keys() & {Fault.SETTINGS_CHANGE, Fault.KEY_ROTATION}:
            operator = Operator(self._sides[0].company, self._disk, self._sides[0].emulator, chaos)
            living.append(self._people.start(operator.live(self._is_over), "operator"))
        if Fault.CLOCK_DRIFTS in profile.rates:
            living.append(self._people.start(self._note_drift(), "drift"))
        if Fault.CLOCK_STEPS in profile.rates:
            living.append(self._people.start(self._step_clock(), "clock"))
        if Fault.PROCESS_STOPS in profile.rates:
            living.append(self._people.start(self._stop_a_process(), "stop"))
        await sleep(profile.quiet_s + profile.chaos_s)
        if profile.long_outage:
            await sleep(max(0.0, chaos.ends_at - self._clock()))
        self._over = True
        if operator is not None:
            operator.put_right()
        for task in living:
            if task.done():
                task.result()  # a bug of the simulator's own

    async def _quieten(self) -> float | None:
        """End the trouble and let everything drain; say how long it took, or nothing if it took too long."""
        within = self._profile.unsure_wait_s + BACK_OFF_S + LOCK_RELEASE_S + self._chaos.longest_told_s
        if Fault.CLOCK_STEPS in self._profile.rates:
            within += SELDOM_S  # a process that starts under a clock set forward takes every talk for a sleeping one
        calm_at, drained = self._clock(), None
        self._chaos.quiet_down(within)
        while drained is None and self._clock() < calm_at + within:
            await sleep(LOOK_EVERY_S)
            if self._is_drained():
                drained = self._clock() - calm_at
        await sleep(SETTLE_S)
        return drained

    async def _look(self) -> None:
        """Take the final views."""
        for customer in self._customers:
            if customer.is_open:
                await customer.look_finally()
        for side in self._sides:
            side.seen.view()
        self._broken.note("F.end_of_run")

    def _close(self) -> None:
        for owner in (self._people, self._desk, self._network.under_way):
            owner.kill()
        for customer in self._customers:
            customer.close()
        self._bridge.close()
        self._disk.close()

    def _is_drained(self) -> bool:
        """Say whether nothing is on its way any more, to or from anybody."""
        return (
            all(customer.is_idle for customer in self._customers)
            and self._disk.look(_owes_nothing)
            and all(side.is_drained(self._disk) for side in self._sides)
        )

    def _is_over(self) -> bool:
        return self._over

    async def _note_drift(self) -> None:
        """Count what a clock that runs fast meets on its way."""
        while not self._over:
            self._chaos.meets(Fault.CLOCK_DRIFTS)
            await sleep(5.0)

    async def _step_clock(self) -> None:
        """Set the product's wall clock forward and back."""
        while not self._over:
            await sleep(self._tape.seconds(1.0, 20.0))
            self._chaos.meets(Fault.CLOCK_STEPS)
            self._bridge.step_clock(self._tape.one_of((3_600_000, -3_600_000, 86_400_000, -86_400_000)))

    async def _stop_a_process(self) -> None:
        """Let a process stand still now and then."""
        while not self._over:
            await sleep(self._tape.seconds(1.0, 20.0))
            self._chaos.meets(Fault.PROCESS_STOPS)
            await self._bridge.stand_still(self._tape.seconds(0.5, LONGEST_STOP_S))


def _owes_nothing(tx: Tx) -> bool:
    return all(
        tx.value(f"SELECT 1 FROM {left} LIMIT 1") is None
        for left in (
            "delivery WHERE state IN ('pending', 'sending', 'unsure')",
            "receipt WHERE state = 'waiting'",
            "file WHERE state = 'awaited'",
        )
    )


def _breaches(tx: Tx) -> tuple[str, ...]:
    found = [breach for one in organisations.everyone(tx) for breach in breaches.found(tx, one.id, 0)]
    return tuple(sorted(breach.invariant for breach in found))


def _files(tx: Tx) -> Counter[str]:
    return Counter(row["state"] for row in tx.all("SELECT state FROM file"))


def _news(tx: Tx) -> Counter[str]:
    return Counter(row["outcome"] for row in tx.all("SELECT outcome FROM receipt WHERE source <> 'courier'"))


def _states(tx: Tx) -> tuple[str, ...]:
    """Say what there is for a fault to meet, in each direction."""
    found = tx.all(
        "SELECT DISTINCT 'out.' || state AS met FROM delivery WHERE lane = 'desk'"
        " UNION ALL SELECT DISTINCT 'in.' || state FROM receipt WHERE source <> 'courier'"
    )
    return tuple(row["met"] for row in found)
