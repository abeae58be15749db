"""Every case of every row, on each database and through each HTTP parser.

All go through httptools with SQLite and through h11 with PostgreSQL; the other two combinations have the cases that a
parser can have a say in (`conftest.py`).
"""

from __future__ import annotations

from contextlib import suppress

import pytest

from tests.inputs.cases import CASES, Case
from tests.inputs.effects import EFFECTS
from tests.inputs.place import Place
from tests.inputs.wire import Answer

pytestmark = pytest.mark.processes
LEAKS = ("Traceback", 'File "', "sqlite", "sqlalchemy", "psycopg", "SELECT ", "uvicorn", "site-packages", "/escalade/")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_it_is_answered_as_it_should(place: Place, case: Case) -> None:
    scene = place.scene(case)
    watching = [EFFECTS[name](place, scene) for name in case.holds]
    for one in watching:
        next(one)
    for _ in range(case.times):
        check(case, place.send(scene, case))
    for one in watching:
        with suppress(StopIteration):
            next(one)
            raise AssertionError("an effect looks twice, and no more")
    place.over(scene, case)


def check(case: Case, answer: Answer) -> None:
    """Hold an answer against what the case expects, and against what holds for every answer."""
    if case.answer == "closed":
        assert (answer.status, answer.closed) == (0, True), answer
        return
    assert answer.status == case.answer, answer
    assert answer.more == b"", "there was one request"
    if case.closes:
        assert answer.closed, "the connection stays open"
    if answer.status >= 400:
        check_problem(answer)
        assert answer.json["type"] == f"/problems/{case.problem}", answer
    for name, value in case.json.items():
        assert answer.json[name] == value, answer
    if case.pointer is not None:
        assert answer.json["errors"][0]["pointer"] == case.pointer, answer
    for name, part in case.has.items():
        assert part in answer.headers[name], answer
    for name in case.hasnt:
        assert name not in answer.headers


def check_problem(answer: Answer) -> None:
    """Every refusal is a problem document and tells nothing about us."""
    assert answer.headers["content-type"] == "application/problem+json", answer
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers
    document = answer.json
    assert document["status"] == answer.status
    assert {"type", "title", "status", "detail", "code"} <= set(document)
    assert len(document["detail"]) <= 300
    for leak in LEAKS:
        assert leak.encode() not in answer.body, answer
