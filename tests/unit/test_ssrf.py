"""Three hundred ways to write an address that is not ours to call, and none is ever connected to (S03–S08).

Every connection this process tries is seen by an audit hook below any library. The resolver is the system's own for
everything it can read as an address, and a table for names.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest

from escalade.channels.addresses import is_public
from escalade.channels.http import Outbound, Request, Response, _Guard, _Guarded, _resolve
from escalade.domain.errors import Refused, Retryable

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.9.9", "192.168.1.1",
    "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.8", "198.18.0.1", "224.0.0.1",
    "255.255.255.255",
]  # fmt: skip
V6 = [
    "::1", "::", "fd00:ec2::254", "fc00::1", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1", "3fff::1", "5f00::1",
    "100::1", "64:ff9b:1::a00:1", "2001::1", "2001:20::1", "2001:10::1",
]  # fmt: skip
FULLWIDTH = str.maketrans("0123456789.", "０１２３４５６７８９。")
CIRCLED = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")


def spellings(text: str) -> list[str]:
    """Write an IPv4 address in every way some program somewhere reads."""
    address = IPv4Address(text)
    number, (a, b, c, d) = int(address), address.packed
    hosts = [
        text, str(number), hex(number), f"0{number:o}",
        f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"0x{a:X}.{b}.0{c:o}.{d}",
        f"{a}.{number & 0xFFFFFF}", f"{a}.{b}.{number & 0xFFFF}", f"0x{a:x}.{number & 0xFFFFFF}",
        f"{a:03}.{b:03}.{c:03}.{d:03}", f"{text}.", f"{a}.{b}.{c}.{d}%00.example.com",
        "".join(f"%{ord(char):02x}" for char in text), text.translate(FULLWIDTH), text.translate(CIRCLED),
        f"[::ffff:{text}]", f"[::ffff:{a:x}{b:02x}:{c:x}{d:02x}]", f"[::{text}]", f"[64:ff9b::{text}]",
        f"[2002:{a:02x}{b:02x}:{c:02x}{d:02x}::]", f"[::ffff:0:{text}]", f"[fe80::{text}]", f"[::ffff:{text}%25lo]",
    ]  # fmt: skip
    return [f"https://{host}/" for host in hosts]


URLS = [
    *(url for text in PRIVATE for url in spellings(text)),
    *(f"https://[{text}]/" for text in V6),
    *(f"https://[{IPv6Address(text).exploded}]/" for text in V6),
    *(f"https://[{text}%25eth0]/" for text in V6),
    "https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://metadata.google.internal/",
    "https://private.example/", "https://private.example./", "https://private.example:22/", "https://@private.example/",
    "https://public.example@private.example/", "https://public.example#@private.example/",
    "https://public.example\\@private.example/", "https://public.example%2f@private.example/",
    "https://evil.com／x.zendesk.com/", "https://zendesK.com/", "https://а.private.example/",
    "https://public.example:443@127.0.0.1/", "https://127.0.0.1:443\\@public.example/", "https://127.0.0.1%2f.example/",
    "https://127.0.0.1%23.example/", "https://127.0.0.1?.example/", "https://127.0.0.1#.example/", "https:127.0.0.1/",
    "https:/127.0.0.1/", "https:///127.0.0.1/", "https://\t127.0.0.1/", "https://127.0.0.1\n/", "https://127.0.0.1 /",
    " https://127.0.0.1/", "HTTPS://127.0.0.1/", "https://[::1", "https://[]/", "https://./", "https://..example/",
]  # fmt: skip

NAMES = {
    "private.example": ["10.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "public.example": ["10.9.9.9"],  # nothing in this test may be called, so this one is private too
}


async def resolve(host: str, port: int) -> list[str]:
    """Answer for names from a table, and let the system read what it takes for an address."""
    name = host.lower().rstrip(".")
    if name in NAMES:
        return NAMES[name]
    if name == "localhost" or not any(char.isalpha() and char not in "abcdefxABCDEFX" for char in name):
        return await _resolve(host, port)
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_there_are_three_hundred_of_them() -> None:
    assert len(set(URLS)) >= 300, len(set(URLS))


async def test_s03_s04_s05_s08_none_of_them_is_ever_connected_to(connects: list[tuple[Any, ...]]) -> None:
    outbound = Outbound(resolve=resolve)
    for url in URLS:
        with pytest.raises((Refused, Retryable)) as refused:
            await outbound.send(Request(method="POST", url=url, body=b"{}", headers={"Authorization": "Bearer secret"}))
        assert isinstance(refused.value, Refused) or "resolved" in refused.value.detail, (url, refused.value.detail)
        assert "secret" not in refused.value.detail
    await outbound.close()
    assert connects == []


async def test_in_development_none_of_them_but_this_machine_is_connected_to(connects: list[tuple[Any, ...]]) -> None:
    outbound = Outbound(allow_http_loopback=True, resolve=resolve)
    for url in URLS:
        plain = url.replace("https:", "http:", 1)
        with suppress(Refused, Retryable):
            await outbound.send(Request(method="GET", url=plain, seconds=1))
    await outbound.close()
    reached = {address[0] for (address, *_) in connects if isinstance(address, tuple)}
    assert all(ip_address(str(host).partition("%")[0]).is_loopback for host in reached), reached


@pytest.mark.parametrize("records", [["127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["fd00::1"], ["::ffff:10.0.0.1"]])
async def test_s06_a_name_that_turns_private_between_two_looks_is_not_followed(
    connects: list[tuple[Any, ...]], records: list[str]
) -> None:
    """Answer publicly once and privately ever after, as a rebinding server does: the first answer is all there is."""
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["192.0.2.7"] if len(asked) == 1 else records

    outbound = Outbound(resolve=rebinding)
    # 192.0.2.7 stands for a public address; nobody answers there, and nothing leaves this machine.
    outbound._secure = _Guarded(_Guard(rebinding, lambda address: address == "192.0.2.7"), ssl.create_default_context())
    for _ in range(3):
        with pytest.raises((Refused, Retryable)):
            await outbound.send(Request(method="GET", url="https://rebind.example/", seconds=0.2))
    await outbound.close()
    assert len(asked) == 3, "one look for each connection, and none between the judgement and the connection"
    assert {address[0] for (address, *_) in connects} <= {"192.0.2.7"}


async def test_s07_a_redirect_leads_nowhere(connects: list[tuple[Any, ...]]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    outbound = Outbound(allow_http_loopback=True)
    answer: Response = await outbound.send(Request(method="GET", url=f"http://127.0.0.1:{port}/"))
    await outbound.close()
    server.close()
    assert answer.status == 302
    assert {address[0] for (address, *_) in connects} == {"127.0.0.1"}


@pytest.mark.parametrize("text", [*PRIVATE, *V6])
def test_the_table_knows_every_range(text: str) -> None:
    assert not is_public(text)
