"""A zero byte, which PostgreSQL can keep in no text, is refused or found nowhere, and never a fault of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.counter import counter
from tests.web.routes import Address, addresses
from tests.web.test_isolation import ENTRIES, House, filled, furnish

QUERIES = ("state", "text", "id", "after", "limit", "key", "name", "token", "file", "page", "origin")


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with counter(tmp_path, url=database_url) as front:
        made = House(front)
        await furnish(made)
        yield made


def _calls(address: Address, body: Any) -> Iterator[tuple[str, Any]]:
    """Put a zero byte into each place a text can stand."""
    plain = address.at(**dict.fromkeys(address.parameters, "1"))
    if address.parameters:
        yield address.at(**dict.fromkeys(address.parameters, "a\0b")), filled(body, "ab")
    for name in QUERIES:
        yield f"{plain}?{name}=a%00b", filled(body, "ab")
    if body is not None:
        yield plain, filled(body, "a\0b")


async def test_no_zero_byte_in_any_place_is_a_fault_of_ours(house: House) -> None:
    for address in addresses(house.front.app):
        for path, body in _calls(address, ENTRIES[str(address)].body):
            answer = await house.call(address, path, body)
            assert answer.status < 500, (address.method, path, body, answer.body[:300])


async def test_what_was_asked_for_with_a_zero_byte_is_named(house: House) -> None:
    answer = await house.front.api("GET", "/deliveries?limit=5&state=%00")
    assert (answer.status, answer.problem, answer.pointer) == (422, "validation", "/state")
    assert (await house.front.api("GET", "/conversations/a\0b")).status == 404
    found = await house.console("GET", "/console/conversations?text=%00")
    assert found.status == 200
