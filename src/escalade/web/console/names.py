"""Ask Zendesk for the names an operator chooses from; when it cannot be asked, say so and let ids be typed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from escalade.channels.base import Account
from escalade.domain.errors import DeliveryError, Rejected
from escalade.domain.model import Millis
from escalade.web.console.parts import Choice, Parts

KEPT_MS = 60_000
PATIENCE_S = 8.0
MOST_KEPT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A form or brand."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What there is to choose from; a missing list cannot be read. `trouble` is why nothing can."""

    groups: Sequence[Choice] | None = None
    agents: Sequence[Choice] | None = None
    forms: Sequence[Choice] | None = None
    brands: Sequence[Choice] | None = None
    tags: Sequence[str] | None = None
    trouble: str = ""
    read_at: Millis = 0

    def name_of(self, kind: str, id: object) -> str | None:
        """Give the name behind an id, where it is known."""
        choices: Sequence[Choice] | None = getattr(self, kind)
        return next((choice.name for choice in choices or () if choice.id == str(id)), None)


class Catalogue:
    """Names of each account, asked for at most once a minute."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._kept: dict[tuple[object, ...], Names] = {}

    def forget(self) -> None:
        """Ask anew the next time: a connection has changed."""
        self._kept.clear()

    async def names(self, account: Account) -> Names:
        """Give every pick-list, or the trouble with them."""
        now = self._parts.ports.wall()
        if account.zendesk is None:
            return Names(trouble="Zendesk is not connected yet.", read_at=now)
        key = (account.organisation, account.zendesk.base_url, account.zendesk.client_id, account.zendesk.email)
        kept = self._kept.get(key)
        if kept is not None and now - kept.read_at < KEPT_MS:
            return kept
        try:
            async with asyncio.timeout(PATIENCE_S):
                names = await self._ask(account, now)
        except TimeoutError:
            return Names(trouble=f"Zendesk did not answer within {PATIENCE_S:.0f} seconds.", read_at=now)
        except (DeliveryError, Rejected) as error:
            return Names(trouble=said(error), read_at=now)
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[key] = names
        return names

    async def _ask(self, account: Account, now: Millis) -> Names:
        lists = await self._parts.support.pick_lists(account)
        ticket_forms = await self._listed(account, "ticket_forms")
        brands = await self._listed(account, "brands")
        return Names(
            groups=lists.groups,
            agents=lists.agents,
            tags=lists.tags,
            forms=ticket_forms,
            brands=brands,
            read_at=now,
        )

    async def _listed(self, account: Account, name: str) -> tuple[Named, ...] | None:
        """List forms or brands; plans without them answer with a no."""
        found: list[Any] = []
        try:
            async for page in self._parts.support.calls.pages(account, f"/api/v2/{name}", most=3):
                found += page.get(name) or ()
        except DeliveryError as error:
            if error.status not in {400, 403, 404}:
                raise
            return None
        return tuple(sorted(_named(found), key=lambda one: one.name.casefold()))


def _named(found: Iterable[Any]) -> Iterable[Named]:
    for item in found:
        if isinstance(item, dict) and isinstance(item.get("id"), int) and item.get("active") is not False:
            yield Named(id=str(item["id"]), name=str(item.get("name") or item["id"]))


def said(error: DeliveryError | Rejected) -> str:
    """Put trouble with Zendesk into one sentence."""
    status = getattr(error, "status", None)
    return f"{error.detail[:1].upper()}{error.detail[1:]}" + (f" (HTTP {status})." if status else ".")
