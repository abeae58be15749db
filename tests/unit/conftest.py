from __future__ import annotations

import sys
from typing import Any

import pytest


@pytest.fixture(scope="session")
def _connects() -> list[tuple[Any, ...]]:
    """Collect every connection this process tries to make, below any library."""
    seen: list[tuple[Any, ...]] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            seen.append(arguments[1:])

    sys.addaudithook(hook)
    return seen


@pytest.fixture
def connects(_connects: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    _connects.clear()
    return _connects
