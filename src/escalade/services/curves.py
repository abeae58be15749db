"""Which curve an organisation's slider is drawn on: its own, where a set of its own was run, else the shipped one.

The shipped ones are what `make curves` measured on the ferries of `evaluation/`, on which nothing was ever tuned.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from escalade.domain.model import Millis, OrganisationId
from escalade.services.evaluation import Curve
from escalade.store import curves
from escalade.store.database import Database

SHIPPED = Path(__file__).parent / "shipped"
WAYS = ("small", "large", "words")  # of finding: with which model, or with none

_json = msgspec.json.Encoder()
_curve = msgspec.json.Decoder(Curve)


class Curves:
    """The measurements of every organisation in this deployment."""

    def __init__(self, database: Database, wall: Callable[[], Millis]) -> None:
        self._database = database
        self._wall = wall

    async def keep(self, organisation: OrganisationId, curve: Curve) -> None:
        """Keep what a set came to, in the place of the one before."""
        at = self._wall()
        body = _json.encode(replace(curve, measured_at=at)).decode()
        await self._database.write(partial(curves.put, organisation=organisation, body=body, at=at))

    async def of(self, organisation: OrganisationId) -> Curve | None:
        """Give the organisation's own, if a set was ever run for it."""
        body = await self._database.read(partial(curves.of, organisation=organisation))
        return None if body is None else _curve.decode(body)


def shipped(model: str | None) -> Curve:
    """Give the curve of this model, or of words alone, as it was measured before this version was released."""
    measured = _shipped()
    return measured[model] if model in measured else next(curve for name, curve in measured.items() if name)


@functools.cache
def _shipped() -> dict[str | None, Curve]:
    curves = [_curve.decode((SHIPPED / f"{way}.json").read_bytes()) for way in WAYS]
    return {curve.model: curve for curve in curves}
