"""People who write to the company, in tabs that die and come back, over lines that lose both questions and answers.

What a browser has sent and not heard of is in its storage, with the id it was sent under, and is sent again under that
id until there is an answer. A tab shows what its stream brings and takes it up where it was cut.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from torture.customer import entry_of
from torture.history import History, digest
from torture.simulator.asgi import Answer, Stream
from torture.simulator.chaos import Chaos
from torture.simulator.loop import Owner, sleep
from torture.simulator.process import Bridge, ConnectionLost
from torture.simulator.profile import Fault

WIDGET = "/widget/v1"
JSON = ("content-type", "application/json")
WANTS_A_PERSON = "I want to talk to a human, please"
PATIENCE_S = 15.0

# What people write; the places of the number and of the person keep every text its own.
PHRASES = (
    "{who} {n}: where is my parcel?",
    "{who} {n}: the tent arrived torn, and the second one too",
    "{who} {n}:   spaces   and\n\n\nlines   ",
    "{who} {n}: {{{{ticket.id}}}} and {{{{dc.hello}}}} are only words",
    "{who} {n}: žluťoučký kůň 🐎 “quoted” — <b>bold</b> & more",
    "{who} {n}: " + "a long story about one zipper, " * 40,
)


@dataclass(slots=True)
class Letter:
    """One message in a browser's storage."""

    mid: str
    text: str
    settled: bool = False
    under_way: int = 0


@dataclass(slots=True)
class Tab:
    """One reader: what it shows, in its order."""

    name: str
    entries: list[list[Any]] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    cursor: int = 0
    is_open: bool = True

    def forget(self) -> None:
        """Start from an empty screen."""
        self.entries, self.places, self.cursor = [], {}, 0

    def show(self, message: dict[str, Any]) -> bool:
        """Put a message on the screen; say whether it was not there yet."""
        mid, entry = message["id"], entry_of(message)
        self.cursor = max(self.cursor, message["seq"])
        if mid in self.places:
            self.entries[self.places[mid]][4] = entry[4]
            return False
        self.places[mid] = len(self.entries)
        self.entries.append(entry)
        return True

    def mark(self, mid: str, delivery: str) -> None:
        """Show what became of a message."""
        if mid in self.places:
            self.entries[self.places[mid]][4] = delivery

    def marks(self) -> Iterator[tuple[str, str]]:
        """Give what it shows of each message of the customer's."""
        for _, mid, role, _, mark in self.entries:
            if role == "customer":
                yield mid, mark


