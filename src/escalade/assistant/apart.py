"""Have a PDF read in a process of its own: one that hangs, swells or crashes over a hostile file takes nothing with it.

The process has limits of time and memory, can write no file, and is told nothing of ours but where the code is.
"""

from __future__ import annotations

import json
import signal

from escalade import child
from escalade.assistant.document import Block, Document, Kind, Unreadable

SECONDS = 300.0  # of anybody's clock: more than the processor's time it is allowed, for the machine may be busy
COMMAND = ("-m", "escalade.assistant.pdf")


def read_pdf(content: bytes, fallback: str, *, seconds: float = SECONDS) -> Document:
    """Read a PDF, or raise `Unreadable` with one sentence; waits for the other process."""
    process = child.start(COMMAND)
    answer = child.answer(process, content, seconds)
    if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise Unreadable("it takes longer to read than a document may")
    try:
        told = json.loads(answer)
    except ValueError as error:
        raise Unreadable("it is broken, or no PDF") from error
    if "error" in told:
        raise Unreadable(told["error"])
    blocks = tuple(Block(kind=Kind(kind), text=text, level=level, n=n) for kind, text, level, n in told["blocks"])
    return Document(title=told["title"] or fallback, blocks=blocks)
