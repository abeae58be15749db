"""What this process did, written down for whoever judges it: one JSON object a line, ids and never a text.

A fact is noted in the transaction that makes it true and written once that is durable, so what was rolled back is not
told. Switched off, which is the default, nothing is kept and nothing is written. `torture/history.py` in the
repository's root is the format, and says what other processes write.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from escalade.domain.effects import Answer, Post
from escalade.domain.errors import ConfigError, DeliveryError, Uncertain
from escalade.domain.model import Millis
from escalade.store.database import Tx
from escalade.store.deliveries import Delivery

PROCESS = "escalade"


class History:
    """The file this process writes; a process that takes the place of another goes on in it."""

    def __init__(self, path: Path, clock: Callable[[], Millis]) -> None:
        self._clock = clock
        try:
            before = path.read_bytes() if path.exists() else b""
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"ESCALADE_HISTORY: {path} cannot be written ({error.strerror})") from error
        self._count = sum(1 for line in before.splitlines() if _is_whole(line))
        if before and not before.endswith(b"\n"):
            self._file.write("\n")  # the last process died in the middle of a line

    def note(self, kind: str, fields: Mapping[str, object]) -> None:
        """Write a fact; it has left this process when this returns."""
        self._count += 1
        fact = {"p": PROCESS, "n": self._count, "k": kind, "t": self._clock(), **fields}
        self._file.write(json.dumps(fact, separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


# What the courier's work looks like in it


def attempt(tx: Tx, delivery: Delivery) -> None:
    """An attempt at a delivery starts."""
    tx.note("B.attempt", **_about(delivery), attempt=delivery.tries + 1)


def outcome(tx: Tx, delivery: Delivery, error: DeliveryError | None) -> None:
    """An attempt has come to an end."""
    came = "sure_yes" if error is None else "unsure" if isinstance(error, Uncertain) else "sure_no"
    tx.note("B.outcome", **_about(delivery), attempt=delivery.tries + 1, outcome=came)


def lookup(tx: Tx, delivery: Delivery, *, found: bool) -> None:
    """Somebody looked for our mark."""
    tx.note("B.lookup", **_about(delivery), found=found)


def dead(tx: Tx, delivery: Delivery, why: str) -> None:
    """A delivery is given up, and an operator sees it."""
    tx.note("B.dead", **_about(delivery), why=why)


def _about(delivery: Delivery) -> dict[str, Any]:
    effect = delivery.effect
    return {
        "o": delivery.lane.organisation,
        "c": delivery.lane.conversation,
        "handoff": None if isinstance(effect, Answer) else effect.handoff,
        "mid": effect.message if isinstance(effect, Answer | Post) else None,
        "effect": type(effect).__name__,
    }
