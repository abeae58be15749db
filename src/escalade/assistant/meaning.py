"""What a passage means, in numbers: vectors of its title, of its sentences' middle, of each heading and sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from escalade.assistant.embedding import Encoder, Floats
from escalade.assistant.likeness import Likeness

BYTES = 2  # a number
HEAD = 2  # rows by which a passage is found: its title, and the middle of its sentences


def rows_of(encoder: Encoder, passages: Sequence[tuple[list[str], int]]) -> list[bytes]:
    """Read passages, and give of each its rows as they are kept: title, middle, headings, sentences."""
    vectors = encoder.encode([text for texts, _ in passages for text in texts])
    made: list[bytes] = []
    start = 0
    for texts, headings in passages:
        rows = vectors[start : start + len(texts)]
        start += len(texts)
        middle = rows[1 + headings :].mean(0)
        middle /= max(float(np.linalg.norm(middle)), 1e-12)
        made.append(np.vstack([rows[:1], middle, rows[1:]]).astype("<f2").tobytes())
    return made


def matrix_of(heads: Sequence[bytes], width: int) -> Floats:
    """Give the rows by which passages are found as one matrix: `(passages, 2, width)`."""
    return np.frombuffer(b"".join(heads), "<f2").astype(np.float32).reshape(len(heads), HEAD, width)


def nearest(matrix: Floats, question: Floats, most: int) -> list[int]:
    """Give the places of the passages that are nearest by title and middle, nearest first."""
    near = (matrix.reshape(-1, question.size) @ question).reshape(-1, HEAD).sum(1)
    return [int(at) for at in np.argsort(-near, kind="stable")[:most]]


def likeness(question: Floats, headings: int, rows: bytes) -> Likeness:
    """Compare a question with a passage."""
    cosines = np.frombuffer(rows, "<f2").astype(np.float32).reshape(-1, question.size) @ question
    title = float(cosines[0])
    heading = float(cosines[HEAD : HEAD + headings].max()) if headings else title
    sentences = cosines[HEAD + headings :]
    at = int(sentences.argmax())
    return Likeness(title, heading, float(sentences[at]), at)


def neighbours(vectors: Floats, least: float) -> list[frozenset[int]]:
    """Say of each text, by its vector, which others mean the like: those with a cosine of at least so much."""
    near = vectors @ vectors.T >= least
    np.fill_diagonal(near, val=False)
    return [frozenset(int(at) for at in np.flatnonzero(row)) for row in near]
