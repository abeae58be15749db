"""The baselines: an ASGI application that echoes its body, and the webhook's endpoint without a database behind it.

Both on the same server, with the same loop and parser as the product.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import uvicorn

from escalade.services.arrivals import Accepted, Status


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            break
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def without_database() -> Any:
    """Give the product with every check of a webhook, whose writes do nothing once it has started."""
    from escalade.app import App
    from escalade.product import Product
    from escalade.settings import load

    async def nothing(_work: Callable[[Any], Any]) -> Any:
        return Accepted(status=Status.ACCEPTED)

    product = Product(load())
    app = App(product)
    app._hooks._database = _Reads(product.database, nothing)
    return app


class _Reads:
    """A database that reads and forgets what it is told to write."""

    def __init__(self, database: Any, write: Any) -> None:
        self.read = database.read
        self.write = write


if __name__ == "__main__":
    is_echo = sys.argv[2] == "echo"
    uvicorn.run(
        echo if is_echo else without_database(),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        lifespan="off" if is_echo else "on",
        access_log=False,
        log_level="warning",
        server_header=False,
    )
