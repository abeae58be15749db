"""No row is missing, and what a row points at exists."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.inputs.cases import FILES, Family
from tests.inputs.effects import EFFECTS
from tests.inputs.rows import FAMILIES, ROWS

ROOT = Path(__file__).parents[2]


def letters() -> Iterator[tuple[str, Family]]:
    for letter, (name, _) in FAMILIES.items():
        yield letter, FILES[name]


def answered(family: Family) -> set[str]:
    return {case.row for case in family.cases} | {code.row for code in family.codes}


def test_there_are_136_rows_each_answered_or_said_to_be_open(capsys: pytest.CaptureFixture[str]) -> None:
    done = {row for _, family in letters() for row in answered(family)}
    lacking = {one.row: one.why for _, family in letters() for one in family.open}
    with capsys.disabled():
        print(f"\n{len(ROWS)} rows: {len(done)} answered, {len(set(lacking) - done)} open")
    assert len(ROWS) == 136
    assert done | set(lacking) == set(ROWS)
    assert not done & set(lacking), "a row is answered and open"
    assert all(lacking.values()), "an open row says why"


@pytest.mark.parametrize("letter", FAMILIES)
def test_a_file_holds_the_rows_of_its_family(letter: str) -> None:
    family = FILES[FAMILIES[letter][0]]
    assert {row[0] for row in answered(family) | {one.row for one in family.open}} == {letter}


@pytest.mark.parametrize(
    "code", [code for family in FILES.values() for code in family.codes], ids=lambda code: code.row
)
def test_a_row_that_is_not_a_request_points_at_a_test_that_exists(code: object) -> None:
    file, _, name = code.test.partition("::")  # type: ignore[attr-defined]
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    tests = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in tests
    assert name.startswith("test_")


def test_every_effect_that_is_named_exists_and_every_one_that_exists_is_named() -> None:
    named = {name for family in FILES.values() for case in family.cases for name in case.holds}
    assert named == set(EFFECTS)


def test_names_tell_cases_apart() -> None:
    for family in FILES.values():
        ids = [case.id for case in family.cases]
        assert len(ids) == len(set(ids)), [id for id in ids if ids.count(id) > 1]
