"""Keep what the assistant may answer from, and find it again; one organisation never finds another's.

The full-text index is kept in step here, in the same transaction, by whoever changes a passage: no triggers. Every
search names its organisation twice: as a word the index must match, and again when the passage is fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from escalade.domain.model import Millis, OrganisationId
from escalade.store.database import Tx

# Executed in this order by the first migration. A statement that begins with `-- only: sqlite` is left out elsewhere.
DDL: tuple[str, ...] = (
    """CREATE TABLE knowledge_source (
  id TEXT PRIMARY KEY,
  organisation TEXT NOT NULL,
  kind TEXT NOT NULL,                    -- folder, file, help_center
  location TEXT NOT NULL,
  title TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  synced_at BIGINT,                      -- none until it was read to its end once
  documents INTEGER NOT NULL DEFAULT 0,  -- that can be found
  error TEXT,                            -- why it could not be read to its end, last time
  UNIQUE (organisation, location)
)""",
    """CREATE TABLE knowledge_document (
  id TEXT PRIMARY KEY,
  organisation TEXT NOT NULL,
  source TEXT NOT NULL REFERENCES knowledge_source (id),
  source_id TEXT NOT NULL,               -- unique within its source
  title TEXT NOT NULL,
  url TEXT,
  digest TEXT NOT NULL,                  -- of what was read; the same digest is not read again
  updated_at BIGINT NOT NULL,
  error TEXT,                            -- why it has no passages
  UNIQUE (source, source_id)
)""",
    """CREATE TABLE knowledge_passage (
  id INTEGER PRIMARY KEY,
  organisation TEXT NOT NULL,
  document TEXT NOT NULL REFERENCES knowledge_document (id),
  n INTEGER NOT NULL,                    -- its place in the document, from 1
  heading TEXT NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (document, n)
)""",
    "CREATE INDEX knowledge_passage_organisation ON knowledge_passage (organisation)",
    # rowid is the passage's id; `organisation` holds one made-up word a tenant, see _tenant_word
    """-- only: sqlite
