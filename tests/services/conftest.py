"""What every service test stands on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.backstage import LIVE, Backstage, backstage


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Backstage]:
    """Every service, with Zendesk connected for tickets."""
    async with backstage(tmp_path) as found:
        yield found


@pytest_asyncio.fixture
async def live(tmp_path: Path) -> AsyncIterator[Backstage]:
    """Every service, with live chat turned on."""
    async with backstage(tmp_path, settings=LIVE) as found:
        yield found
