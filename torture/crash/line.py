"""A kill point: the n-th time that a line of ours runs, in whichever thread.

A line and how often it has run name a moment better than a count of all lines: threads may change places between two
runs of a story, and what each of them does stays the same.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import signal
import socket
import struct
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import uvicorn

import escalade

ROOT = Path(escalade.__file__).parent
WORD = struct.Struct("I")
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
    """Kills its own process at the first of its points that comes."""

    def __init__(self, points: Iterable[Point]) -> None:
        self.armed = False
        self._points = list(points)
        self._last = mmap.mmap(-1, WORD.size)  # which one it was: shared with the parent, and there after the death
        self._left: dict[str, dict[int, list[tuple[int, int]]]] = {}  # by file and line: how often yet, and which point
        for number, point in enumerate(self._points):
            lines = self._left.setdefault(str(ROOT / point.file), {})
            lines.setdefault(point.line, []).append((point.nth, number))
        self._of: dict[CodeType, Tracer | None] = {}
        self._lock = threading.Lock()

    def enter(self, frame: FrameType, event: str, _argument: Any) -> Tracer | None:
        """Follow a function only if a point is among its lines."""
        code = frame.f_code
        try:
            return self._of[code]
        except KeyError:
            lines = self._left.get(code.co_filename, {})
            self._of[code] = self.follow if any(line in lines for *_, line in code.co_lines()) else None
            return self._of[code]

    def follow(self, frame: FrameType, event: str, _argument: Any) -> Tracer:
        """Count how often a line runs; where that is as often as a point says, it is the end."""
        if event == "line" and self.armed:
            lines = self._left[frame.f_code.co_filename]
            if frame.f_lineno in lines:
                with self._lock:
                    lines[frame.f_lineno] = [self._ran(*left) for left in lines[frame.f_lineno]]
        return self.follow

    def _ran(self, left: int, number: int) -> tuple[int, int]:
        if left == 1:
            WORD.pack_into(self._last, 0, number + 1)
            os.kill(os.getpid(), signal.SIGKILL)
        return left - 1, number

    def lie_in_wait(self, *, boot: bool) -> None:
        """Watch this process from now on."""
        watch(self, boot=boot)

    def came(self) -> Point | None:
        """Say where the process died, if it was at a point."""
        (number,) = WORD.unpack_from(self._last)
        return self._points[number - 1] if number else None


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
    threading.settrace(tracer.enter)

    def begin() -> None:
        tracer.armed = True
        sys.settrace(tracer.enter)

    def begin_late() -> None:
        for task in asyncio.all_tasks():
            _follow(tracer, task.get_coro())
        begin()

    if boot:
        begin()
    else:
        when_serving(begin_late)


def when_serving(begin: Callable[[], None]) -> None:
    """Do something in this process as soon as its server serves."""
    startup = uvicorn.Server.startup

    async def started(server: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
        await startup(server, sockets)
        begin()

    uvicorn.Server.startup = started  # type: ignore[method-assign, assignment]


def _follow(tracer: Killer | Recorder, waiting: Any) -> None:
    """Trace what was called before anybody looked, and waits: a frame at a time, from the outermost."""
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)
        if frame is not None:
            frame.f_trace = tracer.enter(frame, "call", None)
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)
