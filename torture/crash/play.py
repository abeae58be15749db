"""One run of a story: both programs alive, the product killed when its time comes, and everything that was seen.

What is over when the product dies is over: the customer goes on, and the next life of the product is left alone. When
all has drained the final views are taken, and the histories of both ends are the outcome.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field

from torture.crash.caller import Lost
from torture.crash.life import Life
from torture.crash.scene import Cast, GaveWay, Scene, Stuck
from torture.crash.setup import connect
from torture.crash.stage import Stage
from torture.crash.stories import Story
from torture.history import Fact, History, read
from torture.judge import judge

KEPT_OF_A_LOG = 4_000


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Start:
    """How a story stands when it begins."""

    casts: list[Cast]
    facts: list[Fact]


@dataclass(slots=True, kw_only=True)
class Run:
    """What one run came to."""

    deaths: int = 0
    violations: list[str] = field(default_factory=list)


class Guard:
    """Starts the product again where it was killed; to have died by itself is a fault of its own."""

    def __init__(self, first: Life, again: Callable[[], Life], history: History) -> None:
        self.life = first
        self.deaths = 0
        self._again = again
        self._history = history

    def revive(self) -> None:
        """Start it again if it has died."""
        if self.life.is_over():
            if not self.life.was_killed():
                raise Stuck("the product ended by itself")
            self.deaths += 1
            self._history.note("B.kill")
            self.life = self._again()


def prepare(stage: Stage, story: Story, customers: int = 1) -> Start:
    """Play what comes before the story, once, for so many customers."""
    casts = [Cast() for _ in range(customers)]
    histories = [History(f"customer.{number}.before", stage.haste.millis) for number in range(customers)]
    if story.live is None:
        stage.store.clear()
        stage.store.keep()
        return Start(casts, [])
    live, last = story.live, story.last

    def before(_product: Life) -> None:
        scenes = [Scene(stage, cast, history, nothing) for cast, history in zip(casts, histories, strict=True)]
        company = Scene(stage, Cast(), History("company", stage.haste.millis), nothing)
        try:
            connect(company, live=live)
            with ThreadPoolExecutor(max(1, customers)) as pool:
                list(pool.map(story.before, scenes))
                if last is not None:
                    list(pool.map(last, scenes))
        finally:
            for scene in (company, *scenes):
                scene.close()

    stage.prepare(before)
    return Start(casts, [fact for history in histories for fact in history.facts])


def play(
    stage: Stage,
    story: Story,
    start: Start,
    *,
    ready: Callable[[], object] = nothing,
    before: Callable[[], object] = nothing,
    after: Callable[[], object] = nothing,
    dead: Callable[[], object] = nothing,
) -> Run:
    """Play a story once, with one customer.

    `ready` runs here when the files are at the start; `before` in the product's first process before anything else, and
    `after` at its end if it was not killed; `dead` here, between a death and the next life.
    """
    stage.store.restore()
    ready()
    stage.log.unlink(missing_ok=True)
    history = History("customer", stage.haste.millis)

    def again() -> Life:
        dead()
        return stage.product_life(nothing)

    run = Run()
    desk = stage.desk_life()
    guard = Guard(stage.product_life(before, after), again, history)
    scene = Scene(stage, copy(start.casts[0]), history, guard.revive)
    try:
        with suppress(GaveWay):
            story.play(scene)
        history.note("F.calm", within=None)
        scene.drain()
        scene.last_words_of_the_desk()
        scene.last_look()
        history.note("F.end_of_run")
        guard.life.end(signal.SIGTERM)
        desk.end(signal.SIGTERM)
        run.violations += judged(stage, [*start.facts, *history.facts])
    except (Stuck, Lost) as error:
        run.violations.append(f"stuck: {error}\n{log_of(stage)}")
    finally:
        run.deaths = guard.deaths
        scene.close()
        guard.life.end()
        desk.end()
    return run


def judged(stage: Stage, facts: Iterable[Fact]) -> list[str]:
    """Give what the judge finds, and what is wrong with the database."""
    verdict = judge([*facts, *read([stage.desk_facts])])
    found = [str(finding) for finding in verdict.findings]
    damage = stage.store.damage()
    return [*found, f"the database is damaged: {damage}"] if damage else found


def log_of(stage: Stage) -> str:
    """Give the end of what the programs told."""
    return stage.log.read_text(errors="replace")[-KEPT_OF_A_LOG:] if stage.log.exists() else ""
