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

from escalade.store import breaches
from escalade.store.database import Tx
from torture.history import Fact, History
from torture.simulator import company, loop
from torture.simulator.agents import Agents
from torture.simulator.chaos import Chaos
from torture.simulator.customers import Customer
from torture.simulator.database import Disk, image
from torture.simulator.logs import Stumbles, listening
from torture.simulator.loop import Owner, VirtualLoop, sleep
from torture.simulator.network import Network, Post
from torture.simulator.process import NOON_MS, Bridge
from torture.simulator.profile import Fault, Profile, draw
from torture.simulator.tape import Tape
from zendesk_emulator.app import build
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.ports import Ports

BACK_OFF_S, LOCK_RELEASE_S = 30.0, 5.0
SELDOM_S = 600.0  # how often the list of a talk that seems asleep is read without being rung for
LOOK_EVERY_S = 0.5
SETTLE_S = 4.0


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
        self._network = Network(self._chaos, profile.unsure_wait_s)
        self._disk = Disk()
        self._bridge = Bridge(seed, self._chaos, self._network, self._disk, self._clock, self._history("bridge"))
        self._desk = Owner("desk")
        self._people = Owner("people")
        self._emulator = Emulator(self._desk_ports(), base_url=company.ZENDESK)
        self._seen_at_desk = self._emulator.write_history()
        self._network.desk = build(self._emulator)
        self._customers = [self._customer(f"c{n}") for n in range(1, profile.customers + 1)]
        self._over = False

    def _history(self, process: str) -> History:
        history = History(process, lambda: NOON_MS + int(self._clock() * 1000))
        history.facts = self._facts
        return history

    def _desk_ports(self) -> Ports:
        noon = datetime.fromtimestamp(NOON_MS / 1000, UTC)

        def spawn(work: Coroutine[Any, Any, None]) -> None:
            self._desk.start(work)

        return Ports(
            now=lambda: noon + timedelta(seconds=self._clock()),
            dice=random.Random(f"desk {self._seed}"),
            sleep=sleep,
            send=Post(self._chaos, self._bridge.knock, self._desk).send,
            spawn=spawn,
        )

    def _customer(self, name: str) -> Customer:
        history = self._history(name)
        return Customer(name, self._bridge, self._chaos, history, company.ORGANISATION, company.WIDGET_KEY, self._seed)

    async def run(self) -> Told:
        """Set up, break, quieten, look."""
        profile = self._profile
        company.found(
            self._disk,
            self._emulator,
            live=profile.live,
            hears_sunshine=self._seed % 3 == 0,
            unsure_wait_s=profile.unsure_wait_s,
        )
        self._chaos.states = lambda: self._disk.look(_states)
        self._bridge.boot()
        await self._break()
        drained = await self._quieten()
        await self._look()
        facts = sorted([*self._facts, *self._seen_at_desk.facts], key=lambda fact: fact["t"])
        told = Told(
            seed=self._seed,
            profile=profile,
            tape=self._tape.entries,
            facts=facts,
            met=self._chaos.met,
            stumbles=self._stumbles.said,
            seconds=self._clock(),
            files=self._disk.look(_files),
            breaches=tuple(sorted(breach.invariant for breach in self._disk.look(lambda tx: breaches.found(tx, 0)))),
            drained_after_s=drained,
        )
        self._close()
        return told

    async def _break(self) -> None:
        """Let people talk while everything goes wrong."""
        profile, chaos = self._profile, self._chaos
        chaos.lay_out()
        living = [self._people.start(customer.live(self._is_over), customer.name) for customer in self._customers]
        living.append(self._people.start(Agents(self._emulator, chaos).live(self._is_over), "agents"))
        if Fault.CLOCK_DRIFTS in profile.rates:
            living.append(self._people.start(self._note_drift(), "drift"))
        if Fault.CLOCK_STEPS in profile.rates:
            living.append(self._people.start(self._step_clock(), "clock"))
        await sleep(profile.quiet_s + profile.chaos_s)
        if profile.long_outage:
            await sleep(max(0.0, chaos.ends_at - self._clock()))
        self._over = True
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
        self._seen_at_desk.view()
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
            and _has_heard(self._disk, self._emulator)
            and _knows_the_ends(self._disk, self._emulator)
            and _is_shown(self._disk, self._customers)
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


def _has_heard(disk: Disk, emulator: Emulator) -> bool:
    """Say whether every word of an agent is in a transcript."""
    said = set()
    for conversation in emulator.account.records.conversations.values():
        said |= {f"sunshine:{m.id}" for m in conversation.messages if "agent" in m.author.get("subtypes", ())}
    for ticket in emulator.account.records.tickets.values():
        if not ticket.is_messaging and ticket.status != "deleted":
            said |= {
                f"zendesk:{c.id}"
                for c in ticket.comments
                if c.public and emulator.account.records.users[c.author_id].is_staff and c.via != "api"
            }
    known = disk.look(lambda tx: {row["id"] for row in tx.all("SELECT id FROM message")})
    return said <= known


def _knows_the_ends(disk: Disk, emulator: Emulator) -> bool:
    """Say whether no chat is held for open that the agents have left."""
    held = disk.look(
        lambda tx: tx.all(
            "SELECT l.theirs FROM handoff h JOIN link l ON l.handoff = h.id AND l.channel = 'sunshine'"
            " AND l.kind = 'conversation' WHERE h.state IN ('queued', 'with_agent')"
        )
    )
    known = emulator.account.records.conversations
    return all(row["theirs"] in known and emulator.switchboard.is_with_agents(known[row["theirs"]]) for row in held)


def _owes_nothing(tx: Tx) -> bool:
    return all(
        tx.value(f"SELECT 1 FROM {left} LIMIT 1") is None
        for left in (
            "delivery WHERE state IN ('pending', 'sending', 'unsure')",
            "receipt WHERE state = 'waiting'",
            "file WHERE state = 'awaited'",
        )
    )


def _files(tx: Tx) -> Counter[str]:
    return Counter(row["state"] for row in tx.all("SELECT state FROM file"))


def _is_shown(disk: Disk, customers: Sequence[Customer]) -> bool:
    """Say whether every tab shows all there is, and what became of it: a stream that was not rung looks by itself."""
    last = disk.look(lambda tx: {row["id"]: row["last_seq"] for row in tx.all("SELECT id, last_seq FROM conversation")})
    marks = disk.look(
        lambda tx: {
            row["id"]: row["delivery"] for row in tx.all("SELECT id, delivery FROM message WHERE role = 'customer'")
        }
    )
    return all(
        tab.cursor == last[customer.conversation] and all(mark == marks.get(mid) for mid, mark in tab.marks())
        for customer in customers
        for tab in customer.tabs
    )


def _states(tx: Tx) -> tuple[str, ...]:
    """Say what there is for a fault to meet, in each direction."""
    found = tx.all(
        "SELECT DISTINCT 'out.' || state AS met FROM delivery WHERE lane = 'desk'"
        " UNION ALL SELECT DISTINCT 'in.' || state FROM receipt WHERE source <> 'courier'"
    )
    return tuple(row["met"] for row in found)
