"""One text of SQL for both engines.

Statements are written once, with `:named` parameters. A line that ends in `-- only: sqlite` or `-- only: postgres` is
left out elsewhere; everything else means the same to both. PostgreSQL's driver wants `%(named)s`, which is rewritten
here, mechanically and once for each statement.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any

STATEMENTS = 2048  # rewritten ones that are remembered; the product has some hundreds

_ONLY = re.compile(r"^.*--\s*only:\s*(\w+)\s*$", re.MULTILINE)
# What must stay as it is comes first: quoted text, quoted names, comments and casts.
_PIECES = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|::|:([a-z_][a-z0-9_]*)", re.IGNORECASE)


class Dialect(StrEnum):
    """Whose SQL it is."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


def among(dialect: Dialect, column: str, numbers: Sequence[int]) -> tuple[str, Mapping[str, Any]]:
    """Write that a column is one of some numbers, with the parameters; PostgreSQL has one statement for any number."""
    if dialect is Dialect.POSTGRES:
        return f"{column} = ANY(CAST(:numbers AS BIGINT[]))", {"numbers": list(numbers)}
    named = {f"number_{n}": number for n, number in enumerate(numbers)}
    return f"{column} IN ({', '.join(f':{name}' for name in named)})", named


@lru_cache(STATEMENTS)
def for_engine(sql: str, dialect: Dialect) -> str:
    """Leave out the lines that are for another engine."""
    if "only:" not in sql:
        return sql
    return _ONLY.sub(lambda line: line[0] if line[1] == dialect else "", sql)


@lru_cache(STATEMENTS)
def for_psycopg(sql: str) -> str:
    """Write a statement as PostgreSQL's driver wants it."""
    return _PIECES.sub(_piece, for_engine(sql, Dialect.POSTGRES).replace("%", "%%"))


def _piece(found: re.Match[str]) -> str:
    return f"%({found[1]})s" if found[1] else found[0]
