"""What the edge hands on is read alike by every parser; what two could read differently it refuses."""

from __future__ import annotations

from dataclasses import dataclass, field

import h11
import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalade.web.edge import LONGEST_HEAD, Edge
from escalade.web.wire import Problem

PLAIN = b"POST /a?b=c HTTP/1.1\r\nHost: x.example\r\nContent-Length: 4\r\n\r\nbody"
CHUNKED = (
    b"POST /a HTTP/1.1\r\nHost: x.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;ext=1\r\nbod\r\n001\r\ny\r\n0\r\nTrailer: t\r\n\r\n"
)
NEXT = b"GET /next HTTP/1.1\r\nHost: x.example\r\n\r\n"


def through(*parts: bytes) -> tuple[list[bytes], Problem | None, Edge]:
    """Give what the edge hands on, request by request, what it refuses, and the edge."""
    edge, handed = Edge(), list[bytes]()
    for part in parts:
        edge.take(part)
        try:
            while True:
                begins = edge.is_in_head
                data = edge.give()
                if not data:
                    break
                if begins:
                    handed.append(b"")
                handed[-1] += data
        except Problem as problem:
            return handed, problem, edge
    return handed, None, edge


@dataclass
class Request:
    """One request as a parser read it."""

    method: bytes = b""
    target: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


class Heard:
    """Everything httptools calls back with."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.parser = httptools.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        self.requests.append(Request())

    def on_url(self, url: bytes) -> None:
        self.requests[-1].target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.requests[-1].headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.requests[-1].method = self.parser.get_method()

    def on_body(self, body: bytes) -> None:
        self.requests[-1].body += body


def by_httptools(data: bytes) -> list[Request]:
    heard = Heard()
    heard.parser.feed_data(data)
    return heard.requests


def by_h11(data: bytes) -> list[Request]:
    connection = h11.Connection(h11.SERVER, 1 << 20)
    connection.receive_data(data)
    found: list[Request] = []
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            found.append(Request(event.method, event.target, [(bytes(n), bytes(v)) for n, v in event.headers]))
        elif isinstance(event, h11.Data):
            found[-1].body += bytes(event.data)
        else:  # the end, or what has come so far
            return found


def test_a_request_in_order_is_handed_on_as_it_is() -> None:
    handed, problem, edge = through(PLAIN)
    assert problem is None
    assert handed == [PLAIN.replace(b"Host", b"host").replace(b"Content-Length", b"content-length")]
    assert edge.is_between


def test_chunks_lose_their_extensions_and_trailers() -> None:
    handed, problem, edge = through(CHUNKED)
    assert problem is None
    assert handed[0].endswith(b"\r\n\r\n3\r\nbod\r\n1\r\ny\r\n0\r\n\r\n")
    assert edge.is_between


def test_one_request_is_handed_on_at_a_time() -> None:
    edge = Edge()
    edge.take(PLAIN + NEXT)
    assert edge.give().startswith(b"POST")
    assert edge.give() == b"body"
    assert edge.is_in_head
    assert edge.ahead == len(NEXT)
    assert edge.give().startswith(b"GET")


def test_a_head_that_never_ends_is_refused_before_it_is_kept() -> None:
    for start in (b"GET / HTTP/1.1\r\nX: ", b"GET /", b""):
        edge = Edge()
        edge.take(start + b"x" * (LONGEST_HEAD + 1))
        with pytest.raises(Problem):
            edge.give()


@pytest.mark.parametrize(
    "first", [b"\x16\x03\x01\x02\x00", b"\x00", b"GET / HTTP/1.1\n", b"\n", b"{", b"SSH-2.0 \xff\n"]
)
def test_what_is_no_request_is_refused_at_its_first_bytes(first: bytes) -> None:
    handed, problem, _ = through(first)
    assert problem is not None
    assert (handed, problem.status) == ([], 400)


def test_an_offer_to_change_the_protocol_is_passed_over() -> None:
    handed, problem, _ = through(NEXT[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert problem is None
    assert b"upgrade: h2c" not in handed[0]


PIECES = st.sampled_from(
    b"""\r\n|\n|\r| |\t|\0|:|\x0b|\xff|,|;|0\r\n\r\n|X: y\r\n|\r\n y|Content-Length: 3\r\n|
Transfer-Encoding: chunked\r\n|Host: y\r\n|
Connection: close\r\n|chunked|HTTP/1.0|http://y/|5|+|-|0x|g|Upgrade: h2c\r\n|
Connection: Upgrade\r\n|Expect: 100-continue\r\n|GET / HTTP/1.1\r\nHost: y\r\n\r\n""".split(b"|")
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Requests that were good, with pieces put in, taken out and put in place of others."""
    data = draw(st.sampled_from([PLAIN, CHUNKED, NEXT, PLAIN + NEXT, CHUNKED + PLAIN]))
    for _ in range(draw(st.integers(0, 4))):
        begin = draw(st.integers(0, len(data)))
        end = min(len(data), begin + draw(st.integers(0, 3)))
        data = data[:begin] + draw(st.one_of(st.just(b""), PIECES, st.binary(max_size=3))) + data[end:]
    return data


@settings(max_examples=800, deadline=None)
@given(requests(), st.integers(1, 7))
def test_both_parsers_read_alike_what_is_handed_on(data: bytes, size: int) -> None:
    handed, problem, edge = through(data)
    in_pieces, refused, waiting = through(*(data[at : at + size] for at in range(0, len(data), size)))
    if problem is None and refused is None:
        assert in_pieces == handed
    elif problem is None or refused is None:  # it was told sooner, of a request that is not whole
        assert not (edge if problem is None else waiting).is_between
    else:
        del handed[len(handed) - (not edge.is_in_head) :]  # its end was refused
    for request in handed:
        assert by_httptools(request) == by_h11(request)
        assert len(by_h11(request)) == 1
