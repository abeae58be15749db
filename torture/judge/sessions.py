"""Who was in charge when: I11, and from it which messages are owed to the desk.

Both are read off the customer's own view, notice by notice. A customer message is owed to the desk

- if it is the last one before the notice that a person was asked for: it is what led there;
- if it comes after that notice and before the one that ends it (`ended`, `inactive`, back to the assistant, failed);
- if it comes after a quiet end (`inactive`) and an agent writes again before the assistant has answered it;
- if its sender was ever shown that it is under way, delivered or failed: what is said of it must be true.

What the customer said to the assistant alone, before or between, is owed to nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from torture.history import Fact
from torture.judge.case import Case, Entry, Talk
from torture.judge.verdict import Finding, excerpt

ASKED = "handoff_requested"
ENDS = frozenset({"ended", "inactive", "back_to_assistant", "handoff_failed"})
WITHIN = frozenset({"waiting", "agent_joined", "agent_changed", "ticket_created", "asynchronous"})
INTRODUCES = frozenset({"agent_joined", "agent_changed"})
TRACKED = frozenset({"pending", "delivered", "failed"})


def owed(talk: Talk) -> dict[str, Entry | None]:
    """Give the messages owed to the desk, each with the entry that makes it so."""
    found: dict[str, Entry | None] = {}
    asked: Entry | None = None
    quiet, last = False, ""
    unanswered: list[str] = []
    stray = strays(talk)
    for entry in talk.story:
        match entry.role:
            case "system" if entry.mark == ASKED:
                asked = entry
                if last:
                    found.setdefault(last, entry)
            case "system" if entry.mark in ENDS and asked is not None:
                quiet, asked = _may_go_on(talk, entry), None
                unanswered = []
            case "system" if entry.mark in ENDS:
                quiet = quiet and _may_go_on(talk, entry)  # who leaves after a quiet end asks nobody any more
            case "agent" if asked is None and quiet and entry.mid not in stray:
                asked = entry
                found.update(dict.fromkeys(unanswered, entry))
            case "assistant":
                unanswered = []
            case "customer":
                last = entry.mid
                unanswered.append(entry.mid)
                if asked is not None:
                    found.setdefault(entry.mid, asked)
    tracked = [entry.mid for entry in talk.story if entry.role == "customer" and entry.mark in TRACKED]
    tracked += [mid for mid, acks in talk.acks.items() if any(ack["mark"] in TRACKED for ack in acks)]
    for mid in tracked:
        found.setdefault(mid, None)
    return found


def unasked(talk: Talk) -> dict[str, Entry | None]:
    """Give the messages nobody at the desk may see: written after the last end, which is given too, or before any."""
    found: dict[str, Entry | None] = {}
    within, quiet = False, False
    end: Entry | None = None
    stray = strays(talk)
    for entry in talk.story:
        if entry.role == "system" and entry.mark == ASKED:
            within, found = True, {}  # what was said before a request may be told with it
        elif entry.role == "system" and entry.mark in ENDS and within:
            within, quiet, end = False, _may_go_on(talk, entry), entry
        elif entry.role == "system" and entry.mark in ENDS:
            quiet = quiet and _may_go_on(talk, entry)
        elif entry.role == "agent" and quiet and entry.mid not in stray:
            within, found = True, {}
        elif entry.role == "customer" and not within:
            found[entry.mid] = end
    return found


def over(talk: Talk) -> dict[str, Entry]:
    """Give the end of each handoff that is over, where it can be told which notices are whose."""
    asked = [entry for entry in talk.story if entry.role == "system" and entry.mark == ASKED]
    if len(asked) != len(talk.asked):
        return {}  # the bridge died before it wrote one down, or wrote nothing
    ends: dict[str, Entry] = {}
    handoffs, handoff, quiet = iter(talk.asked), "", False
    stray = strays(talk)
    for entry in talk.story:
        if entry.role == "system" and entry.mark == ASKED:
            handoff, quiet = next(handoffs), False
        elif entry.role == "system" and entry.mark in ENDS and handoff and handoff not in ends:
            ends[handoff], quiet = entry, _may_go_on(talk, entry)
        elif entry.role == "system" and entry.mark in ENDS:
            quiet = quiet and _may_go_on(talk, entry)
        elif entry.role == "agent" and quiet and entry.mid not in stray:
            ends.pop(handoff, None)
    return ends


def strays(talk: Talk) -> set[str]:
    """Give what nobody is back with: agents' words of an earlier handoff than the last one, and files that follow."""
    found = {entry.mid for entry in talk.story if entry.follows}
    asked = [entry for entry in talk.story if entry.role == "system" and entry.mark == ASKED]
    if len(asked) != len(talk.asked):
        return found  # it cannot be told which notice is whose
    handoffs, current = iter(talk.asked), ""
    for entry in talk.story:
        if entry.role == "system" and entry.mark == ASKED:
            current = next(handoffs)
        elif entry.role == "agent":
            homes = {desk_list.handoff for desk_list, _ in talk.lines.get(entry.rid, ())}
            if homes and current not in homes:
                found.add(entry.mid)
    return found