CREATE VIRTUAL TABLE knowledge_index USING fts5 (
  organisation, title, heading, text, tokenize = 'porter unicode61 remove_diacritics 2'
)""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where knowledge comes from."""

    id: str
    organisation: OrganisationId
    kind: str
    location: str
    title: str
    created_at: Millis
    synced_at: Millis | None = None
    documents: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A document to keep, with its passages as (heading, text); `error` says why there are none."""

    id: str
    source_id: str
    title: str
    url: str | None
    digest: str
    passages: tuple[tuple[str, str], ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A passage that was found, with its document."""

    passage: int
    document: str
    source_id: str
    title: str
    url: str | None
    lead: str  # how the document opens
    heading: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found, and how rare each group of words is among the organisation's `total` passages."""

    hits: tuple[Hit, ...]
    total: int
    frequencies: tuple[int, ...]


def put_source(tx: Tx, source: Source) -> Source:
    """Keep a source; adding a location again gives the source that is there."""
    tx.run(
        "INSERT INTO knowledge_source (id, organisation, kind, location, title, created_at)"
        " VALUES (:id, :organisation, :kind, :location, :title, :created_at)"
        " ON CONFLICT (organisation, location) DO UPDATE SET kind = excluded.kind, title = excluded.title",
        id=source.id,
        organisation=source.organisation,
        kind=source.kind,
        location=source.location,
        title=source.title,
        created_at=source.created_at,
    )
    kept = [it for it in sources(tx, source.organisation) if it.location == source.location]
    return kept[0]


def sources(tx: Tx, organisation: OrganisationId) -> list[Source]:
    """Give an organisation's sources, oldest first."""
    rows = tx.all(
        "SELECT id, organisation, kind, location, title, created_at, synced_at, documents, error"
        " FROM knowledge_source WHERE organisation = :organisation ORDER BY created_at, id",
        organisation=organisation,
    )
    return [Source(**dict(row)) for row in rows]


def settle_source(tx: Tx, organisation: OrganisationId, source: str, *, at: Millis, error: str | None = None) -> None:
    """Write down that a source was read to its end, or why it was not."""
    tx.run(
        "UPDATE knowledge_source SET error = :error, synced_at = CASE WHEN :error IS NULL THEN :at ELSE synced_at END,"
        " documents = (SELECT count(*) FROM knowledge_document d WHERE d.source = :source AND d.error IS NULL)"
        " WHERE id = :source AND organisation = :organisation",
        source=source,
        organisation=organisation,
        at=at,
        error=error,
    )


def remove_source(tx: Tx, organisation: OrganisationId, source: str) -> int:
    """Forget a source with everything from it, and say how many documents that were."""
    gone = remove_absent(tx, organisation, source, frozenset())
    tx.run(
        "DELETE FROM knowledge_source WHERE id = :source AND organisation = :organisation",
        source=source,
        organisation=organisation,
    )
    return gone


def digests(tx: Tx, organisation: OrganisationId, source: str) -> dict[str, str]:
    """Give the digest of each document of a source."""
    rows = tx.all(
        "SELECT source_id, digest FROM knowledge_document WHERE source = :source AND organisation = :organisation",
        source=source,
        organisation=organisation,
    )
    return {row["source_id"]: row["digest"] for row in rows}


def failures(tx: Tx, organisation: OrganisationId, source: str) -> list[tuple[str, str]]:
    """Give the documents of a source that could not be read, and why."""
    rows = tx.all(
        "SELECT source_id, error FROM knowledge_document"
        " WHERE source = :source AND organisation = :organisation AND error IS NOT NULL ORDER BY source_id",
        source=source,
        organisation=organisation,
    )
    return [(row["source_id"], row["error"]) for row in rows]


def put_document(tx: Tx, organisation: OrganisationId, source: str, entry: Entry, *, at: Millis) -> None:
    """Keep a document in place of the one with the same source id."""
    owner = tx.value("SELECT organisation FROM knowledge_source WHERE id = :source", source=source)
    if owner != organisation:  # removed meanwhile, or never theirs
        return
    document = tx.value(
        "SELECT id FROM knowledge_document WHERE source = :source AND source_id = :source_id",
        source=source,
        source_id=entry.source_id,
    )
    if document is None:
        document = entry.id
        tx.run(
            "INSERT INTO knowledge_document"
            " (id, organisation, source, source_id, title, url, digest, updated_at, error)"
            " VALUES (:id, :organisation, :source, :source_id, :title, :url, :digest, :at, :error)",
            id=document,
            organisation=organisation,
            source=source,
            source_id=entry.source_id,
            title=entry.title,
            url=entry.url,
            digest=entry.digest,
            at=at,
            error=entry.error,
        )
    else:
        _remove_passages(tx, document)
        tx.run(
            "UPDATE knowledge_document"
            " SET title = :title, url = :url, digest = :digest, updated_at = :at, error = :error WHERE id = :id",
            id=document,
            title=entry.title,
            url=entry.url,
            digest=entry.digest,
            at=at,
            error=entry.error,
        )
    for n, (heading, text) in enumerate(entry.passages, 1):
        passage = tx.insert(
            "INSERT INTO knowledge_passage (organisation, document, n, heading, text)"
            " VALUES (:organisation, :document, :n, :heading, :text) RETURNING id",
            organisation=organisation,
            document=document,
            n=n,
            heading=heading,
            text=text,
        )
        tx.run(
            "INSERT INTO knowledge_index (rowid, organisation, title, heading, text)"
            " VALUES (:passage, :word, :title, :heading, :text)",
            passage=passage,
            word=_tenant_word(organisation),
            title=entry.title,
            heading=heading,
            text=text,
        )


def remove_absent(tx: Tx, organisation: OrganisationId, source: str, present: frozenset[str]) -> int:
    """Forget the documents of a source that are no longer there, and say how many that were."""
    rows = tx.all(
        "SELECT id, source_id FROM knowledge_document WHERE source = :source AND organisation = :organisation",
        source=source,
        organisation=organisation,
    )
    gone = [row["id"] for row in rows if row["source_id"] not in present]
    for document in gone:
        _remove_passages(tx, document)
        tx.run("DELETE FROM knowledge_document WHERE id = :document", document=document)
    return len(gone)


def count_passages(tx: Tx, organisation: OrganisationId, source: str | None = None) -> int:
    """Say how many passages can be found."""
    if source is None:
        found = tx.value(
            "SELECT count(*) FROM knowledge_passage WHERE organisation = :organisation", organisation=organisation
        )
    else:
        found = tx.value(
            "SELECT count(*) FROM knowledge_passage p JOIN knowledge_document d ON d.id = p.document"
            " WHERE d.source = :source AND p.organisation = :organisation",
            source=source,
            organisation=organisation,
        )
    return int(found)


def search(tx: Tx, organisation: OrganisationId, groups: Sequence[Sequence[str]], limit: int) -> Found:
    """Find the passages in which any of the words stands; a group holds words of one meaning.

    Any string is a harmless word: each is quoted, so nothing in it can be read as an operator.
    """
    total = count_passages(tx, organisation)
    asked = [" OR ".join(filter(None, (_quoted(word) for word in group))) for group in groups]
    if not total or not any(asked):
        return Found(hits=(), total=total, frequencies=tuple(0 for _ in groups))
    tenant = f"organisation : {_quoted(_tenant_word(organisation))}"
    count = "SELECT count(*) FROM knowledge_index WHERE knowledge_index MATCH :query"
    frequencies = tuple(
        int(tx.value(count, query=f"({tenant}) AND ({{title heading text}} : ({group}))")) if group else 0
        for group in asked
    )
    rows = tx.all(
        "SELECT p.id AS passage, d.id AS document, d.source_id, d.title, d.url, p.heading, p.text,"
        " (SELECT substr(f.text, 1, 300) FROM knowledge_passage f WHERE f.document = d.id AND f.n = 1) AS lead"
        " FROM knowledge_index"
        " JOIN knowledge_passage p ON p.id = knowledge_index.rowid AND p.organisation = :organisation"
        " JOIN knowledge_document d ON d.id = p.document AND d.organisation = :organisation"
        # the tenant's word finds, but does not count
        " WHERE knowledge_index MATCH :query ORDER BY bm25(knowledge_index, 0.0, 4.0, 2.0, 1.0), p.id LIMIT :limit",
        organisation=organisation,
        query=f"({tenant}) AND ({{title heading text}} : ({' OR '.join(filter(None, asked))}))",
        limit=limit,
    )
    return Found(hits=tuple(Hit(**dict(row)) for row in rows), total=total, frequencies=frequencies)


def _remove_passages(tx: Tx, document: str) -> None:
    tx.run(
        "DELETE FROM knowledge_index WHERE rowid IN (SELECT id FROM knowledge_passage WHERE document = :document)",
        document=document,
    )
    tx.run("DELETE FROM knowledge_passage WHERE document = :document", document=document)


def _quoted(word: str) -> str:
    """Make an FTS5 string of a word; what the index cannot hold is left out."""
    kept = "".join(sign for sign in word if sign.isalnum() or sign == " ").strip()
    return f'"{kept}"' if kept else ""


def _tenant_word(organisation: OrganisationId) -> str:
    """Give a word no text contains and no stemmer shortens."""
    return f"tenant{organisation.encode().hex()}q"
