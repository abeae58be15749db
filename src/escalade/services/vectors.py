"""Give every passage its vectors, and find the passages that mean what a question means.

Without the model's weights there are no vectors and nothing is near anything; full text serves alone. The weights may
be installed while the product runs.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from escalade.domain.errors import Unavailable
from escalade.domain.model import Millis, OrganisationId
from escalade.services.owners import Alone, Owners
from escalade.services.ports import Ports
from escalade.store import vectors
from escalade.store.database import Database, Tx
from escalade.store.vectors import Meaning, Unread

if TYPE_CHECKING:
    from escalade.assistant.embedding import Encoder, Floats
    from escalade.assistant.likeness import Likeness

log = structlog.get_logger()

BATCH = 8  # passages read at a time
IDLE_S = 5.0  # between looks for passages without vectors
LOOK_FOR_WEIGHTS_MS = 30_000
FRESH_MS = 2_000  # how long a matrix is good without asking whether anything has changed
MOST_BYTES = 256_000_000  # of matrices in memory

Load = Callable[[], "Encoder | None"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the model reads it, and the passages it is to be compared with."""

    model: str
    question: Floats
    passages: Sequence[int]
    matrix: Floats

    def nearest(self, most: int) -> tuple[int, ...]:
        """Give the passages that are nearest to it, nearest first."""
        from escalade.assistant.meaning import nearest

        return tuple(self.passages[at] for at in nearest(self.matrix, self.question, most))

    def likenesses(self, meanings: Mapping[int, Meaning]) -> dict[int, Likeness]:
        """Compare it closely with some passages."""
        from escalade.assistant.meaning import likeness

        return {id: likeness(self.question, of.headings, of.rows) for id, of in meanings.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Matrix:
    """By what an organisation's passages are found, as of a state of the table."""

    state: tuple[int, int]
    read_at: Millis
    passages: Sequence[int]
    rows: Any

    @property
    def size(self) -> int:
        return int(self.rows.nbytes)


class Vectors:
    """The vectors of every organisation in this deployment."""

    def __init__(
        self, database: Database, ports: Ports, load: Load = lambda: None, owners: Owners | None = None
    ) -> None:
        self._database = database
        self._ports = ports
        self._load = load
        self._owners: Owners = owners or Alone()
        self._encoder: Encoder | None = None
        self._looked_at: Millis | None = None
        self._loading = asyncio.Lock()
        self._matrices: OrderedDict[OrganisationId, _Matrix] = OrderedDict()

    async def encoder(self) -> Encoder | None:
        """Give the model, loaded when it is first wanted; none where its weights are not installed."""
        if self._encoder is not None:
            return self._encoder
        async with self._loading:
            now = self._ports.now()
            if self._encoder is None and (self._looked_at is None or now - self._looked_at >= LOOK_FOR_WEIGHTS_MS):
                self._looked_at = now
                self._encoder = await self._ports.aside(self._load)
            return self._encoder

    async def ask(self, organisation: OrganisationId, text: str) -> Asked | None:
        """Read a question; nothing where there is no model, or nothing to compare it with."""
        encoder = await self.encoder()
        if encoder is None or not text.strip():
            return None
        matrix = await self._matrix(organisation, encoder)
        if not matrix.passages:
            return None
        (question,) = await self._ports.aside(lambda: encoder.encode([text]))
        return Asked(encoder.name, question, matrix.passages, matrix.rows)

    async def _matrix(self, organisation: OrganisationId, encoder: Encoder) -> _Matrix:
        kept = self._matrices.get(organisation)
        now = self._ports.now()
        if kept is None or now - kept.read_at >= FRESH_MS:
            state = await self._database.read(lambda tx: vectors.state(tx, organisation, encoder.name))
            if kept is not None and kept.state == state:
                kept = replace(kept, read_at=now)
            else:
                kept = await self._read_matrix(organisation, encoder, state)
            self._matrices[organisation] = kept
        self._matrices.move_to_end(organisation)
        while len(self._matrices) > 1 and sum(matrix.size for matrix in self._matrices.values()) > MOST_BYTES:
            self._matrices.popitem(last=False)
        return kept

    async def _read_matrix(self, organisation: OrganisationId, encoder: Encoder, state: tuple[int, int]) -> _Matrix:
        from escalade.assistant.meaning import BYTES, HEAD, matrix_of

        size = HEAD * encoder.width * BYTES
        rows = await self._database.read(lambda tx: vectors.heads(tx, organisation, encoder.name, size))
        made = await self._ports.aside(lambda: matrix_of([head for _, head in rows], encoder.width))
        return _Matrix(state=state, read_at=self._ports.now(), passages=[passage for passage, _ in rows], rows=made)

    async def fill(self, organisation: OrganisationId) -> int:
        """Give every passage of an organisation its vectors, and say how many were without."""
        done = 0
        while read := await self._fill_some(organisation):
            done += read
        return done

    async def run(self) -> None:
        """Give vectors to what has none, until cancelled."""
        while True:
            read = 0
            try:
                if await self._owners.lead():
                    read = await self._fill_some(None)
            except Unavailable as error:
                log.warning("vectors_wait_for_database", why=str(error))
            except Exception:
                log.exception("vectors_stumbled")
            await self._ports.sleep(0 if read else IDLE_S)

    async def _fill_some(self, organisation: OrganisationId | None) -> int:
        encoder = await self.encoder()
        if encoder is None:
            return 0
        model = encoder.name
        found = await self._database.read(lambda tx: vectors.unread(tx, model, BATCH, organisation))
        made = await self._ports.aside(partial(_meanings, encoder, found)) if found else []
        for owner in dict.fromkeys(one.organisation for one in found):
            theirs = [it for one, it in zip(found, made, strict=True) if one.organisation == owner]
            await self._database.write(partial(_put, owner, model, theirs))
        return len(found)


def _meanings(encoder: Encoder, found: Sequence[Unread]) -> list[Meaning]:
    from escalade.assistant.likeness import texts_of
    from escalade.assistant.meaning import rows_of

    texts = [texts_of(one.title, one.heading, one.text) for one in found]
    rows = rows_of(encoder, texts)
    return [
        Meaning(passage=one.passage, headings=headings, rows=kept)
        for one, (_, headings), kept in zip(found, texts, rows, strict=True)
    ]


def _put(organisation: OrganisationId, model: str, meanings: Sequence[Meaning], tx: Tx) -> None:
    vectors.put(tx, organisation, model, meanings)
