"""Work under way, one task for each thing at most.

A task is forgotten when it has ended, however it did: one that is cancelled before its first step never runs a line of
its own, no `finally` either, and what it stood for would be taken for busy for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Busy(Generic[K]):
    """What is worked on now."""

    def __init__(self) -> None:
        self._tasks: dict[K, asyncio.Task[None]] = {}

    def __contains__(self, key: K) -> bool:
        return key in self._tasks

    def __iter__(self) -> Iterator[K]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, key: K, work: Coroutine[None, None, None], name: str) -> None:
        """Have something worked on that nobody works on yet."""
        task = self._tasks[key] = asyncio.create_task(work, name=name)
        task.add_done_callback(lambda _task: self._tasks.pop(key))

    def stop(self) -> None:
        """Break all of it off, where it stands."""
        for task in self._tasks.values():
            task.cancel()

    async def close(self) -> None:
        """Break all of it off, and wait until it has ended."""
        self.stop()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
