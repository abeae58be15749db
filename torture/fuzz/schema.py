"""The developer API is asked everything its OpenAPI allows, and what it does not, by Schemathesis with every check on.

A unit is a fresh server on a fresh database. The first asks for the borders of every shape, which are always the same;
the others are seeds: so many cases thrown for each operation, then calls that follow from one another (a conversation
that was opened is there; a customer who was erased is not).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from tests import engines
from tests.described import API, closed
from tests.inputs.place import Place, a_place

from torture.part import Outcome

CONFIGURATION = Path(__file__).with_name("schema.toml")
DOCUMENT = "openapi.json"
EACH = 150  # cases of an operation, and chains of calls: a start costs little beside them, and lists stay short
# Only what Zendesk refused can be sent again or given up, only what an agent sent be fetched: neither happens here.
OUT_OF_REACH = (
    "POST /deliveries/{id}/resend",
    "POST /deliveries/{id}/skip",
    "POST /conversations/{id}/files/{file}/fetch",
)
BORDERS, DICE = ("coverage",), ("fuzzing", "stateful")  # what Schemathesis calls its phases


def ask(seed: int, examples: int, phases: Sequence[str]) -> tuple[Counter[str], list[str]]:
    """Ask a server of its own so many cases of each operation; give what was met and what went wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = engines.blank_url("sqlite", folder)
        with a_place(folder, "httptools", database, patient=True) as place:
            _furnish(place)
            url = place.product.url + API
            document = httpx2.get(f"{url}/openapi.json", trust_env=False).raise_for_status().json()
            (folder / DOCUMENT).write_text(json.dumps(closed(document)))  # a field more is a violation as well
            report = _run(url, place.keys["A"]["api_key"], seed, examples, phases, folder)
            log = place.product.program.log()
    counts = Counter({"cases": report["test_cases"]["generated"], "operations": report["operations"]["tested"]})
    for operation, rates in report["valid_rates"].items():
        # Neither refused for its shape nor for naming what is not there.
        counts[f"reached.{operation}"] = sum(met["accepted"] + met["conflicts"] for met in rates.values())
    violations = [
        f"{found['title']} ({found['code']}, {found['count']} times): {', '.join(found['operations'])}"
        for found in report["failures"]
    ]
    violations += [f"{error['title']}, {error['count']} times" for error in report["errors"]]
    violations += [line[:500] for line in log.splitlines() if '"exception"' in line or "Traceback" in line]
    if report["operations"]["tested"] < report["operations"]["total"]:
        violations.append(f"only {report['operations']['tested']} of {report['operations']['total']} operations asked")
    return counts, violations


def _furnish(place: Place) -> None:
    """Make the things that the dictionaries name."""
    dictionaries = tomllib.loads(CONFIGURATION.read_text())["dictionaries"]
    for name in dictionaries["kept"]["values"] + dictionaries["leaving"]["values"]:
        place.done("A", "/conversations", {"id": name, "customer": {"id": name}})
    for name in dictionaries["kept"]["values"]:
        place.upload("A", name, "note.txt", b"It hums.", id=name)
        answer = {"id": name, "author": "assistant", "text": "It hums while it charges."}
        place.done("A", f"/conversations/{name}/messages", answer)


def _run(url: str, key: str, seed: int, examples: int, phases: Sequence[str], folder: Path) -> dict[str, Any]:
    told = folder / "report.json"
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *(
            "--config-file",
            str(CONFIGURATION),
            "run",
            str(folder / DOCUMENT),
            "--url",
            url,
            "--header",
            f"Authorization: Bearer {key}",
        ),
        *("--phases", ",".join(phases)),
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
    workers: int = 2
    units: int | None = None

    @property
    def aims(self) -> Mapping[str, int]:
        """Say how many cases the whole proof asks."""
        return {"cases": 50_000}

    def run(self, unit: int) -> Outcome:
        """Ask a unit's cases."""
        counts, violations = ask(unit, EACH, DICE if unit else BORDERS)
        return Outcome(unit=unit, counts=counts, violations=tuple(violations))

    def missing(self, counts: Mapping[str, int]) -> list[str]:
        """Every operation is asked in every unit, or the unit is a violation; and calls came through to nearly each."""
        asked = {name.removeprefix("reached."): times for name, times in counts.items() if name.startswith("reached.")}
        return [f"never reached {name}" for name, times in asked.items() if not times and name not in OUT_OF_REACH]


PART = SchemaPart()
