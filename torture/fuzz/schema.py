"""The developer API is asked everything its OpenAPI allows, and what it does not, by Schemathesis with every check on.

A unit is a seed: a fresh server on a fresh database, so many cases for each operation, then calls that follow from one
another (a conversation that was opened is there; a customer who was erased is not).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import engines
from tests.inputs.place import a_place

from torture.part import Outcome

FOLDER = Path(__file__).parent
EACH = 60  # cases of an operation, in each phase that counts them


def ask(seed: int, examples: int) -> tuple[Counter[str], list[str]]:
    """Ask a server of its own so many cases of each operation; give what was met and what went wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = engines.blank_url("sqlite", folder)
        with a_place(folder, "httptools", database, patient=True) as place:
            url, key = f"{place.product.url}/api/v1/openapi.json", place.keys["A"]["api_key"]
            report = _run(url, key, seed, examples, folder)
            log = place.product.program.log()
    counts = Counter({"cases": report["test_cases"]["generated"], "operations": report["operations"]["tested"]})
    violations = [
        f"{found['title']} ({found['code']}, {found['count']} times): {', '.join(found['operations'])}"
        for found in report["failures"]
    ]
    violations += [f"{error['title']}, {error['count']} times" for error in report["errors"]]
    violations += [line[:500] for line in log.splitlines() if '"exception"' in line or "Traceback" in line]
    if report["operations"]["tested"] < report["operations"]["total"]:
        violations.append(f"only {report['operations']['tested']} of {report['operations']['total']} operations asked")
    return counts, violations


def _run(url: str, key: str, seed: int, examples: int, folder: Path) -> dict[str, Any]:
    told = folder / "report.json"
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", str(FOLDER / "schema.toml"), "run", url, "--header", f"Authorization: Bearer {key}"),
        # Every check is on unless the configuration says otherwise; naming them here would overrule it.
        *("--seed", str(seed), "--max-examples", str(examples), "--continue-on-failure"),
        *("--generation-database", "none", "--request-timeout", "30", "--report", "json"),
        *("--report-json-path", str(told)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not told.exists():
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    report: dict[str, Any] = json.loads(told.read_text())
    return report


@dataclass(frozen=True, slots=True)
class SchemaPart:
    """The part of the proof."""

    name: str = "schema"
    promise: str = "the developer API is as its description says, whatever it is asked"
    workers: int = 1

    @property
    def aims(self) -> Mapping[str, int]:
        """Say how many cases the whole proof asks."""
        return {"cases": 50_000}

    def run(self, unit: int) -> Outcome:
        """Ask a unit's cases."""
        counts, violations = ask(unit, EACH)
        return Outcome(unit=unit, counts=counts, violations=tuple(violations))

    def missing(self, counts: Mapping[str, int]) -> list[str]:
        """Every operation is asked in every unit, or the unit is a violation."""
        return []


PART = SchemaPart()
