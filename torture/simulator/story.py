"""Tell a schedule in at most twenty lines: what was broken, and the facts that matter to the verdict."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torture.history import Fact
from torture.judge import Verdict
from torture.simulator.process import NOON_MS
from torture.simulator.world import Told

LONGEST = 20
WIDEST = 150


def tell(told: Told, verdict: Verdict) -> str:
    """Write the story of a schedule that went wrong."""
    faults = ", ".join(f"{fault.value} {rate:g}" for fault, rate in told.profile.rates.items()) or "none"
    head = [
        f"seed {told.seed}, {'live chat' if told.profile.live else 'tickets'}, "
        f"{told.profile.customers} customers, {told.seconds:.0f} s; faults: {faults}"
    ]
    head += [f"  {finding.invariant}: {finding.what}" for finding in verdict.findings[:2]]
    wanted = _names(verdict)
    lines = [_line(fact) for fact in told.facts if _concerns(fact, wanted)]
    room = LONGEST - len(head)
    if len(lines) > room:
        half = room // 2
        lines = [*lines[:half], f"  … {len(lines) - room + 1} more …", *lines[len(lines) - (room - half - 1) :]]
    return "\n".join([*head, *lines])


def _names(verdict: Verdict) -> frozenset[str]:
    """Give the ids the witnesses of the first findings speak of."""
    found: set[str] = set()
    for finding in verdict.findings[:2]:
        for fact in finding.witness:
            found |= set(_ids(fact))
    return frozenset(found)


def _ids(fact: Fact) -> Iterable[str]:
    for name in ("mid", "rid"):
        if fact.get(name):
            yield str(fact[name])


def _concerns(fact: Fact, wanted: frozenset[str]) -> bool:
    if fact["k"].startswith("F.") or fact["k"] in {"B.boot", "B.kill", "C.leave", "C.handoff", "Z.ticket", "Z.close"}:
        return True
    return fact["k"] not in {"C.view", "Z.view"} and not wanted.isdisjoint(_ids(fact))


def _line(fact: Fact) -> str:
    rest = " ".join(f"{name}={_short(value)}" for name, value in fact.items() if name not in {"p", "n", "k", "t", "o"})
    return f"  {(fact['t'] - NOON_MS) / 1000:8.3f} {fact['p']:9} {fact['k']:10} {rest}"[:WIDEST]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 12 else "…" + text[-8:]
