"""Have a module of ours do its work in a process of its own: what a hostile file breaks there breaks nothing else.

Never through the event loop: uvloop forks a process full of threads, lets the copy run the interpreter's own code, and
stands still, with everybody it serves, until the copy has become the program. That code takes the other threads' things
apart, database connections as well: where one was at work, its lock is never given back, and both wait for ever.
`Popen` runs nothing of ours in between. https://github.com/python/cpython/issues/146181
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence


def start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start Python with a command of ours, and tell it nothing of ours but where the code is: no keys, no addresses."""
    return subprocess.Popen(  # noqa: S603 - it starts this very program
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )


def answer(child: subprocess.Popen[bytes], question: bytes, seconds: float) -> bytes:
    """Give it bytes and wait for its answer; one that takes longer is ended, and said what it had said."""
    try:
        return child.communicate(question, timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        child.kill()
        return child.communicate()[0]
