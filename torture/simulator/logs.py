"""Hear what the product logs as an error of its own: a stumble it survived is still a bug in it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from escalade.domain.errors import Unavailable


@dataclass(slots=True)
class Stumbles:
    """What was logged at level error or above."""

    said: list[str] = field(default_factory=list)

    def __call__(self, _logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Keep an event."""
        error = event.get("exc_info")
        if error is True:
            error = sys.exc_info()[1]
        if not isinstance(error, Unavailable):  # a store that is away is not a bug; not living with it would be
            self.said.append(f"{event['event']}: {error!r} {_place(error)}")
        raise structlog.DropEvent


def _place(error: object) -> str:
    """Give the innermost frame of an error."""
    trace = getattr(error, "__traceback__", None)
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"at {trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"


@contextmanager
def listening() -> Iterator[Stumbles]:
    """Hear errors, and nothing below them."""
    heard = Stumbles()
    structlog.configure(
        processors=[heard],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        cache_logger_on_first_use=False,
    )
    try:
        yield heard
    finally:
        structlog.reset_defaults()
