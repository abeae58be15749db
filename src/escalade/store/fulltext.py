"""The full-text index over passages, in each engine's own way: FTS5 on SQLite, `tsvector` and GIN on PostgreSQL.

Both fold case and accents and stem as Porter did, keep no list of stop words, and put a title before a heading before
the text. SQLite ranks by BM25. PostgreSQL knows no rarity, so its rank of each group of words is weighted by how rare
the group is, which comes to much the same. Every search names its organisation; there are no triggers: whoever
changes a passage changes the index in the same transaction.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Any

from escalade.domain.model import OrganisationId
from escalade.store.database import Tx
from escalade.store.sql import Dialect

# rowid is the passage's id; on SQLite `organisation` holds one made-up word a tenant, see _tenant_word
DDL = {
    Dialect.SQLITE: (
        """CREATE VIRTUAL TABLE knowledge_index USING fts5 (
  organisation, title, heading, text, tokenize = 'porter unicode61 remove_diacritics 2'
)""",
    ),
    Dialect.POSTGRES: (
        "CREATE TEXT SEARCH DICTIONARY escalade_stem (TEMPLATE = snowball, LANGUAGE = porter)",
        "CREATE TEXT SEARCH CONFIGURATION escalade (PARSER = default)",
        "ALTER TEXT SEARCH CONFIGURATION escalade ADD MAPPING FOR asciiword, word, numword WITH escalade_stem",
        "ALTER TEXT SEARCH CONFIGURATION escalade ADD MAPPING FOR int, uint, float, sfloat WITH simple",
        """CREATE TABLE knowledge_index (
  rowid BIGINT PRIMARY KEY,
  organisation TEXT NOT NULL,
  words TSVECTOR NOT NULL
)""",
        "CREATE INDEX knowledge_index_words ON knowledge_index USING GIN (words)",
        "CREATE INDEX knowledge_index_organisation ON knowledge_index (organisation)",
    ),
}

LEAST_RARITY = 0.05  # a word in most passages says little, but not nothing


def put(tx: Tx, organisation: OrganisationId, passage: int, *, title: str, heading: str, text: str) -> None:
    """Let a passage be found."""
    if tx.dialect is Dialect.SQLITE:
        tx.run(
            "INSERT INTO knowledge_index (rowid, organisation, title, heading, text)"
            " VALUES (:passage, :word, :title, :heading, :text)",
            passage=passage,
            word=_tenant_word(organisation),
            title=title,
            heading=heading,
            text=text,
        )
        return
    tx.run(
        "INSERT INTO knowledge_index (rowid, organisation, words) VALUES (:passage, :organisation,"
        " setweight(to_tsvector('escalade', :title), 'A') || setweight(to_tsvector('escalade', :heading), 'B')"
        " || setweight(to_tsvector('escalade', :text), 'C'))",
        passage=passage,
        organisation=organisation,
        title=_folded(title),
        heading=_folded(heading),
        text=_folded(text),
    )


def remove(tx: Tx, document: str) -> None:
    """Let the passages of a document be found no more."""
    tx.run(
        "DELETE FROM knowledge_index WHERE rowid IN (SELECT id FROM knowledge_passage WHERE document = :document)",
        document=document,
    )


def find(
    tx: Tx, organisation: OrganisationId, groups: Sequence[Sequence[str]], *, total: int, limit: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Give the best passages in which any of the words stands, and how many passages each group is in.

    Any string is a harmless word: each is quoted, so nothing in it can be read as an operator.
    """
    asked = [tuple(filter(None, (_plain(word) for word in group))) for group in groups]
    if not total or not any(asked):
        return (), tuple(0 for _ in groups)
    if tx.dialect is Dialect.SQLITE:
        return _find_fts5(tx, organisation, asked, limit)
    return _find_tsvector(tx, organisation, asked, total, limit)


def _find_fts5(
    tx: Tx, organisation: OrganisationId, asked: Sequence[tuple[str, ...]], limit: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    tenant = f'organisation : "{_tenant_word(organisation)}"'
    queries = [" OR ".join(f'"{word}"' for word in group) for group in asked]

    def within(query: str) -> str:
        return f"({tenant}) AND ({{title heading text}} : ({query}))"

    count = "SELECT count(*) FROM knowledge_index WHERE knowledge_index MATCH :query"
    frequencies = tuple(int(tx.value(count, query=within(query))) if query else 0 for query in queries)
    rows = tx.all(
        # the tenant's word finds, but does not count
        "SELECT rowid FROM knowledge_index WHERE knowledge_index MATCH :query"
        " ORDER BY bm25(knowledge_index, 0.0, 4.0, 2.0, 1.0), rowid LIMIT :limit",
        query=within(" OR ".join(filter(None, queries))),
        limit=limit,
    )
    return tuple(row["rowid"] for row in rows), frequencies


def _find_tsvector(
    tx: Tx, organisation: OrganisationId, asked: Sequence[tuple[str, ...]], total: int, limit: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    queries = [" | ".join(f"'{_folded(word)}'" for word in group) for group in asked]
    count = (
        "SELECT count(*) FROM knowledge_index"
        " WHERE organisation = :organisation AND words @@ to_tsquery('escalade', :query)"
    )
    frequencies = tuple(
        int(tx.value(count, organisation=organisation, query=query)) if query else 0 for query in queries
    )
    ranks: list[str] = []
    named: dict[str, Any] = {}
    for n, (query, found) in enumerate(zip(queries, frequencies, strict=True)):
        if found:
            rarity = max(LEAST_RARITY, math.log((total - found + 0.5) / (found + 0.5)))
            named |= {f"query_{n}": query, f"rarity_{n}": rarity}
            ranks.append(f":rarity_{n} * ts_rank('{{0, 0.25, 0.5, 1}}', words, to_tsquery('escalade', :query_{n}), 1)")
    if not ranks:
        return (), frequencies
    rows = tx.all(
        f"SELECT rowid, {' + '.join(ranks)} AS rank FROM knowledge_index"
        " WHERE organisation = :organisation AND words @@ to_tsquery('escalade', :query)"
        " ORDER BY rank DESC, rowid LIMIT :limit",
        organisation=organisation,
        query=" | ".join(filter(None, queries)),
        limit=limit,
        **named,
    )
    return tuple(row["rowid"] for row in rows), frequencies


def _plain(word: str) -> str:
    """Leave out what the index cannot hold; nothing is left that either query language would read."""
    return "".join(sign for sign in word if sign.isalnum() or sign == " ").strip()


def _folded(text: str) -> str:
    """Fold case and accents and part words where FTS5 does, so that PostgreSQL's parser finds nothing but words."""
    bare = (sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return "".join(sign if sign.isalnum() else " " for sign in bare).casefold()


def _tenant_word(organisation: OrganisationId) -> str:
    """Give a word no text contains and no stemmer shortens."""
    return f"tenant{organisation.encode().hex()}q"
