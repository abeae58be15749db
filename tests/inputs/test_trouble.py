"""Rows that are no single request: fifty at once, a database that takes nothing, what the code must not do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import uvicorn

from escalade.cli.serve import proxy_options
from escalade.web.limits import address
from escalade.web.wire import Receive, Scope, Send
from tests.inputs.place import Place
from tests.web.counter import scope
from tests.world import eventually

SOURCE = Path(__file__).parents[2] / "src" / "escalade"
SECRETS = {"token", "secret", "signature", "given", "key_text", "csrf"}


@pytest.mark.processes
def test_w04_fifty_at_once_end_one_session_once(place: Place) -> None:
    made = place.handed_over("A", "ticket")
    body = f'{{ "ticket_id": "{made["ticket"]}", "type": "fv:conversation_closed", }}'.encode()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: place.product.webhook(body).status_code, range(50)))
    assert answers == [200] * 50
    page = place.page("A", made["conversation"])
    assert page["conversation"]["control"] == "assistant"
    assert [m["notice"] for m in page["messages"] if m.get("notice") == "ended"] == ["ended"]


@pytest.mark.processes
def test_w36_while_the_database_takes_nothing_zendesk_is_asked_to_come_back(place: Place) -> None:
    body = b'{"type":"nothing.we.know"}'
    with place.database_stopped():
        answer = place.product.webhook(body)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "20")
        assert answer.json()["type"] == "/problems/unavailable"
    # Others may still be waiting for the database in front of it.
    eventually(lambda: place.product.webhook(body).status_code == 200, "it is taken later")


def compared_names() -> Iterator[tuple[str, int, str]]:
    """Give every name in the product's code that is compared with `==` or `!=` to anything but a constant of ours."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
                names = [_name(side) for side in (node.left, *node.comparators)]
                if not any(name.isupper() for name in names):
                    yield from ((str(path.relative_to(SOURCE)), node.lineno, name) for name in names)


def _name(side: ast.expr) -> str:
    return side.attr if isinstance(side, ast.Attribute) else side.id if isinstance(side, ast.Name) else ""


def test_h08_no_secret_is_compared_by_its_characters() -> None:
    """Equality ends at the first difference, and tells where it was; digests of one length do not."""
    found = list(compared_names())
    assert len(found) > 100
    assert [where for where in found if where[2] in SECRETS] == []


@pytest.mark.parametrize(
    ("trusted", "believed"), [("", "127.0.0.1"), ("127.0.0.1", "203.0.113.9"), ("192.0.2.1", "127.0.0.1")]
)
async def test_h16_only_a_proxy_that_was_named_is_believed(trusted: str, believed: str) -> None:
    """What the server makes of the caller's address, with the settings `serve` gives it."""
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(address(scope))

    config = uvicorn.Config(app, log_config=None, **proxy_options(trusted))
    config.load()
    spoofed = [(b"x-forwarded-for", b"203.0.113.9"), (b"x-real-ip", b"203.0.113.8"), (b"forwarded", b"for=203.0.113.7")]
    await config.loaded_app(scope("GET", "/", []) | {"headers": spoofed}, None, None)
    assert seen == [believed]
