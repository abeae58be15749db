"""What the console uses of the product, named in one place; `app.py` hands it over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from escalade.channels.base import Account, SunshineApp
from escalade.services.accounts import Accounts
from escalade.services.curves import Curves
from escalade.services.desk import Desk
from escalade.services.files import Files
from escalade.services.gaps import Gaps
from escalade.services.hindsight import Hindsight
from escalade.services.library import Library
from escalade.services.ports import Ports
from escalade.services.redrive import Redrive
from escalade.services.trial import Trial
from escalade.services.tuning import Tuning
from escalade.settings import Settings
from escalade.store.database import Database
from escalade.web.limits import Limits


class Person(Protocol):
    """Whose credential it is."""

    @property
    def name(self) -> str:
        """Give the name."""
        ...

    @property
    def role(self) -> str:
        """Give Zendesk's word for what they may do."""
        ...


class Choice(Protocol):
    """One thing an operator may choose."""

    @property
    def id(self) -> str:
        """Give the id as Zendesk gives it."""
        ...

    @property
    def name(self) -> str:
        """Give the name."""
        ...


class PickLists(Protocol):
    """What an operator may choose from; a list Zendesk does not let us read is missing."""

    @property
    def groups(self) -> Sequence[Choice] | None:
        """Give the groups."""
        ...

    @property
    def agents(self) -> Sequence[Choice] | None:
        """Give agents and administrators."""
        ...

    @property
    def tags(self) -> Sequence[str] | None:
        """Give the tags in use."""
        ...


class Calls(Protocol):
    """Calls to Zendesk Support."""

    def pages(
        self, account: Account, path: str, query: Mapping[str, str] | None = None, *, most: int = 100
    ) -> AsyncIterator[dict[str, Any]]:
        """Walk a list page by page."""
        ...


class Support(Protocol):
    """Zendesk Support, as far as the console asks it anything."""

    @property
    def calls(self) -> Calls:
        """Give the way to ask for a list."""
        ...

    async def check(self, account: Account) -> Person:
        """Prove the credential, or raise with Zendesk's own answer."""
        ...

    async def pick_lists(self, account: Account) -> PickLists:
        """List what an operator may choose."""
        ...

    async def staffed(self, account: Account) -> bool | None:
        """Say whether an agent is online with room for a chat."""
        ...


class AppFacts(Protocol):
    """What a Sunshine Conversations app says of itself; a setting it does not show is unknown."""

    @property
    def name(self) -> str:
        """Give the app's name."""
        ...

    @property
    def multiple_conversations(self) -> bool | None:
        """Say whether a customer may have several conversations."""
        ...

    @property
    def agents_may_end_sessions(self) -> bool | None:
        """Say whether agents have the End session button."""
        ...


class Conversations(Protocol):
    """Sunshine Conversations, as far as the console asks it anything."""

    async def check(self, app: SunshineApp) -> AppFacts:
        """Prove the key, or raise with Sunshine's own answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of the product the console stands on."""

    settings: Settings
    database: Database
    ports: Ports
    accounts: Accounts
    desk: Desk
    files: Files
    redrive: Redrive
    library: Library
    trial: Trial
    curves: Curves
    hindsight: Hindsight
    gaps: Gaps
    tuning: Tuning
    support: Support
    conversations: Conversations
    limits: Limits
