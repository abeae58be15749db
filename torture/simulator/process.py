"""The product as a process: booted, killed at any edge, its wall clock bent, booted again by a supervisor.

A crash cancels every task the process has and forgets every object; only the disk remains. Requests under way towards
it are reset, as a dead process's connections are.
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from escalade.app import App
from escalade.domain.files import ANYTHING
from escalade.product import Product
from escalade.services.ports import Ports
from escalade.services.scrutiny import Inspected
from escalade.settings import Settings
from escalade.store.database import Ring
from torture.history import History
from torture.simulator import asgi
from torture.simulator.chaos import Chaos, never
from torture.simulator.database import Disk, SimulatedDatabase
from torture.simulator.loop import Owner, VirtualLoop, owner, sleep
from torture.simulator.network import Network, Wire
from torture.simulator.ownership import Locks, Session
from torture.simulator.profile import Fault
from zendesk_emulator.ports import Outbound, Reply, SendFailed

T = TypeVar("T")
URL = "https://bridge.example"
RINGS_S = 0.05
NOON_MS = 1_772_452_800_000  # 2 March 2026, noon in UTC


class ConnectionLost(Exception):
    """Nobody answers: the process is dead, or died while it was asked."""


@functools.cache
def settings(unsure_wait_s: float) -> Settings:
    """Give the deployment's settings."""
    return Settings(
        env="development",
        secret_key=SecretStr("the-key-of-every-simulated-deployment"),
        public_url=URL,
        unsure_wait_s=unsure_wait_s,
        embeddings_dir=Path("/nonexistent"),  # a seed tells the same story whatever is installed here
    )


@dataclass(frozen=True, slots=True)
class Life:
    """One process from its start to its end."""

    owner: Owner
    product: Product
    app: App


