"""One process: forked from the warm parent, ended by a signal."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

PR_SET_PDEATHSIG = 1
LOOK_EVERY_S = 0.002
TELL = signal.SIGUSR1  # has a process that runs a loop write down what each of its tasks stands at


class Life:
    """A child process that does one thing until it is ended."""

    def __init__(self, work: Callable[[], None], log: Path) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._began = time.monotonic()
        self.pid = os.fork()
        self._status: int | None = None
        if self.pid == 0:
            self._live(work, log)

    def _live(self, work: Callable[[], None], log: Path) -> None:
        """Do the work and end without running anything that is the parent's to run."""
        code = 1
        os.setsid()  # an interrupt at the keyboard is for the parent
        die_with_parent()
        signal.signal(TELL, _tell)
        try:
            out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(out, 1)
            os.dup2(out, 2)
            sys.stdout, sys.stderr = os.fdopen(1, "w", 1, closefd=False), os.fdopen(2, "w", 1, closefd=False)
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def is_over(self) -> bool:
        """Say whether it has ended, however it did."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = status
        return self._status is not None

    def age(self) -> float:
        """Say how many seconds ago it began."""
        return time.monotonic() - self._began

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended, but no longer than that; say whether it has."""
        deadline = time.monotonic() + seconds
        while not self.is_over() and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY_S)
        return self.is_over()

    def ended_well(self) -> bool:
        """Say whether it has ended by itself with its work done."""
        return self.is_over() and self._status == 0

    def was_killed(self) -> bool:
        """Say whether a SIGKILL ended it."""
        return self._status is not None and os.WIFSIGNALED(self._status) and os.WTERMSIG(self._status) == signal.SIGKILL

    def send(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if not self.is_over():
            os.kill(self.pid, number)

    def end(self, number: int = signal.SIGKILL) -> None:
        """End it and wait until it is gone."""
        self.send(number)
        if self._status is None:
            self._status = os.waitpid(self.pid, 0)[1]


def _tell(_number: int, _frame: object) -> None:
    with contextlib.suppress(RuntimeError):  # it runs no loop
        for task in asyncio.all_tasks():
            print(f"{task.get_name()} stands at {' > '.join(_places(task.get_coro()))}", file=sys.stderr)


def _places(step: object) -> Iterator[str]:
    """Give where a coroutine waits, and where that for which it waits does, as deep as it goes."""
    while (frame := getattr(step, "cr_frame", None)) is not None:
        yield f"{Path(frame.f_code.co_filename).stem}:{frame.f_lineno}"
        step = getattr(step, "cr_await", None)


def die_with_parent() -> None:
    """Have the kernel end this process with the one that forked it, however that one ends; only Linux can."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
