"""What is written down: one JSON object a line, appended, never changed.

Every process writes its own file. The judge reads those files and nothing else. A line says who saw what:

    p   process that wrote it          n   its own counter, from 1, without gaps
    k   kind, see below                t   milliseconds of its own clock: informative, never compared across processes

`o` is the organisation, `c` the conversation as the customer's end names it, `mid` the id of a message, made by its
sender before it is sent. `h` is `digest` of a text; null where an entry has no text of its own (a file, a form). Every
field is there; what is not known is null. Only facts with a true `final` were taken after everything had drained.

The customer's end
    C.submit   o c mid h                   about to send; before the first byte leaves
    C.ack      o c mid seq mark            a 2xx came back, with the message's place and its mark
    C.refused  o c mid code                a lasting no came back
    C.view     o c reader final entries    what one reader shows: [[seq, mid, role, h, mark], ...] in its order
    C.handoff  o c handoff mode state ended   the handoff the conversation is in, each time it looks different
    C.leave    o c how                     about to go `back` to the assistant, to `close` it all, or was `erased`
The bridge, after the commit that makes it true
    B.boot                                 a process of the product started
    B.kill                                 it was killed (written by whoever killed it)
    B.recv     o rid src                   an inbound event was kept
    B.append   o c seq mid role            a message entered the transcript
    B.handoff  o c handoff                 a person was asked for
    B.attempt  o c handoff mid effect attempt   an attempt at an effect starts; mid is null where it is about none
    B.outcome  o c handoff mid effect attempt outcome   `sure_yes`, `sure_no`, `unsure`
    B.lookup   o c handoff mid effect found     a look for our own mark
    B.dead     o c handoff mid effect why       given up: an operator sees it
The desk's end
    Z.post     account handoff at list author mid h rid   an entry appeared
    Z.view     account handoff at list final entries      a list as it stands: [[rid, author, mid, h], ...] in its order
    Z.ticket   account handoff at ticket   a ticket carries this handoff as its external id, or its chat does
    Z.close    account handoff at list ending   `by_agent`, `inactive`, `solved`, `closed`, `other`; `deleted`, `full`;
                                           `merged` into another ticket of the same request
    Z.removed  account handoff at list rid an entry was deleted on purpose
Whoever breaks things
    F.begin    fault                       a fault starts to act
    F.end      fault                       it no longer does
    F.spared   o within                    nothing of this breaks for company `o`, and one clock tells of both its ends:
                                           what is said there arrives within so many milliseconds
    F.calm     within                      the last fault is over; everything must drain within so many milliseconds.
                                           Null: no clock to measure that by; then what has not drained in the final
                                           views is late
    F.end_of_run                           the final views were taken before this line

**Marks of a view.** A customer's message carries its delivery (`none`, `pending`, `delivered`, `failed`; empty where
this reader does not show it), a system message its notice (`handoff_requested`, `ended`, ...), anything else nothing.

**Lists of the desk.** `at` is `chat` (the messages of a live conversation; `list` is its id) or `ticket` (the comments
of a ticket opened by us; `list` is its number). `handoff` is what our own mark on the list says; null: none of ours.
`author` is `customer` (an end user wrote it, or it carries our mark and is public), `agent` (a person), `note`
(internal), `bot` (anything else: the context we post, triggers, surveys). A public comment on a chat's ticket goes out
by mail and is in no list.

**Names of the same thing at both ends.** A customer's message is in the desk's list with `mid`; sent in parts, with
`mid:0`, `mid:1`, ..., and `h` of a part is that of the text from the first part up to it, so that the last part's is
the whole message's. A file is a part that adds nothing to it; of a message of files alone it is null at both ends. An
entry of the desk is in the customer's view with a mid that ends in `:` and its `rid`. Files that were not known when
its words were shown stand below them, in one entry without text, whose mid is the same with `:files` behind it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

Fact = Mapping[str, Any]

FIELDS: Mapping[str, tuple[str, ...]] = {
    "C.submit": ("o", "c", "mid", "h"),
    "C.ack": ("o", "c", "mid", "seq", "mark"),
    "C.refused": ("o", "c", "mid", "code"),
    "C.view": ("o", "c", "reader", "final", "entries"),
    "C.handoff": ("o", "c", "handoff", "mode", "state", "ended"),
    "C.leave": ("o", "c", "how"),
    "B.boot": (),
    "B.kill": (),
    "B.recv": ("o", "rid", "src"),
    "B.append": ("o", "c", "seq", "mid", "role"),
    "B.handoff": ("o", "c", "handoff"),
    "B.attempt": ("o", "c", "handoff", "mid", "effect", "attempt"),
    "B.outcome": ("o", "c", "handoff", "mid", "effect", "attempt", "outcome"),
    "B.lookup": ("o", "c", "handoff", "mid", "effect", "found"),
    "B.dead": ("o", "c", "handoff", "mid", "effect", "why"),
    "Z.post": ("account", "handoff", "at", "list", "author", "mid", "h", "rid"),
    "Z.view": ("account", "handoff", "at", "list", "final", "entries"),
    "Z.ticket": ("account", "handoff", "at", "ticket"),
    "Z.close": ("account", "handoff", "at", "list", "ending"),
    "Z.removed": ("account", "handoff", "at", "list", "rid"),
    "F.begin": ("fault",),
    "F.end": ("fault",),
    "F.spared": ("o", "within"),
    "F.calm": ("within",),
    "F.end_of_run": (),
}

# What the desk may do to a text without changing what it says: runs of white space become one blank, and an invisible
# word joiner (U+2060) keeps `{{` from being a placeholder.
JOINER = "\u2060"


def normal(text: str) -> str:
    """Bring a text into the form in which both ends must agree."""
    return " ".join(text.replace(JOINER, "").split())


def digest(text: str) -> str:
    """Give the short digest that stands for a text in a history: 16 hexadecimal digits of SHA-256 after `normal`."""
    return hashlib.sha256(normal(text).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def malformed(fact: Fact) -> str:
    """Say what is wrong with a fact's shape; nothing if it is as the page above says."""
    fields = FIELDS.get(fact["k"])
    if fields is None:
        return f"no kind {fact['k']}"
    wanted, given = {"p", "n", "k", "t", *fields}, set(fact)
    return " ".join([f"lacks {name}" for name in wanted - given] + [f"has {name}" for name in given - wanted])


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
            torn = path.exists() and not path.read_bytes().endswith(b"\n") and path.stat().st_size > 0
            self._count = sum(1 for _ in read([path])) if path.exists() else 0
            self._file = path.open("a", encoding="utf-8")
            if torn:
                self._file.write("\n")

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
