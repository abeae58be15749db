"""Bring knowledge in, keep it in step with where it comes from, and search it.

`add` and `sync` return when everything can be found.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from escalade.assistant.likeness import Likeness
from escalade.assistant.retrieval import LONGEST_QUESTION, Candidate, Passage, query_terms, rank
from escalade.domain.errors import EscaladeError, NotFound
from escalade.domain.model import OrganisationId
from escalade.services import documents
from escalade.services.importing import Imported, Importer, Progress
from escalade.services.ports import Ports
from escalade.services.reach import Reach
from escalade.services.vectors import Vectors
from escalade.store import knowledge, organisations, vectors
from escalade.store.database import Database, Tx
from escalade.store.knowledge import Found, Hit, Source
from escalade.store.vectors import Meaning

EVERY_H = 24.0  # a source is read again
CANDIDATES = 120  # passages the index offers for a closer look
NEAREST = 40  # and the vectors


class Library:
    """The knowledge of every organisation in this deployment."""

    def __init__(
        self,
        database: Database,
        ports: Ports,
        *,
        reach: Reach | None = None,
        every_h: float = EVERY_H,
        meaning: Vectors | None = None,
    ) -> None:
        self._db = database
        self._ports = ports
        self._importer = Importer(database, ports, reach, every_h * 3600)
        self._vectors = meaning or Vectors(database, ports)

    async def add(self, organisation: OrganisationId, location: str, *, progress: Progress | None = None) -> Imported:
        """Find out what a location is, import it, and return when it can be searched."""
        return await self._importer.read(await self.enlist(organisation, location), progress)

    async def enlist(self, organisation: OrganisationId, location: str) -> Source:
        """Find out what a location is and keep it as a source; nothing of it is read yet."""
        kind, place, title = await self._ports.aside(partial(documents.recognise, location))
        if kind in documents.ELSEWHERE:
            reach = self._importer.reach
            kind = await reach.kind_of(place) if kind == documents.ADDRESS else kind
        wanted = Source(
            id=f"src_{self._ports.new_id()[:20]}",
            organisation=organisation,
            kind=kind,
            location=place,
            title=title,
            created_at=self._ports.now(),
        )
        return await self._db.write(partial(knowledge.put_source, source=wanted))

    async def sync(
        self,
        organisation: OrganisationId,
        source: str | None = None,
        *,
        progress: Progress | None = None,
    ) -> list[Imported]:
        """Read one source again, or all of them; what goes wrong with one is told and does not stop the next."""
        read: list[Imported] = []
        for chosen in await self._chosen(organisation, source):
            try:
                read.append(await self._importer.read(chosen, progress))
            except EscaladeError as error:
                read.append(Imported(source=chosen, error=str(error)))
        return read

    async def read(self, source: Source, *, whole: bool = True) -> Imported:
        """Read a source again; without `whole`, of a help centre that was read lately only what has changed."""
        return await self._importer.read(source, whole=whole)

    async def organisation(self, name_or_id: str) -> OrganisationId:
        """Give the organisation of that name or id."""
        found = await self._db.read(partial(organisations.named, name_or_id=name_or_id))
        if found is None:
            raise NotFound(
                f"--org {name_or_id}: no organisation of that id or name; create one with `escalade org create`"
            )
        return found.id

    async def sources(self, organisation: OrganisationId) -> list[Source]:
        """Give an organisation's sources, oldest first."""
        return await self._db.read(partial(knowledge.sources, organisation=organisation))

    async def failures(self, organisation: OrganisationId, source: str) -> list[tuple[str, str]]:
        """Give a source's documents that could not be read, and why."""
        return await self._db.read(partial(knowledge.failures, organisation=organisation, source=source))

    async def remove(self, organisation: OrganisationId, source: str) -> Source:
        """Forget a source, named by id or location, with everything from it."""
        (chosen,) = await self._chosen(organisation, source)
        await self._db.write(partial(knowledge.remove_source, organisation=organisation, source=chosen.id))
        return chosen

    async def search(self, organisation: OrganisationId, text: str, limit: int) -> list[Passage]:
        """Give the passages that speak to a text, best first."""
        terms = query_terms(text)
        asked = await self._vectors.ask(organisation, text[:LONGEST_QUESTION])
        near = asked.nearest(NEAREST) if asked else ()
        if not terms and not near:
            return []
        groups = [(term.word, *term.alternatives) for term in terms]

        def look(tx: Tx) -> tuple[Found, Mapping[int, Meaning]]:
            found = knowledge.search(tx, organisation, groups, CANDIDATES, near)
            passages = [hit.passage for hit in found.hits]
            return found, vectors.of(tx, organisation, asked.model, passages) if asked else {}

        found, meanings = await self._db.read(look)

        def ranked() -> list[Passage]:
            likenesses = asked.likenesses(meanings) if asked else {}
            candidates = [_candidate(hit, likenesses.get(hit.passage)) for hit in found.hits]
            return rank(terms, candidates, total=found.total, frequencies=found.frequencies, limit=limit)

        return await self._ports.aside(ranked)

    async def read_for_meaning(self, organisation: OrganisationId) -> str | None:
        """Give every passage its vectors now, and name the model; nothing where its weights are not installed."""
        encoder = await self._vectors.encoder()
        if encoder is None:
            return None
        await self._vectors.fill(organisation)
        return encoder.name

    async def model(self) -> str | None:
        """Name the model that reads for meaning; nothing where no weights are installed."""
        encoder = await self._vectors.encoder()
        return None if encoder is None else encoder.name

    async def read_by_meaning(self, organisation: OrganisationId) -> tuple[int, int] | None:
        """Say how many passages the model has read, and of how many; nothing where its weights are not installed."""
        encoder = await self._vectors.encoder()
        if encoder is None:
            return None
        model = encoder.name
        return await self._db.read(
            lambda tx: (
                vectors.state(tx, organisation, model)[0],
                knowledge.count_passages(tx, organisation),
            )
        )

    async def _chosen(self, organisation: OrganisationId, source: str | None) -> list[Source]:
        kept = await self.sources(organisation)
        if source is None:
            return kept
        place = source if source.startswith("src_") else await self._ports.aside(partial(documents.place, source))
        chosen = [it for it in kept if source == it.id or it.location in (source, place)]
        if not chosen:
            raise NotFound(f"there is no source {source!r}; `escalade knowledge list` shows what there is")
        return chosen[:1]


def _candidate(hit: Hit, likeness: Likeness | None) -> Candidate:
    return Candidate(
        document=hit.document,
        source_id=hit.source_id,
        title=hit.title,
        url=hit.url,
        heading=hit.heading,
        text=hit.text,
        lead=hit.lead,
        likeness=likeness,
    )
