"""A customer who writes down what they do and see, and never gives up on a message.

Works over anything that carries a request to the product and back: real HTTP, or the application in this process. An
id is made before a message is first sent and is the same on every repetition, until there is a 2xx or a lasting no.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torture.history import History, digest

LONGEST_PAUSE_S = 2.0
PAGE = 500  # messages in one answer
PASSING = frozenset({408, 425, 429})  # a no that is not lasting


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What came back, in one piece."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)


Send = Callable[[Request], Awaitable[Response | None]]  # None: no answer, whatever the reason


class Refused(Exception):
    """The product said no for good to something else than a message."""


class Customer:
    """One customer in one conversation, through the developer API or (with its `root`) the widget's."""

    def __init__(
        self,
        *,
        send: Send,
        history: History,
        organisation: str,
        conversation: str,
        headers: Mapping[str, str],
        sleep: Callable[[float], Awaitable[None]],
        new_id: Callable[[], str],
        root: str = "/api/v1",
    ) -> None:
        self._send, self._history, self._sleep, self._new_id = send, history, sleep, new_id
        self._headers = {"Content-Type": "application/json", **headers}
        self._root = root
        self._who = {"o": organisation, "c": conversation}
        self.conversation = conversation
        self.handoff: dict[str, Any] | None = None  # as last seen
        self.control = ""
        self._readers: dict[str, list[list[Any]]] = {}  # what each of them shows

    # Writing

    async def open(self, **customer: str) -> None:
        """Open the conversation."""
        await self._insist("POST", "/conversations", {"id": self.conversation, "customer": customer})

    async def say(self, text: str) -> bool:
        """Send a message until it is taken or refused for good; say whether it was taken."""
        mid = self._new_id()
        self._history.note("C.submit", **self._who, mid=mid, h=digest(text))
        answer = await self._until_answered("POST", f"{self._path}/messages", {"id": mid, "text": text})
        told = answer.json()
        if answer.status < 300:
            self._history.note("C.ack", **self._who, mid=mid, seq=told["seq"], mark=told["delivery"])
            return True
        self._history.note("C.refused", **self._who, mid=mid, code=str(told.get("code", answer.status)))
        return False

    async def escalate(self) -> None:
        """Ask for a person."""
        await self._insist("POST", f"{self._path}/escalate", {})

    async def go_back(self) -> None:
        """Go back to the assistant."""
        self._history.note("C.leave", **self._who, how="back")
        await self._insist("POST", f"{self._path}/release", {})

    async def close(self) -> None:
        """End the conversation."""
        self._history.note("C.leave", **self._who, how="close")
        await self._insist("POST", f"{self._path}/close", {})

    # Reading

    async def reload(self, *, final: bool = False, reader: str = "reload") -> None:
        """Read the whole conversation as a page that is loaded anew."""
        entries: list[list[Any]] = []
        while True:
            page = await self._insist("GET", f"{self._path}/messages?after={entries[-1][0] if entries else 0}")
            entries += [entry_of(message) for message in page["messages"]]
            if len(page["messages"]) < PAGE:
                break
        self._readers[reader] = entries
        self._shown(reader, entries, final=final)
        self._stands(page["conversation"])

    async def follow(self, *, final: bool = False, reader: str = "follow") -> None:
        """Read on from where this reader is, as a page that has been open all the time.

        What became of a message it has already read it is not told, so it shows none of that.
        """
        entries = self._readers.setdefault(reader, [])
        page = await self._insist("GET", f"{self._path}/messages?after={entries[-1][0] if entries else 0}")
        read = [entry_of(message) for message in page["messages"]]
        entries += [[*entry[:4], "" if entry[2] == "customer" else entry[4]] for entry in read]
        if page["messages"] or final:
            self._shown(reader, entries, final=final)
        self._stands(page["conversation"])

    async def watch(self, chunks: AsyncIterable[bytes], *, reader: str = "stream") -> None:
        """Read the bytes of an event stream, asked for with `stream_request`, until it ends."""
        entries = self._readers.setdefault(reader, [])
        held = b""
        async for chunk in chunks:
            held += chunk
            *frames, held = held.split(b"\n\n")
            changed = [self._framed(frame, entries) for frame in frames]
            if any(changed):
                self._shown(reader, entries, final=False)

    def stream_request(self, reader: str = "stream") -> Request:
        """Give the request that opens an event stream where this reader is."""
        entries = self._readers.get(reader)
        after = entries[-1][0] if entries else 0
        return self._request("GET", f"{self._path}/events?after={after}", None)

    def view(self, reader: str, *, final: bool) -> None:
        """Take a view of what a reader of a stream shows."""
        self._shown(reader, self._readers.get(reader, []), final=final)

    def shown(self, reader: str) -> list[list[Any]]:
        """Give what a reader shows."""
        return self._readers.get(reader, [])

    def waits(self, reader: str) -> bool:
        """Say whether a reader shows a message as under way."""
        return any(entry[4] == "pending" for entry in self.shown(reader))

    def said_by(self, role: str, reader: str = "follow") -> list[str]:
        """Give the ids of what a reader shows of one role."""
        return [entry[1] for entry in self.shown(reader) if entry[2] == role]

    def _framed(self, frame: bytes, entries: list[list[Any]]) -> bool:
        """Take one event of a stream in; say whether it changed what is shown."""
        fields = dict(line.split(": ", 1) for line in frame.decode().splitlines() if ": " in line)
        told = json.loads(fields["data"]) if "data" in fields else {}
        match fields.get("event"):
            case "message":
                entries.append(entry_of(told))
            case "delivery":
                for entry in entries:
                    entry[4] = told["delivery"] if entry[1] == told["id"] else entry[4]
            case "conversation":
                self._stands(told)
                return False
            case _:
                return False
        return True

    def _shown(self, reader: str, entries: list[list[Any]], *, final: bool) -> None:
        copied = [list(entry) for entry in entries]
        self._history.note("C.view", **self._who, reader=reader, final=final, entries=copied)

    def _stands(self, state: dict[str, Any]) -> None:
        """Write down which handoff the conversation is in, each time it looks different."""
        handoff, before = state["handoff"], self.handoff
        self.control = state["control"]
        if handoff is None:
            return
        seen = {"mode": handoff["mode"], "state": handoff["state"], "ended": handoff["ended"]}
        if before is None or before["id"] != handoff["id"] or any(before[name] != seen[name] for name in seen):
            self._history.note("C.handoff", **self._who, handoff=handoff["id"], **seen)
        self.handoff = handoff

    # Sending

    @property
    def _path(self) -> str:
        return f"/conversations/{self.conversation}"

    def _request(self, method: str, path: str, body: object) -> Request:
        sent = b"" if body is None else json.dumps(body).encode()
        return Request(method=method, path=self._root + path, headers=self._headers, body=sent)

    async def _insist(self, method: str, path: str, body: object = None) -> Any:
        answer = await self._until_answered(method, path, body)
        if answer.status >= 300:
            raise Refused(f"{method} {path}: {answer.status} {answer.body[:200]!r}")
        return answer.json()

    async def _until_answered(self, method: str, path: str, body: object) -> Response:
        """Repeat a request until it is answered with a yes or with a lasting no."""
        request = self._request(method, path, body)
        pause = 0.1
        while True:
            answer = await self._send(request)
            if answer is not None and answer.status < 500 and answer.status not in PASSING:
                return answer
            await self._sleep(pause)
            pause = min(LONGEST_PAUSE_S, pause * 2)


def entry_of(message: Mapping[str, Any]) -> list[Any]:
    """Say what a view shows of a message."""
    role, words = message["author"]["role"], message["text"]
    mark = message["delivery"] if role == "customer" else message.get("notice", "")
    has_text = words or not message["attachments"]
    return [message["seq"], message["id"], role, digest(words) if has_text else None, mark]
