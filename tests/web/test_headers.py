"""Every answer says how little a browser may do with it (bar 19)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from escalade.cli.serve import constant_headers
from tests.web.counter import Counter, counter
from tests.web.routes import Address, addresses
from tests.world import Escalade

TOGETHER = pytest.mark.asyncio(loop_scope="module")

MAY_BE_KEPT = {"GET /static/{file}", "GET /widget/loader.js", "GET /widget/assets/{id}"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Counter]:
    async with counter(tmp_path_factory.mktemp("headers")) as opened:
        yield opened


async def _every(front: Counter) -> AsyncIterator[tuple[Address, dict[str, str], int]]:
    """Call every route with good credentials of its door, and with none."""
    begun = await front.call("POST", "/widget/v1/sessions", {"key": "pk_1"})
    tokens = {"api": "ek_1", "widget": begun.json["token"], "webhook": "wt_1"}
    for address in addresses(front.app):
        for known in (True, False):
            front.move()
            head = {"authorization": f"Bearer {tokens[address.door]}"} if known and address.door in tokens else {}
            path = address.at(id="c-1", message="m-1", file="console/console.css", organisation="org_1", ticket="1")
            if address.path.endswith("/panel"):
                path += "?key=pk_1&origin=https://shop.example"
            body: object = {} if address.method in {"POST", "PATCH"} and address.door != "console" else None
            answer = await front.call(address.method, path, body, head)
            yield address, answer.headers, answer.status


@TOGETHER
async def test_every_answer_is_careful(front: Counter) -> None:
    seen = 0
    async for address, headers, status in _every(front):
        where = (str(address), status)
        assert headers.get("x-content-type-options") == "nosniff", where
        kept = headers.get("cache-control", "")
        assert "no-store" in kept or str(address) in MAY_BE_KEPT, where
        kind = headers.get("content-type", "")
        policy = headers.get("content-security-policy", "")
        if kind.startswith("text/html"):
            assert "default-src 'none'" in policy, where
            assert "frame-ancestors" in policy, where
            assert "unsafe" not in policy, where
            assert headers.get("referrer-policy") in {"no-referrer", "same-origin"}, where
        elif "json" in kind:
            assert "frame-ancestors 'none'" in policy, where
        assert "access-control-allow-origin" not in headers, where
        assert not {"server", "x-powered-by"} & headers.keys(), where
        seen += 1
    assert seen > 120


@TOGETHER
async def test_a_panel_is_framed_by_the_sites_on_the_list_alone(tmp_path: Path) -> None:
    async with counter(tmp_path, origins=("https://shop.example",)) as front:
        panel = await front.call("GET", "/widget/v1/panel?key=pk_1&origin=https://shop.example")
        assert "frame-ancestors https://shop.example;" in panel.headers["content-security-policy"]
        assert "require-trusted-types-for 'script'" in panel.headers["content-security-policy"]
        assert "camera=()" in panel.headers["permissions-policy"]


@pytest.mark.processes
def test_behind_tls_browsers_are_told_to_stay_there(tmp_path: Path) -> None:
    product = Escalade(tmp_path, ESCALADE_PUBLIC_URL="https://support.example")
    try:
        product.program.start()
        for path in ("/api/v1/health", "/console/sign-in", "/widget/loader.js"):
            told = httpx2.get(product.url + path).headers.get_list("strict-transport-security")
            assert told == ["max-age=31536000"]
    finally:
        product.close()


def test_without_tls_nothing_is_promised_to_browsers() -> None:
    assert constant_headers("http://127.0.0.1:8700") == []
