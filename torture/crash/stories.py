"""What happens in a conversation: each story has a start, which is prepared once, and a play, which is killed into.

A play reads from top to bottom as what customer and agent do. Where the product dies meanwhile, the customer repeats
what was not acknowledged and everybody else goes on waiting; nothing else is done about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torture.crash.scene import Scene

Act = Callable[[Scene], None]
POSTS = {"side": "api", "method": "POST", "path": r"/conversations/[^/]+/messages$"}


def _opens(scene: Scene) -> None:
    scene.open()


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """How it starts, and what is played from there."""

    live: bool | None = True  # whether the company has live chat; none: no company yet, the product finds no tables
    before: Act = _opens  # each customer's way to the start
    last: Act | None = None  # what each does right before the start, when all have come there
    play: Act
    boot: bool = False  # whether lines that run before the product answers are of interest

    @property
    def most(self) -> int:
        """Say how many customers may live through it at once."""
        return 1 if self.live is None else 2


def _with_agent(scene: Scene) -> None:
    scene.open()
    scene.say("I want to talk to a person")
    scene.await_state("queued")
    scene.await_ticket()
    scene.agent("accept")
    scene.agent("reply", body="Hello, what is it about?")
    scene.await_state("with_agent")
    scene.drain()


def _on_ticket(scene: Scene) -> None:
    scene.open()
    scene.say("My invoice is wrong")
    scene.escalate("ticket")
    scene.await_state("asynchronous")
    scene.await_ticket()
    scene.drain()


def _released(scene: Scene) -> None:
    _with_agent(scene)
    scene.agent("end-session")
    scene.await_state("ended")


def _loses_an_answer(scene: Scene) -> None:
    """Leave a message whose answer was lost, and a doorbell nobody followed, behind a product that died."""
    scene.fault(**POSTS, action="drop", when="after", times=1)
    scene.say("does this arrive?")
    scene.agent("reply", body="it does")


def _begins(scene: Scene) -> None:
    """Let the product find no tables, make them, and serve."""
    scene.found()
    scene.open()
    _asks(scene)


def _asks(scene: Scene) -> None:
    scene.say("Hello there")
    scene.await_shown("assistant", "")


def _hands_over_live(scene: Scene) -> None:
    scene.say("I want to talk to a person")
    scene.await_state("queued")
    scene.await_ticket()
    scene.agent("accept")
    scene.agent("reply", body="Hello, what is it about?")
    scene.await_state("with_agent")


def _talks(scene: Scene) -> None:
    scene.await_delivered(scene.say("order 4711"))
    scene.agent("reply", body="I see it")
    scene.await_shown("agent", "I see it")
    scene.say("and?")
    scene.agent("reply", body="It is on its way")
    scene.await_shown("agent", "It is on its way")


def _hands_over_to_a_ticket(scene: Scene) -> None:
    scene.say("My invoice is wrong")
    scene.escalate("ticket")
    scene.say("It says 40, not 14")
    scene.await_state("asynchronous")
    scene.await_ticket()
    scene.drain()


def _writes_to_the_ticket(scene: Scene) -> None:
    scene.await_delivered(scene.say("It says 40, not 14"))
    scene.agent("comment", body="We have corrected it")
    scene.await_shown("agent", "We have corrected it")


def _ends(scene: Scene) -> None:
    scene.agent("reply", body="Goodbye!")
    scene.agent("end-session")
    scene.await_state("ended")
    scene.await_shown("agent", "Goodbye!")


def _comes_back(scene: Scene) -> None:
    scene.say("I need a person again")
    scene.await_state("queued")
    scene.drain()


def _lost_answer(scene: Scene) -> None:
    scene.fault(**POSTS, action="drop", when="after", times=1)
    scene.await_delivered(scene.say("does this arrive?"))


def _lost_request(scene: Scene) -> None:
    scene.fault(**POSTS, action="drop", when="before", times=1)
    scene.await_delivered(scene.say("does this arrive?"))


def _leaves(scene: Scene) -> None:
    scene.say("never mind")
    scene.end("release")
    scene.await_state("ended")
    scene.end("close")
    scene.drain()


def _goes_on(scene: Scene) -> None:
    scene.drain()
    scene.await_shown("agent", "it does")


STORIES: Mapping[str, Story] = {
    "ask": Story(play=_asks),
    "hand-over": Story(play=_hands_over_live),
    "talk": Story(before=_with_agent, play=_talks),
    "ticket": Story(play=_hands_over_to_a_ticket),
    "comment": Story(live=False, before=_on_ticket, play=_writes_to_the_ticket),
    "end": Story(before=_with_agent, play=_ends),
    "come-back": Story(before=_released, play=_comes_back),
    "lost-answer": Story(before=_with_agent, play=_lost_answer),
    "lost-request": Story(before=_with_agent, play=_lost_request),
    "leave": Story(before=_with_agent, play=_leaves),
    "first-start": Story(live=None, play=_begins, boot=True),
    "recovery": Story(before=_with_agent, last=_loses_an_answer, play=_goes_on, boot=True),
}
