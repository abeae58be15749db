"""Bring a database to this version's tables, and know whether it is there.

The tables themselves are the migrations: one description, in the order in which it came about.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy
from sqlalchemy.engine import Engine

LOCK = 0x6573_6361_6C61_6465  # "escalade": whoever migrates a PostgreSQL database holds it
HEAD = "0013"  # held equal to the newest migration by a test, so that a start need not load Alembic to compare


def migrate(engine: Engine) -> bool:
    """Run the migrations that are missing, all of them or none; say whether any was."""
    if is_current(engine):
        return False
    # Alembic takes over a second to import, so only a database that needs it waits for it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect() as connection:
        # One lock holds two starts apart, and a crash leaves no half of a version.
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # this driver begins nothing by itself
        else:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            # A migration that mends rows mends everybody's.
            connection.exec_driver_sql("SELECT set_config('escalade.everywhere', 'on', true)")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    return True


def is_current(engine: Engine) -> bool:
    """Say whether every migration of this version has run."""
    return version(engine) == HEAD


def version(engine: Engine) -> str | None:
    """Name the newest migration that has run."""
    with engine.connect() as connection:
        if not sqlalchemy.inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(sqlalchemy.text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)
