"""The judge: reads histories alone and convicts or acquits, with the smallest witness.

It knows nothing of the product: no table, no call, no clock. What each process wrote down (`torture/history.py`) is
sorted once (`case`), then held against the invariants:

    sessions.py      I11  who was in charge when, and so which messages are owed to the desk
    loss.py          I1 I2 I4 I12  what goes in must come out, once
    order.py         I3 I5 I6  nothing out of order
    views.py         I7 I8 I9  what is shown stays, is what was written, and was written there
    tickets.py       I10  one request for a person, one ticket
    isolation.py     I15  what is said in one company stays there, and so does its trouble
    conservation.py  I13 I14  nothing between the stools, nothing waits for ever

Every step walks each view once or looks something up, so the work grows as the facts do. I20 needs no step of its own:
no verdict but those of I14 and I15 reads a clock, and I20 is violated when anything is while a clock is off.

    verdict = judge(read(paths))
    verdict.holds, verdict.convicted, verdict.findings, str(verdict)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from torture.history import Fact
from torture.judge import conservation, isolation, loss, order, sessions, tickets, views
from torture.judge.case import sort
from torture.judge.verdict import MOST_RECORDS, Finding, Verdict

__all__ = ["Finding", "Verdict", "judge"]


def judge(facts: Iterable[Fact]) -> Verdict:
    """Hold what was written down against every invariant."""
    case = sort(facts)
    findings = [
        finding
        for room in (loss, order, views, tickets, sessions, isolation, conservation)
        for finding in room.judge(case)
    ]
    clocks = [fault for fault in case.faults if str(fault["fault"]).startswith("clock")]
    case.examined["I20"] += len(clocks)
    if clocks and findings:
        worst = findings[0]
        what = f"{worst.invariant} does not hold while a clock is off"
        findings.append(Finding(invariant="I20", what=what, witness=(clocks[0], *worst.witness)))
    short = [replace(finding, witness=finding.witness[:MOST_RECORDS]) for finding in findings]
    return Verdict(findings=short, examined=case.examined, counts=case.counts)
