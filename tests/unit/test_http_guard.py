"""The outbound door: where it refuses to go, what it refuses to read, and how certain each failure is (S03–S13)."""

from __future__ import annotations

import asyncio
import base64
import gzip
import socket
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from escalade.channels.addresses import is_loopback, is_public
from escalade.channels.http import Outbound, Request, Response, _Guard, _Guarded, redacted, shown_url
from escalade.domain.errors import Refused, Retryable, Uncertain

PRIVATE = [
    "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.127.255.255", "192.0.0.8", "198.18.0.1", "198.19.255.255", "224.0.0.1", "239.1.1.1", "0.0.0.0",
    "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1",
    "::", "::1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
    "2002:7f00:1::", "2001:0:4136:e378::1", "2001:db8::1", "3fff::1", "fd00:ec2::254", "fc00::1", "fe80::1",
    "fe80::1%eth0", "fec0::1", "ff02::1", "5f00::1", "::7f00:1", "2606:4700::1%eth0",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "104.16.53.111", "172.32.0.1", "100.128.0.1", "2606:4700::6810:356f", "64:ff9b::808:808",
          "::ffff:8.8.8.8"]  # fmt: skip

SPELLINGS = [
    "https://127.0.0.1/", "https://localhost/", "https://127.1/", "https://2130706433/", "https://0x7f.1/",
    "https://0177.0.0.1/", "https://[::1]/", "https://[::ffff:169.254.169.254]/", "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:7f00:1::]/", "https://[fd00:ec2::254]/", "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1/", "https://0.0.0.0/", "https://10.0.0.1:8443/", "https://192.168.0.1/", "https://0/",
]  # fmt: skip
UNREADABLE = [
    "http://example.com/", "http://127.0.0.1/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/",
    "javascript:alert(1)", "https://user:pw@example.com/", "https:///x", "", "https://exa mple.com/", "//example.com/",
    "https://[fe80::1%25eth0]/", "https://example.com:99999999/", "https://evil\x00.example.com/",
    "https://example.com./",
]  # fmt: skip