class Bridge:
    """The product, in one process or several on one database, and whoever starts them again."""

    def __init__(
        self, seed: int, chaos: Chaos, network: Network, disk: Disk, clock: Callable[[], float], history: History
    ) -> None:
        self.disk = disk
        self._chaos = chaos
        self._network = network
        self._clock = clock
        self._history = history
        self._dice = random.Random(f"ids {seed}")
        self._supervisor = Owner("supervisor")
        self._lives: list[Life] = []
        self._boots = 0
        self._locks = Locks()
        self._still: set[Owner] = set()
        self._steps_ms = 0
        self._frozen_at: int | None = None
        chaos.crash = self.crash

    # life and death

    def boot(self) -> None:
        """Start the product, in as many processes as it has."""
        for _ in range(self._chaos.profile.workers):
            self._start()

    def _start(self) -> None:
        self._boots += 1
        process = Owner(f"product {self._boots}")
        several = self._chaos.profile.workers > 1
        database = SimulatedDatabase(self.disk, self._chaos, process)
        product = Product(
            settings(self._chaos.profile.unsure_wait_s),
            self._ports(),
            database=database,
            outbound=Wire(self._network),
            inspect=_take_as_it_is,
            owners=Session(self._locks, self._chaos, process) if several else None,
        )
        life = Life(process, product, App(product))
        if several:
            here = database.on_commit

            def announce(rings: set[Ring]) -> None:
                here(rings)
                self._tell_the_others(process, rings)

            database.on_commit = announce
        self._lives.append(life)
        process.start(self._serve(product), "product")

    def _tell_the_others(self, process: Owner, rings: set[Ring]) -> None:
        """Ring in the other processes, as the database's doorbell does."""

        async def ring(life: Life) -> None:
            await sleep(self._chaos.tape.seconds(0.0, RINGS_S))
            life.product._hear(sorted(rings))

        for life in self._alive():
            if life.owner is not process:
                life.owner.start(ring(life), "doorbell")

    def _alive(self) -> list[Life]:
        return [life for life in self._lives if not life.owner.dead]

    def _answering(self) -> Life | None:
        """Give a process that says what time it is when one that starts asks (`escalade.store.shared_clock`)."""
        return next((life for life in self._alive() if life.owner not in self._still), None)

    async def _serve(self, product: Product) -> None:
        async with product.at_work():
            await never()

    def crash(self) -> None:
        """Kill the process this comes from; a supervisor starts it again."""
        dying = next((life for life in self._alive() if life.owner is owner()), None)
        if dying is None:
            return
        self._history.note("B.kill")
        dying.owner.kill()
        self._lives.remove(dying)
        self._supervisor.start(self._start_again(), "start again")

    async def _start_again(self) -> None:
        tape = self._chaos.tape
        await sleep(tape.seconds(0.2, 3.0))
        if self._chaos.strikes(Fault.RESTARTS_SLOWLY):
            await sleep(tape.seconds(0.0, 30.0))
        while self._chaos.lasts(Fault.PROCESS_DOWN):
            await sleep(1.0)
        while self._alive() and self._answering() is None:
            await sleep(1.0)  # it asks what time it is, and waits for longer than anybody stands still here
        self._start()

    async def stand_still(self, seconds: float) -> None:
        """Stop one of the processes for a while, or until the trouble is over."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        if alive := self._alive():
            stopped = self._chaos.tape.one_of(alive).owner
            loop.hold(stopped)
            self._still.add(stopped)
            await self._chaos.until_calm(seconds)
            self._still.discard(stopped)
            loop.let_go(stopped)

    def close(self) -> None:
        """End it for good."""
        self._supervisor.kill()
        for life in self._lives:
            life.owner.kill()

    # its ports

    def _ports(self) -> Ports:
        dice = self._dice
        other = self._answering()
        booted, first = self._elapsed_ms(), self._wall() if other is None else other.product.ports.now()
        return Ports(
            now=lambda: first + self._elapsed_ms() - booted,
            wall=self._wall,
            new_id=lambda: f"{dice.getrandbits(128):032x}",
            new_token=lambda: f"t{dice.getrandbits(256):064x}",
            random_bytes=dice.randbytes,
            aside=_at_once,
            halt=self.crash,
            note=lambda kind, fields: self._history.note(kind, **fields),
            sleep=sleep,
            jitter=lambda: dice.uniform(0.8, 1.2),
        )

    def _elapsed_ms(self) -> int:
        """Give what has passed by this machine's own reckoning, which nobody sets but which may run fast."""
        rate = 1.1 if Fault.CLOCK_DRIFTS in self._chaos.profile.rates else 1.0
        return int(self._clock() * 1000 * rate)

    def _wall(self) -> int:
        """Give the wall clock as this machine has it: set forward and back, or standing still."""
        shows = NOON_MS + self._elapsed_ms() + self._steps_ms
        if self._chaos.lasts(Fault.CLOCK_FREEZES):
            self._frozen_at = shows if self._frozen_at is None else self._frozen_at
            return self._frozen_at
        self._frozen_at = None
        return shows

    def step_clock(self, milliseconds: int) -> None:
        """Set the wall clock to another time."""
        self._steps_ms += milliseconds

    # its doors

    async def ask(
        self, method: str, path: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> asgi.Answer:
        """Send the product a request and read its whole answer."""
        scope = asgi.scope_of(method, URL + path, headers, body)
        return await self._served(lambda app: asgi.call(app, scope, body))

    async def open(self, path: str, headers: Iterable[tuple[str, str]]) -> asgi.Stream:
        """Open a stream; it ends when the process does."""
        life = self._any()
        stream = asgi.Stream()
        scope = asgi.scope_of("GET", URL + path, headers, b"")
        serving = life.owner.start(_stream(life.app, scope, stream), "stream")
        serving.add_done_callback(lambda _done: stream.finish())
        return stream

    async def knock(self, webhook: Outbound) -> Reply:
        """Bring a webhook to the product."""
        path = webhook.url.removeprefix(URL)
        try:
            answer = await self.ask(webhook.method, path, webhook.headers.items(), webhook.body)
        except ConnectionLost as error:
            raise SendFailed(str(error)) from error
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers)
        return Reply(status=answer.status, headers=headers, body=answer.body)

    def _any(self) -> Life:
        """Choose a process, as whatever balances the load does."""
        alive = self._alive()
        if not alive:
            raise ConnectionLost("nobody listens")
        return alive[0] if len(alive) == 1 else self._chaos.tape.one_of(alive)

    async def _served(self, request: Callable[[App], Awaitable[T]]) -> T:
        life = self._any()

        async def serve() -> T:
            return await request(life.app)

        serving = life.owner.start(serve(), "request")
        await asyncio.wait({serving})
        if serving.cancelled():
            raise ConnectionLost("the connection was reset")
        return serving.result()


async def _stream(app: App, scope: dict[str, object], stream: asgi.Stream) -> None:
    await app(scope, stream.receive, stream.send)


async def _take_as_it_is(name: str, content: bytes) -> Inspected:
    return Inspected(media_type=ANYTHING, content=content)


async def _at_once(work: Callable[[], T]) -> T:
    return work()
