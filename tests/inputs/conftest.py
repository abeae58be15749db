from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest

from tests import engines

pytest.register_assert_rewrite("tests.inputs.effects", "tests.inputs.place")

from tests.inputs.cases import Case  # noqa: E402 - rewritten from here on
from tests.inputs.place import Parser, Place, a_place  # noqa: E402 - rewritten from here on

COMBINATIONS = [(engine, parser) for engine in engines.ENGINES for parser in get_args(Parser)]
# Every engine and every parser is met in whole; in the other combinations, what a parser can have a say in.
WHOLE = {("sqlite", "httptools"), ("postgres", "h11")}
PARTLY = [combination for combination in COMBINATIONS if combination not in WHOLE]
OF_THE_WIRE = {"malformed-request", "headers-too-large", "too-large", "timeout", "method-not-allowed"}


def is_of_the_wire(case: Case | None) -> bool:
    """Say whether what answers a case lies before the application, or at its first look."""
    return case is not None and (case.closes or case.answer == "closed" or case.problem in OF_THE_WIRE)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what another combination shows as well."""
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        is_partly = parameters.get("place") in PARTLY
        (left_out if is_partly and not is_of_the_wire(parameters.get("case")) else kept).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


@pytest.fixture(scope="session", params=COMBINATIONS, ids="-".join)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The product on one engine, behind one parser."""
    engine, parser = request.param
    folder = tmp_path_factory.mktemp(f"{engine}-{parser}")
    with a_place(folder, parser, engines.blank_url(engine, folder)) as found:
        yield found
