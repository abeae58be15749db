"""The warm parent: the product and the fake Zendesk, imported and ready, and the processes forked from it.

Nothing runs in the parent but the fake Zendesk while a story is prepared. What a story starts from is the parent's
memory for the fake Zendesk and a copy of the files for the product, so every run starts from exactly the same place.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import httpx2
import uvicorn

from escalade import admin, telemetry
from escalade.app import App
from escalade.cli.serve import serve
from escalade.product import Product
from escalade.services.ports import Ports as ProductPorts
from escalade.settings import load
from torture.crash.haste import Haste
from torture.crash.life import Life
from torture.crash.stores import Files, Store
from zendesk_emulator.app import build
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.ports import HttpSender, Ports, Tasks

T = TypeVar("T")
CONTROL_TOKEN = "control-token-of-the-proof"
MASTER_KEY = "the-master-key-of-the-proof-is-long-enough"
LOWEST_PORT, HIGHEST_PORT = 20_000, 32_000  # below those the kernel gives to whoever calls
UNSURE_WAIT_S = 20.0


def a_port() -> int:
    """Find a port nobody has, where no outgoing connection will take it while its server is dead."""
    dice = random.SystemRandom()
    while True:
        port = dice.randrange(LOWEST_PORT, HIGHEST_PORT)
        try:
            with listening(port):
                return port
        except OSError:
            continue


def listening(port: int) -> socket.socket:
    """Listen on a port of this machine."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


@contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment until the block ends."""
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Stage:
    """Everything one story needs, before it begins."""

    def __init__(
        self, folder: Path, haste: Haste, store: Store | None = None, *, unsure_wait_s: float = UNSURE_WAIT_S
    ) -> None:
        self.store = store or Files(folder)
        self.folder = folder
        self.haste = haste
        self.desk_port, self.product_port = a_port(), a_port()
        self.log = folder / "log"
        self.desk_facts = folder / "desk.jsonl"
        self._build_desk()
        self._settings = {
            "ESCALADE_ENV": "development",
            "ESCALADE_SECRET_KEY": MASTER_KEY,
            "ESCALADE_DATABASE_URL": self.store.url,
            "ESCALADE_PUBLIC_URL": f"http://127.0.0.1:{self.product_port}",
            "ESCALADE_PORT": str(self.product_port),
            "ESCALADE_UNSURE_WAIT_S": str(unsure_wait_s),
            "ESCALADE_EMBEDDINGS_DIR": str(folder),
        }
        self.found()
        with environment(self._settings):
            product = Product(load(), ProductPorts(now=haste.millis, wall=haste.millis))
        self._product = uvicorn.Config(
            App(product),
            http="httptools",
            lifespan="on",
            access_log=False,
            log_config=None,
            timeout_keep_alive=3600,
            timeout_graceful_shutdown=5,
        )
        self._product.load()
        self._warm_up()

    def found(self) -> None:
        """Found the company, as an operator does on the command line."""
        with environment(self._settings):
            self.keys = admin.create_organisation("Fernhill")

    def _warm_up(self) -> None:
        """Ask the product something before its database is open: what is made at a first request is made now."""

        async def ask() -> None:
            client = httpx2.AsyncClient(
                transport=httpx2.ASGITransport(self._product.loaded_app), base_url="http://warm"
            )
            async with client:
                for path in ("/api/v1/health", "/api/v1/conversations", "/widget/v1/conversations"):
                    await client.get(path)

        self.haste.run(ask())

    def _build_desk(self) -> None:
        tasks, sender = Tasks(), HttpSender()

        async def close() -> None:
            await tasks.stop()
            await sender.close()

        ports = Ports(
            now=self.haste.now,
            dice=random.Random(0),
            sleep=asyncio.sleep,
            send=sender.send,
            spawn=tasks.spawn,
            stop=tasks.stop,
            close=close,
        )
        self._emulator = Emulator(ports, base_url=self.desk_url, control_token=CONTROL_TOKEN)
        self._history = self._emulator.write_history()
        self.seed = self._emulator.seed
        self.subdomain = self._emulator.account.subdomain
        self._desk = uvicorn.Config(
            build(self._emulator),
            lifespan="on",
            access_log=False,
            log_config=None,
            timeout_keep_alive=3600,
            timeout_graceful_shutdown=1,
        )
        self._desk.load()

    @property
    def desk_url(self) -> str:
        """Give the address of the fake Zendesk."""
        return f"http://127.0.0.1:{self.desk_port}"

    # what a story starts from

    def prepare(self, work: Callable[[Life], T]) -> T:
        """Let both sides run and something happen, and keep how they stand after it as the start of every run."""
        product = self.product_life(lambda: None)
        listener = listening(self.desk_port)
        found: list[T] = []

        async def serve() -> None:
            server = uvicorn.Server(self._desk)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                found.append(await asyncio.to_thread(work, product))
                await asyncio.to_thread(product.end, signal.SIGTERM)
            finally:
                product.end()
                server.should_exit = True
                await serving

        self.haste.run(serve())
        self.store.keep()
        return found[0]

    # processes

    def desk_life(self) -> Life:
        """Start the fake Zendesk in a process of its own."""
        return self._life(self._desk, self.desk_port, lambda: None, self._tell)

    def _tell(self) -> None:
        """Hand over what agents could see; the process that saw it is about to end."""
        self.desk_facts.write_text("".join(json.dumps(fact) + "\n" for fact in self._history.facts))

    def product_life(self, before: Callable[[], object], after: Callable[[], object] = lambda: None) -> Life:
        """Start the product in a process of its own; something may be done in it before it begins and at its end."""
        return self._life(self._product, self.product_port, before, after)

    def server_life(self, port: int | None = None) -> Life:
        """Start the whole program as `escalade serve` does, in a process that has only the imports behind it."""

        def live() -> None:
            gc.freeze()
            os.environ.update(self._settings)
            serve("all", None, port)

        return Life(live, self.log)

    def _life(
        self,
        config: uvicorn.Config,
        port: int,
        before: Callable[[], object],
        after: Callable[[], object] = lambda: None,
    ) -> Life:
        # Listening before the fork, so that no call is refused; only the child keeps it, so that it dies with it.
        with listening(port) as listener:
            return Life(partial(self._serve, config, listener, before, after), self.log)

    def _serve(
        self,
        config: uvicorn.Config,
        listener: socket.socket,
        before: Callable[[], object],
        after: Callable[[], object],
    ) -> None:
        gc.freeze()  # what came from the parent is shared as long as the collector leaves it alone
        telemetry.set_up("text", "info")
        server = uvicorn.Server(config)
        # A signal that comes before the server listens for it ends this process, as it ends the real program. One that
        # stopped the server is raised by it once more, and is let pass: `after` has still to run.
        signal.signal(signal.SIGTERM, lambda *_: None if server.should_exit else os._exit(0))
        before()
        self.haste.run(server.serve(sockets=[listener]))
        after()
