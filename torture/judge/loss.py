"""What goes in must come out, once: I1, I2, I4, I12."""

from __future__ import annotations

from collections.abc import Iterator

from torture.history import Fact
from torture.judge.case import Case, DeskList, Entry, Line, Talk
from torture.judge.sessions import owed
from torture.judge.verdict import Finding, excerpt


def judge(case: Case) -> Iterator[Finding]:
    """Judge I1, I2, I4 and I12."""
    for talk in case.talks.values():
        yield from _lost_at_desk(case, talk)
        yield from _twice_at_desk(case, talk)
        yield from _agents(case, talk)
        yield from _acknowledged(case, talk)
    yield from _kept_once(case)


def _lost_at_desk(case: Case, talk: Talk) -> Iterator[Finding]:
    told = sum(entry.role == "system" and entry.mark == "not_delivered" for entry in talk.story)
    if talk.final is None:
        case.counts["never looked at"] += len(talk.acks)
    for mid, why in owed(talk).items():
        case.examined["I1"] += 1
        if mid in talk.at_desk:
            case.counts["ok" if talk.acks.get(mid) else "recovered"] += 1
            continue
        entry = talk.places.get(mid)
        mark = entry.mark if entry is not None else ""
        if mark == "pending":
            continue  # not drained: I14 says so
        if mark == "failed" and told and _is_dead(case, talk, mid):
            case.counts["told"] += 1
            told -= 1  # each in its own words
            continue
        case.counts["lost"] += 1
        said = {
            "failed": "no operator sees it" if told else "nobody said so",
            "delivered": "its sender was told it did",
        }
        what = f"{mid} never reached the desk; {said.get(mark, 'nobody was told')}"
        shown = excerpt(talk.final, [mid, *([why.mid] if why is not None else [])])
        yield Finding(invariant="I1", what=what, witness=(*talk.told_place(mid), *shown, *_lists_without(talk)))


def _is_dead(case: Case, talk: Talk, mid: str) -> bool:
    """Say whether an operator sees it given up; where the bridge wrote nothing, or died meanwhile, nobody can tell."""
    return not talk.bridge or case.boots > 1 or any(fact["k"] == "B.dead" for fact in talk.bridge.get(mid, ()))


def _lists_without(talk: Talk) -> tuple[Fact, ...]:
    return tuple(shown for found in talk.lists[:3] for shown in excerpt(found.view, ()))


def _twice_at_desk(case: Case, talk: Talk) -> Iterator[Finding]:
    seen: dict[tuple[str | None, str], tuple[DeskList, Line]] = {}
    for desk_list in talk.lists:
        for line in desk_list.lines:
            if line.author != "customer" or line.mid is None:
                continue
            case.examined["I2"] += 1
            key = (desk_list.handoff, line.mid)
            first = seen.setdefault(key, (desk_list, line))
            if first[1] is not line:
                case.counts["duplicated"] += 1
                base = talk.whole(line.mid)[0]
                posts = (*first[0].witness(first[1].rid), *desk_list.witness(line.rid))
                shown = excerpt(desk_list.view, [line.mid])
                what = f"{line.mid} is at the desk more than once"
                yield Finding(invariant="I2", what=what, witness=(*talk.submits.get(base, ())[:1], *posts, *shown))
        case.counts["transient"] += len(desk_list.removed)


def _agents(case: Case, talk: Talk) -> Iterator[Finding]:
    if talk.final is None:
        return
    for desk_list in talk.lists:
        over = min((fact["n"] for fact in desk_list.closes if fact["ending"] in {"by_agent", "closed"}), default=None)
        for line in desk_list.lines:
            if line.author != "agent":
                continue
            case.examined["I4"] += 1
            places = talk.shown.get(line.rid, [])
            post = desk_list.witness(line.rid)
            if len(places) > 1:
                case.counts["duplicated"] += 1
                what = f"the agent's {line.rid} is shown {len(places)} times"
                view = excerpt(talk.final, [entry.mid for entry in places])
                yield Finding(invariant="I4", what=what, witness=(*post, *view))
            elif places:
                case.counts["ok"] += 1
            elif not (desk_list.given_up or desk_list.is_deleted or _is_late(post, over)):
                case.counts["lost"] += 1
                what = f"the agent's {line.rid} was never shown to the customer"
                view = (*excerpt(desk_list.view, [line.rid]), *excerpt(talk.final, ()))
                yield Finding(invariant="I4", what=what, witness=(*post, *view))


def _is_late(post: tuple[Fact, ...], over: int | None) -> bool:
    """Say whether it was written after the end: it may be shown, and need not be."""
    return bool(post) and over is not None and post[0]["n"] > over


def _acknowledged(case: Case, talk: Talk) -> Iterator[Finding]:
    for mid, acks in talk.acks.items():
        case.examined["I12"] += 1
        other = next((ack for ack in acks if ack["seq"] != acks[0]["seq"]), None)
        if other is not None:
            yield _promise(f"{mid} was acknowledged at two places", acks[0], other)
        if talk.final is None:
            continue
        entry = talk.places.get(mid)
        if entry is None:
            yield _promise(f"{mid} was acknowledged and is gone", acks[0], *excerpt(talk.final, ()))
        elif entry.seq != acks[0]["seq"]:
            view = excerpt(talk.final, [mid])
            yield _promise(f"{mid} was acknowledged at {acks[0]['seq']} and is at {entry.seq}", acks[0], *view)
    for mid, fact in talk.bridge.items():
        appended = next((one for one in fact if one["k"] == "B.append"), None)
        ack = next(iter(talk.acks.get(mid, ())), None)
        if appended is not None and ack is not None and appended["seq"] != ack["seq"]:
            yield _promise(f"{mid} was kept at {appended['seq']}, acknowledged at {ack['seq']}", appended, ack)
    if talk.final is None:
        return
    for mid, refused in talk.refusals.items():
        case.examined["I12"] += 1
        if mid in talk.places:
            yield _promise(f"{mid} was refused and is in the conversation", refused, *excerpt(talk.final, [mid]))
    for mid, places in talk.at_desk.items():
        if mid in talk.submits and mid not in talk.places and mid not in talk.acks:
            desk_list, line = places[0]
            posts = desk_list.witness(line.rid)
            yield _promise(f"{mid} is at the desk and not in the conversation", *posts, *excerpt(talk.final, ()))
    twice: dict[str, Entry] = {}
    for entry in talk.story:
        if entry.mid in twice and not entry.rid:
            yield _promise(f"{entry.mid} has two places in the conversation", *excerpt(talk.final, [entry.mid]))
        twice[entry.mid] = entry


def _kept_once(case: Case) -> Iterator[Finding]:
    """Expect news to be kept once, however often it came: whoever repeats it must change nothing."""
    for (_, source, rid), kept in case.news.items():
        case.examined["I12"] += 1
        if len(kept) > 1:
            yield _promise(f"{rid} from {source} was kept {len(kept)} times", *kept[:2])


def _promise(what: str, *witness: Fact) -> Finding:
    return Finding(invariant="I12", what=what, witness=witness)
