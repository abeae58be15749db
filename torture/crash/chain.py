"""A chain of deaths: a world whose product is killed, started, and killed again, until the story is over for everybody.

A death costs no more than a start and the way to where it happens, and what the customers do goes on from one life to
the next. Some lives, and one that does not come to its end, are stopped as for an upgrade, and may die while they stop.
The last is left alone until all has drained, and the judge reads what every one of the customers and the agents saw.
"""

from __future__ import annotations

import math
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, Protocol, TypeVar

from torture.crash.crowd import Crowd
from torture.crash.life import Life
from torture.crash.play import Start, judged, log_of, nothing
from torture.crash.scene import PATIENCE_S
from torture.crash.stage import Stage
from torture.crash.stories import Story
from torture.history import History

Moment = TypeVar("Moment")
Moment_co = TypeVar("Moment_co", covariant=True)
LONGEST_LIFE_S = 4.0  # more than it takes to decide a doubt
STOPPED = 0.1  # of the lives, long before that
LONGEST = 40  # deaths, after which the last life is left alone
LOOK_S = 0.1


class Doom(Protocol[Moment_co]):
    """What ends a life."""

    def lie_in_wait(self, *, boot: bool) -> None:
        """Watch this process from now on; without `boot` only from when it serves."""
        ...

    def came(self) -> Moment_co | None:
        """Say at which moment it struck, if it did."""
        ...


@dataclass(slots=True, kw_only=True)
class Chain(Generic[Moment]):
    """What one world came to."""

    deaths: list[Moment] = field(default_factory=list)  # in this order
    stops: int = 0  # as for an upgrade
    violations: list[str] = field(default_factory=list)


@contextmanager
def _world(stage: Stage, story: Story, start: Start) -> Iterator[tuple[Crowd, Life, Life]]:
    """Let customers and agents begin; the product is still to come."""
    stage.store.restore()
    stage.log.unlink(missing_ok=True)
    crowd = Crowd(stage, story, start, PATIENCE_S + LONGEST * LONGEST_LIFE_S)  # no life but the last has to serve it
    desk = stage.desk_life()
    people = Life(crowd.live, stage.log)
    try:
        yield crowd, people, desk
    finally:
        people.end()
        desk.end()


def unharmed(
    stage: Stage, story: Story, start: Start, before: Callable[[], object], after: Callable[[], object]
) -> list[str]:
    """Let the story happen with nobody killed; give what was wrong all the same."""
    with _world(stage, story, start) as (crowd, people, desk):
        product = stage.product_life(before, after)
        try:
            people.end(0)
            product.end(signal.SIGTERM)
            desk.end(signal.SIGTERM)
        finally:
            product.end()
        return _verdict(stage, crowd, people, History("faults", stage.haste.millis))


def kill_along(
    stage: Stage, story: Story, start: Start, doom: Callable[[list[Moment]], Doom[Moment]], dice: random.Random
) -> Chain[Moment]:
    """Kill one life after the other, as far as the story goes; `doom` gives the next, told of all deaths so far."""
    chain: Chain[Moment] = Chain()
    history = History("faults", stage.haste.millis)

    def begin() -> tuple[Doom[Moment] | None, Life, float]:
        """Begin the next life, and say how long it may last."""
        if len(chain.deaths) >= LONGEST or crowd.has_played():
            return None, stage.product_life(nothing), math.inf
        killer = doom(chain.deaths)
        life = stage.product_life(partial(killer.lie_in_wait, boot=story.boot))
        return killer, life, dice.uniform(0.2, 1.0) if dice.random() < STOPPED else LONGEST_LIFE_S

    with _world(stage, story, start) as (crowd, people, desk):
        killer, life, longest = begin()
        try:
            while not people.is_over():
                stopped = not life.wait(LOOK_S) and life.age() > longest and not crowd.has_played()
                if stopped:
                    life.end(signal.SIGTERM)
                if not life.is_over():
                    continue
                moment = None if killer is None else killer.came()
                if moment is not None:
                    history.note("B.kill")
                    chain.deaths.append(moment)
                elif not stopped:
                    chain.violations.append("the product ended by itself")
                    break
                chain.stops += stopped
                killer, life, longest = begin()
            life.end(signal.SIGTERM)
            desk.end(signal.SIGTERM)
        finally:
            life.end()
        chain.violations += _verdict(stage, crowd, people, history)
    return chain


def _verdict(stage: Stage, crowd: Crowd, people: Life, history: History) -> list[str]:
    complaint = crowd.complaint() or ("" if people.ended_well() else "the customers broke off")
    if complaint:
        return [f"{complaint}\n{log_of(stage)}"]
    return judged(stage, [*crowd.facts(), *history.facts])
