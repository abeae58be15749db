"""What every service test stands on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.backstage import LIVE, Backstage, backstage


@pytest_asyncio.fixture
async def stage(database_url: str) -> AsyncIterator[Backstage]:
    """Every service, with Zendesk connected for tickets."""
    async with backstage(database_url) as found:
        yield found


@pytest_asyncio.fixture
async def live(database_url: str) -> AsyncIterator[Backstage]:
    """Every service, with live chat turned on."""
    async with backstage(database_url, settings=LIVE) as found:
        yield found
