"""Read a PDF into a title and blocks. Runs in a process of its own, started by `apart`: see there.

A PDF knows no paragraphs: there are lines with a size and a place. What is larger than the body, or stands in the
outline, is a heading; a line that ends early ends its paragraph; what repeats at the edge of the pages is no text.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from escalade.assistant.document import Block, Kind, Unreadable

MOST_PAGES = 1_000
MOST_TEXT = 5_000_000  # characters
MEMORY = 1024 * 1024 * 1024
SECONDS = 90  # of the processor; an ordinary page takes 0.03

_LARGER = 1.15  # than the body's letters, from where on a line is a heading
_EDGE = 2  # lines at the top and bottom of a page among which headers and footers are looked for
_POINT = re.compile(r"[•◦▪●■‣∙·–—*-]\s+(?=\S)")
_STEP = re.compile(r"(\d{1,3})[.)]\s+(?=\S)")
_PAGE_NUMBER = re.compile(
    r"\W*(?:page|seite|página|pagina)?\W*(?:\d{1,4}|[ivxl]{1,6})(?:\W+(?:of|von|de|/)?\W*\d{1,4})?\W*", re.I
)
_JUNK_TITLE = re.compile(r"untitled|document\d*|microsoft word - .*|.*\.(?:docx?|pdf|indd|odt|tex|dvi)", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line as it stands on its page: its text, and the size of its letters in points."""

    text: str
    size: float


def read(content: bytes) -> tuple[str, list[Block]]:
    """Read a PDF here and now: its title, or nothing, and its blocks."""
    from pypdf import PasswordType, PdfReader

    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
        raise Unreadable("it is protected by a password; save it without one")
    if len(reader.pages) > MOST_PAGES:
        raise Unreadable(f"it has {len(reader.pages)} pages, and at most {MOST_PAGES} are read; split it")
    pages: list[list[Line]] = []
    length = 0
    for page in reader.pages:
        pages.append(_lines(page))
        length += sum(len(line.text) for line in pages[-1])
        if length > MOST_TEXT:
            raise Unreadable(f"it has more than {MOST_TEXT // 1_000_000} million letters; split it")
    if not length:
        raise Unreadable("it holds pictures of text and no text; have it recognised (OCR) first")
    blocks = list(blocks_of(_without_edges(pages), _outline(reader)))
    top = next((block.text for block in blocks if block.kind is Kind.HEADING and block.level == 1), "")
    told = str(getattr(reader.metadata, "title", None) or "").strip()
    return top or ("" if _JUNK_TITLE.fullmatch(told) else told), blocks


