"""A small share of the crash harness: the same code, seeds and stories as the long runs, for a minute or two."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
from functools import partial
from itertools import islice
from pathlib import Path

import pytest
from torture.crash import scene
from torture.crash.call import CallKiller
from torture.crash.chain import kill_along
from torture.crash.databases import break_the_database
from torture.crash.disk import NOTICED, run_out
from torture.crash.haste import Haste
from torture.crash.kills import kill_again_and_again
from torture.crash.line import Point
from torture.crash.lines import HASTE, UNSURE_WAIT_S, chains, lines_of, points_of
from torture.crash.pauses import pause_again_and_again
from torture.crash.play import prepare
from torture.crash.power import Cuts
from torture.crash.stage import Stage
from torture.crash.stores import a_folder
from torture.crash.stories import STORIES
from torture.simulator.mutants import MUTANTS

from escalade.store import sqlite

pytestmark = pytest.mark.processes
THE_WAY_OUT = {"services/courier.py", "services/sender.py", "services/ledger.py", "channels/http.py"}


@pytest.mark.parametrize("name", ["talk", "ticket"])
def test_killed_at_a_line_nothing_is_lost_twice_or_out_of_order(tmp_path: Path, name: str) -> None:
    stage, story = Stage(tmp_path, Haste(HASTE), unsure_wait_s=UNSURE_WAIT_S), STORIES[name]
    start = prepare(stage, story, story.most)
    points = points_of(lines_of(stage, story, start), lap=0, share=1)[::4]
    ways = list(islice(chains(stage, story, start, set(points), random.Random(name)), 2))
    assert [violation for chain in ways for violation in chain.violations] == []
    assert sum(len(chain.deaths) for chain in ways) >= 40


def test_a_product_that_is_stopped_before_it_listens_to_signals_ends(tmp_path: Path) -> None:
    stage = Stage(tmp_path, Haste(HASTE), unsure_wait_s=UNSURE_WAIT_S)
    stage.store.clear()
    life = stage.product_life(lambda: os.kill(os.getpid(), signal.SIGTERM))
    ended = life.wait(60)
    life.end()
    assert ended


@pytest.mark.parametrize(
    "rule",
    ["sends before writing it down", "marks it delivered before sending", "takes what was under way for new"],
)
def test_a_product_that_breaks_a_rule_is_convicted_by_the_same_deaths(tmp_path: Path, rule: str) -> None:
    stage, story = Stage(tmp_path, Haste(HASTE), unsure_wait_s=UNSURE_WAIT_S), STORIES["talk"]
    start = prepare(stage, story, story.most)
    (broken,) = (mutant for mutant in MUTANTS if mutant.name == rule)
    with broken.loose():
        lines = lines_of(stage, story, start)
        ours = [line for line in lines if line[0] in THE_WAY_OUT]
        laps = ({Point(file, line, nth) for file, line in ours} for nth in (1, 2, 3, 4))
        ways = (chain for points in laps for chain in chains(stage, story, start, points, random.Random(rule)))
        assert any(chain.violations for chain in ways)  # a copy that is there twice may be taken away before the end


def test_killed_right_before_a_write_a_sync_or_a_send_nothing_is_lost_twice_or_out_of_order(tmp_path: Path) -> None:
    stage, story = Stage(tmp_path, Haste(HASTE), unsure_wait_s=UNSURE_WAIT_S), STORIES["talk"]
    start = prepare(stage, story, story.most)
    numbers = iter(range(1, 1000, 2))
    chain = kill_along(stage, story, start, lambda _: CallKiller(next(numbers)), random.Random("calls"))
    assert chain.violations == []
    assert {call.name for call in chain.deaths} >= {"pwrite64", "sendto"}


def test_when_the_power_goes_what_was_acknowledged_is_there(tmp_path: Path) -> None:
    cuts = Cuts(tmp_path, "talk")
    runs = [cuts.cut(seed) for seed in range(20)]
    assert [f"{moment}: {violation}" for moment, run in runs for violation in run.violations] == []
    assert sum(run.deaths for _, run in runs) >= 10


def test_when_the_power_goes_soon_after_the_first_start_the_new_file_is_there(tmp_path: Path) -> None:
    cuts = Cuts(tmp_path, "first-start")
    runs = [cuts.cut(seed) for seed in (404, 412, 416)]
    assert [f"{moment}: {violation}" for moment, run in runs for violation in run.violations] == []
    assert sum(run.deaths for _, run in runs) == 3


def _careless(level: str) -> None:
    """Let the product sync less than it promises."""

    def lowered(connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA synchronous={level}")

    sqlite._check_durable = lowered


@pytest.mark.parametrize("level", ["OFF", "NORMAL"])
def test_a_product_that_does_not_sync_in_full_is_convicted(
    tmp_path: Path, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene, "PATIENCE_S", 10.0)  # it may wait for ever for what it has lost
    cuts = Cuts(tmp_path, "talk", partial(_careless, level))
    assert any(cuts.cut(seed)[1].violations for seed in range(20))


def test_killed_at_random_times_under_load_the_ends_agree(tmp_path: Path) -> None:
    outcome = kill_again_and_again(tmp_path, unit=0, kills=5)
    assert outcome.violations == ()
    assert outcome.counts["messages ok"] > 0


def test_stopped_and_let_go_on_nothing_is_there_twice(tmp_path: Path) -> None:
    outcome = pause_again_and_again(tmp_path, unit=0, pauses=4)
    assert outcome.violations == ()
    assert outcome.counts["messages ok"] > 0


def test_out_of_disk_of_files_and_of_patience_nothing_is_acknowledged_that_is_not_kept(tmp_path: Path) -> None:
    outcome = run_out(tmp_path, unit=0, faults=len(NOTICED))
    assert outcome.violations == ()
    assert {name for name in NOTICED if outcome.counts[f"met.{name} noticed"]} == set(NOTICED)


def test_the_database_killed_and_cut_off_under_load_the_ends_agree() -> None:
    with a_folder() as folder:  # where a PostgreSQL of another user may come, too
        outcome = break_the_database(folder, unit=0, faults=3)
    assert outcome.violations == ()
    assert outcome.counts["met.postmaster killed"] == 1
    assert outcome.counts["the product ended by itself"] == 0
    assert outcome.counts["messages ok"] > 0
