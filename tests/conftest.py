from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import engines


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
