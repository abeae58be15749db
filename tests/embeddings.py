"""The real embedding weights, as `make test` installs them beside the environment."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import pytest

from escalade.assistant.embedding import Encoder
from escalade.services.embeddings import load_encoder

FOLDER = Path(sys.prefix)


@functools.cache
def encoder() -> Encoder:
    """Give the model; a machine that cannot fetch it is told so by name."""
    found = load_encoder(FOLDER)
    if found is None:
        pytest.skip("no embedding weights: make test could not fetch them, see its first lines")
    return found
