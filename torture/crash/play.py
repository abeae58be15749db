"""One run of a story: both programs alive, the product killed when its time comes, and everything that was seen.

What is over when the product dies is over: the customer goes on, and the next life of the product is left alone. When
all has drained the final views are taken, and the histories of both ends are the outcome.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field

from torture.crash.caller import Lost
from torture.crash.life import Life
from torture.crash.scene import Cast, GaveWay, Scene, Stuck
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

    cast: Cast
    facts: list[Fact]


@dataclass(slots=True, kw_only=True)
class Run:
    """What one run came to."""

    deaths: int = 0
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)


def prepare(stage: Stage, story: Story) -> Start:
    """Play what comes before the story, once."""
    act = story.prepare
    cast = Cast()
    history = History("customer.before", stage.haste.millis)
    if act is None:
        stage.store.clear()
        stage.store.keep()
        return Start(cast, [])

    def before(product: Life) -> None:
        scene = Scene(stage, cast, history, product, lambda: product)
        try:
            act(scene)
        finally:
            scene.close()

    stage.prepare(before)
    return Start(cast, history.facts)


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
    """Play a story once.

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
    scene = Scene(stage, copy(start.cast), history, stage.product_life(before, after), again)
    try:
        with suppress(GaveWay):
            story.play(scene)
        scene.end_of_run()
        scene.life.end(signal.SIGTERM)
        desk.end(signal.SIGTERM)
        run.violations += _judged(stage, [*start.facts, *history.facts])
    except (Stuck, Lost) as error:
        run.violations.append(f"stuck: {error}\n{_log(stage)}")
    finally:
        run.deaths = scene.deaths
        scene.close()
        scene.life.end()
        desk.end()
    return run


def _judged(stage: Stage, facts: list[Fact]) -> list[str]:
    verdict = judge([*facts, *read([stage.desk_facts])])
    found = [str(finding) for finding in verdict.findings]
    damage = stage.store.damage()
    return [*found, f"the database is damaged: {damage}"] if damage else found


def _log(stage: Stage) -> str:
    return stage.log.read_text(errors="replace")[-KEPT_OF_A_LOG:] if stage.log.exists() else ""
