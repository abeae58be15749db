"""One time for all processes on a PostgreSQL: who starts asks one that is at work, over the doorbell.

A process takes an instant once and counts on from there. Took each the server's when it starts, two that started
before and after the server's clock was set would differ by as much for as long as they live, and what one writes down
would mean something else to the other: a wait that is over at once, or not for a day. So only who comes first takes
the server's time. Everyone who can be asked holds a lock, shared, for as long as the line is open; where it is free
there is nobody to ask.
"""

from __future__ import annotations

import json
import secrets
from contextlib import closing

import psycopg
import structlog

from escalade.store.ownership import number
from escalade.store.postgres import Connection, connect, conninfo, scalar, translated

CHANNEL = "escalade"  # the doorbell's
TOPIC = "clock"
KEY = number("listening")
ASK_EVERY_S = 1.0
PATIENCE = 120  # questions: a process that stands still holds its lock, and answers when it goes on

log = structlog.get_logger()


def start(url: str) -> int:
    """Give the time to start from in milliseconds: that of the others, or of the server where there are none.

    Where somebody is there and nobody answers within two minutes, the server's time is taken, too; that is logged.
    """
    try:
        with closing(connect(conninfo(url))) as connection:
            return _ask(connection)
    except psycopg.Error as error:
        raise translated(error) from error


def _ask(connection: Connection) -> int:
    where = f"escalade_clock_{secrets.token_hex(8)}"
    connection.execute(f"LISTEN {where}")
    question = json.dumps(["", [[TOPIC, where]]])
    for _ in range(PATIENCE):
        if scalar(connection, f"SELECT pg_try_advisory_xact_lock({KEY})"):  # free again as soon as it is taken
            return _servers(connection)
        connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, question))
        for heard in connection.notifies(timeout=ASK_EVERY_S, stop_after=1):
            return int(heard.payload)
    log.warning("nobody_says_what_time_it_is", after_s=PATIENCE * ASK_EVERY_S)
    return _servers(connection)


def _servers(connection: Connection) -> int:
    return int(scalar(connection, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"))


def can_be_asked(connection: Connection) -> None:
    """Say for as long as this connection is open that here is somebody to ask."""
    connection.execute("SELECT pg_advisory_lock_shared(%s)", (KEY,))
