"""Who may send for a conversation. Where one process serves a database, that is always this one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Owners(Protocol):
    """What a courier asks before it sends, and what the rounds ask before they are made."""

    on_loss: Callable[[], None]  # called when every claim is lost at once: nothing more may be sent

    async def join(self) -> bool:
        """Come to work; say whether nobody else is there. Until `joined` is called nobody else can come."""
        ...

    async def joined(self) -> None:
        """Let others come, too."""
        ...

    async def claim(self, name: str) -> bool:
        """Become the owner of a conversation, or say that another process is; claims of one process add up."""
        ...

    async def release(self, name: str) -> None:
        """Give back one claim."""
        ...

    async def lead(self) -> bool:
        """Say whether this process makes the rounds that need making once."""
        ...

    @property
    def leads(self) -> bool:
        """Whether this process leads, as far as it knows."""
        ...


class Alone:
    """The one process on its database: the file's lock has settled it."""

    on_loss: Callable[[], None] = staticmethod(lambda: None)
    leads = True

    async def join(self) -> bool:
        """Come to work; nobody else is there."""
        return True

    async def joined(self) -> None:
        """Nobody else can come."""

    async def claim(self, name: str) -> bool:
        """Everything is ours."""
        return True

    async def release(self, name: str) -> None:
        """Nobody waits for it."""

    async def lead(self) -> bool:
        """There is nobody to follow."""
        return True
