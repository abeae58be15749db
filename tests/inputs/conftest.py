from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest

from tests import engines

pytest.register_assert_rewrite("tests.inputs.effects", "tests.inputs.place")

from tests.inputs.place import Parser, Place, a_place  # noqa: E402 - rewritten from here on

COMBINATIONS = [(engine, parser) for engine in engines.ENGINES for parser in get_args(Parser)]


@pytest.fixture(scope="session", params=COMBINATIONS, ids="-".join)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The product on one engine, behind one parser."""
    engine, parser = request.param
    folder = tmp_path_factory.mktemp(f"{engine}-{parser}")
    with a_place(folder, parser, engines.blank_url(engine, folder)) as found:
        yield found
