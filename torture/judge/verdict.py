"""What the judge says: for each invariant whether it holds, over how much, and the few facts that contradict it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from torture.history import Fact

INVARIANTS = {
    "I1": "no customer message is lost: it is at the desk, or its sender is told",
    "I2": "no customer message is at the desk twice",
    "I3": "the desk reads a customer's messages in the order they were sent",
    "I4": "no agent message is lost or shown twice",
    "I5": "the customer reads the agents' messages in the desk's order",
    "I6": "what was read before something was written comes before it everywhere",
    "I7": "what a reader has seen stays, in its place, and every reader sees the same",
    "I8": "a text arrives as it was written",
    "I9": "nothing appears that nobody wrote there: no phantom, no note, no other conversation's or company's words",
    "I10": "one request for a person, one ticket",
    "I11": "a session goes from asked to ended once, is told truthfully, and nothing is said in it afterwards",
    "I12": "what was acknowledged is kept, at the place that was told",
    "I13": "a message owed to the desk is confirmed, under way or given up, and its sender sees which",
    "I14": "when the trouble is over, what waits drains in time",
    "I15": "what is said in one company is seen in no other, and its trouble is felt in no other",
    "I20": "all of it holds whatever the clocks say",
}
MOST_RECORDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One contradiction: which invariant, what happened, and the facts that cannot all be true of it."""

    invariant: str
    what: str
    witness: tuple[Fact, ...]

    def __str__(self) -> str:
        lines = [f"{self.invariant} violated: {self.what}"]
        lines += [f"    {written(fact)}" for fact in self.witness]
        return "\n".join(lines)


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What was found in a set of histories."""

    findings: list[Finding] = field(default_factory=list)
    examined: Counter[str] = field(default_factory=Counter)  # by invariant: how many things it was held against
    counts: Counter[str] = field(default_factory=Counter)  # ok, lost, unexpected, duplicated, recovered, transient

    @property
    def holds(self) -> bool:
        """Say whether nothing contradicts the promise."""
        return not self.findings

    @property
    def convicted(self) -> tuple[str, ...]:
        """Name the invariants that do not hold."""
        found = {finding.invariant for finding in self.findings}
        return tuple(invariant for invariant in INVARIANTS if invariant in found)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        bad = Counter(finding.invariant for finding in self.findings)
        for invariant, promise in INVARIANTS.items():
            said = f"VIOLATED {bad[invariant]}×" if bad[invariant] else "holds"
            yield f"{invariant:4} {said:12} over {self.examined[invariant]:<7,} {promise}"
        yield "messages: " + ", ".join(f"{count:,} {name}" for name, count in sorted(self.counts.items()))
        shown: Counter[str] = Counter()
        for finding in self.findings:
            shown[finding.invariant] += 1
            if shown[finding.invariant] <= 3:
                yield ""
                yield str(finding)


def excerpt(view: Fact | None, names: Iterable[object]) -> tuple[Fact, ...]:
    """Give a view with only the entries of these names, so that a witness can be read."""
    if view is None:
        return ()
    wanted = set(names)
    kept = [entry for entry in view["entries"] if not wanted.isdisjoint(entry[:3])]
    return ({**view, "entries": kept, "of": len(view["entries"])},)


def written(fact: Fact) -> str:
    """Write a fact as a line: who, what, and its fields."""
    rest = {name: value for name, value in fact.items() if name not in {"p", "n", "k", "t"}}
    fields = "  ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in rest.items())
    return f"{fact['p']}#{fact['n']:<4} {fact['k']:10} {fields}"
