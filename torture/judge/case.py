"""The facts, sorted: each conversation with what its readers saw and the desk's lists that belong to it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from torture.history import Fact
from torture.judge.verdict import excerpt

FILES = ":files"  # what a mid ends in, where its entry brings the files of another


class Entry(NamedTuple):
    """One entry of a customer's view."""

    seq: int
    mid: str
    role: str
    h: str | None
    mark: str

    @property
    def rid(self) -> str:
        """Give the desk's own id, where it came from there."""
        return (self.follows or self.mid).rpartition(":")[2] if ":" in self.mid else ""

    @property
    def follows(self) -> str:
        """Give the mid of the words whose files alone it brings, because they were shown before these were known."""
        return self.mid.removesuffix(FILES) if self.mid.endswith(FILES) else ""


class Line(NamedTuple):
    """One entry of a list at the desk."""

    rid: str
    author: str
    mid: str | None
    h: str | None


@dataclass(slots=True, kw_only=True)
class DeskList:
    """A list at the desk: a live chat or a ticket's comments."""

    account: str
    id: str
    handoff: str | None
    at: str
    posts: dict[str, Fact] = field(default_factory=dict)
    view: Fact | None = None
    removed: set[str] = field(default_factory=set)
    closes: list[Fact] = field(default_factory=list)
    given_up: bool = False  # a chat whose handoff went on as a ticket
    lines: list[Line] = field(default_factory=list)  # as it stands at the end
    places: dict[str, int] = field(default_factory=dict)  # of the lines, by rid

    def settle(self) -> None:
        """Take the last view for what stands; without one, what was posted and not removed."""
        if self.view is not None:
            self.lines = [Line(*entry) for entry in self.view["entries"]]
        else:
            kept = [post for rid, post in self.posts.items() if rid not in self.removed]
            self.lines = [Line(post["rid"], post["author"], post["mid"], post["h"]) for post in kept]
        self.places = {line.rid: place for place, line in enumerate(self.lines)}

    def witness(self, *rids: str) -> tuple[Fact, ...]:
        """Give the facts that say how these lines came."""
        return tuple(self.posts[rid] for rid in rids if rid in self.posts)

    def opened_again(self, close: Fact) -> bool:
        """Say whether the customer's words reached the desk after it had ended the session: that begins the next."""
        said = (post for post in self.posts.values() if post["author"] == "customer" and post["p"] == close["p"])
        return any(post["n"] > close["n"] for post in said)

    @property
    def is_deleted(self) -> bool:
        """Say whether it was deleted: what nobody had read by then, nobody can."""
        return any(close["ending"] == "deleted" for close in self.closes)

    def show(self, *rids: str) -> tuple[Fact, ...]:
        """Give the facts that show these lines: the view, or how they came."""
        return excerpt(self.view, rids) or self.witness(*rids)


@dataclass(slots=True, kw_only=True)
class Talk:
    """One conversation as its customer's end knows it."""

    o: str
    c: str
    submits: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    acks: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    refusals: dict[str, Fact] = field(default_factory=dict)
    views: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    handoffs: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    asked: list[str] = field(default_factory=list)  # its handoffs, in the order in which the bridge was asked for them
    ended_unknown: bool = False  # of some handoff its end was shown, and nobody knew which it was
    leaves: list[Fact] = field(default_factory=list)
    lists: list[DeskList] = field(default_factory=list)
    bridge: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))  # by mid, of its own deliveries
    final: Fact | None = None
    story: list[Entry] = field(default_factory=list)  # what the fullest final view shows
    places: dict[str, Entry] = field(default_factory=dict)  # of the story, by mid; the first
    shown: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))  # the words, by the desk's rid
    lines: dict[str, list[tuple[DeskList, int]]] = field(default_factory=lambda: defaultdict(list))  # by rid
    at_desk: dict[str, list[tuple[DeskList, Line]]] = field(default_factory=lambda: defaultdict(list))  # by whole mid

    def settle(self) -> None:
        """Find the final view: of those marked so, or of each reader's last, the one that shows most."""
        last = [views[-1] for views in self.views.values()]
        final = [view for views in self.views.values() for view in views if view["final"]] or last
        self.final = max(final, key=_shows, default=None)
        if self.final is not None:
            self.story = [Entry(*entry) for entry in self.final["entries"]]
        for entry in self.story:
            self.places.setdefault(entry.mid, entry)
            if entry.rid and not entry.follows:
                self.shown[entry.rid].append(entry)
        for desk_list in self.lists:
            for place, line in enumerate(desk_list.lines):
                self.lines[line.rid].append((desk_list, place))
                if line.author == "customer" and line.mid is not None:
                    self.at_desk[self.whole(line.mid)[0]].append((desk_list, line))

    def whole(self, mid: str) -> tuple[str, int | None]:
        """Tell a message's id from that of one of its parts, and which part."""
        if mid not in self.submits:
            base, _, part = mid.rpartition(":")
            if base in self.submits and part.isdigit():
                return base, int(part)
        return mid, None

    def seq_of(self, mid: str) -> int | None:
        """Say at which place a message is: what the final view shows, or what was acknowledged."""
        if mid in self.places:
            return self.places[mid].seq
        return self.acks[mid][0]["seq"] if self.acks.get(mid) else None

    def told_place(self, mid: str) -> tuple[Fact, ...]:
        """Give the fact that tells a message's place."""
        return tuple(self.acks[mid][:1]) if self.acks.get(mid) else tuple(self.submits.get(mid, ())[:1])


