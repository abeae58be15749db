"""One request for a person, one ticket: I10."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from torture.history import Fact
from torture.judge.case import Case
from torture.judge.verdict import Finding

OVER = frozenset({"closed", "deleted", "full", "by_agent", "other"})
REACHED = frozenset({"queued", "with_agent", "asynchronous"})


def judge(case: Case) -> Iterator[Finding]:
    """Judge I10."""
    tickets: dict[tuple[str, str], dict[str, Fact]] = defaultdict(dict)
    for fact in case.tickets:
        if fact["handoff"] is not None:
            tickets[fact["handoff"], fact["at"]].setdefault(fact["ticket"], fact)
    for (handoff, _), found in tickets.items():
        case.examined["I10"] += 1
        if (both := _beside_each_other(case, handoff, list(found.values()))) is not None:
            what = f"{handoff} has {len(found)} tickets"
            yield Finding(invariant="I10", what=what, witness=both)
    for handoff, talk in case.homes.items():
        reached = [fact for fact in talk.handoffs[handoff] if fact["state"] in REACHED]
        case.examined["I10"] += 1
        if reached and case.tickets and not (tickets.keys() & {(handoff, "chat"), (handoff, "ticket")}):
            what = f"{handoff} is shown as {reached[0]['state']} and has no ticket"
            yield Finding(invariant="I10", what=what, witness=(reached[0],))


def _beside_each_other(case: Case, handoff: str, tickets: list[Fact]) -> tuple[Fact, Fact] | None:
    """Find two tickets of one request; one that ended before the next began, or was merged, is not beside it."""
    home = case.homes.get(handoff) if len(tickets) > 1 else None
    merged = {
        end["list"] for found in (home.lists if home else ()) for end in found.closes if end["ending"] == "merged"
    }
    if merged:
        case.counts["merged"] += len(merged)
    tickets = [ticket for ticket in tickets if ticket["ticket"] not in merged]
    ends = [end for found in (home.lists if home else ()) if found.handoff == handoff for end in found.closes]
    for one, other in pairwise(tickets):
        if not any(one["n"] < end["n"] < other["n"] and end["ending"] in OVER for end in ends):
            return one, other
    return None
