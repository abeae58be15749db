"""The running emulator, fresh for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .world import World, world


# It ends with its tests: a simulation, later in the same run, shuts the real clock to every thread of the process.
@pytest.fixture(scope="package", name="running_world")
def _running_world() -> Iterator[World]:
    with world() as running:
        yield running


@pytest.fixture(name="world")
def _world(running_world: World) -> World:
    running_world.start_afresh()
    return running_world
