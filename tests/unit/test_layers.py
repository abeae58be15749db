"""The shape of the code is held by a machine: imports point down, and no module is a drawer for everything."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
BANNED = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc", "data", "info", "base_classes"}


def test_imports_point_down_only() -> None:
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kept, 0 broken" in done.stdout


@pytest.mark.parametrize("root", ["src", "tests"])
def test_no_module_is_a_drawer_for_everything(root: str) -> None:
    names = {path.stem for path in (ROOT / root).rglob("*.py")} | {
        path.name for path in (ROOT / root).rglob("*") if path.is_dir()
    }
    assert names & BANNED == set()


def test_every_module_opens_with_what_it_promises() -> None:
    silent = []
    for path in SOURCES:
        text = path.read_text()
        if text.strip() and ast.get_docstring(ast.parse(text)) is None:
            silent.append(str(path.relative_to(ROOT)))
    assert silent == []


def test_the_domain_has_no_clock_no_chance_and_no_door() -> None:
    forbidden = {"time", "datetime", "random", "secrets", "os", "logging", "asyncio", "socket", "uuid"}
    for path in (ROOT / "src" / "escalade" / "domain").rglob("*.py"):
        tree = ast.parse(path.read_text())
        imported = {
            alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        imported |= {(node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert imported & forbidden == set(), path.name


WORLD = {
    "time": {"time", "time_ns", "monotonic", "perf_counter", "sleep"},
    "datetime": {"now", "utcnow", "today"},
    "asyncio": {"sleep", "to_thread", "run_in_executor"},
    "uuid": {"uuid1", "uuid4", "uuid7"},
    "random": {"random", "uniform", "choice", "randint", "randrange", "shuffle", "SystemRandom"},
    "secrets": {"token_hex", "token_urlsafe", "token_bytes", "choice", "randbelow"},
    "os": {"urandom", "_exit"},
    "threading": {"Thread"},
}
# The ports themselves, the database's and the network's own rooms, and what runs before there is a product.
DOORS = {
    "services/ports.py",
    "store/sqlite.py",
    "store/postgres.py",
    "store/ownership.py",
    "store/doorbell.py",
    "store/postgres_check.py",
    "store/shared_clock.py",
    "store/writer.py",
    "channels/http.py",
    "settings.py",
}


def test_time_chance_and_threads_come_through_the_ports() -> None:
    """A simulator owns whatever the product takes from the world, so nothing may be taken past it."""
    product, found = ROOT / "src" / "escalade", []
    for path in sorted(product.rglob("*.py")):
        place = path.relative_to(product).as_posix()
        if place in DOORS or place.startswith(("cli/", "demo/")):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in WORLD.get(getattr(node.value, "id", ""), set()):
                found.append(f"{place}:{node.lineno}")
            if isinstance(node, ast.ImportFrom):
                taken = {alias.name for alias in node.names}
                found += [f"{place}:{node.lineno}"] if taken & WORLD.get(node.module or "", set()) else []
    assert found == []


def test_no_test_uses_a_mock() -> None:
    pattern = re.compile(r"^\s*(?:from unittest|import unittest)|MagicMock|mocker\b", re.MULTILINE)
    found = [str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py") if pattern.search(path.read_text())]
    assert [name for name in found if not name.endswith("test_layers.py")] == []


def test_products_strings_name_no_machine() -> None:
    pattern = re.compile(r"/home/\w+|/Users/\w+")
    found = [str(path.relative_to(ROOT)) for path in SOURCES if pattern.search(path.read_text())]
    assert found == []
