"""A document as its readers see it: a title and blocks, whatever kind of file it was."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Unreadable(Exception):
    """Say in one sentence why a document cannot be read."""


class Kind(StrEnum):
    """Tell what a block is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    STEP = "step"  # an item of a numbered list
    POINT = "point"  # an item of a list without numbers
    LINES = "lines"  # code or a table: its lines are its sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece of a document that is read as one; `level` is a heading's depth, `n` a step's number."""

    kind: Kind
    text: str
    level: int = 0
    n: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as its readers see it."""

    title: str
    blocks: tuple[Block, ...]
