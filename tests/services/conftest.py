"""What every service test stands on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from escalade.store.database import ServedDatabase
from tests.backstage import LIVE, Backstage, backstage, opened


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


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[ServedDatabase]:
    """A database that serves, with nobody in it."""
    async with opened(database_url) as found:
        yield found
