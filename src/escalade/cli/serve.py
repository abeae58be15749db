"""Run the product in this process."""

from __future__ import annotations

from typing import Any, Literal

import uvicorn

from escalade import telemetry
from escalade.admin import check_stored
from escalade.app import Product, courier_lock
from escalade.domain.errors import ConfigError
from escalade.settings import load
from escalade.web.listener import LISTENERS

HttpParser = Literal["httptools", "h11"]


def serve(role: str, host: str | None, port: int | None, *, http: HttpParser = "httptools") -> None:
    """Serve until stopped; uvloop and httptools are named, because without them a request costs three times as much."""
    if role != "all":
        raise ConfigError(f"--role {role}: this version runs everything in one process; use --role all")
    settings = load(host=host, port=port)
    telemetry.set_up(settings.log_format, settings.log_level)
    with courier_lock(settings.database_url):
        pass  # tried here first, where the answer can be one sentence; the server itself takes it for good
    check_stored(settings)
    product = Product(settings)
    uvicorn.run(
        product.asgi(),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=LISTENERS[http],
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=True,
        **proxy_options(settings.trusted_proxies),
        timeout_graceful_shutdown=5,
        backlog=2048,
    )


def proxy_options(trusted: str) -> dict[str, Any]:
    """Say whose word about a caller's address counts: nobody's, unless a proxy was named."""
    return {"proxy_headers": bool(trusted), "forwarded_allow_ips": trusted or None}
