"""A company at work: both programs, customers and agents in processes of their own, and trouble in between.

The product is the whole program, forked from a process that has done nothing but its imports; every start opens the
database, the lock, the sockets and the loop anew. Each process writes its own history; when everybody has fallen
silent and all has drained, the judge reads them.
"""

from __future__ import annotations

import random
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Self

from torture.crash.caller import Caller
from torture.crash.debts import Debts
from torture.crash.haste import Haste
from torture.crash.life import TELL, Life
from torture.crash.load import Load
from torture.crash.play import prepare
from torture.crash.stage import CONTROL_TOKEN, Stage, a_port
from torture.crash.stores import Store
from torture.crash.stories import Story
from torture.history import History, read
from torture.judge import judge

CUSTOMERS = 4
UNSURE_WAIT_S = 4.0
SILENCE_S = 200.0
LOOK_S = 0.3


class Company:
    """One world for many faults in a row."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int,
        live: bool,
        store: Store | None = None,
        log: Path | None = None,
        may_end: int = 0,
    ) -> None:
        self._may_end = may_end  # how often the product may end by itself, to be started again
        self.ended = 0  # how often it did
        self.dice = random.Random(f"company {seed}")
        self.stage = Stage(folder, Haste(1.0), store, unsure_wait_s=UNSURE_WAIT_S)
        self.stage.log = log or self.stage.log
        self.load = Load(self.stage, live=live, seed=seed)
        self.history = History("faults", self.stage.haste.millis)

        prepare(self.stage, Story(live=live, play=lambda _scene: None), customers=0)
        self.stage.store.restore()
        self.messages: Counter[str] = Counter()  # what the judge counted
        self.answers: Counter[str] = Counter()  # what the product answered to customers and to webhooks
        self.desk = self.stage.desk_life()
        self.product = self.stage.server_life()
        self.second: Life | None = None  # another process on the same database
        self._second_port = a_port()
        people = [self.load.customer(number) for number in range(CUSTOMERS)]
        self._people = [Life(person, folder / "people.log") for person in people]
        self._agent = Life(self.load.agent, folder / "people.log")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for life in (*self._people, self._agent, self.product, self.second, self.desk):
            if life is not None:
                life.end()

    # trouble

    def kill(self) -> None:
        """Kill the product and start it again."""
        self.ended += self.product.is_over()
        self.product.end(signal.SIGKILL)
        self.history.note("B.kill")
        self.product = self.stage.server_life()

    def add_second(self) -> None:
        """Start another process of the product on the same database; nobody calls it, and it sends all the same."""
        self.second = self.stage.server_life(self._second_port)

    def keep_alive(self) -> None:
        """Start again what has ended by itself, as a supervisor does."""
        if self.product.is_over():
            self.ended += 1
            self.product = self.stage.server_life()
        if self.second is not None and self.second.is_over():
            self.ended += 1
            self.add_second()

    def is_serving(self) -> bool:
        """Say whether somebody listens at the product's door."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.stage.product_port)) == 0

    # the end

    def close(self) -> list[str]:
        """Let everybody fall silent, and give what the judge finds."""
        self.history.note("F.calm", within=None)
        self.load.stop()
        found: list[str] = []
        try:
            self._wait_for_silence(found)
            found += self._answers()
            if self.ended > self._may_end:
                found.append(f"the product ended by itself, {self.ended}×: {self._log('log')}")
            self._final_views()
        finally:
            self._agent.end()
            for process in (self.product, self.second):
                if process is not None:
                    process.end(signal.SIGTERM)
            self.desk.end(signal.SIGTERM)
        self.history.note("F.end_of_run")
        paths = [self.stage.desk_facts, *sorted(self.load.histories.glob("*.jsonl"))]
        verdict = judge([*self.history.facts, *read(paths)])
        self.messages = verdict.counts
        found += [str(finding) for finding in verdict.findings]
        damage = self.stage.store.damage()
        return [*found, f"the database is damaged: {damage}"] if damage else found

    def _wait_for_silence(self, found: list[str]) -> None:
        """Wait until everybody has said their last, then until nothing is owed, then for the final views."""
        self._wait(lambda: self.load.silent() == CUSTOMERS and self._agent.is_over(), SILENCE_S)
        debts = Debts(self.stage.store)
        if not self._wait(lambda: not debts.owed(), SILENCE_S):
            self.product.send(TELL)
            waiting(LOOK_S)
            found.append(f"owed for ever: {debts.owed()}\n{self._log('people.log')}\n{self._log('log')}")
        self.load.hush()
        if not self._wait(lambda: all(person.is_over() for person in self._people), SILENCE_S):
            found.append(f"somebody waits for ever: {self._log('people.log')}\n{self._log('log')}")
        elif not all(person.ended_well() for person in self._people):
            found.append(f"a customer broke off: {self._log('people.log')}")

    def _wait(self, over: Callable[[], bool], seconds: float) -> bool:
        """Keep the product alive until something is over; say whether it came to that in time."""
        deadline = time.monotonic() + seconds
        while not over():
            if time.monotonic() > deadline:
                return False
            self.keep_alive()
            time.sleep(LOOK_S)
        return True

    def _answers(self) -> list[str]:
        """Say which answers nobody should get: a fault of ours is a 503 that says when to come again, or silence."""
        desk = Caller(self.stage.desk_port, {"Authorization": f"Bearer {CONTROL_TOKEN}"})
        _, state = desk("GET", "/emulator/state")
        desk.close()
        answered = [one["status_code"] for hook in state["webhooks"] for one in hook["invocations"]]
        self.answers = self.load.answers()
        self.answers.update(f"webhook {status}" for status in answered if status is not None)
        wrong = [answer for answer in self.answers if answer.removeprefix("webhook ")[:1] == "5"]
        return [f"answered {answer}, {self.answers[answer]}×" for answer in wrong if not answer.endswith("503")]

    def _final_views(self) -> None:
        desk = Caller(self.stage.desk_port, {"Authorization": f"Bearer {CONTROL_TOKEN}"})
        desk("POST", "/emulator/history", {"final": True})
        desk.close()

    def _log(self, name: str) -> str:
        path = self.stage.folder / name
        return path.read_text(errors="replace")[-6000:] if path.exists() else ""


def waiting(seconds: float, look: Callable[[], object] | None = None) -> None:
    """Let time pass, and look meanwhile."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if look is not None:
            look()
        time.sleep(min(0.05, max(0.0, deadline - time.monotonic())))
