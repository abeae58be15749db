"""An event loop whose time passes at once, and the tasks of a process that can die.

Nothing waits: where a real loop would sleep until the next timer, this one moves its clock there. Nothing runs beside
it: no threads, no sockets. If nothing is scheduled any more although somebody waits, that is a deadlock and said so.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import selectors
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class Deadlock(Exception):
    """Somebody waits, and nothing is scheduled that could end it."""


class Forbidden(BaseException):
    """Something in the simulation reached for the real world."""


class _Clockwork(selectors._BaseSelectorImpl):
    """A selector without files that moves the loop's clock instead of waiting."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let the time pass until the next timer."""
        if timeout is None:
            raise Deadlock("nothing is scheduled")
        if timeout > 0:
            self.loop.seconds += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop on virtual time."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.owners: dict[Owner, None] = {}
        clockwork = _Clockwork()
        clockwork.loop = self
        super().__init__(clockwork)
        self.set_task_factory(_owned)  # type: ignore[arg-type]  # the stubs know of no context

    def time(self) -> float:
        """Give the virtual time in seconds."""
        return self.seconds

    def run_in_executor(self, *_work: Any) -> Any:  # type: ignore[override]
        """Refuse: a thread has a will of its own."""
        raise Forbidden("a thread")

    # A real loop wakes itself through a pair of sockets.

    def _make_self_pipe(self) -> None:
        self._ssock = self._csock = None

    def _close_self_pipe(self) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


class Owner:
    """Whose tasks these are: everything started by an owner's tasks is the owner's, until it dies."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self._tasks: dict[asyncio.Task[Any], None] = {}  # in order, so that a simulation repeats

    def start(self, work: Coroutine[Any, Any, T], name: str | None = None) -> asyncio.Task[T]:
        """Start a task as this owner's, whoever asks."""
        context = contextvars.copy_context()
        context.run(_OWNER.set, self)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.owners[self] = None  # what is dead must not be tidied up before the end
        return loop.create_task(work, name=name, context=context)

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Count a task as this owner's."""
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    def kill(self) -> None:
        """Die: no task of this owner gets anywhere any more."""
        self.dead = True
        for task in list(self._tasks):
            task.cancel()


_OWNER: contextvars.ContextVar[Owner | None] = contextvars.ContextVar("owner", default=None)


def owner() -> Owner | None:
    """Give the owner of the running task."""
    return _OWNER.get()


def _owned(
    loop: asyncio.AbstractEventLoop,
    work: Coroutine[Any, Any, T],
    *,
    context: contextvars.Context | None = None,
    **more: Any,
) -> asyncio.Task[T]:
    task = asyncio.Task(work, loop=loop, context=context, **more)
    mine = _OWNER.get() if context is None else context.get(_OWNER)
    if mine is not None:
        mine.adopt(task)
    return task


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run something to its end on virtual time."""
    loop = VirtualLoop()
    # What dies in the simulation is not mourned; nobody is to be told.
    loop.set_exception_handler(lambda _loop, _context: None)
    gc.disable()  # it would tidy up the dead at moments of its own choosing
    try:
        with _shut_doors():
            try:
                return loop.run_until_complete(work)
            finally:
                _bury(loop)
    finally:
        loop.close()
        gc.enable()


def _bury(loop: VirtualLoop) -> None:
    """Let every task end that still waits; the dead may have to be told more than once."""
    for _ in range(50):
        left = asyncio.all_tasks(loop)
        if not left:
            return
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))


# Doors to the real world that shipped code must not use past its ports; a lint finds them, and here they raise.
_DOORS: Mapping[str, tuple[str, ...]] = {
    "time": ("time", "time_ns", "sleep"),
    "uuid": ("uuid1", "uuid4"),
    "secrets": ("token_bytes", "token_hex", "token_urlsafe", "choice", "randbelow"),
    "random": ("random", "uniform", "choice", "randint", "randrange", "shuffle"),
    "os": ("urandom", "_exit"),
    "socket": ("create_connection", "getaddrinfo"),
}


@contextmanager
def _shut_doors() -> Iterator[None]:
    kept: list[tuple[Any, str, Any]] = []
    for module, names in _DOORS.items():
        room = __import__(module)
        for name in names:
            kept.append((room, name, getattr(room, name)))
            setattr(room, name, _shut(f"{module}.{name}"))
    try:
        yield
    finally:
        for room, name, door in kept:
            setattr(room, name, door)


def _shut(name: str) -> Callable[..., Any]:
    def refuse(*_args: Any, **_named: Any) -> Any:
        raise Forbidden(f"{name} is the real world's")

    return refuse