def blocks_of(pages: Sequence[Sequence[Line]], outline: dict[str, int]) -> Iterator[Block]:
    """Make blocks of lines; `outline` gives the level of each heading by its text."""
    lines = [line for page in pages for line in page]
    levels = _levels(lines)
    widths = sorted(len(line.text) for line in lines if line.size not in levels)
    full = widths[len(widths) * 4 // 5] if widths else 0
    parts: list[Line] = []
    for line in lines:
        if parts and _parted(parts[-1], line, full, levels, outline):
            yield _block(parts, levels, outline)
            parts = []
        parts.append(line)
    if parts:
        yield _block(parts, levels, outline)


def joined(lines: Sequence[str]) -> str:
    """Join lines to a paragraph; a word that was parted at the end of a line is one word again."""
    parts: list[str] = []
    for line in lines:
        last = parts[-1] if parts else ""
        if last.endswith("\u00ad") or (re.fullmatch(r"[^\W\d_]-", last[-2:]) and line[:1].islower()):
            parts[-1] = last[:-1]
        elif parts:
            parts.append(" ")
        parts.append(line)
    return "".join(parts).replace("\u00ad", "").strip()


def _lines(page: Any) -> list[Line]:
    """Take the lines of a page, each with the size in which most of it is set."""
    found: list[Line] = []
    text, sizes = "", Counter[float]()

    def end() -> None:
        nonlocal text
        shown = " ".join(text.replace("\0", " ").encode("utf-8", "replace").decode().split())
        if shown:
            found.append(Line(text=shown, size=sizes.most_common(1)[0][0] if sizes else 0.0))
        text = ""
        sizes.clear()

    def visit(piece: str, cm: Sequence[float], tm: Sequence[float], _font: Any, size: float) -> None:
        nonlocal text
        letters = round(abs(size) * math.hypot(tm[2], tm[3]) * math.hypot(cm[2], cm[3]), 1)
        for n, part in enumerate(piece.split("\n")):
            if n:
                end()
            text += part
            if part.strip():
                sizes[letters] += len(part.strip())

    page.extract_text(visitor_text=visit)
    end()
    return found


def _outline(reader: Any) -> dict[str, int]:
    """Give the headings of the outline, with their depth; a broken outline is none."""
    found: dict[str, int] = {}

    def walk(entries: Any, level: int) -> None:
        for entry in entries:
            if isinstance(entry, list):
                walk(entry, min(level + 1, 6))
            elif title := " ".join(str(getattr(entry, "title", "") or "").split()):
                found.setdefault(title.casefold(), level)

    try:
        walk(reader.outline, 1)
    except Exception:  # whatever it is, the text is still there
        return {}
    return found


def _without_edges(pages: list[list[Line]]) -> list[list[Line]]:
    """Take away page numbers, what stands at the edge of most pages, and what stands beside the number of some."""
    seen: Counter[str] = Counter()
    numbered: Counter[str] = Counter()
    for page in pages:
        seen.update({_digitless(line.text) for line in (*page[:_EDGE], *page[-_EDGE:])})
        numbered.update({beside for line in (*page[:1], *page[-1:]) if (beside := _beside_number(line.text))})
    often = {text for text, count in seen.items() if count >= 3 and count * 2 > len(pages)}
    running = {text for text, count in numbered.items() if count >= 3}

    def is_edge(page: list[Line], n: int) -> bool:
        if _EDGE <= n < len(page) - _EDGE:
            return False
        text = page[n].text
        outermost = n in (0, len(page) - 1) and len(pages) > 1
        number = outermost and (_PAGE_NUMBER.fullmatch(text) or _beside_number(text) in running)
        return bool(number) or _digitless(text) in often

    return [[line for n, line in enumerate(page) if not is_edge(page, n)] for page in pages]


def _digitless(text: str) -> str:
    return re.sub(r"\d+", "#", text)


def _beside_number(text: str) -> str:
    """Give what stands beside a page number, such as a chapter's title; nothing where that is too short to tell."""
    found = re.fullmatch(r"(?:\d{1,4}\s+)?(.{12,120}?)(?:\s+\d{1,4})?", text)
    return found[1] if found and found[1] != text else ""


def _levels(lines: Sequence[Line]) -> dict[float, int]:
    """Give each size of letters that is a heading's its level: the largest is the first."""
    amount: Counter[float] = Counter()
    for line in lines:
        amount[line.size] += len(line.text)
    body = amount.most_common(1)[0][0] if amount else 0.0
    larger = sorted((size for size in amount if size > body * _LARGER), reverse=True)
    return {size: min(n, 6) for n, size in enumerate(larger, 1)} if body else {}


def _level(line: Line, levels: dict[float, int], outline: dict[str, int]) -> int:
    """Give the level of a heading; 0 for other lines."""
    if len(line.text) > 200 or not re.search(r"[^\W\d_]", line.text):
        return 0
    return outline.get(line.text.casefold(), 0) or levels.get(line.size, 0)


def _parted(before: Line, line: Line, full: int, levels: dict[float, int], outline: dict[str, int]) -> bool:
    """Say whether a line begins something new."""
    above, here = _level(before, levels, outline), _level(line, levels, outline)
    if above or here:
        return above != here or before.size != line.size or line.text.casefold() in outline
    if _POINT.match(line.text) or _STEP.match(line.text):
        return True
    return before.text.endswith((".", "!", "?", ":", "…", ".”", '."')) and len(before.text) < full * 0.85


def _block(lines: Sequence[Line], levels: dict[float, int], outline: dict[str, int]) -> Block:
    text = joined([line.text for line in lines])
    if level := _level(lines[0], levels, outline):
        return Block(kind=Kind.HEADING, text=text, level=level)
    if step := _STEP.match(text):
        return Block(kind=Kind.STEP, text=text[step.end() :], n=int(step[1]))
    if point := _POINT.match(text):
        return Block(kind=Kind.POINT, text=text[point.end() :])
    return Block(kind=Kind.PARAGRAPH, text=text)


def main() -> None:
    """Read the PDF on standard input and write what is in it as JSON."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(10)  # people's messages come first
    try:
        title, blocks = read(sys.stdin.buffer.read())
        told: dict[str, object] = {
            "title": title,
            "blocks": [(block.kind.value, block.text, block.level, block.n) for block in blocks],
        }
    except Unreadable as error:
        told = {"error": str(error)}
    except (MemoryError, RecursionError):
        told = {"error": "it takes more memory to read than a document may"}
    except Exception:  # the library raises whatever a broken file makes it stumble over
        told = {"error": "it is broken, or no PDF"}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
