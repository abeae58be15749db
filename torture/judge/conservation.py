"""Nothing is between the stools, and nothing waits for ever: I13, I14."""

from __future__ import annotations

from collections.abc import Iterator

from torture.history import Fact
from torture.judge.case import Case, Talk
from torture.judge.sessions import owed
from torture.judge.verdict import Finding, excerpt


def judge(case: Case) -> Iterator[Finding]:
    """Judge I13 and I14."""
    for talk in case.talks.values():
        for mid in owed(talk):
            yield from _said_truly(case, talk, mid)
            yield from _drained(case, talk, mid)
        for mid, facts in talk.bridge.items():
            yield from _settled_once(case, talk, mid, facts)
        yield from _answered(case, talk)


def _said_truly(case: Case, talk: Talk, mid: str) -> Iterator[Finding]:
    """Expect the sender to see what became of it."""
    entry = talk.places.get(mid)
    if entry is None:
        return
    case.examined["I13"] += 1
    if entry.mark == "none":
        what = f"{mid} is owed to the desk and its sender sees no sign of it"
    elif entry.mark == "failed" and any(not found.is_deleted for found, _ in talk.at_desk.get(mid, ())):
        what = f"{mid} is at the desk and its sender is told that it is not"
    else:
        return
    at_desk = tuple(fact for found, line in talk.at_desk.get(mid, ())[:2] for fact in found.witness(line.rid))
    yield Finding(invariant="I13", what=what, witness=(*talk.told_place(mid), *excerpt(talk.final, [mid]), *at_desk))


def _settled_once(case: Case, talk: Talk, mid: str, facts: list[Fact]) -> Iterator[Finding]:
    """Expect an end to each delivery: confirmed or given up, and nothing tried after it was confirmed."""
    confirmed: dict[str, Fact] = {}  # by handoff: a message may be owed to a second one again
    for fact in facts:
        if fact["k"] == "B.append":
            continue
        sure = (fact["k"] == "B.outcome" and fact["outcome"] == "sure_yes") or (
            fact["k"] == "B.lookup" and fact["found"]
        )
        case.examined["I13"] += 1
        before = confirmed.get(fact["handoff"])
        if before is not None and fact["k"] in {"B.attempt", "B.dead"} and fact["p"] == before["p"]:
            did = "tried again" if fact["k"] == "B.attempt" else "given up"
            what = f"{mid} was confirmed and then {did}"
            yield Finding(invariant="I13", what=what, witness=(*talk.told_place(mid), before, fact))
            return
        if sure:
            confirmed[fact["handoff"]] = fact


def _drained(case: Case, talk: Talk, mid: str) -> Iterator[Finding]:
    """Expect nothing under way in the final views, and nothing later than the time allowed."""
    calm = case.calm
    if calm is None:
        return
    case.examined["I14"] += 1
    entry = talk.places.get(mid)
    if entry is not None and entry.mark == "pending":
        what = f"{mid} is still under way at the end"
        yield Finding(invariant="I14", what=what, witness=(*talk.told_place(mid), calm, *excerpt(talk.final, [mid])))
        return
    acks = talk.acks.get(mid)
    if calm["within"] is None or not acks:
        return
    until = max(calm["t"], acks[0]["t"]) + calm["within"]
    for desk_list, line in talk.at_desk.get(mid, ()):
        for post in desk_list.witness(line.rid):
            if post["t"] > until:
                what = f"{mid} arrived {(post['t'] - until) / 1000:.1f} s later than allowed"
                yield Finding(invariant="I14", what=what, witness=(acks[0], calm, post))


def _answered(case: Case, talk: Talk) -> Iterator[Finding]:
    """Expect no request for a person to be still on its way in the end."""
    if case.calm is None:
        return
    shown = [facts for facts in talk.handoffs.values() if facts]
    if shown:  # of an earlier one no reader may have seen the end
        facts = shown[-1]
        case.examined["I14"] += 1
        if facts[-1]["state"] == "requested":
            what = f"{facts[-1]['handoff']} is still on its way at the end"
            yield Finding(invariant="I14", what=what, witness=(facts[0], case.calm, facts[-1]))
