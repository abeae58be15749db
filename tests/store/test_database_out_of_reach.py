"""A PostgreSQL that cannot be reached for a while: each caller is told, and it is found again."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from escalade.domain.errors import Unavailable
from escalade.store.postgres import PostgresDatabase
from tests.engines import on, postgres_server


@on("postgres")
async def test_every_read_is_told_while_the_database_is_away_and_the_next_finds_it(database_url: str) -> None:
    name = urlsplit(database_url).path.lstrip("/")
    server = postgres_server()
    database = PostgresDatabase(database_url, readers=1)
    database.start()
    try:
        assert await database.read(lambda tx: tx.everywhere().value("SELECT 1")) == 1
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        for _ in range(3):
            with pytest.raises(Unavailable):
                await database.read(lambda tx: tx.everywhere().value("SELECT 1"))
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert await database.read(lambda tx: tx.everywhere().value("SELECT 1")) == 1
    finally:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        await database.close()
