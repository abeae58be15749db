"""Run the product in this process."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Literal

import uvicorn

from escalade import telemetry
from escalade.admin import check_stored
from escalade.app import App
from escalade.cli import standstill
from escalade.cli.server import Server
from escalade.domain.errors import ConfigError
from escalade.product import Product, Role, courier_lock
from escalade.services.ports import Ports, steady
from escalade.settings import Settings, load
from escalade.store.database import dialect_of
from escalade.store.engines import check_server, clock_of
from escalade.store.sql import Dialect
from escalade.web.listener import LISTENERS

HttpParser = Literal["httptools", "h11"]


def serve(role: str, host: str | None, port: int | None, *, http: HttpParser = "httptools") -> None:
    """Serve until stopped; uvloop and httptools are named, because without them a request costs three times as much."""
    settings = load(host=host, port=port)
    chosen = _role(role, settings)
    telemetry.set_up(settings.log_format, settings.log_level)
    with courier_lock(settings.database_url):
        pass  # tried here first, where the answer can be one sentence; the server itself takes it for good
    check_server(settings.database_url, development=settings.is_development)
    check_stored(settings)
    started_at = clock_of(settings.database_url)
    product = Product(settings, Ports(now=steady(started_at)), role=chosen)
    config = uvicorn.Config(
        App(product),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=LISTENERS[http],
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        headers=constant_headers(settings.public_url),
        date_header=True,
        **proxy_options(settings.trusted_proxies),
        timeout_graceful_shutdown=5,
        backlog=2048,
    )
    server = Server(config, product.ports.halt, beside=(standstill.watch, product.warm_up))
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(3)  # it has said why


def _role(role: str, settings: Settings) -> Role:
    """Read what this process is to do; one file is served by one process."""
    if role not in set(Role):
        raise ConfigError(f"--role {role}: use one of {', '.join(Role)}")
    if role != Role.ALL and dialect_of(settings.database_url) is Dialect.SQLITE:
        raise ConfigError(f"--role {role}: one process serves a SQLite file; use --role all, or a PostgreSQL database")
    if role != Role.ALL and settings.bell == "memory":
        raise ConfigError(f"--role {role}: processes ring each other over PostgreSQL; set ESCALADE_BELL=auto")
    return Role(role)


def proxy_options(trusted: str) -> dict[str, Any]:
    """Say whose word about a caller's address counts: nobody's, unless a proxy was named."""
    return {"proxy_headers": bool(trusted), "forwarded_allow_ips": trusted or None}


def constant_headers(public_url: str) -> list[tuple[str, str]]:
    """Give what stands on every answer: behind https, that browsers come by https from then on."""
    return [("strict-transport-security", "max-age=31536000")] if public_url.startswith("https://") else []
