"""Wake-ups after a commit: a ring says where to look, never what is there.

A listener holds a flag, not a queue: however often it is rung it looks once, so nothing can grow behind a slow reader.
Losing a ring costs a little time and nothing else, because every listener also looks by itself now and then.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from escalade.domain.model import Citation, MessageId

Ring = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The beginning of an answer, whole each time; the message of the same id takes its place."""

    id: MessageId
    text: str
    citations: tuple[Citation, ...] = ()


class Listener:
    """One waiting reader."""

    __slots__ = ("_event", "draft", "typing")

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.typing: dict[str, bool] = {}  # role -> whether it types; the latest only, never stored
        self.draft: Draft | None = None  # how far the assistant's answer has come; the latest only, never stored

    def wake(self) -> None:
        """Let the reader look."""
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Wait to be rung, at most this long; say whether it was."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        finally:
            self._event.clear()
        return True


class Bell:
    """The bell of one process."""

    def __init__(self) -> None:
        self._listeners: defaultdict[Ring, dict[Listener, None]] = defaultdict(dict)  # in order of coming

    def ring(self, rings: Iterable[Ring]) -> None:
        """Wake everyone who listens for these."""
        for ring in rings:
            for listener in self._listeners.get(ring, ()):
                listener.wake()

    def typing(self, topic: str, role: str, on: bool) -> None:
        """Tell a conversation's readers that someone types, or no longer does."""
        for listener in self._listeners.get(("conversation", topic), ()):
            listener.typing[role] = on
            listener.wake()

    def draft(self, topic: str, draft: Draft) -> None:
        """Show a conversation's readers how far an answer has come."""
        for listener in self._listeners.get(("conversation", topic), ()):
            listener.draft = draft
            listener.wake()

    @contextmanager
    def listen(self, *rings: Ring) -> Iterator[Listener]:
        """Listen for rings until the block ends."""
        listener = Listener()
        for ring in rings:
            self._listeners[ring][listener] = None
        try:
            yield listener
        finally:
            for ring in rings:
                self._listeners[ring].pop(listener, None)
                if not self._listeners[ring]:
                    del self._listeners[ring]

    def ring_all(self) -> None:
        """Wake everyone: what was rung meanwhile may not have been heard."""
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.wake()

    def listening(self) -> int:
        """Count the readers, for the metrics."""
        return sum(len(listeners) for listeners in self._listeners.values())
