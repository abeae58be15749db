"""What is written down: one JSON object a line, appended, never changed.

Every process writes its own file. The judge reads those files and nothing else. A line says who saw what:

    p   process that wrote it          n   its own counter, from 1, without gaps
    k   kind, see below                t   milliseconds of its own clock: informative, never compared across processes

`h` is the SHA-256 (first 16 hexadecimal digits) of a text after `normal`. `o` is the organisation, `c` the
conversation as the customer's end names it, `mid` the id of a message, made by its sender before it is sent.

The customer's end
    C.submit   o c mid h                   about to send; before the first byte leaves
    C.ack      o c mid seq                 a 2xx came back
    C.refused  o c mid code                a lasting no came back
    C.view     o c reader entries          what one reader shows: [[seq, mid, role, h], ...] in its order
    C.notice   o c mid kind                told about a message: `undelivered`, `delayed`, `closed`
    C.handoff  o c handoff mode            which handoff the conversation is in (`live`, `ticket`)
The bridge
    B.boot                                 a process of the product started
    B.kill                                 it was killed (written by whoever killed it)
    B.recv     o rid src                   an inbound event was kept
    B.append   o c seq mid dir             a message entered the transcript: `in` from the desk, `out` towards it
    B.attempt  o c mid n                   an attempt at delivering a message starts
    B.outcome  o c mid n outcome           `sure_yes`, `sure_no`, `unsure`
    B.lookup   o c mid found               a look for our own mark
    B.dead     o c mid                     given up: an operator sees it
The desk's end
    Z.post     o handoff author mid h rid  an entry appeared; author `customer`, `agent`, `note`, `bot`; mid if ours
    Z.view     o handoff entries           the list as it stands: [[rid, author, mid, h], ...] in its order
    Z.ticket   o handoff ticket            a ticket carries this handoff as its external id, or its chat does
    Z.close    o handoff ending            the session ended: `by_agent`, `inactive`, `solved`, `closed`
    Z.removed  o handoff rid               an entry was deleted on purpose
Whoever breaks things
    F.begin    fault                       a fault starts to act
    F.end      fault                       it no longer does
    F.calm                                 the last fault is over; from here on everything must drain
    F.end_of_run                           the final views were taken before this line
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

Fact = Mapping[str, Any]


def normal(text: str) -> str:
    """Bring a text into the form in which both ends must agree: runs of white space are one blank."""
    return " ".join(text.split())


def digest(text: str) -> str:
    """Give the short digest that stands for a text in a history."""
    return hashlib.sha256(normal(text).encode("utf-8", "surrogatepass")).hexdigest()[:16]


class History:
    """One process's own record. In memory for a simulation; appended to a file, line by line, for a real process."""

    def __init__(self, process: str, clock: Callable[[], int], path: Path | None = None) -> None:
        self.process = process
        self.facts: list[Fact] = []
        self._clock = clock
        self._file: TextIO | None = None
        self._count = 0
        if path is not None:
            # A process may have died in the middle of a line: its number is taken up after the last whole one.
            self._count = sum(1 for _ in read([path])) if path.exists() else 0
            self._file = path.open("a", encoding="utf-8")

    def note(self, kind: str, **fields: Any) -> None:
        """Write a fact down; it has left this process when this returns."""
        self._count += 1
        fact = {"p": self.process, "n": self._count, "k": kind, "t": self._clock(), **fields}
        if self._file is None:
            self.facts.append(fact)
            return
        self._file.write(json.dumps(fact, separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Put it on disk and close it."""
        if self._file is not None:
            os.fsync(self._file.fileno())
            self._file.close()


def read(paths: Iterable[Path]) -> Iterator[Fact]:
    """Read histories back, file by file; a line a kill cut short is left out."""
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                fact = json.loads(line)
            except ValueError:
                continue
            if isinstance(fact, dict) and "k" in fact:
                yield fact
