from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import engines

# The assistant finds by words alone wherever a test does not say otherwise, whatever is installed on this machine.
os.environ["ESCALADE_EMBEDDINGS_DIR"] = "/nonexistent"

# Whether the tests pass depends on the tree alone: made-up examples are the same ones each time. To look further,
# `pytest --hypothesis-profile default`; how long one takes says something of the machine only.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(params=engines.ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on: each in turn, unless it says `@on(...)`."""
    return str(request.param)


@pytest.fixture
def database_url(engine: str, tmp_path: Path) -> Iterator[str]:
    """The address of a database with every table."""
    url = engines.blank_url(engine, tmp_path)
    yield url
    engines.give_back(url)


@pytest.fixture
def empty_url(engine: str, tmp_path: Path) -> str:
    """The address of a database with nothing in it."""
    return engines.empty_url(engine, tmp_path)
