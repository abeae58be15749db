"""A correct run, made up: two companies, some conversations, both ends and the bridge writing what they should.

It is a model of the promise and knows neither product nor judge. Every choice comes from a `random.Random`, so that a
property can draw runs by their seed. What it makes is right by construction; tests spoil it afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from torture.history import Fact, History, digest

PARTS = 0.15  # how often a message goes to the desk in parts


@dataclass(slots=True, kw_only=True)
class Stretch:
    """One handoff of a conversation and its list at the desk."""

    id: str
    at: str
    on: str  # the list at the desk
    ticket: str
    entries: list[list[Any]] = field(default_factory=list)
    open: bool = True
    arrived: int = 0  # entries of the desk that the customer's end has


class Run:
    """Writes the histories of one run."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self._now = 0
        self.customer, self.bridge, self.desk, self.faults = (
            History(name, self._tick) for name in ("customer", "bridge", "desk", "faults")
        )
        self._ids = 0

    def _tick(self) -> int:
        self._now += 10
        return self._now

    def fresh(self, kind: str) -> str:
        """Give a new id."""
        self._ids += 1
        return f"{kind}{self._ids}"

    def facts(self) -> list[Fact]:
        """Give everything that was written down."""
        return [fact for each in (self.customer, self.bridge, self.desk, self.faults) for fact in each.facts]


