"""What every channel test stands on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from escalade.channels.http import Outbound

from .scene import World, running


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    async with running() as found:
        yield found


@pytest_asyncio.fixture
async def outbound() -> AsyncIterator[Outbound]:
    transport = Outbound(allow_http_loopback=True)
    yield transport
    await transport.close()
