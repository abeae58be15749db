"""A process whose seconds are shorter: what waits a minute waits for a second or two, and everything else is as it is.

The event loop's clock and the wall clock of the ports run faster by the same factor in every process of a stage, so
that time-outs, back-offs and looks keep their proportions. Sockets, files, locks and threads are real.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Haste:
    """How many seconds pass in one."""

    factor: float
    started: float = field(default_factory=time.monotonic)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        """Give the hasty wall clock; every process forked from the same parent agrees on it."""
        return self.began + timedelta(seconds=(time.monotonic() - self.started) * self.factor)

    def millis(self) -> int:
        """Give the hasty wall clock as the product counts it."""
        return int(self.now().timestamp() * 1000)

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine on a loop in haste."""
        with asyncio.Runner(loop_factory=lambda: _Loop(self.factor)) as runner:
            runner.run(work)


class _Selector(selectors.DefaultSelector):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self._factor = factor

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else timeout / self._factor)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, factor: float) -> None:
        self._factor = factor
        super().__init__(_Selector(factor))

    def time(self) -> float:
        return super().time() * self._factor
