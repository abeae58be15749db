"""The part of the proof that runs seeds: each is one schedule of faults, judged by what both ends wrote down.

A schedule is bad when the judge convicts, when the product stumbled over something it did not foresee or would find a
promise of its own broken, or when the same seed told another story the second time.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from torture.judge import judge
from torture.part import Outcome
from torture.simulator import story
from torture.simulator.profile import BROKEN_PROMISES, Fault, Profile
from torture.simulator.tape import shrink
from torture.simulator.world import Told, simulate

AIM = 10_000
BATCH = 50  # seeds in one unit: a process that starts anew takes longer to start than a seed takes to run
TWICE_EVERY = 100  # every so many seeds one is run twice
MEETINGS = 100  # how often each fault must have met each state in 10,000 schedules
SHRINKING_TRIES = 120
SHRINKING_S = 300.0  # real seconds: a run that has found something should say so soon


def verdict_of(told: Told) -> tuple[str, ...]:
    """Say what is wrong with a schedule, one sentence each; nothing if nothing is."""
    verdict = judge(told.facts)
    found = [f"{finding.invariant}: {finding.what}" for finding in verdict.findings]
    if not BROKEN_PROMISES & told.profile.rates.keys():
        # What is taken away or merged again may happen where the desk breaks its word, and not by our own doing.
        found += [f"I2: {count} second copies were at the desk" for count in [verdict.counts["transient"]] if count]
        found += [f"I10: {count} second tickets were opened" for count in [verdict.counts["merged"]] if count]
    found += [f"the product finds {breach} broken" for breach in told.breaches]
    found += [f"the product stumbled: {said}" for said in dict.fromkeys(told.stumbles)]
    return tuple(found)


def kinds_of(violations: Sequence[str]) -> frozenset[str]:
    """Give which invariants were violated, so that a calmer schedule can be told to go wrong in the same way."""
    return frozenset(violation.partition(":")[0] for violation in violations)


@dataclass(frozen=True, slots=True)
class Schedules:
    """Seeds, judged."""

    name: str = "schedules"
    promise: str = "seeded schedules of every fault at once, judged by what both ends saw"
    aims: Mapping[str, int] = field(default_factory=lambda: {"schedules": AIM})
    workers: int = 2
    units: int | None = None

    def run(self, unit: int) -> Outcome:
        """Run a batch of seeds; tell the story of the first that is bad."""
        counts: Counter[str] = Counter()
        violations: list[str] = []
        for seed in range(unit * BATCH, (unit + 1) * BATCH):
            told, wrong = self.one(seed)
            counts.update(told.met)
            counts["schedules"] += 1
            counts["virtual seconds"] += int(told.seconds)
            counts["facts"] += len(told.facts)
            counts.update(
                {f"said.{role}": 1 for role in {fact["role"] for fact in told.facts if fact["k"] == "B.append"}}
            )
            counts["run twice"] += seed % TWICE_EVERY == 0
            if wrong and not violations:
                violations.append(f"seed {seed}: {'; '.join(wrong[:3])}\n{explained(told)}")
            elif wrong:
                violations.append(f"seed {seed}: {'; '.join(wrong[:3])}")
        return Outcome(unit=unit, counts=counts, violations=tuple(violations))

    def one(self, seed: int) -> tuple[Told, tuple[str, ...]]:
        """Run one seed; say what it came to and what is wrong with it."""
        told = simulate(seed)
        wrong = verdict_of(told)
        if seed % TWICE_EVERY == 0 and simulate(seed).fingerprint != told.fingerprint:
            wrong = (*wrong, "the same seed told another story the second time")
        return told, wrong

    def missing(self, counts: Mapping[str, int]) -> list[str]:
        """Name who spoke in too few schedules, and which meetings of a fault and a state were too seldom."""
        schedules = counts.get("schedules", 0)
        wanted = MEETINGS * schedules / AIM
        if wanted < 1:
            return []
        silent = [
            f"the {role} spoke in only {counts.get(f'said.{role}', 0)} of {schedules} schedules"
            for role in MUST_SPEAK
            if counts.get(f"said.{role}", 0) < schedules / 20
        ]
        return silent + [
            f"{fault.value} met {state} only {counts.get(f'met.{fault.value}.{state}', 0)} times"
            for fault in Fault
            if fault not in BROKEN_PROMISES
            for state in MUST_MEET
            if counts.get(f"met.{fault.value}.{state}", 0) < wanted
        ]


# Whose words there must be in one of twenty schedules at least: what is never said is never in the wrong place.
MUST_SPEAK = ("customer", "assistant", "agent", "system")
# What every fault must have found: deliveries in every state they pass through, and news that waits and is done with.
MUST_MEET = ("out.pending", "out.sending", "out.unsure", "out.delivered", "in.waiting", "in.settled")


def explained(told: Told) -> str:
    """Find the calmest schedule that goes wrong alike, and tell it."""
    calmer = calmest(told, verdict_of)
    return story.tell(calmer, judge(calmer.facts))


def calmest(told: Told, verdict: Callable[[Told], Sequence[str]], tries: int = SHRINKING_TRIES) -> Told:
    """Turn faults off, then decisions, for as long as it goes wrong in the same way and the time lasts."""
    wrong = kinds_of(verdict(told))
    best, until = told, time.monotonic() + SHRINKING_S

    def is_bad(profile: Profile, tape: Sequence[int] | None) -> bool:
        nonlocal best
        if time.monotonic() > until:
            return False
        again = simulate(told.seed, profile, tape)
        if not wrong & kinds_of(verdict(again)):
            return False
        best = again
        return True

    for fault in list(best.profile.rates):
        is_bad(best.profile.without(fault), None)
    shorter = replace(best.profile, chaos_s=best.profile.chaos_s / 2, customers=1)
    is_bad(shorter, None)
    profile = best.profile
    shrink(best.tape, lambda tape: is_bad(profile, tape), tries)
    return best


PART = Schedules()