def names(**table: list[str]) -> Callable[[str, int], Awaitable[list[str]]]:
    async def resolve(host: str, _port: int) -> list[str]:
        return table[host.partition(".")[0]]

    return resolve


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_recognised_in_every_range(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_let_through(address: str) -> None:
    assert is_public(address)
    assert not is_loopback(address)


def test_loopback_is_this_machine_only() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("127.9.9.9")
    assert is_loopback("::1")
    assert not is_loopback("10.0.0.1")
    assert not is_loopback("fe80::1")


@pytest.mark.parametrize("url", SPELLINGS)
async def test_no_spelling_of_a_private_address_is_ever_connected_to(url: str, connects: list[tuple[Any, ...]]) -> None:
    outbound = Outbound()
    with pytest.raises((Refused, Retryable)) as refused:
        await outbound.send(Request(method="POST", url=url, body=b"{}"))
    await outbound.close()
    assert isinstance(refused.value, Refused) or "resolved" in refused.value.detail
    assert connects == []


@pytest.mark.parametrize("url", UNREADABLE)
async def test_what_is_not_https_is_not_called(url: str, connects: list[tuple[Any, ...]]) -> None:
    outbound = Outbound()
    with pytest.raises(Refused):
        await outbound.send(Request(method="GET", url=url))
    await outbound.close()
    assert connects == []


@pytest.mark.parametrize(
    "records", [["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["8.8.8.8", "fd00::1"], ["169.254.169.254"]]
)
async def test_one_private_record_spoils_a_name(records: list[str], connects: list[tuple[Any, ...]]) -> None:
    outbound = Outbound(resolve=names(mixed=records))
    with pytest.raises(Refused, match="blocked address"):
        await outbound.send(Request(method="GET", url="https://mixed.example.com/"))
    await outbound.close()
    assert connects == []


async def test_in_development_http_still_leads_nowhere_but_here(connects: list[tuple[Any, ...]]) -> None:
    outbound = Outbound(allow_http_loopback=True, resolve=names(far=["8.8.8.8"], near=["10.0.0.1"], here=["127.0.0.1"]))
    for url in ("http://far.example/", "http://near.example/"):
        with pytest.raises(Refused):
            await outbound.send(Request(method="GET", url=url))
    with pytest.raises(Refused):
        await outbound.send(Request(method="GET", url="https://here.example/"))
    await outbound.close()
    assert connects == []


async def test_a_name_without_addresses_can_be_tried_later() -> None:
    outbound = Outbound(resolve=names(empty=[]))
    with pytest.raises(Retryable):
        await outbound.send(Request(method="POST", url="https://empty.example/", body=b"{}"))
    await outbound.close()


# What servers do

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def saying(raw: bytes, *, then: float = 0) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()
        await asyncio.sleep(then)

    return answer


async def ask(answer: Answer, method: str = "POST", **more: Any) -> Response:
    outbound = Outbound(allow_http_loopback=True)
    try:
        async with serving(answer) as port:
            body = None if method == "GET" else b"{}"
            return await outbound.send(
                Request(method=method, url=f"http://127.0.0.1:{port}/x", body=body, **{"seconds": 20.0, **more})
            )
    finally:
        await outbound.close()


async def test_an_answer_is_read_whole() -> None:
    answer = await ask(saying(b"HTTP/1.1 201 Created\r\nX-One: 1\r\nContent-Length: 2\r\n\r\n{}"))
    assert (answer.status, answer.body, answer.header("x-one")) == (201, b"{}", "1")
    assert answer.header("absent") is None


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    answer = await ask(
        saying(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"), "GET"
    )
    assert answer.status == 302


async def test_who_we_are_is_said_and_nothing_else_is_added() -> None:
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\nSet-Cookie: a=b\r\n\r\n")

    await ask(answer, "GET")
    lines = heard[0].decode().lower().splitlines()
    assert any(line.startswith("user-agent: escalade/") for line in lines)
    assert sorted(line.partition(":")[0] for line in lines[1:] if line) == [
        "accept", "accept-encoding", "host", "user-agent",
    ]  # fmt: skip


async def test_proxy_settings_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    answer = await ask(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "GET")
    assert answer.status == 200


@pytest.mark.parametrize(
    "answer",
    [
        saying(b""),
        saying(b"", then=30),
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"),
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", then=30),
        saying(b"not http at all\r\n\r\n"),
        saying(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n"),
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + b"x" * 3000),
        saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}"),
        saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
        saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\n" + gzip.compress(b"{}")[:12]),
    ],
    ids=["reset", "silence", "half", "stalled", "not http", "headers", "too large", "brotli", "not gzip", "half gzip"],
)
async def test_after_the_first_byte_only_a_question_may_simply_be_asked_again(answer: Answer) -> None:
    with pytest.raises(Uncertain):
        await ask(answer, seconds=1.0, limit=2000)  # to connect takes no second
    with pytest.raises(Retryable):
        await ask(answer, "GET", seconds=1.0, limit=2000)


async def test_a_body_that_trickles_is_cut_off_in_time() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1\r\nx\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with asyncio.timeout(20):
        with pytest.raises(Retryable, match=r"within 0\.5 s"):
            await ask(answer, "GET", seconds=0.5)


async def test_compressed_answers_are_read_and_bombs_are_not() -> None:
    def packed(content: bytes, name: bytes = b"gzip") -> Answer:
        body = gzip.compress(content)
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (name, len(body))
        return saying(head + body)

    text = base64.b64encode(bytes(range(256)) * 300)
    assert (await ask(packed(b'{"a":1}'))).body == b'{"a":1}'
    assert (await ask(packed(b"a" * 60_000), "GET")).body == b"a" * 60_000
    assert (await ask(packed(text[:60_000], b"x-gzip"), "GET")).body == text[:60_000]
    with pytest.raises(Retryable, match="beyond reason"):
        await ask(packed(b"\0" * 900_000), "GET")


async def test_before_the_first_byte_a_failure_is_certain() -> None:
    async with serving(saying(b"")) as port:
        pass
    outbound = Outbound(allow_http_loopback=True)
    with pytest.raises(Retryable):
        await outbound.send(Request(method="POST", url=f"http://127.0.0.1:{port}/", body=b"{}"))
    await outbound.close()


async def test_a_connection_that_never_opens_is_certain_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forever(_host: str, _port: int) -> list[str]:
        await asyncio.sleep(30)
        return []

    monkeypatch.setattr("escalade.channels.http.CONNECT_SECONDS", 0.1)
    outbound = Outbound(resolve=forever)
    with pytest.raises(Retryable, match="no connection in time"):
        await outbound.send(Request(method="POST", url="https://slow.example/", body=b"{}"))
    await outbound.close()


async def test_a_second_address_is_tried_when_the_first_is_dead() -> None:
    async with serving(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as port:
        outbound = Outbound(allow_http_loopback=True, resolve=names(two=["127.0.0.2", "127.0.0.1"]))
        answer = await outbound.send(Request(method="POST", url=f"http://two.example:{port}/", body=b"{}"))
        await outbound.close()
    assert answer.status == 200


# Who is at the other end


def certified(name: str, folder: Path, *, ended: bool = False) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a server's TLS context with a self-signed certificate for a name, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=2))
        .not_valid_after(now + timedelta(hours=-1 if ended else 1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "pair.pem").write_bytes(private + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "pair.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


async def ask_securely(url_name: str, server: ssl.SSLContext, client: ssl.SSLContext | None) -> Response:
    outbound = Outbound(ssl_context=client)
    context = client or ssl.create_default_context()
    here = names(**{url_name.partition(".")[0]: ["127.0.0.1"]})
    outbound._secure = _Guarded(_Guard(here, lambda _address: True), context)
    heard: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: heard.append(name)
    try:
        async with serving(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), server) as port:
            answer = await outbound.send(Request(method="POST", url=f"https://{url_name}:{port}/", body=b"{}"))
    finally:
        await outbound.close()
    assert heard == [url_name]
    return answer


async def test_the_name_is_proved_although_an_address_is_called(tmp_path: Path) -> None:
    server, trusting = certified("desk.example", tmp_path)
    assert (await ask_securely("desk.example", server, trusting)).status == 200


async def test_a_stranger_at_the_other_end_is_told_nothing(tmp_path: Path) -> None:
    server, trusting = certified("desk.example", tmp_path)
    for name, client in (("desk.example", None), ("other.example", trusting)):
        with pytest.raises(Retryable, match="no trustworthy TLS connection"):
            await ask_securely(name, server, client)


async def test_s12_a_certificate_that_has_ended_is_refused(tmp_path: Path) -> None:
    server, trusting = certified("desk.example", tmp_path, ended=True)
    with pytest.raises(Retryable, match=r"no trustworthy TLS connection: certificate has expired"):
        await ask_securely("desk.example", server, trusting)


async def test_s12_an_old_protocol_is_refused(tmp_path: Path) -> None:
    server, trusting = certified("desk.example", tmp_path)
    server.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is the point
        server.minimum_version, server.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises(Retryable, match="no trustworthy TLS connection"):
        await ask_securely("desk.example", server, trusting)


async def test_a_name_nobody_knows_can_be_tried_later() -> None:
    async def nobody(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    outbound = Outbound(resolve=nobody)
    with pytest.raises(Retryable, match="cannot be resolved"):
        await outbound.send(Request(method="POST", url="https://nowhere.example/", body=b"{}"))
    await outbound.close()


# What may be written down


def test_an_exchange_is_summed_up_without_its_secrets() -> None:
    basic = base64.b64encode(b"ada@acme.example/token:s3cr3t-token").decode()
    request = Request(
        method="POST",
        url="https://user:pw@acme.zendesk.com/oauth/tokens?token=abc&page=2",
        headers={"Authorization": f"Basic {basic}"},
    )
    body = b'{"access_token": "at-1","refresh_token":"rt-1","echo":"s3cr3t-token","code":"conflict","token":"cut off'
    line = redacted(request, Response(status=401, body=body))
    assert line.startswith("POST https://acme.zendesk.com/oauth/tokens?token=•••&page=2 → 401 {")
    for secret in ("at-1", "rt-1", "s3cr3t-token", basic, "cut off", "pw@", "abc"):
        assert secret not in line
    assert "conflict" in line
    assert "Basic" not in repr(request)


def test_a_summary_is_short_and_storable() -> None:
    line = redacted(Request(method="GET", url="https://a.example/"), Response(status=200, body=b"\0\xff" + b"x" * 9000))
    assert len(line) < 600
    assert "\0" not in line


def test_an_unreadable_address_is_not_repeated() -> None:
    assert shown_url("https://[bad/?token=abc") == "an unreadable address"
