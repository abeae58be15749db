"""Ways to spoil a correct run, one contradiction each, with the invariants of which one must be convicted for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import pairwise
from random import Random
from typing import Any

from torture.history import Fact

Facts = list[dict[str, Any]]
Spoilt = tuple[Facts, set[str]]


def _lines(facts: Facts, author: str) -> list[tuple[dict[str, Any], int]]:
    """List what stands at the desk in the end, by author: the view and the place in it."""
    views = [fact for fact in facts if fact["k"] == "Z.view"]
    return [(view, place) for view in views for place, line in enumerate(view["entries"]) if line[1] == author]


def _once(facts: Facts) -> Iterator[tuple[dict[str, Any], int]]:
    """Give the customers' lines whose message is in one line only."""
    lines = _lines(facts, "customer")
    mids = [str(view["entries"][place][2]).partition(":")[0] for view, place in lines]
    for (view, place), mid in zip(lines, mids, strict=True):
        if mids.count(mid) == 1:
            yield view, place


def _pairs(facts: Facts, author: str) -> list[tuple[dict[str, Any], int, int]]:
    lines = _lines(facts, author)
    return [(v, a, b) for (v, a), (w, b) in pairwise(lines) if v is w]


def _final(facts: Facts) -> list[dict[str, Any]]:
    return [fact for fact in facts if fact["k"] == "C.view" and fact["final"]]


def lose_a_customers(facts: Facts, dice: Random) -> set[str]:
    """A message is no longer at the desk."""
    view, place = dice.choice(list(_once(facts)))
    del view["entries"][place]
    return {"I1"}


def repeat_a_customers(facts: Facts, dice: Random) -> set[str]:
    """A message is at the desk twice."""
    view, place = dice.choice(_lines(facts, "customer"))
    view["entries"].append(["copy", *view["entries"][place][1:]])
    return {"I2"}


def swap_at_the_desk(facts: Facts, dice: Random) -> set[str]:
    """Two messages have changed places at the desk."""
    view, a, b = dice.choice(_pairs(facts, "customer"))
    view["entries"][a], view["entries"][b] = view["entries"][b], view["entries"][a]
    return {"I3"}


def alter_at_the_desk(facts: Facts, dice: Random) -> set[str]:
    """A message reads otherwise at the desk."""
    view, place = dice.choice(list(_once(facts)))
    view["entries"][place][3] = "altered"
    return {"I8"}


def lose_an_agents(facts: Facts, dice: Random) -> set[str]:
    """An answer is shown to nobody."""
    view, place = dice.choice([(v, p) for v, p in _lines(facts, "agent") if _is_shown(facts, v["entries"][p][0])])
    rid = view["entries"][place][0]
    for shown in facts:
        if shown["k"] == "C.view":
            shown["entries"] = [entry for entry in shown["entries"] if not entry[1].endswith(f":{rid}")]
    return {"I4"}


def _is_shown(facts: Facts, rid: str) -> bool:
    return any(entry[1].endswith(f":{rid}") for view in _final(facts) for entry in view["entries"])


def repeat_an_agents(facts: Facts, dice: Random) -> set[str]:
    """An answer is shown twice."""
    view, entry = _an_answer(facts, dice)
    for shown in _final(facts):
        if (shown["o"], shown["c"]) == (view["o"], view["c"]):
            shown["entries"].append([len(shown["entries"]) + 100, "again:" + entry[1].partition(":")[2], *entry[2:]])
    return {"I4"}


def _an_answer(facts: Facts, dice: Random) -> tuple[dict[str, Any], list[Any]]:
    return dice.choice([(view, entry) for view in _final(facts) for entry in view["entries"] if entry[2] == "agent"])


def alter_an_answer(facts: Facts, dice: Random) -> set[str]:
    """An answer reads otherwise on the customer's page."""
    view, entry = _an_answer(facts, dice)
    for shown in facts:
        if shown["k"] == "C.view" and (shown["o"], shown["c"]) == (view["o"], view["c"]):
            shown["entries"] = [[*e[:3], "altered", e[4]] if e[1] == entry[1] else e for e in shown["entries"]]
    return {"I8"}


def swap_answers(facts: Facts, dice: Random) -> set[str]:
    """Two answers of one chat have changed places at the desk, which is the truth about their order."""
    pairs = _pairs(facts, "agent")
    view, a, b = dice.choice([p for p in pairs if all(_is_shown(facts, p[0]["entries"][each][0]) for each in p[1:])])
    view["entries"][a], view["entries"][b] = view["entries"][b], view["entries"][a]
    return {"I5"}


def show_a_note(facts: Facts, dice: Random) -> set[str]:
    """An internal note is shown to the customer it is about."""
    notes = [(v, v["entries"][p]) for v, p in _lines(facts, "note")]
    view, line = dice.choice(notes)
    home = next(fact for fact in facts if fact["k"] == "B.handoff" and fact["handoff"] == view["handoff"])
    for shown in _final(facts):
        if (shown["o"], shown["c"]) == (home["o"], home["c"]):
            place = len(shown["entries"]) + 100
            shown["entries"].append([place, f"sunshine:{line[0]}", "agent", line[3], ""])
    return {"I9"}


