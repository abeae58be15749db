"""How the library reaches help centres and web sites: through the one outbound door, or as a connected Zendesk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from escalade.channels.base import Account
from escalade.channels.http import LIST_LIMIT, Transport
from escalade.channels.website.crawl import Limits, Site
from escalade.channels.website.visit import World
from escalade.channels.zendesk.channel import ZendeskChannel
from escalade.channels.zendesk.help_center import HelpCenter, is_help_center, patient, public_page
from escalade.domain.errors import NotFound
from escalade.domain.model import OrganisationId
from escalade.services.accounts import Accounts
from escalade.services.ports import Ports
from escalade.store import organisations
from escalade.store.database import Database

ZENDESK = re.compile(r"[a-z0-9-]+\.zendesk\.com")


class Outside:
    """What lies elsewhere."""

    def __init__(
        self,
        database: Database,
        ports: Ports,
        outbound: Transport,
        accounts: Accounts,
        zendesk: ZendeskChannel,
        limits: Limits | None = None,
    ) -> None:
        self._database = database
        self._ports = ports
        self._outbound = outbound
        self._accounts = accounts
        self._zendesk = zendesk
        self._limits = limits

    async def kind_of(self, address: str) -> str:
        """Find out what is at an address; a Zendesk that does not let us in is still no site to be crawled."""
        found = await is_help_center(self._outbound, address)
        if not found and ZENDESK.fullmatch(urlsplit(address).hostname or ""):
            raise NotFound(
                f"{address} has no help centre that anyone may read; connect Zendesk and add `help-center` instead"
            )
        return "help_center" if found else "site"

    async def help_center(self, organisation: OrganisationId, location: str) -> HelpCenter:
        """Open the organisation's own help centre, or the public one at an address."""
        if "://" in location:
            return HelpCenter(patient(partial(public_page, self._outbound, location), self._ports.sleep))
        found = await self._database.read(lambda tx: organisations.load(tx, organisation))
        if found is None:
            raise NotFound("no such organisation")
        account = await self._database.read(lambda tx: self._accounts.account(tx, found))
        return HelpCenter(patient(partial(self._own_page, account), self._ports.sleep))

    def site(self, address: str) -> Site:
        """Open a web site."""
        world = World(sleep=self._ports.sleep, now=self._ports.now)
        return Site(self._outbound, address, world, aside=self._ports.aside, limits=self._limits)

    async def _own_page(self, account: Account, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        return await self._zendesk.calls.get(account, path, query, limit=LIST_LIMIT)