def _shows(view: Fact) -> tuple[int, int]:
    """Say how much a view shows: entries, and their marks."""
    return len(view["entries"]), sum(bool(entry[4]) for entry in view["entries"])


@dataclass(slots=True, kw_only=True)
class Case:
    """Everything there is to judge."""

    talks: dict[tuple[str, str], Talk] = field(default_factory=dict)
    lists: dict[tuple[str, str], DeskList] = field(default_factory=dict)
    homes: dict[str, Talk] = field(default_factory=dict)  # whose a handoff is
    by_mid: dict[str, list[Talk]] = field(default_factory=lambda: defaultdict(list))  # who has submitted a mid
    by_process: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    tickets: list[Fact] = field(default_factory=list)
    # Each time news was kept, by company, sender and id.
    news: dict[tuple[str, str, str], list[Fact]] = field(default_factory=lambda: defaultdict(list))
    faults: list[Fact] = field(default_factory=list)
    spared: dict[str, Fact] = field(default_factory=dict)  # by company: that nothing broke for it
    calm: Fact | None = None
    boots: int = 0  # of the bridge: what it knew at the end of a life it may not have written down
    examined: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def talk(self, fact: Fact) -> Talk:
        """Give the conversation a fact is about."""
        key = (fact["o"], fact["c"])
        if key not in self.talks:
            self.talks[key] = Talk(o=key[0], c=key[1])
        return self.talks[key]

    def desk_list(self, fact: Fact) -> DeskList:
        """Give the list a fact is about."""
        key = (fact["account"], fact["list"])
        if key not in self.lists:
            self.lists[key] = DeskList(account=key[0], id=key[1], handoff=fact["handoff"], at=fact["at"])
        return self.lists[key]

    def home_of(self, desk_list: DeskList) -> Talk | None:
        """Say whose a list is."""
        return None if desk_list.handoff is None else self.homes.get(desk_list.handoff)

    def each_list(self) -> Iterator[tuple[Talk, DeskList]]:
        """Give every list with its conversation."""
        for talk in self.talks.values():
            for desk_list in talk.lists:
                yield talk, desk_list


def sort(facts: Iterable[Fact]) -> Case:
    """Sort the facts of every process: within one the order is its counter's, between two there is none."""
    case = Case()
    for fact in _without_the_erased(list(facts)):
        case.by_process[fact["p"]].append(fact)
    for process in case.by_process.values():
        process.sort(key=lambda fact: fact["n"])
        for fact in process:
            _take(case, fact)
    for handoff, talk in case.homes.items():
        talk.handoffs[handoff]  # also one that no view has shown
    for desk_list in case.lists.values():
        desk_list.settle()
        home = case.home_of(desk_list)
        if home is not None:
            home.lists.append(desk_list)
    for talk in case.talks.values():
        tickets = {found.handoff for found in talk.lists if found.at == "ticket"}
        for desk_list in talk.lists:
            desk_list.given_up = desk_list.at == "chat" and desk_list.handoff in tickets
        talk.settle()
    return case


def _without_the_erased(facts: list[Fact]) -> Iterator[Fact]:
    """Leave out conversations that were erased: what the desk still has, nobody can be shown any more."""
    erased = {(fact["o"], fact["c"]) for fact in facts if fact["k"] == "C.leave" and fact["how"] == "erased"}
    theirs = {fact["handoff"] for fact in facts if fact.get("handoff") and (fact.get("o"), fact.get("c")) in erased}
    for fact in facts:
        if (fact.get("o"), fact.get("c")) not in erased and (not theirs or fact.get("handoff") not in theirs):
            yield fact


def _take(case: Case, fact: Fact) -> None:
    match fact["k"]:
        case "C.submit":
            talk = case.talk(fact)
            if fact["mid"] not in talk.submits:
                case.by_mid[fact["mid"]].append(talk)
            talk.submits[fact["mid"]].append(fact)
        case "C.ack":
            case.talk(fact).acks[fact["mid"]].append(fact)
        case "C.refused":
            case.talk(fact).refusals[fact["mid"]] = fact
        case "C.view":
            case.talk(fact).views[fact["reader"]].append(fact)
        case "C.handoff":
            case.talk(fact).handoffs[fact["handoff"]].append(fact)
            case.talk(fact).ended_unknown |= fact["ended"] == "unknown"
            case.homes[fact["handoff"]] = case.talk(fact)
        case "C.leave":
            case.talk(fact).leaves.append(fact)
        case "B.handoff":
            case.homes.setdefault(fact["handoff"], case.talk(fact))
            case.talk(fact).asked.append(fact["handoff"])
        case "B.append" | "B.attempt" | "B.outcome" | "B.lookup" | "B.dead":
            if fact["mid"] is not None and fact.get("effect", "Post") == "Post":
                case.talk(fact).bridge[fact["mid"]].append(fact)
        case "B.recv":
            case.news[fact["o"], fact["src"], fact["rid"]].append(fact)
        case "B.boot":
            case.boots += 1
        case "Z.post":
            case.desk_list(fact).posts[fact["rid"]] = fact
        case "Z.view":
            case.desk_list(fact).view = fact
        case "Z.removed":
            case.desk_list(fact).removed.add(fact["rid"])
        case "Z.close":
            case.desk_list(fact).closes.append(fact)
        case "Z.ticket":
            case.tickets.append(fact)
        case "F.begin":
            case.faults.append(fact)
        case "F.spared":
            case.spared[fact["o"]] = fact
        case "F.calm":
            case.calm = fact
