"""End a process whose event loop stands still: it answers nobody, and cannot notice by itself.

The clock that runs out belongs to a thread that needs no interpreter, so it ends the process even where whoever holds
the loop up keeps the interpreter as well. https://docs.python.org/3/library/faulthandler.html
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import sys

SECONDS = 120.0  # a process that was stopped for longer is not told apart: it ends, too
EVERY_S = 10.0


async def watch(seconds: float = SECONDS, every: float = EVERY_S) -> None:
    """Wind the clock up until cancelled; where it runs out, it says where each thread is, and exits with 1."""
    with open(os.devnull, "w") as nowhere:  # noqa: ASYNC230 - it opens at once
        try:
            while True:
                faulthandler.dump_traceback_later(seconds, exit=True, file=sys.stderr or nowhere)
                await asyncio.sleep(every)
        finally:
            faulthandler.cancel_dump_traceback_later()
