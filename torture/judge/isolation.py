"""What is said in one company stays there, and so does its trouble: I15.

Companies share a product and nothing else. Whatever words or ids can be told to come from one of them alone are
expected nowhere in what customers of another are shown, and nowhere at another's desk: neither as a message nor in a
note or in what a bot tells. Words that both have used say nothing.

Where one company is spared of all that breaks for another, what is said in it arrives as if nothing had happened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from torture.history import Fact
from torture.judge.case import Case, DeskList, Entry, Talk
from torture.judge.verdict import Finding, excerpt

Origins = dict[str, dict[str, Fact]]  # of a digest or an id: by company, the fact that brought it up


def judge(case: Case) -> Iterator[Finding]:
    """Judge I15."""
    yield from _apart(case)
    for talk in case.talks.values():
        if (spared := case.spared.get(talk.o)) is not None:
            yield from _undisturbed(case, talk, spared)


def _apart(case: Case) -> Iterator[Finding]:
    """Expect no word and no id of a company with another."""
    owners = _owners(case)
    origins = _origins(case, owners)
    for talk in case.talks.values():
        for entry in talk.story:
            if entry.role in {"customer", "agent"}:
                case.examined["I15"] += 1
                if (origin := _foreign(origins, talk.o, entry.h, entry.mid, entry.rid)) is not None:
                    what = f"{entry.mid} is shown in {talk.o} and comes from another company"
                    yield Finding(invariant="I15", what=what, witness=(origin, *excerpt(talk.final, [entry.mid])))
    for desk_list in case.lists.values():
        company = owners.get(desk_list.account)
        for line in desk_list.lines if company is not None else ():
            case.examined["I15"] += 1
            if (origin := _foreign(origins, company or "", line.h, line.mid or "")) is not None:
                what = f"{line.rid} is at the desk of {company} and comes from another company"
                yield Finding(invariant="I15", what=what, witness=(origin, *desk_list.show(line.rid)[:2]))


def _owners(case: Case) -> dict[str, str]:
    """Say whose an account is, where its conversations are one company's."""
    found: dict[str, set[str]] = defaultdict(set)
    for talk, desk_list in case.each_list():
        found[desk_list.account].add(talk.o)
    return {account: companies.pop() for account, companies in found.items() if len(companies) == 1}


def _origins(case: Case, owners: dict[str, str]) -> Origins:
    """Say who has written each text, and made each id."""
    found: Origins = defaultdict(dict)
    for talk in case.talks.values():
        for mid, submits in talk.submits.items():
            for name in (mid, submits[0]["h"]):
                found[name].setdefault(talk.o, submits[0])
    for desk_list in case.lists.values():
        company = owners.get(desk_list.account)
        for post in _people(desk_list) if company is not None else ():
            for name in (post["rid"], post["h"]):
                if name is not None:
                    found[name].setdefault(company or "", post)
    return found


def _people(desk_list: DeskList) -> Iterator[Fact]:
    return (post for post in desk_list.posts.values() if post["author"] == "agent")


def _foreign(origins: Origins, company: str, *names: str | None) -> Fact | None:
    """Give where one of these comes from, if that is another company and not this one as well."""
    for name in names:
        known = origins.get(name, {}) if name else {}
        if known and company not in known:
            return next(iter(known.values()))
    return None


def _undisturbed(case: Case, talk: Talk, spared: Fact) -> Iterator[Finding]:
    """Expect what is said between a spared company's two ends to arrive in the time it was given."""
    for sent, arrived in (*_to_the_desk(talk), *_from_the_desk(talk)):
        case.examined["I15"] += 1
        late = arrived["t"] - sent["t"] - spared["within"]
        if late > 0:
            what = f"trouble of another company's made this arrive {late / 1000:.1f} s late in {talk.o}"
            shown = excerpt(arrived, [entry[1] for entry in arrived["entries"][-1:]]) if "entries" in arrived else ()
            yield Finding(invariant="I15", what=what, witness=(spared, sent, *(shown or (arrived,))))


def _to_the_desk(talk: Talk) -> Iterator[tuple[Fact, Fact]]:
    """Give when a message was acknowledged as under way, and when it was at the desk."""
    for mid, acks in talk.acks.items():
        posts = [post for found, line in talk.at_desk.get(mid, ()) for post in found.witness(line.rid)]
        if posts and acks[0]["mark"] == "pending":
            yield acks[0], min(posts, key=lambda post: post["t"])


def _from_the_desk(talk: Talk) -> Iterator[tuple[Fact, Fact]]:
    """Give when an agent wrote something before the end, and the view of the first reader who saw it."""
    seen: dict[str, Fact] = {}
    for views in talk.views.values():
        for view in views:
            for entry in view["entries"]:
                rid = Entry(*entry).rid
                if rid not in seen or view["t"] < seen[rid]["t"]:
                    seen[rid] = view
    for desk_list in talk.lists:
        over = min((close["n"] for close in desk_list.closes), default=None)
        for rid, post in desk_list.posts.items():
            if post["author"] == "agent" and rid in seen and (over is None or post["n"] < over):
                yield post, seen[rid]