def _may_go_on(talk: Talk, end: Entry) -> bool:
    """Say whether an agent who writes again is back in the same session: after a quiet end, or an unknown one."""
    return talk.ended_unknown if end.mark == "ended" else end.mark == "inactive"


def judge(case: Case) -> Iterator[Finding]:
    """Judge I11."""
    for talk in case.talks.values():
        yield from _walk(case, talk)
        yield from _ends_are_true(case, talk)
        yield from _ends_are_told(case, talk)
        yield from _nothing_after_the_end(case, talk)


def _walk(case: Case, talk: Talk) -> Iterator[Finding]:
    """Follow the notices: asked, then within, then one end; the assistant is silent meanwhile."""
    asked: Entry | None = None
    end: Entry | None = None
    stray = strays(talk)
    for entry in talk.story:
        case.examined["I11"] += 1
        system = entry.role == "system"
        if system and entry.mark == ASKED:
            if asked is not None:
                yield _finding(talk, "a person was asked for twice in one stretch", asked, entry)
            asked = entry
        elif system and entry.mark in ENDS:
            closed = entry.mark == "ended" and any(leave["how"] == "close" for leave in talk.leaves)
            if asked is None and end is not None and entry.mark == end.mark != "handoff_failed" and not closed:
                yield _finding(talk, "the same end was told twice", end, entry)
            if asked is not None or entry.mark != "handoff_failed":
                end = entry
            asked = None
        elif system and entry.mark in INTRODUCES and asked is None and end is not None and _may_go_on(talk, end):
            asked = entry  # an agent who comes back is introduced before the first word
        elif system and entry.mark in WITHIN and asked is None:
            yield _finding(
                talk, f"{entry.mark} was told although nobody was asked for", *(e for e in (end, entry) if e)
            )
        elif entry.role == "agent" and asked is None and end is not None and _may_go_on(talk, end):
            asked = None if entry.mid in stray else entry
        elif entry.role == "assistant" and asked is not None:
            yield _finding(talk, "the assistant spoke while a person was asked for", asked, entry)


def _finding(talk: Talk, what: str, *entries: Entry) -> Finding:
    return Finding(invariant="I11", what=what, witness=excerpt(talk.final, [entry.mid for entry in entries]))


def _ends_are_true(case: Case, talk: Talk) -> Iterator[Finding]:
    """Expect a cause for every end that was told: the desk ended it, or the customer did."""
    told = Counter(entry.mark for entry in talk.story if entry.role == "system" and entry.mark in ENDS)
    closes = [
        fact for desk_list in talk.lists for fact in desk_list.closes if fact["ending"] not in {"solved", "merged"}
    ]
    back = [leave for leave in talk.leaves if leave["how"] == "back"]
    shut = [leave for leave in talk.leaves if leave["how"] == "close"]
    for marks, causes in ((("ended", "inactive"), [*closes, *shut]), (("back_to_assistant",), back)):
        count = sum(told[mark] for mark in marks)
        case.examined["I11"] += count
        if count > len(causes):
            ends = [entry.mid for entry in talk.story if entry.role == "system" and entry.mark in marks]
            what = f"{count} times an end was told, {len(causes)} times there was one"
            yield Finding(invariant="I11", what=what, witness=(*excerpt(talk.final, ends[:4]), *causes[:5]))


def _ends_are_told(case: Case, talk: Talk) -> Iterator[Finding]:
    """Expect the customer to be told when the desk ended it for good, and not when their own words opened it again."""
    ended: dict[str, Fact] = {}
    for desk_list in talk.lists:
        for fact in desk_list.closes:
            for_good = fact["ending"] in {"by_agent", "closed", "deleted"} and not desk_list.opened_again(fact)
            if for_good and desk_list.handoff and not desk_list.given_up:
                ended.setdefault(desk_list.handoff, fact)
    told = [entry.mid for entry in talk.story if entry.role == "system" and entry.mark in ENDS]
    case.examined["I11"] += len(ended)
    if talk.final is not None and len(told) < len(ended):
        what = f"{len(ended)} sessions were ended at the desk, the customer was told {len(told)} times"
        yield Finding(invariant="I11", what=what, witness=(*list(ended.values())[:4], *excerpt(talk.final, told[:2])))


def _nothing_after_the_end(case: Case, talk: Talk) -> Iterator[Finding]:
    """Expect nothing at the desk that was written when nobody there was asked, or no longer in that handoff."""
    nobody, ends = unasked(talk), over(talk)
    for mid, places in talk.at_desk.items():
        entry = talk.places.get(mid)
        for desk_list, line in places if entry is not None else ():
            case.examined["I11"] += 1
            end = nobody.get(mid) or ends.get(desk_list.handoff or "")
            if mid in nobody or (end is not None and entry is not None and entry.seq > end.seq):
                what = f"{mid} is in the list of {desk_list.handoff} although nobody there was asked any more"
                shown = excerpt(talk.final, [mid, *([end.mid] if end is not None else [])])
                yield Finding(invariant="I11", what=what, witness=(*shown, *desk_list.witness(line.rid)))