class Talk:
    """One conversation of a run."""

    def __init__(self, run: Run, o: str) -> None:
        self.run, self.o, self.account = run, o, f"account-{o}"
        self.c = run.fresh("c")
        self.entries: list[list[Any]] = []
        self.stretches: list[Stretch] = []
        self.waiting: list[str] = []  # messages under way to the desk, in order

    @property
    def stretch(self) -> Stretch | None:
        """Give the handoff under way."""
        return self.stretches[-1] if self.stretches and self.stretches[-1].open else None

    def append(self, mid: str, role: str, text: str, mark: str = "") -> int:
        seq = len(self.entries) + 1
        self.entries.append([seq, mid, role, digest(text), mark])
        self.run.bridge.note("B.append", o=self.o, c=self.c, seq=seq, mid=mid, role=role)
        return seq

    def notice(self, mark: str) -> None:
        self.append(self.run.fresh("n"), "system", mark, mark)

    def look(self, reader: str, *, final: bool = False) -> None:
        shown = [list(entry) for entry in self.entries]
        self.run.customer.note("C.view", o=self.o, c=self.c, reader=reader, final=final, entries=shown)
        stretch = self.stretches[-1] if self.stretches else None
        if stretch is not None:
            state = "with_agent" if stretch.open and stretch.entries else "ended" if not stretch.open else "queued"
            self.run.customer.note(
                "C.handoff",
                o=self.o,
                c=self.c,
                handoff=stretch.id,
                mode="live" if stretch.at == "chat" else "ticket",
                state=state,
                ended=None if stretch.open else "by_agent",
            )

    def say(self) -> None:
        run, mid = self.run, self.run.fresh("m")
        text = f"words of {mid}"
        run.customer.note("C.submit", o=self.o, c=self.c, mid=mid, h=digest(text))
        mark = "pending" if self.stretch else "none"
        seq = self.append(mid, "customer", text, mark)
        if self.stretch:
            self.waiting.append(mid)
        for _ in range(1 + (run.dice.random() < 0.1)):  # an answer was lost, and it was said again
            run.customer.note("C.ack", o=self.o, c=self.c, mid=mid, seq=seq, mark=mark)

    def answer(self) -> None:
        if self.stretch is None:
            self.append(self.run.fresh("a"), "assistant", "an answer")

    def ask(self) -> None:
        if self.stretch is not None or not any(entry[2] == "customer" for entry in self.entries):
            return
        at = self.run.dice.choice(("chat", "ticket"))
        made = Stretch(id=self.run.fresh("h"), at=at, on=self.run.fresh("list"), ticket=self.run.fresh("t"))
        self.stretches.append(made)
        self.run.bridge.note("B.handoff", o=self.o, c=self.c, handoff=made.id)
        about = next(entry for entry in reversed(self.entries) if entry[2] == "customer")
        about[4] = "pending"
        self.waiting.append(about[1])
        self.notice("handoff_requested")
        self.run.desk.note("Z.ticket", account=self.account, handoff=made.id, at=at, ticket=made.ticket)
        self._post("bot" if at == "chat" else "note", f"ctx:{made.id}:0", "what was said before")
        self.notice("waiting" if at == "chat" else "ticket_created")

    def deliver(self) -> None:
        """Bring the next message to the desk, at the first or the second attempt."""
        if not self.waiting or self.stretch is None:
            return
        mid = self.waiting.pop(0)
        handoff = self.stretch.id
        about: dict[str, Any] = {"o": self.o, "c": self.c, "handoff": handoff, "mid": mid, "effect": "Post"}
        note = self.run.bridge.note
        note("B.attempt", **about, attempt=1)
        if self.run.dice.random() < 0.2:
            note("B.outcome", **about, attempt=1, outcome="unsure")
            note("B.lookup", **about, found=False)
            note("B.attempt", **about, attempt=2)
        text = f"words of {mid}"
        if self.run.dice.random() < PARTS:
            for part in range(3):
                self._post("customer", f"{mid}:{part}", text if part == 2 else text[: 3 * part + 3])
        else:
            self._post("customer", mid, text)
        note("B.outcome", **about, attempt=1, outcome="sure_yes")
        entry = next(entry for entry in self.entries if entry[1] == mid)
        entry[4] = "delivered"

    def _post(self, author: str, mid: str | None, text: str) -> None:
        stretch = self.stretches[-1]
        rid = self.run.fresh("r")
        self.run.desk.note("Z.post", **self._where(stretch), author=author, mid=mid, h=digest(text), rid=rid)
        stretch.entries.append([rid, author, mid, digest(text)])

    def _where(self, stretch: Stretch) -> dict[str, Any]:
        return {"account": self.account, "handoff": stretch.id, "at": stretch.at, "list": stretch.on}

    def reply(self) -> None:
        if self.stretch is not None:
            self._post(self.run.dice.choice(("agent", "agent", "agent", "note")), None, self.run.fresh("reply "))

    def arrive(self) -> None:
        """Bring what agents wrote to the customer."""
        stretch = self.stretches[-1] if self.stretches else None
        if stretch is None:
            return
        for rid, author, _, _ in stretch.entries[stretch.arrived :]:
            stretch.arrived += 1
            if author == "agent":
                post = next(fact for fact in self.run.desk.facts if fact.get("rid") == rid)
                seq = len(self.entries) + 1
                self.run.bridge.note("B.recv", o=self.o, rid=f"news of {rid}", src="zendesk")
                self.entries.append([seq, f"sunshine:{rid}", "agent", post["h"], ""])

    def end(self) -> None:
        """End the session at the desk, once nothing is on its way."""
        stretch = self.stretch
        if stretch is None:
            return
        while self.waiting:
            self.deliver()
        self.run.desk.note("Z.close", **self._where(stretch), ending="by_agent")
        self.arrive()
        stretch.open = False
        self.notice("ended")

    def back(self) -> None:
        """Let the customer go back to the assistant."""
        if self.stretch is None:
            return
        while self.waiting:
            self.deliver()
        self.arrive()
        self.run.customer.note("C.leave", o=self.o, c=self.c, how="back")
        self.stretches[-1].open = False
        self.notice("back_to_assistant")

    def settle(self) -> None:
        """Drain, and take the final views."""
        while self.waiting and self.stretch is not None:
            self.deliver()
        self.arrive()
        for reader in ("follow", "reload"):
            self.look(reader, final=True)
        for stretch in self.stretches:
            self.run.desk.note("Z.view", **self._where(stretch), final=True, entries=stretch.entries)


STEPS = ("say", "say", "say", "answer", "ask", "deliver", "deliver", "reply", "arrive", "look", "end", "back")


def right(seed: int, *, talks: int = 3, steps: int = 40) -> list[Fact]:
    """Make up a correct run."""
    run = Run(seed)
    run.bridge.note("B.boot")
    known = [Talk(run, run.dice.choice(("north", "south"))) for _ in range(talks)]
    for _ in range(steps):
        talk = run.dice.choice(known)
        step = run.dice.choice(STEPS)
        if step == "look":
            talk.look("follow")
        else:
            getattr(talk, step)()
    run.faults.note("F.calm", within=None)
    for talk in known:
        talk.settle()
    run.faults.note("F.end_of_run")
    return run.facts()
