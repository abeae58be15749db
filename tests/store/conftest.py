from __future__ import annotations

from collections.abc import Iterator

import pytest

from escalade.store.database import Tx
from tests.engines import connected


@pytest.fixture
def tx(database_url: str) -> Iterator[Tx]:
    """A transaction on a database with every table; every statement is committed at once."""
    with connected(database_url) as found:
        yield found
