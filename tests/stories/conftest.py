from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import World, a_world


@pytest.fixture(scope="module")
def live_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A company with live chat, its webhooks set up by the guide."""
    with a_world(tmp_path_factory.mktemp("live")) as world:
        world.connect(live=True, require_online_agent=False)  # one agent has room for a few chats only
        yield world


@pytest.fixture
def world(live_world: World) -> Iterator[World]:
    """The same company, everything mended before and after the story."""
    live_world.zendesk.heal()
    yield live_world
    live_world.zendesk.heal()


@pytest.fixture
def fresh_world(tmp_path: Path) -> Iterator[World]:
    """A company of its own, not connected to anything yet."""
    with a_world(tmp_path) as world:
        yield world
