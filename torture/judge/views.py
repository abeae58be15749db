"""What is shown stays, is what was written, and was written there: I7, I8, I9."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from torture.history import Fact
from torture.judge.case import Case, DeskList, Entry, Line, Talk
from torture.judge.verdict import Finding, excerpt


def judge(case: Case) -> Iterator[Finding]:
    """Judge I7, I8 and I9."""
    for talk in case.talks.values():
        yield from _stable(case, talk)
        yield from _same_for_all(case, talk)
        yield from _faithful(case, talk)
        yield from _written_here(case, talk)
    for desk_list in case.lists.values():
        yield from _written_for(case, desk_list)
    yield from _one_account(case)


# I7


def _stable(case: Case, talk: Talk) -> Iterator[Finding]:
    for views in talk.views.values():
        for view in views:
            entries = [Entry(*raw) for raw in view["entries"]]
            for before, after in pairwise(entries):
                if before.seq >= after.seq:
                    yield _moved("a reader shows places out of order", excerpt(view, [before.mid, after.mid]))
        for earlier, later in pairwise(views):
            case.examined["I7"] += 1
            yield from _kept(earlier, later)


def _kept(earlier: Fact, later: Fact) -> Iterator[Finding]:
    """Expect the earlier view to be a part of the later one, in the same order, unaltered."""
    now = {raw[1]: (place, Entry(*raw)) for place, raw in enumerate(later["entries"])}
    last: tuple[int, str] = (-1, "")
    for entry in (Entry(*raw) for raw in earlier["entries"]):
        place, found = now.get(entry.mid, (None, entry))
        if place is None:
            yield _moved(f"{entry.mid} was shown and is gone", excerpt(earlier, [entry.mid]), excerpt(later, ()))
            continue
        if entry[:4] != found[:4]:
            shown = excerpt(earlier, [entry.mid]), excerpt(later, [entry.mid])
            yield _moved(f"{entry.mid} was shown and is not what it was", *shown)
        if place < last[0]:
            pair = [last[1], entry.mid]
            yield _moved(f"{pair[0]} and {pair[1]} have changed places", excerpt(earlier, pair), excerpt(later, pair))
        else:
            last = (place, entry.mid)


def _same_for_all(case: Case, talk: Talk) -> Iterator[Finding]:
    """Expect every final view of a conversation to show the same."""
    if talk.final is None or not talk.final["final"]:
        return
    story = [entry[:4] for entry in talk.story]
    for views in talk.views.values():
        if not views[-1]["final"]:
            continue
        case.examined["I7"] += 1
        shown = [Entry(*raw)[:4] for raw in views[-1]["entries"]]
        if shown != story:
            other = {entry[:2] for entry in set(shown) ^ set(story)}
            mids = [mid for _, mid in sorted(other)][:2]
            what = f"{talk.final['reader']} and {views[-1]['reader']} end up with different conversations"
            yield _moved(what, excerpt(talk.final, mids), excerpt(views[-1], mids))


def _moved(what: str, *shown: tuple[Fact, ...]) -> Finding:
    return Finding(invariant="I7", what=what, witness=tuple(fact for facts in shown for fact in facts))


# I8


def _faithful(case: Case, talk: Talk) -> Iterator[Finding]:
    for mid, submits in talk.submits.items():
        written = {submit["h"] for submit in submits}
        entry = talk.places.get(mid)
        if entry is not None:
            case.examined["I8"] += 1
            if entry.h not in written:
                shown = excerpt(talk.final, [mid])
                yield Finding(invariant="I8", what=f"{mid} is shown altered", witness=(*submits[:2], *shown))
        for desk_list, lines in _whole_texts(talk, mid):
            case.examined["I8"] += 1
            why = _is_unfaithful(talk, written, lines)
            if why:
                shown = desk_list.show(*(line.rid for line in lines))
                yield Finding(invariant="I8", what=f"{mid} is at the desk {why}", witness=(*submits[:2], *shown[:4]))
    for desk_list in talk.lists:
        for line in desk_list.lines:
            for entry in talk.shown.get(line.rid, ())[:1]:
                case.examined["I8"] += 1
                if line.h is not None and entry.h is not None and line.h != entry.h:
                    shown = (*desk_list.show(line.rid), *excerpt(talk.final, [entry.mid]))
                    yield Finding(invariant="I8", what=f"the desk's {line.rid} is shown altered", witness=shown)


def _whole_texts(talk: Talk, mid: str) -> Iterator[tuple[DeskList, list[Line]]]:
    """Give the lines that carry a message, list by list."""
    by_list: dict[str, tuple[DeskList, list[Line]]] = {}
    for desk_list, line in talk.at_desk.get(mid, ()):
        by_list.setdefault(desk_list.id, (desk_list, []))[1].append(line)
    yield from by_list.values()


def _is_unfaithful(talk: Talk, written: set[str], lines: list[Line]) -> str:
    """Say in what way lines do not carry what was written; parts grow into the whole text."""
    parts = {part: line for line in lines for part in [talk.whole(str(line.mid))[1]] if part is not None}
    if not parts:
        return "" if all(line.h in written for line in lines) else "altered"
    if set(parts) != set(range(len(parts))):
        return f"without its part {min(set(range(len(parts))) - set(parts))}"
    return "" if parts[len(parts) - 1].h in written else "cut short or altered"


# I9


def _written_here(case: Case, talk: Talk) -> Iterator[Finding]:
    """Expect what the customer is shown to have been written in this conversation, for them."""
    posts = {rid: found for found in talk.lists for rid in found.posts}
    before: set[str] = set()
    for entry in talk.story:
        if entry.follows and (entry.h is not None or entry.follows not in before or entry.mid in before):
            yield _phantom(f"{entry.mid} is not the files of what stands above it, once", talk, entry, [])
        before.add(entry.mid)
        if entry.role == "customer":
            case.examined["I9"] += 1
            if entry.mid not in talk.submits:
                yield _phantom(f"nobody here wrote {entry.mid}", talk, entry, case.by_mid.get(entry.mid, []))
        elif entry.rid and entry.role in {"agent", "system"}:
            case.examined["I9"] += 1
            for found, place in talk.lines.get(entry.rid, ()):
                line = found.lines[place]
                if line.author == "note" or (entry.role == "agent" and line.author != "agent"):
                    what = f"{line.rid} is a {line.author}'s, and is shown to the customer as an agent's"
                    shown = (*found.witness(line.rid), *excerpt(talk.final, [entry.mid]))
                    yield Finding(invariant="I9", what=what, witness=shown)
            if entry.rid not in talk.lines and entry.rid not in posts:
                where = [other for other in case.lists.values() if entry.rid in other.places]
                shown = tuple(fact for other in where[:2] for fact in other.witness(entry.rid))
                said = "belongs to another conversation" if where else "was written by nobody"
                what = f"{entry.rid} is shown to the customer and {said}"
                yield Finding(invariant="I9", what=what, witness=(*shown, *excerpt(talk.final, [entry.mid])))


def _written_for(case: Case, desk_list: DeskList) -> Iterator[Finding]:
    """Expect what stands in a list as the customer's to have been written by the customer it belongs to."""
    home = case.home_of(desk_list)
    for line in desk_list.lines:
        if line.author != "customer":
            continue
        if home is None and line.mid is None:
            continue  # somebody else's list, in somebody else's words
        case.examined["I9"] += 1
        if home is not None and line.mid is not None and home.whole(line.mid)[0] in home.submits:
            continue
        case.counts["unexpected"] += 1
        owners = (
            [] if line.mid is None else case.by_mid.get(line.mid) or case.by_mid.get(line.mid.rpartition(":")[0], [])
        )
        origin = tuple(owner.submits[mid][0] for owner in owners[:2] for mid in owner.submits if mid == line.mid)
        said = "was written in another conversation" if owners else "was written by nobody"
        homes = tuple(fact for facts in (home.handoffs.values() if home else ()) for fact in facts[:1])
        what = f"{line.mid or line.rid} is in the list of {desk_list.handoff or 'somebody else'} and {said}"
        yield Finding(invariant="I9", what=what, witness=(*origin, *homes[:2], *desk_list.show(line.rid)[:2]))


def _phantom(what: str, talk: Talk, entry: Entry, owners: list[Talk]) -> Finding:
    origin = tuple(owner.submits[entry.mid][0] for owner in owners[:2])
    return Finding(invariant="I9", what=what, witness=(*origin, *excerpt(talk.final, [entry.mid])))


def _one_account(case: Case) -> Iterator[Finding]:
    """Expect a company's conversations in its own account only, and no other company's there."""
    first: dict[str, tuple[str, DeskList]] = {}
    for talk, desk_list in case.each_list():
        case.examined["I9"] += 1
        account, before = first.setdefault(talk.o, (desk_list.account, desk_list))
        if account != desk_list.account:
            shown = (*list(before.posts.values())[:1], *list(desk_list.posts.values())[:1])
            what = f"{talk.o} is in two accounts: {account} and {desk_list.account}"
            yield Finding(invariant="I9", what=what, witness=shown)