def move_to_another_list(facts: Facts, dice: Random) -> set[str]:
    """A message is in the list of another conversation."""
    owners = {fact["handoff"]: (fact["o"], fact["c"]) for fact in facts if fact["k"] == "B.handoff"}
    views = [fact for fact in facts if fact["k"] == "Z.view"]
    view, place = dice.choice(list(_once(facts)))
    other = dice.choice([v for v in views if owners[v["handoff"]] != owners[view["handoff"]]])
    other["entries"].append(view["entries"].pop(place))
    return {"I9"}


def move_to_another_account(facts: Facts, dice: Random) -> set[str]:
    """A whole list of one company is in another's account."""
    both = {fact["account"] for fact in facts if fact["k"] == "Z.view"}
    view = dice.choice([fact for fact in facts if fact["k"] == "Z.view"])
    other = dice.choice(sorted(both - {view["account"]}))
    # Only a company with more than one list shows that it is in two accounts.
    companies = {fact["handoff"]: fact["o"] for fact in facts if fact["k"] == "B.handoff"}
    owner = companies[view["handoff"]]
    if sum(fact["k"] == "Z.view" and companies[fact["handoff"]] == owner for fact in facts) < 2:
        raise IndexError
    for fact in facts:
        if fact["k"].startswith("Z.") and fact["handoff"] == view["handoff"]:
            fact["account"] = other
    return {"I9"}


def forget_what_was_acknowledged(facts: Facts, dice: Random) -> set[str]:
    """An acknowledged message is in no view."""
    ack = dice.choice([fact for fact in facts if fact["k"] == "C.ack"])
    for view in facts:
        if view["k"] == "C.view" and (view["o"], view["c"]) == (ack["o"], ack["c"]):
            view["entries"] = [entry for entry in view["entries"] if entry[1] != ack["mid"]]
    return {"I12"}


def acknowledge_elsewhere(facts: Facts, dice: Random) -> set[str]:
    """A message is acknowledged at a place where it is not."""
    dice.choice([fact for fact in facts if fact["k"] == "C.ack"])["seq"] += 1000
    return {"I12"}


def keep_news_again(facts: Facts, dice: Random) -> set[str]:
    """A repeated webhook was taken in once more."""
    facts.append(dict(dice.choice([fact for fact in facts if fact["k"] == "B.recv"])))
    return {"I12"}


def open_a_second_ticket(facts: Facts, dice: Random) -> set[str]:
    """A handoff has two tickets."""
    ticket = dice.choice([fact for fact in facts if fact["k"] == "Z.ticket"])
    facts.append({**ticket, "n": ticket["n"] + 0.5, "ticket": "another"})  # at once, not after its end
    return {"I10"}


def open_a_ticket_beside_a_chat(facts: Facts, dice: Random) -> set[str]:
    """A request that is a live chat in the end has a ticket of its own as well."""
    last = {(fact["o"], fact["c"]): fact for fact in facts if fact["k"] == "C.handoff"}
    live = [fact["handoff"] for fact in last.values() if fact["mode"] == "live"]
    ticket = dice.choice([fact for fact in facts if fact["k"] == "Z.ticket" and fact["handoff"] in live])
    facts.append({**ticket, "at": "ticket", "ticket": "another"})
    return {"I10"}


def drop_from_one_page(facts: Facts, dice: Random) -> set[str]:
    """One of two readers lacks an entry in the end."""
    view = dice.choice([fact for fact in _final(facts) if fact["entries"]])
    del view["entries"][dice.randrange(len(view["entries"]))]
    return {"I7"}


def tell_an_end_that_was_none(facts: Facts, dice: Random) -> set[str]:
    """The customer is told of an end for which there was no cause."""
    view = dice.choice([fact for fact in _final(facts) if fact["entries"]])
    for shown in _final(facts):
        if (shown["o"], shown["c"]) == (view["o"], view["c"]):
            shown["entries"].append([len(shown["entries"]) + 100, "end", "system", "end", "ended"])
    return {"I11"}


def leave_under_way(facts: Facts, dice: Random) -> set[str]:
    """A message is still under way in the end."""
    shown = [(v, e) for v in _final(facts) for e in v["entries"] if e[2] == "customer" and e[4] == "delivered"]
    _, entry = dice.choice(shown)
    for view in _final(facts):
        for each in view["entries"]:
            each[4] = "pending" if each[1] == entry[1] else each[4]
    return {"I14"}


WAYS: tuple[Callable[[Facts, Random], set[str]], ...] = (
    lose_a_customers,
    repeat_a_customers,
    swap_at_the_desk,
    alter_at_the_desk,
    lose_an_agents,
    repeat_an_agents,
    alter_an_answer,
    swap_answers,
    show_a_note,
    move_to_another_list,
    move_to_another_account,
    forget_what_was_acknowledged,
    acknowledge_elsewhere,
    keep_news_again,
    open_a_second_ticket,
    open_a_ticket_beside_a_chat,
    drop_from_one_page,
    tell_an_end_that_was_none,
    leave_under_way,
)


def spoil(facts: list[Fact], way: Callable[[Facts, Random], set[str]], seed: int) -> Spoilt | None:
    """Spoil a copy of a run in one way; nothing if there is nothing in it to be spoilt so."""
    copied: Facts = [dict(deepcopy(fact)) for fact in facts]
    try:
        return copied, way(copied, Random(seed))
    except IndexError:  # nothing to choose from
        return None
