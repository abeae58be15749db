"""Run the product in this process."""

from __future__ import annotations

import os

import uvicorn

from escalade import telemetry
from escalade.admin import check_keys
from escalade.app import Product, courier_lock
from escalade.domain.errors import ConfigError
from escalade.settings import load
from escalade.store.database import sqlite_path


def serve(role: str, host: str | None, port: int | None) -> None:
    """Serve until stopped; uvloop and httptools are named, because without them a request costs three times as much."""
    if role != "all":
        raise ConfigError(f"--role {role}: this version runs everything in one process; use --role all")
    settings = load(host=host, port=port)
    telemetry.set_up(settings.log_format, settings.log_level)
    # Tried here first, where the answer can be one sentence; the server itself takes it for good.
    os.close(courier_lock(sqlite_path(settings.database_url)))
    check_keys(settings)
    product = Product(settings)
    uvicorn.run(
        product.asgi(),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=True,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_graceful_shutdown=5,
        backlog=2048,
    )
