"""The judge acquits what is right, convicts what is wrong for the right reason, and can show why."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torture.history import FIELDS, Fact, malformed, read
from torture.judge import judge
from torture.judge.__main__ import main
from torture.judge.verdict import INVARIANTS, MOST_RECORDS
from torture.parts import PARTS

from tests.torture.right import right
from tests.torture.spoil import WAYS, Facts, spoil

HISTORIES = Path(__file__).parent / "histories"
BAD = sorted((HISTORIES / "bad").glob("*.jsonl"))
GOOD = sorted((HISTORIES / "good").glob("*.jsonl"))


def label(path: Path) -> dict[str, Any]:
    """Read the first line of a labelled history, which is no fact: what it is, and what convicts it."""
    head: dict[str, Any] = json.loads(path.read_text().partition("\n")[0])
    return head


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_history_is_convicted_for_the_right_reason(path: Path) -> None:
    facts = list(read([path]))
    verdict = judge(facts)
    assert set(verdict.convicted) == set(label(path)["convicts"]), str(verdict)
    known = {(fact["p"], fact["n"], fact["k"]) for fact in facts}
    for finding in verdict.findings:
        assert 1 <= len(finding.witness) <= MOST_RECORDS, str(finding)  # one view can contradict itself
        assert {(fact["p"], fact["n"], fact["k"]) for fact in finding.witness} <= known
        assert all(len(line) < 400 for line in str(finding).splitlines())


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_history_is_acquitted(path: Path) -> None:
    verdict = judge(read([path]))
    assert verdict.holds, str(verdict)


def test_the_labelled_histories_are_enough_and_say_what_they_are() -> None:
    assert len(BAD) >= 40
    assert len(GOOD) >= 40
    convicting = {invariant for path in BAD for invariant in label(path)["convicts"]}
    assert convicting == set(INVARIANTS)
    labels = [label(path)["history"] for path in (*BAD, *GOOD)]
    assert len(set(labels)) == len(labels)
    facts = list(read([*BAD, *GOOD]))
    assert [f"{fact}: {malformed(fact)}" for fact in facts if malformed(fact)] == []
    assert {fact["k"] for fact in facts} == set(FIELDS)


def test_the_page_of_promises_names_every_invariant_and_part_and_shows_true_facts() -> None:
    page = (Path(__file__).parents[2] / "docs" / "promises.md").read_text()
    assert {name for name in INVARIANTS if f"| {name} |" not in page} == set()
    assert {name for name in PARTS if f"| `{name}` |" not in page} == set()
    shown = [json.loads(line) for line in page.partition("```json\n")[2].partition("```")[0].splitlines()]
    assert [malformed(fact) for fact in shown] == [""] * 3


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(0, 120))
def test_a_correct_run_is_acquitted(seed: int, talks: int, steps: int) -> None:
    facts = right(seed, talks=talks, steps=steps)
    assert [malformed(fact) for fact in facts if malformed(fact)] == []
    verdict = judge(facts)
    assert verdict.holds, str(verdict)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 4), st.integers(40, 160))
def test_one_contradiction_is_convicted(
    way: Callable[[Facts, Random], set[str]], seed: int, talks: int, steps: int
) -> None:
    # Not every run has in it what can be spoilt so; the next one that has is as good.
    runs = (right(seed + more, talks=talks, steps=steps) for more in range(100))
    facts, convicts = next(spoilt for run in runs if (spoilt := spoil(run, way, seed)) is not None)
    verdict = judge(facts)
    assert convicts & set(verdict.convicted), f"{way.__name__}: {verdict}"


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_the_order_between_processes_does_not_matter(seed: int, dice: Random) -> None:
    facts = right(seed)
    way = dice.choice(WAYS)
    spoilt = spoil(facts, way, seed)
    shuffled = list(spoilt[0] if spoilt else facts)
    before = judge(list(shuffled)).convicted
    dice.shuffle(shuffled)
    assert judge(shuffled).convicted == before


def test_no_verdict_reads_a_clock_without_being_told_how_long(tmp_path: Path) -> None:
    def with_other_clocks(path: Path) -> list[Fact]:
        return [{**fact, "t": fact["n"] * 86_400_000 % 977} for fact in read([path])]

    for path in (*BAD, *GOOD):
        if any(fact["k"] in {"F.calm", "F.spared"} and fact["within"] for fact in read([path])):
            continue
        assert judge(with_other_clocks(path)).convicted == judge(read([path])).convicted, path


def calls_to_judge(facts: list[Fact]) -> int:
    """Count the calls the judge makes, of its own functions and of built-in ones."""
    count = 0

    def counted(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(counted)
    try:
        verdict = judge(facts)
    finally:
        sys.setprofile(None)
    assert verdict.holds, str(verdict)
    return count


@pytest.mark.parametrize("of", ["many conversations", "one long conversation"])
def test_the_work_grows_as_the_facts_do(of: str) -> None:
    """Ten times as much to read is ten times as much work, give or take a tenth."""

    def run(size: int) -> list[Fact]:
        many = of == "many conversations"
        facts = right(7, talks=20 * size if many else 1, steps=400 * size)
        return facts if many else [fact for fact in facts if fact["k"] != "C.view" or fact["final"]]

    small, large = run(1), run(10)
    size = [sum(1 + len(fact.get("entries", ())) for fact in facts) for facts in (small, large)]
    work = [calls_to_judge(facts) for facts in (small, large)]
    assert work[1] / work[0] < 1.1 * size[1] / size[0]


def test_two_hundred_thousand_facts_are_judged() -> None:
    facts: list[Fact] = []
    count = 0
    one = right(11, talks=1, steps=60)
    while len(facts) < 200_000:
        facts += [_renamed(fact, count) for fact in one]
        count += 1
    verdict = judge(facts)
    assert verdict.holds
    assert verdict.examined["I12"] >= count


def _renamed(fact: Fact, count: int) -> Fact:
    """Make a fact that of another run: another process, conversation, handoff and list."""
    named = ("p", "c", "handoff", "list", "ticket", *(("rid",) if fact["k"] == "B.recv" else ()))
    names = {name: f"{fact[name]}.{count}" for name in named if name in fact}
    return {**fact, **names}


def test_the_command_prints_a_verdict_and_says_by_its_code_how_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(GOOD[1])]) == 0
    assert "I1   holds" in capsys.readouterr().out
    assert main([str(BAD[0])]) == 1
    told = capsys.readouterr().out
    assert "I1 violated: m2 never reached the desk; its sender was told it did" in told
    assert all(name in told for name in INVARIANTS)
    with pytest.raises(SystemExit):
        main([str(HISTORIES)])
    assert "nothing to judge" in capsys.readouterr().err
