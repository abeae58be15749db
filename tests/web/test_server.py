"""A server nobody can reach any more ends; one that is reached, or is only slow, does not."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn

from escalade.cli.server import Server
from tests import serving
from tests.serving import until


async def answers(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def hangs(_scope: Any, _receive: Any, _send: Any) -> None:
    await asyncio.sleep(3600)


class LettingGo(Server, serving.Server):
    """The server, which does not leave its connections behind in this process."""


class Served:
    """A server in a thread, and how often it wanted to end."""

    def __init__(self, app: Callable[..., Any], loop: str, patience: float = 0.3) -> None:
        self.halted = 0
        config = uvicorn.Config(
            app,
            port=0,
            lifespan="off",
            log_level="critical",
            loop=loop,
            timeout_graceful_shutdown=1,
        )
        self.server = LettingGo(config, self._halt, every=0.05, patience=patience, most=3)
        self._thread = threading.Thread(target=self.server.run, daemon=True)
        self._thread.start()
        until(lambda: self.server.started)

    def _halt(self) -> None:
        self.halted += 1

    def close(self) -> None:
        self.server.should_exit = True
        self._thread.join(10)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_server_that_lost_its_listener_ends(loop: str) -> None:
    served = Served(answers, loop)
    listening = served.server.servers[0]
    listening.get_loop().call_soon_threadsafe(listening.close)
    until(lambda: served.halted)
    served.close()


def test_a_server_that_answers_nobody_ends() -> None:
    served = Served(hangs, "asyncio")
    until(lambda: served.halted)
    served.close()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_server_that_answers_whatever_it_is_goes_on(loop: str) -> None:
    served = Served(answers, loop, patience=3)
    until(lambda: served.server.server_state.total_requests > 100)  # a twentieth of a second each: longer than that
    served.close()
    assert served.halted == 0


STANDS_STILL = """
import asyncio, ctypes, uvloop
from escalade.cli import standstill

async def main():
    watching = asyncio.create_task(standstill.watch(seconds=8, every=0.1))
    await asyncio.sleep(9)
    print("goes on", flush=True)
    ctypes.PyDLL(None).sleep(600)  # keeps the interpreter to itself

uvloop.run(main())
"""


@pytest.mark.processes
def test_a_process_whose_loop_stands_still_ends_and_says_where() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STANDS_STILL], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.stdout, done.returncode) == ("goes on\n", 1), done.stderr
    assert "line 9 in main" in done.stderr


@pytest.mark.processes
def test_a_process_that_ends_by_itself_is_left_alone() -> None:
    program = STANDS_STILL.replace("ctypes.PyDLL(None).sleep(600)", "watching.cancel(); await asyncio.sleep(0)")
    program += "import time; time.sleep(9); print('ended')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    assert (done.stdout, done.returncode) == ("goes on\nended\n", 0), done.stderr
