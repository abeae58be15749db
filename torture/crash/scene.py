"""What happens to one customer, told from outside: what they sent, what came back, what each end shows.

The customer repeats what was not acknowledged, with the same id. Where the product is dead somebody starts it again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from torture.crash.caller import Caller, Lost
from torture.crash.stage import CONTROL_TOKEN, Stage
from torture.customer import entry_of
from torture.history import History, digest

T = TypeVar("T")
PATIENCE_S = 60.0
PAUSE_S, LONGEST_PAUSE_S, GROWTH = 0.01, 0.5, 1.6


class Stuck(Exception):
    """Something never happened."""


@dataclass(slots=True)
class Cast:
    """Who is in a story: passed on from its preparation to its play."""

    conversation: str = ""
    ticket: str = ""


class GaveWay(Exception):
    """A live handoff went on as a ticket: right where Zendesk cannot be reached in time, and the end of the story."""


class Scene:
    """The customer, the agent, and the two programs between them."""

    def __init__(
        self,
        stage: Stage,
        cast: Cast,
        history: History,
        revive: Callable[[], None],
        patience_s: float | None = None,
    ) -> None:
        self.cast = cast
        self.history = history
        self.organisation = stage.keys["organisation_id"]
        self.stage = stage
        self._revive = revive
        self._patience_s = PATIENCE_S if patience_s is None else patience_s
        self.by_ticket = False
        self._handoff: dict[str, Any] = {}
        self._entries: list[list[Any]] = []
        self._product = self._line()
        self._desk = Caller(stage.desk_port, {"Authorization": f"Bearer {CONTROL_TOKEN}"})

    def _line(self) -> Caller:
        return Caller(self.stage.product_port, {"Authorization": f"Bearer {self.stage.keys['api_key']}"})

    def found(self) -> None:
        """Found the company once the product has made its tables."""
        self.until(lambda: self.ask("GET", "/ready")[0] == 200, "it never becomes ready")
        self.stage.found()
        self.organisation = self.stage.keys["organisation_id"]
        self._product.close()
        self._product = self._line()

    def close(self) -> None:
        """Hang up."""
        self._product.close()
        self._desk.close()

    # the product

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask the product until it answers; start it again where it has died."""
        deadline, pause = time.monotonic() + self._patience_s, PAUSE_S
        while True:
            try:
                status, answer = self._product(method, f"/api/v1{path}", body)
            except Lost as lost:
                why = str(lost)
            else:
                if status != 503:
                    return status, answer
                why = f"{method} {path}: 503 {answer}"
            self._revive()
            if time.monotonic() > deadline:
                raise Stuck(why)
            time.sleep(pause)
            pause = min(LONGEST_PAUSE_S, pause * GROWTH)

    def page(self) -> dict[str, Any]:
        """Read what the customer sees."""
        status, page = self.ask("GET", f"/conversations/{self.cast.conversation}/messages")
        if status != 200:
            raise Stuck(f"the conversation cannot be read: {status} {page}")
        found: dict[str, Any] = page
        self._see(found)
        return found

    def _see(self, page: dict[str, Any], *, final: bool = False) -> None:
        """Write down what the customer sees, where it is something new."""
        about = {"o": self.organisation, "c": self.cast.conversation}
        handoff = page["conversation"]["handoff"]
        if handoff is not None:
            seen = {"handoff": handoff["id"], "mode": handoff["mode"], "state": handoff["state"]}
            seen["ended"] = handoff["ended"]
            if seen != self._handoff:
                self._handoff = seen
                self.history.note("C.handoff", **about, **seen)
        entries = [entry_of(message) for message in page["messages"]]
        if entries != self._entries or final:
            self._entries = entries
            self.history.note("C.view", **about, reader="api", final=final, entries=entries)

    def until(self, look: Callable[[], T | None], what: str) -> T:
        """Look again and again until there is something."""
        deadline, pause = time.monotonic() + self._patience_s, PAUSE_S
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > deadline:
                raise Stuck(f"{what}: {self.page() if self.cast.conversation else ''}")
            self._revive()
            time.sleep(pause)
            pause = min(LONGEST_PAUSE_S, pause * GROWTH)

    # the customer

    def open(self) -> None:
        """Begin a conversation."""
        self.cast.conversation = f"conversation-{uuid.uuid4().hex}"
        customer = {"name": "Noor", "email": "noor@example.com"}
        status, answer = self.ask("POST", "/conversations", {"id": self.cast.conversation, "customer": customer})
        if status not in {200, 201}:
            raise Stuck(f"the conversation is not opened: {status} {answer}")

    def say(self, text: str) -> str:
        """Write something, and have it acknowledged."""
        mid = uuid.uuid4().hex
        about = {"o": self.organisation, "c": self.cast.conversation, "mid": mid}
        self.history.note("C.submit", **about, h=digest(text))
        status, answer = self.ask(
            "POST", f"/conversations/{self.cast.conversation}/messages", {"id": mid, "text": text}
        )
        if status == 201:
            self.history.note("C.ack", **about, seq=answer["seq"], mark=answer["delivery"])
        else:
            self.history.note("C.refused", **about, code=str(answer.get("code", status)))
        return mid

    def escalate(self, mode: str = "auto") -> None:
        """Ask for a person."""
        self.by_ticket = mode == "ticket"
        status, answer = self.ask("POST", f"/conversations/{self.cast.conversation}/escalate", {"mode": mode})
        if status != 202:
            raise Stuck(f"the handoff is refused: {status} {answer}")

    def end(self, how: str) -> None:
        """Go back to the assistant with `release`, or end the conversation with `close`."""
        about = {"o": self.organisation, "c": self.cast.conversation}
        self.history.note("C.leave", **about, how={"release": "back"}.get(how, how))
        status, answer = self.ask("POST", f"/conversations/{self.cast.conversation}/{how}")
        if status != 200:
            raise Stuck(f"{how} is refused: {status} {answer}")

    def await_state(self, *states: str) -> None:
        """Wait until the handoff is in one of these states."""

        def reached() -> bool:
            handoff = self.page()["conversation"]["handoff"] or {}
            if handoff.get("mode") == "ticket" and not self.by_ticket:
                raise GaveWay
            return handoff.get("state") in states

        self.until(reached, f"never {states}")

    def await_shown(self, role: str, text: str) -> None:
        """Wait until the customer sees this."""
        self.until(
            lambda: any(m["author"]["role"] == role and text in m["text"] for m in self.page()["messages"]),
            f"{role} never said {text!r}",
        )

    def await_delivered(self, mid: str) -> None:
        """Wait until a message of the customer's is known to have arrived."""
        self.until(
            lambda: any(m["id"] == mid and m["delivery"] == "delivered" for m in self.page()["messages"]),
            f"{mid} is never delivered",
        )

    def await_ticket(self) -> None:
        """Wait until the handoff's ticket is known."""
        self.cast.ticket = self.until(
            lambda: (self.page()["conversation"]["handoff"] or {}).get("ticket_id"), "the ticket is never known"
        )

    # the agent

    def desk(self, method: str, path: str, body: Any = None) -> Any:
        """Steer the fake Zendesk."""
        status, answer = self._desk(method, path, body)
        if status not in {200, 201}:
            raise Stuck(f"{method} {path}: {status} {answer}")
        return answer

    def agent(self, action: str, **body: Any) -> None:
        """Do something as the agent of the story's ticket."""
        self.desk("POST", f"/emulator/agent/{action}", {"ticket": self.cast.ticket, **body})

    def fault(self, **rule: Any) -> None:
        """Break something on the way to Zendesk."""
        self.desk("POST", "/emulator/faults", rule)

    # the end

    def drain(self) -> None:
        """Wait until nothing the customer said is still on its way."""
        self.until(
            lambda: all(m["delivery"] != "pending" for m in self.page()["messages"]),
            "something is never delivered",
        )

    def last_words_of_the_desk(self) -> None:
        """Take the final views of the agents' end."""
        self.desk("POST", "/emulator/history", {"final": True})

    def last_look(self) -> None:
        """Take the final view of the customer's end."""
        status, page = self.ask("GET", f"/conversations/{self.cast.conversation}/messages")
        if status != 200:
            raise Stuck(f"the conversation cannot be read: {status} {page}")
        self._see(page, final=True)
