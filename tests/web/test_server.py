"""A server nobody can reach any more ends; one that is reached, or is only slow, does not."""

from __future__ import annotations

import asyncio
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

    def __init__(self, app: Callable[..., Any], loop: str) -> None:
        self.halted = 0
        config = uvicorn.Config(
            app,
            port=0,
            lifespan="off",
            log_level="critical",
            loop=loop,
            timeout_graceful_shutdown=1,
        )
        self.server = LettingGo(config, self._halt, every=0.05, patience=0.3, most=3)
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
    served = Served(answers, loop)
    until(lambda: served.server.server_state.total_requests > 5)
    served.close()
    assert served.halted == 0
