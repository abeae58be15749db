"""L7: what the product lives on runs out: disk, open files, the database's lock, memory, a processor.

Whoever asks meanwhile is told to come again; nothing is acknowledged that is not kept; when there is room again the
product goes on by itself.
"""

from __future__ import annotations

import itertools
import os
import resource
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from torture.crash.caller import Caller, Lost
from torture.crash.company import Company, waiting
from torture.crash.life import Life
from torture.crash.ordeal import Ordeals, ordeal
from torture.part import Outcome

FAULTS = 10  # in one unit
LOCKED_S = 7.0  # longer than the product waits for a lock
MEEKEST = 19  # of all priorities
ASKED = 10  # times while something is short
OFTEN_ENDED = 3  # more than one in so many shortages may not end the product


@contextmanager
def full_disk(company: Company) -> Iterator[None]:
    """Let no file of the product grow beyond what its log of writes is now."""
    log = company.stage.folder / "escalade.db-wal"
    with _limited(company, resource.RLIMIT_FSIZE, log.stat().st_size if log.exists() else 0):
        yield


@contextmanager
def no_more_files(company: Company) -> Iterator[None]:
    """Let the product open nothing but in the place of what it closes."""
    opened = {int(name) for name in os.listdir(f"/proc/{company.product.pid}/fd")}
    with _limited(company, resource.RLIMIT_NOFILE, next(n for n in itertools.count() if n not in opened)):
        yield


@contextmanager
def locked_database(company: Company) -> Iterator[None]:
    """Hold the database's write lock, as a backup that went wrong would."""
    connection = sqlite3.connect(company.stage.folder / "escalade.db", isolation_level=None, timeout=30)
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@contextmanager
def no_more_memory(company: Company) -> Iterator[None]:
    """Let the product have no more memory than it has mapped."""
    pages = int(Path(f"/proc/{company.product.pid}/statm").read_text().split()[0])
    with _limited(company, resource.RLIMIT_AS, pages * resource.getpagesize()):
        yield


@contextmanager
def no_processor(company: Company) -> Iterator[None]:
    """Keep every processor busy with something that goes before the product."""
    os.setpriority(os.PRIO_PROCESS, company.product.pid, MEEKEST)
    busy = [Life(_spin, company.stage.log) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        yield
    finally:
        for life in busy:
            life.end()
        if not company.product.is_over():
            os.setpriority(os.PRIO_PROCESS, company.product.pid, 0)


def _spin() -> None:
    while True:
        pass


@contextmanager
def _limited(company: Company, what: int, limit: int) -> Iterator[None]:
    pid = company.product.pid
    soft, hard = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (limit, hard))
    try:
        yield
    finally:
        if not company.product.is_over() and company.product.pid == pid:
            resource.prlimit(pid, what, (soft, hard))


FAULTS_BY_NAME: Mapping[str, tuple[Callable[[Company], AbstractContextManager[None]], float]] = {
    "full disk": (full_disk, 3.0),
    "no more files": (no_more_files, 3.0),
    "locked database": (locked_database, LOCKED_S),
    "no more memory": (no_more_memory, 3.0),
    "no processor": (no_processor, 5.0),
}
NOTICED = ("full disk", "no more files", "locked database")  # by whoever asks meanwhile; the others may get by


def run_out(folder: Path, unit: int, faults: int = FAULTS) -> Outcome:
    """Let one company's product run out of one thing after the other."""
    names = list(FAULTS_BY_NAME)
    with Company(folder, seed=unit, live=unit % 3 != 2, log=Path(os.devnull), may_end=faults // OFTEN_ENDED) as company:

        def strike(fault: int) -> Counter[str]:
            name = names[fault % len(names)]
            limit, seconds = FAULTS_BY_NAME[name]
            noticed = 0
            with limit(company):
                for _ in range(ASKED):
                    waiting(seconds / ASKED)
                    noticed += _ask(company) in {"none", "503"}
            waiting(company.dice.uniform(0.5, 3.0), company.keep_alive)
            return Counter({"shortages": 1, f"met.{name}": 1, f"met.{name} noticed": noticed})

        return ordeal(company, unit, faults, strike)


def _ask(company: Company) -> str:
    """Ask the product to keep something, and say what it answers."""
    caller = Caller(company.stage.product_port, {"Authorization": f"Bearer {company.stage.keys['api_key']}"}, seconds=2)
    try:
        status, _ = caller("POST", "/api/v1/conversations", {})
    except Lost:
        return "none"
    finally:
        caller.close()
    return str(status)


PART = Ordeals(
    name="disk",
    promise="no disk, files, lock, memory or processor left: told to come again, nothing acknowledged that is not kept",
    aims={"shortages": 60},
    workers=3,
    one=run_out,
    wanted=(
        *(f"met.{name}" for name in FAULTS_BY_NAME),
        *(f"met.{name} noticed" for name in NOTICED),
        "met.told to come again",
    ),
)
