"""Between the socket and the server: the edge reads first, one request at a time, and nobody is waited for long.

Uvicorn has a protocol for each HTTP parser; both get the same few lines in front. A refusal is a problem document like
every other. After it the connection ends, but not before the sender has had time to read it: hanging up on somebody
who is still sending would destroy the answer on its way.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from escalade.web.edge import Edge, malformed
from escalade.web.wire import NO_SNIFF, NO_STORE, PROBLEM, Problem, encode

HEAD_SECONDS = 10.0  # how long a caller may take to say what it wants
REST_SECONDS = 5.0  # how long the rest of a body may take that was answered before it had come
LINGER_SECONDS = 2.0  # how long a caller who is still sending may go on after we have said our last word
MOST_AHEAD = 64 * 1024  # what may be sent while an answer is under way

if TYPE_CHECKING:
    _Protocol = HttpToolsProtocol
else:
    _Protocol = object


class _Line:
    """The transport as the server sees it: it hangs up when the listener says so."""

    def __init__(self, transport: asyncio.Transport, listener: Listener) -> None:
        self._transport = transport
        self._listener = listener
        self._ended = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Say whether the last word has been said."""
        return self._ended or self._transport.is_closing()

    def close(self) -> None:
        """Say nothing more."""
        if not self._ended:
            self._ended = True
            self._listener.hang_up()


class Listener(_Protocol):
    """Puts the edge in front of one of uvicorn's protocols."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to listen."""
        self._edge = Edge()
        self._socket = transport
        self._deaf = False  # the last word is said; what still comes is thrown away
        self._answering = False
        self._timer: asyncio.TimerHandle | None = None
        super().connection_made(_Line(transport, self))  # type: ignore[arg-type]
        self._within(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._deaf = True
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Let the edge read first."""
        if self._deaf:
            return
        if self._edge.is_between and not self._answering:
            self._within(HEAD_SECONDS)
        self._edge.take(data)
        self._go_on()

    def on_response_complete(self) -> None:
        """Go on with what was sent ahead, once an answer is complete."""
        super().on_response_complete()
        self._answering = False
        if not self._deaf:
            self._within(HEAD_SECONDS if self._edge.is_in_head else REST_SECONDS)
            self._go_on()

    def _go_on(self) -> None:
        """Hand on what is in order; a request waits until the one before it is answered."""
        while not self._deaf:
            begins = self._edge.is_in_head
            if begins and self._answering:
                if self._edge.ahead > MOST_AHEAD:
                    self.transport.close()
                return
            try:
                data = self._edge.give()
            except Problem as problem:
                self._refuse(problem)
                return
            if not data:
                return
            if begins:
                self._answering = True
                self._stop_waiting()
            super().data_received(data)
            if not begins and self._edge.is_in_head and not self._answering:
                self._within(HEAD_SECONDS)  # the rest of a body has come that was answered before

    # the last word

    def _refuse(self, problem: Problem) -> None:
        """Answer in the application's place and end the connection."""
        cycle: Any = self.cycle
        if self._answering:
            begun, cycle.disconnected = cycle.response_started, True
            cycle.message_event.set()
            if begun:
                self.transport.close()
                return
        body = encode(problem.body())
        length, close = (b"content-length", str(len(body)).encode()), (b"connection", b"close")
        lines = (PROBLEM, length, NO_STORE, NO_SNIFF, *problem.headers, close)
        first = f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n".encode()
        self._socket.write(b"".join((first, *(b"%s: %s\r\n" % line for line in lines), b"\r\n", body)))
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser behind us would not read; the edge should have."""
        self._refuse(malformed(msg))

    def hang_up(self) -> None:
        """End the connection; a caller who is still sending is given the time to see why."""
        still_sending = not self._edge.is_between and not self._deaf
        self._deaf = True
        if still_sending and self._socket.can_write_eof() and not self._socket.is_closing():
            self._socket.write_eof()
            self.flow.resume_reading()
            self._stop_waiting()
            self._timer = self.loop.call_later(LINGER_SECONDS, self._socket.close)
        else:
            self._socket.close()

    # waiting

    def _within(self, seconds: float) -> None:
        """Expect something within so many seconds."""
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, self._is_late)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _is_late(self) -> None:
        if self._edge.is_in_head and self._edge.ahead:
            self._refuse(Problem("timeout"))
        else:
            self.transport.close()


class HttptoolsListener(Listener, HttpToolsProtocol):
    """In front of httptools: what the product is served with."""


class H11Listener(Listener, H11Protocol):  # type: ignore[misc] # mypy takes Listener for the other one
    """In front of h11, which is all Python."""


LISTENERS = {"httptools": HttptoolsListener, "h11": H11Listener}
