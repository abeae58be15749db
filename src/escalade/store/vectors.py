"""Keep what passages mean, as rows of numbers of the embedding model. Which passage they are of says whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from escalade.domain.model import OrganisationId
from escalade.store.database import Tx
from escalade.store.sql import among


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A passage without vectors of the model."""

    organisation: OrganisationId
    passage: int
    title: str
    heading: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """The vectors of a passage: of its title, its middle, `headings` of its headings, and each of its sentences."""

    passage: int
    headings: int
    rows: bytes


def put(tx: Tx, organisation: OrganisationId, model: str, meanings: Iterable[Meaning]) -> None:
    """Keep vectors in the place of older ones; of a passage that is gone meanwhile there are none."""
    for meaning in meanings:
        tx.run(
            "DELETE FROM knowledge_vector WHERE passage = :passage AND organisation = :organisation",
            passage=meaning.passage,
            organisation=organisation,
        )
        tx.run(
            "INSERT INTO knowledge_vector (organisation, passage, model, headings, rows)"
            " SELECT organisation, id, :model, :headings, :rows FROM knowledge_passage"
            " WHERE id = :passage AND organisation = :organisation",
            organisation=organisation,
            passage=meaning.passage,
            model=model,
            headings=meaning.headings,
            rows=meaning.rows,
        )


def remove(tx: Tx, document: str) -> None:
    """Forget the vectors of a document's passages."""
    tx.run(
        "DELETE FROM knowledge_vector WHERE passage IN (SELECT id FROM knowledge_passage WHERE document = :document)",
        document=document,
    )


def state(tx: Tx, organisation: OrganisationId, model: str) -> tuple[int, int]:
    """Say how many passages have theirs, and which is the newest: any change changes one of the two."""
    row = tx.one(
        "SELECT count(*) AS count, coalesce(max(id), 0) AS newest FROM knowledge_vector"
        " WHERE organisation = :organisation AND model = :model",
        organisation=organisation,
        model=model,
    )
    assert row is not None
    return row["count"], row["newest"]


def heads(tx: Tx, organisation: OrganisationId, model: str, length: int) -> list[tuple[int, bytes]]:
    """Give the first `length` bytes of every passage's vectors, in the passages' order."""
    rows = tx.all(
        "SELECT passage, substr(rows, 1, :length) AS head FROM knowledge_vector"
        " WHERE organisation = :organisation AND model = :model ORDER BY passage",
        organisation=organisation,
        model=model,
        length=length,
    )
    return [(row["passage"], row["head"]) for row in rows]


def of(tx: Tx, organisation: OrganisationId, model: str, passages: Sequence[int]) -> Mapping[int, Meaning]:
    """Give the vectors of some passages."""
    if not passages:
        return {}
    wanted, named = among(tx.dialect, "passage", passages)
    rows = tx.all(
        "SELECT passage, headings, rows FROM knowledge_vector WHERE organisation = :organisation AND model = :model"
        f" AND {wanted}",
        organisation=organisation,
        model=model,
        **named,
    )
    return {row["passage"]: Meaning(**dict(row)) for row in rows}


def unread(tx: Tx, model: str, limit: int, organisation: OrganisationId | None = None) -> list[Unread]:
    """Give passages that have no vectors of this model yet, of one organisation or of all, oldest first."""
    rows = (tx if organisation is not None else tx.everywhere()).all(
        "SELECT p.organisation, p.id AS passage, d.title, p.heading, p.text"
        " FROM knowledge_passage p JOIN knowledge_document d ON d.id = p.document"
        " WHERE NOT EXISTS (SELECT 1 FROM knowledge_vector v WHERE v.passage = p.id AND v.model = :model)"
        " AND (CAST(:organisation AS TEXT) IS NULL OR p.organisation = :organisation)"
        " ORDER BY p.id LIMIT :limit",
        model=model,
        organisation=organisation,
        limit=limit,
    )
    return [Unread(**dict(row)) for row in rows]
