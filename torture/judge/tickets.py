"""One request for a person, one ticket: I10."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from torture.history import Fact
from torture.judge.case import Case, Talk
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
    for talk in case.talks.values():
        yield from _chat_alone(case, talk, tickets)
    for handoff, talk in case.homes.items():
        reached = [fact for fact in talk.handoffs[handoff] if fact["state"] in REACHED]
        case.examined["I10"] += 1
        if reached and case.tickets and not (tickets.keys() & {(handoff, "chat"), (handoff, "ticket")}):
            what = f"{handoff} is shown as {reached[0]['state']} and has no ticket"
            yield Finding(invariant="I10", what=what, witness=(reached[0],))


def _chat_alone(case: Case, talk: Talk, tickets: Mapping[tuple[str, str], dict[str, Fact]]) -> Iterator[Finding]:
    """Expect no ticket of its own for a request that is a live chat in the end: people would be at work on both."""
    shown = [facts[-1] for facts in talk.handoffs.values() if facts]
    if case.calm is None or not shown or shown[-1]["mode"] != "live":
        return  # of an earlier one no reader may have seen that it went on as a ticket
    case.examined["I10"] += 1
    for ticket in list(tickets.get((shown[-1]["handoff"], "ticket"), {}).values())[:1]:
        what = f"{shown[-1]['handoff']} is a live chat and has a ticket beside it"
        yield Finding(invariant="I10", what=what, witness=(shown[-1], ticket))


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
