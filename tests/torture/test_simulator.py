"""Seeded schedules of faults hold, tell the same story twice, can be replayed and shrunk, and notice a broken rule."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import pytest
from torture.judge import judge
from torture.part import Outcome
from torture.simulator.mutants import MUTANTS, Mutant
from torture.simulator.profile import Fault, Profile, draw
from torture.simulator.schedules import BATCH, PART, calmest, verdict_of
from torture.simulator.story import LONGEST, tell
from torture.simulator.world import simulate

SCHEDULES = 500
FROM_ITS_OWN_TEXT = "shown from the webhook's own text: the list did not have it"


def named(name: str) -> Mutant:
    return next(mutant for mutant in MUTANTS if mutant.name == name)


@pytest.mark.timeout(1200)
def test_five_hundred_schedules_hold() -> None:
    """The seeds of the whole proof from the first on: `python -m torture schedules` goes on where this ends."""
    started, counts = time.monotonic(), Counter[str]()
    violations: list[str] = []
    workers = min(2, os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        outcomes: list[Outcome] = list(pool.map(PART.run, range(SCHEDULES // BATCH)))
    for outcome in outcomes:
        counts.update(outcome.counts)
        violations += outcome.violations
    minutes = (time.monotonic() - started) / 60
    print(f"{counts['schedules']} schedules, {counts['schedules'] / minutes:.0f} a minute on {workers} cores")
    assert violations == []
    assert counts["schedules"] == SCHEDULES
    assert counts["run twice"] == SCHEDULES // 100
    assert all(counts[f"met.{fault.value}.out.pending"] for fault in draw(0, always=frozenset(Fault)).rates)


def test_the_same_seed_tells_the_same_story() -> None:
    first, again = simulate(3), simulate(3)
    assert first.fingerprint == again.fingerprint
    assert simulate(4).fingerprint != first.fingerprint


def test_a_tape_replays_its_schedule_without_dice() -> None:
    told = simulate(5)
    assert simulate(5, told.profile, told.tape).fingerprint == told.fingerprint


def test_without_faults_everything_arrives_at_once() -> None:
    told = simulate(1, Profile())
    assert verdict_of(told) == ()
    assert told.drained_after_s is not None
    assert told.drained_after_s < 5
    assert sum(fact["k"] == "Z.post" and fact["author"] == "customer" for fact in told.facts) > 0
    assert sum(fact["k"] == "Z.post" and fact["author"] == "agent" for fact in told.facts) > 0


def test_a_desk_that_keeps_a_request_longer_than_it_promises_is_found_out() -> None:
    """What the promise rests on is told apart from what it says: a very late arrival is there twice, and counted."""
    for seed in range(30):
        profile = Profile(rates={Fault.LATE_ZOMBIE: 0.2}, chaos_s=120.0, quiet_s=6.0, customers=1)
        verdict = judge(simulate(seed, profile).facts)
        if "I2" in verdict.convicted or verdict.counts["transient"]:
            return
    pytest.fail("never there twice")


def test_a_list_that_is_long_out_of_date_holds_nothing_up_where_webhooks_come() -> None:
    """A webhook is taken at its word in the end, and what the list brings later is not shown a second time."""
    rates = {Fault.LISTS_STALE: 0.5, Fault.WEBHOOK_DUPLICATED: 0.3}
    told = [simulate(seed, Profile(rates=rates, chaos_s=120.0, quiet_s=6.0)) for seed in range(4)]
    assert [verdict_of(each) for each in told] == [()] * 4
    assert sum(each.news[FROM_ITS_OWN_TEXT] for each in told) > 0


def test_where_a_list_is_long_out_of_date_and_webhooks_are_lost_the_wrong_order_is_found_out() -> None:
    rates = {Fault.LISTS_STALE: 1.0, Fault.WEBHOOK_LOST: 0.25}
    for seed in range(30):
        verdict = judge(simulate(seed, Profile(rates=rates, chaos_s=120.0, quiet_s=6.0)).facts)
        if "I5" in verdict.convicted:
            return
    pytest.fail("always in order")


def test_where_one_process_dies_or_stands_still_another_goes_on() -> None:
    rates = {Fault.CRASH: 0.01, Fault.PROCESS_STOPS: 1.0, Fault.LOCKS_LOST: 0.05}
    told = [simulate(seed, Profile(rates=rates, workers=2, quiet_s=6.0)) for seed in range(4)]
    assert [verdict_of(each) for each in told] == [()] * 4
    assert sum(fact["k"] == "B.kill" for each in told for fact in each.facts) > 0
    assert sum(each.met[f"met.{Fault.PROCESS_STOPS.value}.out.delivered"] for each in told) > 0


def test_processes_that_start_before_and_after_the_clock_is_set_have_one_time() -> None:
    """Where each took the wall's, 11 and 32 stood at the desk twice, and 7 waited for a day that did not come."""
    rates = {Fault.CRASH: 0.01, Fault.CLOCK_STEPS: 1.0, Fault.ZOMBIE: 0.25, Fault.RESET_AFTER: 0.25}
    profile = Profile(rates=rates | {Fault.LISTS_LAG: 0.5}, workers=2, quiet_s=6.0, customers=2)
    assert [verdict_of(simulate(seed, profile)) for seed in (7, 11, 32)] == [()] * 3


@pytest.mark.parametrize("trouble", [Fault.TIMEOUT_BEFORE, Fault.DESK_DOWN, Fault.BUSY_STORM])
def test_a_company_feels_nothing_of_anothers_trouble(trouble: Fault) -> None:
    profile = Profile(rates={trouble: 1.0}, customers=6, chaos_s=40.0, quiet_s=6.0, neighbour=True, spared=True)
    met = f"met.{trouble.value}.out.pending"
    told = next(told for seed in range(2, 12) if (told := simulate(seed, profile)).met[met])
    assert verdict_of(told) == ()
    assert any(fact["k"] == "C.ack" and fact["o"] == "org_birch" and fact["mark"] == "pending" for fact in told.facts)


@pytest.mark.parametrize(
    "name",
    [
        "sends again without a look",
        "marks it delivered before sending",
        "takes doubt for a no",
        "puts what failed at the end of the lane",
        "reads the list backwards",
        "shows what was meant for colleagues",
        "acknowledges before the commit",
        "resumes a stream a little too late",
        "keeps every copy of a webhook",
        "asks a webhook for its ticket and not for its company",
        "drains one lane at a time",
        "takes what a dead process had under way for new",
    ],
)
def test_a_broken_rule_is_noticed(name: str) -> None:
    assert named(name).hunt(60) is not None


def test_a_bad_schedule_is_shrunk_to_a_story_of_twenty_lines() -> None:
    broken = named("reads the list backwards")
    found = broken.hunt(20)
    assert found is not None
    seed, kinds = found
    with broken.loose():
        told = simulate(seed)
        calmer = calmest(told, verdict_of, tries=12)
        wrong = verdict_of(calmer)
    assert {violation.partition(":")[0] for violation in wrong} & kinds
    assert len(calmer.profile.rates) < len(told.profile.rates) or not told.profile.rates
    story = tell(calmer, judge(calmer.facts))
    assert len(story.splitlines()) <= LONGEST
    assert f"seed {seed}" in story
    assert verdict_of(simulate(seed)) == ()  # what was broken has been put back
