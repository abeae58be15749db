"""Several customers who live through the same story at once, in a process of their own.

They know nothing of the product's deaths: what was not acknowledged they repeat. When the story is over for all of them
they wait until everything has drained, take the final views of both ends, and hand over what they saw.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import copy
from pathlib import Path

from torture.crash.caller import Lost
from torture.crash.play import Start, nothing
from torture.crash.scene import GaveWay, Scene, Stuck
from torture.crash.stage import Stage
from torture.crash.stories import Story
from torture.history import Fact, History, read

KEPT_OF_A_COMPLAINT = 1_000


class Crowd:
    """The customers of one world."""

    def __init__(self, stage: Stage, story: Story, start: Start, patience_s: float) -> None:
        self._patience_s = patience_s
        self._stage = stage
        self._story = story
        self._start = start
        self._facts = stage.folder / "customers.jsonl"
        self._played = stage.folder / "played"
        self._stuck = stage.folder / "stuck"
        for path in (self._facts, self._played, self._stuck):
            path.unlink(missing_ok=True)

    def has_played(self) -> bool:
        """Say whether the story is over for everybody, and only has to drain."""
        return self._played.exists()

    def facts(self) -> list[Fact]:
        """Give what they saw, once their process is over."""
        return [*self._start.facts, *read([self._facts])]

    def complaint(self) -> str:
        """Say what somebody waited for in vain, if anybody did."""
        return self._stuck.read_text() if self._stuck.exists() else ""

    def live(self) -> None:
        """Live through the story; this is the process's whole work."""
        clock = self._stage.haste.millis
        whole = History("crowd", clock)
        histories = [History(f"customer.{number}", clock) for number in range(len(self._start.casts))]
        scenes = [
            Scene(self._stage, copy(cast), history, nothing, self._patience_s)
            for cast, history in zip(self._start.casts, histories, strict=True)
        ]
        try:
            with ThreadPoolExecutor(len(scenes)) as pool:
                list(pool.map(self._plays, scenes))
                self._played.touch()
                whole.note("F.calm", within=None)
                list(pool.map(self._tries(Scene.drain), scenes))
                scenes[0].last_words_of_the_desk()
                list(pool.map(self._tries(Scene.last_look), scenes))
                whole.note("F.end_of_run")
        finally:
            _write(self._facts, [fact for history in (whole, *histories) for fact in history.facts])

    def _plays(self, scene: Scene) -> None:
        with suppress(GaveWay):
            self._tries(self._story.play)(scene)

    def _tries(self, act: Callable[[Scene], None]) -> Callable[[Scene], None]:
        def tried(scene: Scene) -> None:
            try:
                act(scene)
            except (Stuck, Lost) as error:
                with self._stuck.open("a") as file:
                    file.write(f"stuck: {str(error)[:KEPT_OF_A_COMPLAINT]}\n")

        return tried


def _write(path: Path, facts: list[Fact]) -> None:
    path.write_text("".join(json.dumps(fact) + "\n" for fact in facts))
