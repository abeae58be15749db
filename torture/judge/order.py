"""Nothing out of order, at either end or between them: I3, I5, I6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from torture.history import Fact
from torture.judge.case import Case, DeskList, Entry, Line, Talk
from torture.judge.verdict import Finding, excerpt

Place = tuple[int, int]  # of a message in its conversation, and which part of it


class Known(NamedTuple):
    """The furthest place a process knew of, what stood there, and the fact that told it."""

    place: int
    name: str
    fact: Fact


def judge(case: Case) -> Iterator[Finding]:
    """Judge I3, I5 and I6."""
    for talk, desk_list in case.each_list():
        yield from _at_desk(case, talk, desk_list)
    for talk in case.talks.values():
        yield from _at_customer(case, talk)
    for process in case.by_process.values():
        yield from _cause_before_effect(case, process)


def _at_desk(case: Case, talk: Talk, desk_list: DeskList) -> Iterator[Finding]:
    """I3: customers' messages in the order of their places. I6: an agent's comes after what it stands below."""
    highest: tuple[Place, Line] | None = None
    seen: set[str] = set()
    for line in desk_list.lines:
        if line.author == "customer" and line.mid is not None and line.mid not in seen:
            seen.add(line.mid)
            base, part = talk.whole(line.mid)
            seq = talk.seq_of(base)
            if seq is None:
                continue
            case.examined["I3"] += 1
            if highest is not None and (seq, part or 0) < highest[0]:
                yield _out_of_order(talk, desk_list, highest[1], line)
            else:
                highest = (seq, part or 0), line
        elif line.author == "agent" and line.rid in talk.shown and highest is not None:
            case.examined["I6"] += 1
            entry = talk.shown[line.rid][0]
            if entry.seq < highest[0][0]:
                above = talk.whole(str(highest[1].mid))[0]
                what = f"at the desk {above} stands before {line.rid}, for the customer after it"
                views = (*excerpt(desk_list.view, [highest[1].rid, line.rid]), *excerpt(talk.final, [above, entry.mid]))
                yield Finding(invariant="I6", what=what, witness=views)


def _out_of_order(talk: Talk, desk_list: DeskList, first: Line, second: Line) -> Finding:
    mids = dict.fromkeys(talk.whole(str(line.mid))[0] for line in (first, second))
    places = [fact for mid in mids for fact in talk.told_place(mid)]
    what = f"at the desk {first.mid} stands before {second.mid}"
    return Finding(invariant="I3", what=what, witness=(*places, *desk_list.show(first.rid, second.rid)))


def _at_customer(case: Case, talk: Talk) -> Iterator[Finding]:
    """I5: the agents' messages of each list, in the list's order; nobody can read that of one that was deleted."""
    last: dict[str, tuple[int, Entry]] = {}
    seen: set[str] = set()
    for entry in talk.story:
        for desk_list, place in talk.lines.get(entry.rid, ()) if entry.rid not in seen else ():
            if desk_list.lines[place].author != "agent" or desk_list.is_deleted:
                continue
            case.examined["I5"] += 1
            before, above = last.get(desk_list.id, (-1, entry))
            if place < before:
                what = f"the customer reads {above.rid} before {entry.rid}"
                shown = (*desk_list.show(entry.rid, above.rid), *excerpt(talk.final, [entry.mid, above.mid]))
                yield Finding(invariant="I5", what=what, witness=shown)
            else:
                last[desk_list.id] = (place, entry)
        seen.add(entry.rid)


def _cause_before_effect(case: Case, process: list[Fact]) -> Iterator[Finding]:
    """Expect what a process knew before it wrote to come before what it wrote, in the conversation and at the desk.

    Of its own earlier messages that is I3, of everything else I6.
    """
    newest: dict[str, Known] = {}  # by conversation
    lowest: dict[str, Known] = {}  # by list: of the agents' lines that were shown
    for fact in process:
        match fact["k"]:
            case "C.ack":
                _learn(newest, f"{fact['o']} {fact['c']}", Known(fact["seq"], fact["mid"], fact))
            case "C.view":
                talk = case.talk(fact)
                for entry in (Entry(*raw) for raw in fact["entries"]):
                    _learn(newest, f"{talk.o} {talk.c}", Known(entry.seq, entry.mid, fact))
                    for desk_list, place in talk.lines.get(entry.rid, ()):
                        if desk_list.lines[place].author == "agent":
                            _learn(lowest, desk_list.id, Known(place, entry.rid, fact))
            case "C.submit":
                talk = case.talk(fact)
                if talk.submits[fact["mid"]][0] is fact:
                    yield from _after_all_known(case, talk, fact, newest.get(f"{talk.o} {talk.c}"))
                    yield from _below_all_known(case, talk, fact, lowest)


def _learn(known: dict[str, Known], where: str, new: Known) -> None:
    if where not in known or new.place > known[where].place:
        known[where] = new


def _after_all_known(case: Case, talk: Talk, submit: Fact, known: Known | None) -> Iterator[Finding]:
    mid = submit["mid"]
    seq = talk.seq_of(mid)
    if seq is None or known is None:
        return
    invariant = "I3" if known.name in talk.submits else "I6"
    case.examined[invariant] += 1
    if seq < known.place:
        what = f"{known.name} was there before {mid} was written, and stands after it"
        yield Finding(invariant=invariant, what=what, witness=(*_told(known), submit, *talk.told_place(mid)))


def _below_all_known(case: Case, talk: Talk, submit: Fact, lowest: dict[str, Known]) -> Iterator[Finding]:
    for desk_list, line in talk.at_desk.get(submit["mid"], ()):
        known = lowest.get(desk_list.id)
        if known is None:
            continue
        case.examined["I6"] += 1
        if desk_list.places[line.rid] < known.place:
            what = f"{known.name} was shown before {submit['mid']} was written, and stands below it at the desk"
            shown = desk_list.show(known.name, line.rid)
            yield Finding(invariant="I6", what=what, witness=(*_told(known), submit, *shown))


def _told(known: Known) -> tuple[Fact, ...]:
    if known.fact["k"] == "C.ack":
        return (known.fact,)
    named = [raw[1] for raw in known.fact["entries"] if known.name in {raw[1], Entry(*raw).rid}]
    return excerpt(known.fact, named)
