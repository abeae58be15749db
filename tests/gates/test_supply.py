"""What a release is made of, and what must not be in it (O04; bars 22 and 23).

`make check` runs ruff's security rules and bandit; here stand the gates that need more than a command: the lock files,
the number of dependencies, committed secrets, the bill of materials, and known vulnerabilities.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).parents[2]
LOCKS = ("run.txt", "test.txt")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
MOST_DIRECT = 25

# A line of a lock file: one exact version, perhaps for some machines only, and the hashes it may have.
PINNED = re.compile(r"[a-z0-9][a-z0-9._-]*(?:\[[a-z0-9,._-]+\])?==[0-9][^\s;]*(?: ; [^\\]+)?")
HASHED = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def requirements(name: str) -> list[str]:
    """Give the logical lines of a lock file."""
    text = (ROOT / "requirements" / name).read_text()
    lines = re.sub(r"\\\n\s*", "\\ ", text).splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def wrong(line: str) -> str | None:
    """Say what is wrong with a line of a lock file."""
    head, *hashes = (part.strip() for part in line.split("\\ "))
    if not PINNED.fullmatch(head):
        return "not one exact version from the index"
    if not hashes or not all(HASHED.fullmatch(one.split("    #")[0].strip()) for one in hashes):
        return "not every file has a SHA-256"
    return None


@pytest.mark.parametrize("name", LOCKS)
def test_o04_every_locked_line_is_one_version_with_hashes(name: str) -> None:
    lines = requirements(name)
    assert len(lines) > 20
    assert {line: told for line in lines if (told := wrong(line)) is not None} == {}


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://example.com/simple", "--extra-index-url https://example.com/simple", "-r other.txt",
        "--find-links https://example.com/", "-e .", "git+https://example.com/it.git", "typer @ https://example.com/t.whl",
        "typer>=0.29", "typer==0.29.2", "typer==0.29.2 \\ --hash=md5:0123", "--trusted-host example.com", "./local.whl",
    ],
)  # fmt: skip
def test_o04_a_line_that_leads_elsewhere_is_seen(line: str) -> None:
    assert wrong(line) is not None


@pytest.mark.parametrize("name", LOCKS)
def test_o04_no_lock_file_names_a_place_to_download_from(name: str) -> None:
    assert "://" not in "".join(requirements(name))


def test_direct_dependencies_are_few_and_each_has_its_reason() -> None:
    direct = PROJECT["project"]["dependencies"]
    assert len(direct) <= MOST_DIRECT
    text = (ROOT / "pyproject.toml").read_text()
    block = text[text.index("dependencies = [") : text.index("]\n\n[project.optional")]
    for line in (line for line in block.splitlines() if line.strip().startswith('"')):
        assert "#" in line, f"no reason beside {line.strip()}"


def test_every_direct_dependency_is_locked() -> None:
    locked = {re.split(r"[\[=]", line)[0] for line in requirements("run.txt")}
    direct = {re.split(r"[\[>=<~!]", one)[0].lower() for one in PROJECT["project"]["dependencies"]}
    assert direct <= locked


def test_installs_ask_for_hashes() -> None:
    for line in (ROOT / "Makefile").read_text().splitlines():
        if "$(PIP) install" in line:
            assert "--require-hashes" in line or ("--no-deps" in line and "--editable ." in line), line


# Secrets

SURE = [
    {"name": name}
    for name in (
        "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "GitHubTokenDetector", "GitLabTokenDetector",
        "JwtTokenDetector", "MailchimpDetector", "NpmDetector", "OpenAIDetector", "PrivateKeyDetector",
        "PypiTokenDetector", "SendGridDetector", "SlackDetector", "StripeDetector", "TelegramBotTokenDetector",
        "TwilioKeyDetector",
    )
]  # fmt: skip
# Made up for examples and tests: said to be so here, by what it is.
COMPILED = {".png", ".svg", ".woff2", ".map", ".lock"}
MADE_UP = re.compile(
    r"user:pw@|user:password@|:…@|@public\.example|443@127\.0\.0\.1|ZWtfMQ==|s3cr3t|planted|made.up|of the test",
    re.IGNORECASE,
)


def tracked(*under: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", *under], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and path.suffix not in COMPILED]


def findings(paths: list[Path], plugins: list[dict[str, Any]]) -> list[str]:
    found = []
    with transient_settings({"plugins_used": plugins, "filters_used": []}):
        for path in paths:
            secrets = SecretsCollection()
            secrets.scan_file(str(path))
            for _, secret in secrets:
                line = path.read_text(errors="replace").splitlines()[secret.line_number - 1]
                if not MADE_UP.search(line):
                    found.append(f"{path.relative_to(ROOT)}:{secret.line_number}: {secret.type}")
    return found


def test_no_secret_is_committed() -> None:
    assert findings(tracked(), SURE) == []


def test_a_secret_that_is_committed_is_found(tmp_path: Path) -> None:
    planted = tmp_path / "leak.py"
    key = "-----BEGIN RSA " + "PRIVATE KEY-----"
    words = (key, "ghp_" + "a1B2" * 9, "AKIA" + "Q3EGRIFTH5JKLMNO")
    planted.write_text("\n".join(f"key = '{word}'" for word in words) + "\n")
    with transient_settings({"plugins_used": SURE, "filters_used": []}):
        secrets = SecretsCollection()
        secrets.scan_file(str(planted))
    assert len({secret.line_number for _, secret in secrets}) == 3


# What it is made of, and what is known of that


def test_the_bill_of_materials_names_every_locked_package(tmp_path: Path) -> None:
    target = tmp_path / "sbom.json"
    done = subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", "requirements", "requirements/run.txt", "--pyproject", "pyproject.toml",
         "--output-reproducible", "--of", "JSON", "-o", str(target)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    bill = json.loads(target.read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "escalade"
    named = {component["name"].lower() for component in bill["components"]}
    assert {re.split(r"[\[=]", line)[0] for line in requirements("run.txt")} <= named


def test_no_locked_version_has_a_known_vulnerability() -> None:
    """Ask pip-audit, where its service can be reached: there, a finding or an unknown package fails."""
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "-r", "requirements/run.txt", "--require-hashes", "--disable-pip",
         "--progress-spinner", "off", "--format", "json", "--timeout", "10"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=170,
    )  # fmt: skip
    try:
        audited = json.loads(done.stdout)["dependencies"]
    except ValueError:
        pytest.skip(f"pip-audit's service cannot be reached from here: {done.stderr.strip().splitlines()[-1:]}")
    unknown = [one["name"] for one in audited if "skip_reason" in one]
    if len(unknown) == len(audited):
        pytest.skip("pip-audit's service cannot be reached from here: it knows none of the packages")
    assert unknown == []
    assert {one["name"]: one["vulns"] for one in audited if one["vulns"]} == {}
