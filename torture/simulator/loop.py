"""An event loop whose time passes at once, and the tasks of a process that can die.

Nothing waits: where a real loop would sleep until the next timer, this one moves its clock there. Nothing runs beside
it: no threads, no sockets. If nothing is scheduled any more although somebody waits, that is a deadlock and said so.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import heapq
import selectors
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Deadlock(Exception):
    """Somebody waits, and nothing is scheduled that could end it."""


class Forbidden(BaseException):
    """Something in the simulation reached for the real world."""


class _NoFiles(selectors._BaseSelectorImpl):
    """A selector that nobody asks: there is nothing beside the loop to wait for."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Give nothing."""
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop on virtual time.

    Most of a simulation's time is spent between two callbacks, so the turn of the loop and its timers are written
    anew, without what only a real loop needs. What is due at the same moment runs in the order it was asked for.
    """

    _ready: deque[asyncio.Handle]
    _stopping: bool

    def __init__(self) -> None:
        self.seconds = 0.0
        self.owners: dict[Owner, None] = {}
        self._held: dict[
            Owner | None, list[asyncio.Handle]
        ] = {}  # by who stands still: what they will do when they go on
        self._timers: list[tuple[float, int, asyncio.TimerHandle | asyncio.Future[None]]] = []
        self._timed = 0
        super().__init__(_NoFiles())
        self.set_task_factory(cast("Any", _owned))  # the stubs of 3.11 know of no context

    def time(self) -> float:
        """Give the virtual time in seconds."""
        return self.seconds

    def call_at(  # type: ignore[override]  # the stubs tie the arguments to the callback
        self, when: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Schedule a callback."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timed += 1
        heapq.heappush(self._timers, (when, self._timed, timer))
        return timer

    def pause(self, seconds: float) -> asyncio.Future[None]:
        """Give what is done after so long: a sleep without a callback of its own."""
        future = self.create_future()
        self._timed += 1
        heapq.heappush(self._timers, (self.seconds + seconds, self._timed, future))
        return future

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Leave it where it is: it is passed over when its time comes."""

    def _run_once(self) -> None:
        """Run what is ready; if nothing is, let the time pass until the next timer."""
        ready, timers = self._ready, self._timers
        if not ready and not self._stopping:
            while timers and timers[0][2].cancelled():
                heapq.heappop(timers)
            if not timers:
                raise Deadlock("nothing is scheduled")
            self.seconds = max(self.seconds, timers[0][0])
        while timers and timers[0][0] <= self.seconds:
            timer = heapq.heappop(timers)[2]
            if isinstance(timer, asyncio.TimerHandle):
                ready.append(timer)
            elif not timer.done():
                timer.set_result(None)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if self._held and (waiting := self._held.get(_owner_of(handle))) is not None:
                waiting.append(handle)
            elif not handle._cancelled:
                handle._run()

    def hold(self, owner: Owner) -> None:
        """Let an owner stand still, as a stopped process does: the world goes on, and nobody is told."""
        self._held.setdefault(owner, [])

    def let_go(self, owner: Owner) -> None:
        """Let an owner go on, with all that has fallen due meanwhile."""
        self._ready.extend(self._held.pop(owner, ()))

    def let_all_go(self) -> None:
        """Let everybody go on."""
        for owner in list(self._held):
            self._ready.extend(self._held.pop(owner))

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
        task.add_done_callback(self._tasks.pop)

    def kill(self) -> None:
        """Die: no task of this owner gets anywhere any more."""
        self.dead = True
        for task in list(self._tasks):
            task.cancel()


_OWNER: contextvars.ContextVar[Owner | None] = contextvars.ContextVar("owner", default=None)


def _owner_of(handle: asyncio.Handle) -> Owner | None:
    context: contextvars.Context = handle._context  # type: ignore[attr-defined]  # the stubs know of none
    return context.get(_OWNER)


async def sleep(seconds: float) -> None:
    """Sleep on virtual time; what the simulated world does most, and cheaper than `asyncio.sleep`."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    await loop.pause(seconds)


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
    loop.let_all_go()
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