class Customer:
    """One person with one conversation."""

    def __init__(
        self, name: str, bridge: Bridge, chaos: Chaos, history: History, organisation: str, widget_key: str, seed: int
    ) -> None:
        self.name = name
        self.outbox: list[Letter] = []
        self.tabs: list[Tab] = []
        self._bridge = bridge
        self._chaos = chaos
        self._history = history
        self._organisation = organisation
        self._key = widget_key
        self._dice = random.Random(f"customer {name} {seed}")
        self.conversation = f"{self._dice.getrandbits(128):032x}"
        self.is_open = False
        self._presses = False
        self._token = ""
        self._handoff: dict[str, Any] | None = None
        self._browser = Owner(name)
        self._count = 0
        self._written = asyncio.Event()

    # the story

    async def live(self, until: Callable[[], bool]) -> None:
        """Write now and then, ask for a person early, sometimes leave."""
        tape = self._chaos.tape
        await sleep(tape.seconds(0.0, 3.0))
        await self._arrive()
        for _ in range(1 + tape.below(3)):
            self._open_tab()
        self._browser.start(self._post_letters(), "outbox")
        asked = False
        pause = (self._chaos.profile.quiet_s + self._chaos.profile.chaos_s) / 8
        for turn in range(5 + tape.below(14)):
            if until():
                return
            what = tape.below(20)
            if not asked and (turn >= 1 or what < 14):
                asked = True
                if self._chaos.profile.hesitant:
                    self._write(PHRASES[0].format(who=self.name, n=self._count))  # which the assistant can answer
                    await sleep(tape.seconds(0.0, 0.5))
                    await self._press_for_a_person("ticket")
                elif what % 4 == 3:
                    await self._press_for_a_person(tape.one_of(("auto", "live", "ticket")))
                else:
                    self._write(WANTS_A_PERSON + f" ({self.name})")
            elif what < 17:
                self._write(tape.one_of(PHRASES).format(who=self.name, n=self._count))
            elif what == 17 and tape.below(2):
                await self._press_for_a_person(tape.one_of(("ticket", "live")))
            elif what == 17:
                await self._order("customer", {"email": f"{self.name}@people.example"})
            elif what == 18 and tape.below(2):
                await self._leave("back", "release")
                asked = False
            elif tape.below(5) == 4:
                await self._leave("close", "close")
            await sleep(tape.seconds(0.05, pause))

    async def _press_for_a_person(self, mode: str) -> None:
        """Ask for a person with the button, and in what way; who has asked for a ticket may think better of it."""
        await self._order("escalate", {"reason": "asked_for_person", "mode": mode})
        if mode == "ticket" and (self._chaos.profile.hesitant or self._chaos.tape.below(2)):
            await sleep(self._chaos.tape.seconds(0.0, 1.0))
            await self._order("escalate", {"reason": "asked_for_person", "mode": "live"})

    async def _leave(self, how: str, order: str) -> None:
        """Press until it is answered; who presses again means it again, whatever has been asked for meanwhile."""
        await self._order(order, {}, lambda: self._note_leave(how))

    def _note_leave(self, how: str) -> None:
        self._history.note("C.leave", o=self._organisation, c=self.conversation, how=how)

    def _write(self, text: str) -> None:
        self._count += 1
        self.outbox.append(Letter(mid=f"{self._dice.getrandbits(128):032x}", text=text))
        self._written.set()

    @property
    def is_idle(self) -> bool:
        """Say whether everything written, and every button pressed, has its answer."""
        return self.is_open and not self._presses and all(letter.settled for letter in self.outbox)

    # requests

    async def _arrive(self) -> None:
        """Begin a session and open the conversation, as often as it takes."""
        while not self._token:
            answer = await self._ask("POST", "/sessions", {"key": self._key, "locale": "en"})
            if answer is not None and answer.status == 201:
                self._token = json.loads(answer.body)["token"]
            else:
                await sleep(1.0)
        while not self.is_open:
            answer = await self._ask("POST", "/conversations", {"id": self.conversation, "context": {}})
            self.is_open = answer is not None and answer.status == 201
            if not self.is_open:
                await sleep(1.0)

    async def _order(self, what: str, body: dict[str, Any], pressing: Callable[[], None] = lambda: None) -> None:
        """Press a button until it is answered."""
        self._presses = True
        for attempt in range(30):
            pressing()
            answer = await self._ask("POST", f"/conversations/{self.conversation}/{what}", body)
            if answer is not None and answer.status < 500:
                break
            await sleep(min(8.0, 2.0**attempt))
        self._presses = False

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer | None:
        """Send one request over the customer's line; nothing if no answer came."""
        chaos, tape = self._chaos, self._chaos.tape
        await sleep(tape.seconds(0.001, 0.05))
        if chaos.strikes(Fault.SUBMIT_SLOW):
            await sleep(tape.seconds(0.0, 6.0))
        if chaos.strikes(Fault.SUBMIT_LOST):
            return None
        headers = [("authorization", f"Bearer {self._token}")] if self._token else []
        data = b"" if body is None else json.dumps(body).encode()
        if body is not None:
            headers.append(JSON)
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await self._bridge.ask(method, WIDGET + path, headers, data)
        except (ConnectionLost, TimeoutError):
            return None
        if chaos.strikes(Fault.SUBMIT_ANSWER_LOST):
            return None
        await sleep(tape.seconds(0.001, 0.05))
        return answer

    # the outbox

    async def _post_letters(self) -> None:
        """Send what is in storage, one after the other, each until it is answered."""
        while True:
            letter = next((letter for letter in self.outbox if not letter.settled), None)
            if letter is None:
                self._written.clear()
                await self._written.wait()
                continue
            await self._post(letter)

    async def _post(self, letter: Letter) -> None:
        about = {"o": self._organisation, "c": self.conversation, "mid": letter.mid}
        self._history.note("C.submit", **about, h=digest(letter.text))
        for attempt in range(1000):
            if self._chaos.strikes(Fault.TAB_DIES):
                # Another tab finds the letter in storage while this one's request is still under way.
                self._browser.start(self._post_once(letter, about), "a dying tab")
                await sleep(self._chaos.tape.seconds(0.0, 1.0))
            await self._post_once(letter, about)
            if letter.settled:
                return
            await sleep(min(5.0, 0.5 * 2.0 ** min(attempt, 6)))

    async def _post_once(self, letter: Letter, about: dict[str, str]) -> None:
        path = f"/conversations/{self.conversation}/messages"
        answer = await self._ask("POST", path, {"id": letter.mid, "text": letter.text})
        if answer is None or answer.status >= 500 or answer.status == 429:
            return
        if answer.status == 201:
            message = json.loads(answer.body)
            self._history.note("C.ack", **about, seq=message["seq"], mark=message["delivery"])
            letter.settled = True
        elif not letter.settled:
            self._history.note("C.refused", **about, code=answer.status)
            letter.settled = True

    # the tabs

    def _open_tab(self) -> None:
        tab = Tab(name=f"{self.name}/{len(self.tabs) + 1}")
        self.tabs.append(tab)
        self._browser.start(self._keep_reading(tab), tab.name)

    async def _keep_reading(self, tab: Tab) -> None:
        while tab.is_open:
            try:
                stream = await self._listen(tab)
            except ConnectionLost:
                await sleep(1.0)
                continue
            await self._read(tab, stream)
            await sleep(0.5 if self._chaos.calm else self._chaos.tape.seconds(0.1, 3.0))

    async def _listen(self, tab: Tab) -> Stream:
        path = f"{WIDGET}/conversations/{self.conversation}/events"
        headers = [("authorization", f"Bearer {self._token}")]
        cursor = tab.cursor
        if self._chaos.strikes(Fault.CURSOR_WRONG):
            cursor += 1000  # from storage of another conversation
        if cursor:
            headers.append(("last-event-id", str(cursor)))
        return await self._bridge.open(path, headers)

    async def _read(self, tab: Tab, stream: Stream) -> None:
        """Show what a stream brings until it ends or is cut."""
        waiting = b""
        while True:
            piece = await stream.read()
            if not piece:
                return
            if stream.status != 200:
                if stream.status == 410:
                    tab.forget()  # no such place: read it from the start
                stream.leave()
                return
            waiting += piece
            *frames, waiting = waiting.split(b"\n\n")
            news = False
            for frame in frames:
                news |= self._show(tab, frame)
            if news:
                self._view(tab, final=False)
            if self._chaos.strikes(Fault.STREAM_CUT):
                stream.leave()
                return

    def _show(self, tab: Tab, frame: bytes) -> bool:
        kind, data = "", b""
        for line in frame.split(b"\n"):
            if line.startswith(b"event: "):
                kind = line[7:].decode()
            elif line.startswith(b"data: "):
                data = line[6:]
        if kind == "message":
            return tab.show(json.loads(data))
        if kind == "delivery":
            change = json.loads(data)
            tab.mark(change["id"], change["delivery"])
        elif kind == "conversation":
            self._state(json.loads(data)["handoff"])
        return False

    def _state(self, handoff: dict[str, Any] | None) -> None:
        if handoff is None:
            return
        looks = {"handoff": handoff["id"], **{name: handoff[name] for name in ("mode", "state", "ended")}}
        if looks != self._handoff:
            self._handoff = looks
            self._history.note("C.handoff", o=self._organisation, c=self.conversation, **looks)

    def _view(self, tab: Tab, *, final: bool) -> None:
        entries = [list(entry) for entry in tab.entries]
        self._history.note(
            "C.view", o=self._organisation, c=self.conversation, reader=tab.name, final=final, entries=entries
        )

    async def look_finally(self) -> None:
        """Take the final views: what every tab shows, and what somebody sees who opens the conversation now."""
        for tab in self.tabs:
            self._view(tab, final=True)
        fresh = Tab(name=f"{self.name}/fresh")
        while True:
            page = await self._page_after(fresh.cursor)
            for message in page["messages"]:
                fresh.show(message)
            if not page["messages"]:
                break
        self._state(page["conversation"]["handoff"])
        self._view(fresh, final=True)

    async def _page_after(self, cursor: int) -> dict[str, Any]:
        """Read on from a place; a conversation that is said not to exist shows nothing."""
        for _ in range(60):
            answer = await self._ask("GET", f"/conversations/{self.conversation}/messages?after={cursor}")
            if answer is not None and answer.status == 200:
                page: dict[str, Any] = json.loads(answer.body)
                return page
            await sleep(1.0)
        return {"messages": [], "conversation": {"handoff": None}}

    def close(self) -> None:
        """Shut the browser."""
        self._browser.kill()
