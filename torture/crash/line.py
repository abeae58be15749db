"""A kill point: the n-th time that a line of ours runs, in whichever thread.

A line and how often it has run name a moment better than a count of all lines: threads may change places between two
runs of a story, and what each of them does stays the same.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import uvicorn

import escalade

ROOT = Path(escalade.__file__).parent
Tracer = Callable[[FrameType, str, Any], Any]


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """The `nth` time that this line runs."""

    file: str  # below the package
    line: int
    nth: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}#{self.nth}"


class Killer:
    """Kills its own process at a point."""

    def __init__(self, point: Point) -> None:
        self._file = str(ROOT / point.file)
        self._line = point.line
        self._left = point.nth
        self.armed = False
        self._has: dict[CodeType, bool] = {}
        self._lock = threading.Lock()

    def enter(self, frame: FrameType, event: str, _argument: Any) -> Tracer | None:
        """Follow a function only if the line is one of its own."""
        code = frame.f_code
        has = self._has.get(code)
        if has is None:
            has = code.co_filename == self._file and any(line == self._line for *_, line in code.co_lines())
            self._has[code] = has
        return self.follow if has else None

    def follow(self, frame: FrameType, event: str, _argument: Any) -> Tracer:
        """Count how often the line runs; the last time is the end."""
        if event == "line" and frame.f_lineno == self._line and self.armed:
            with self._lock:
                self._left -= 1
                if self._left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        return self.follow


class Recorder:
    """Counts how often every line of ours runs."""

    def __init__(self) -> None:
        self.armed = False
        self.counts: Counter[tuple[str, int]] = Counter()
        self._ours = str(ROOT)

    def enter(self, frame: FrameType, event: str, _argument: Any) -> Tracer | None:
        """Follow every function of ours."""
        return self.follow if frame.f_code.co_filename.startswith(self._ours) else None

    def follow(self, frame: FrameType, event: str, _argument: Any) -> Tracer:
        """Count a line."""
        if event == "line" and self.armed:
            self.counts[(frame.f_code.co_filename, frame.f_lineno)] += 1
        return self.follow

    def lines(self) -> list[str]:
        """Give every line with how often it ran."""
        return [f"{Path(file).relative_to(ROOT)}:{line}*{count}" for (file, line), count in sorted(self.counts.items())]


def watch(tracer: Killer | Recorder, *, boot: bool) -> None:
    """Trace this thread and every thread it starts; without `boot` only what runs once the product serves counts."""
    tracer.armed = boot
    threading.settrace(tracer.enter)
    sys.settrace(tracer.enter)
    if not boot:
        _arm_when_serving(tracer)


def _arm_when_serving(tracer: Killer | Recorder) -> None:
    startup = uvicorn.Server.startup

    async def started(server: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
        await startup(server, sockets)
        tracer.armed = True

    uvicorn.Server.startup = started  # type: ignore[method-assign, assignment]
