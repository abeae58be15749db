"""The simulator's clockwork: time passes at once, the dead stay dead, nothing reaches the real world."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable

import pytest
from torture.simulator import loop
from torture.simulator.loop import Deadlock, Forbidden, Owner
from torture.simulator.tape import Tape, shrink


def test_an_hour_passes_at_once_and_in_order() -> None:
    heard: list[str] = []

    async def story() -> float:
        async def after(seconds: float) -> None:
            await asyncio.sleep(seconds)
            heard.append(f"{seconds:g}")

        await asyncio.gather(after(3600), after(1), after(60))
        return asyncio.get_running_loop().time()

    assert loop.run(story()) == 3600
    assert heard == ["1", "60", "3600"]


def test_timeouts_and_events_work_unchanged() -> None:
    async def story() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert loop.run(story()) == 30


def test_who_stands_still_does_all_that_fell_due_when_they_go_on() -> None:
    heard: list[tuple[str, float]] = []

    async def story() -> None:
        running = asyncio.get_running_loop()
        assert isinstance(running, loop.VirtualLoop)
        stopped, other = Owner("stopped"), Owner("other")

        async def tick(who: str) -> None:
            for _ in range(3):
                await asyncio.sleep(1)
                heard.append((who, running.time()))

        for owner in (stopped, other):
            owner.start(tick(owner.name))
        await asyncio.sleep(1.5)
        running.hold(stopped)
        await asyncio.sleep(10)
        running.let_go(stopped)
        await asyncio.sleep(10)

    loop.run(story())
    assert [at for who, at in heard if who == "other"] == [1, 2, 3]
    assert [at for who, at in heard if who == "stopped"] == [1, 11.5, 12.5]


def test_waiting_for_nothing_is_a_deadlock_and_said_so() -> None:
    async def story() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        loop.run(story())


@pytest.mark.parametrize("reach", [lambda: time.time() + 1, lambda: secrets.token_hex(4), lambda: time.sleep(0)])
def test_the_real_world_is_out_of_reach(reach: Callable[[], object]) -> None:
    async def story() -> None:
        reach()

    with pytest.raises(Forbidden):
        loop.run(story())


def test_threads_are_out_of_reach() -> None:
    async def story() -> None:
        await asyncio.to_thread(lambda: None)

    with pytest.raises(Forbidden):
        loop.run(story())


def test_what_a_dead_process_started_gets_no_further() -> None:
    reached: list[str] = []

    async def child() -> None:
        await asyncio.sleep(2)
        reached.append("child")

    async def parent() -> None:
        asyncio.create_task(child())  # noqa: RUF006 - its owner keeps it
        await asyncio.sleep(5)
        reached.append("parent")

    async def story() -> None:
        process, other = Owner("process"), Owner("other")
        process.start(parent())
        other.start(child())
        await asyncio.sleep(1)
        process.kill()
        await asyncio.sleep(10)

    loop.run(story())
    assert reached == ["child"]


def test_a_tape_gives_the_same_answers_again() -> None:
    first = Tape(7)
    said = [first.below(10), first.happens(0.5), first.seconds(0.0, 2.0), first.one_of("abc")]
    again = Tape(8, first.entries)
    assert [again.below(10), again.happens(0.5), again.seconds(0.0, 2.0), again.one_of("abc")] == said
    assert [again.below(10), again.happens(0.9), again.one_of("abc")] == [0, False, "a"]  # beyond its end all is quiet


def test_shrinking_keeps_only_what_it_takes() -> None:
    recorded = [index % 5 for index in range(200)]
    assert shrink(recorded, lambda tape: len(tape) > 13 and tape[13] == 3 and tape[7] == 2) == [
        *[0] * 7,
        2,
        *[0] * 5,
        3,
    ]
