"""Find the documents at a place on disk, and make of each what the library keeps.

Nothing outside the folder that was added is ever read, hidden files are passed over, and a document that cannot be
read becomes an entry that says why.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from escalade.assistant.document import Document, Unreadable
from escalade.assistant.passages import cut
from escalade.assistant.sources import SUFFIXES, check_size, read_file, read_html, read_pdf
from escalade.domain.errors import Invalid
from escalade.store.knowledge import Entry

HELP_CENTER = "help-center"
ADDRESS = "address"  # until somebody has looked what is there
ELSEWHERE = frozenset({"help_center", "site", ADDRESS})
READER = b"2"  # raised when reading or cutting changes, so that everything is read again
ENDINGS = ", ".join(sorted(SUFFIXES))


class Form(StrEnum):
    """Tell how a document is read."""

    FILE = "file"  # by the ending of its name
    ARTICLE = "article"  # HTML whose title is told apart from it
    PAGE = "page"  # HTML
    PDF = "pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A document as it was found, before anything is made of it."""

    source_id: str
    title: str = ""
    url: str | None = None
    content: bytes = b""
    error: str | None = None
    form: Form = Form.FILE


def recognise(location: str) -> tuple[str, str, str]:
    """Say what a location is: its kind, its full name, and a title; or raise one sentence with the fix."""
    location = location.strip()
    if location in (HELP_CENTER, "help_center", "helpcenter"):
        return "help_center", HELP_CENTER, "Help centre"
    address = urlsplit(location) if "://" in location else None
    if address is not None:
        if address.scheme not in ("http", "https") or not address.hostname:
            raise Invalid(f"{location} is not a web address; use https://…, a folder, a file, or {HELP_CENTER}")
        return ADDRESS, place(location), address.hostname
    if not location or "\0" in location:
        raise Invalid(f"name a folder, a file, an address, or {HELP_CENTER}")
    path = Path(location).expanduser().resolve()
    if path.is_dir():
        if next(files(path), None) is None:
            raise Invalid(f"{path} holds no file that can be read; put {ENDINGS} files there, or name another folder")
        return "folder", str(path), path.name or str(path)
    if path.is_file():
        if path.suffix.lower() not in SUFFIXES:
            raise Invalid(f"{path.name} cannot be read; use one of {ENDINGS}")
        return "file", str(path), path.name
    raise Invalid(f"there is nothing at {path}; check the path, or name a web address or {HELP_CENTER}")


def place(location: str) -> str:
    """Give the full name under which a location was kept."""
    if "://" in location:
        return location.strip().partition("#")[0].rstrip("/")
    return location if "\0" in location else str(Path(location).expanduser().resolve())


def files(root: Path) -> Iterator[Path]:
    """Give every readable file below a folder, in a steady order; of a file, itself."""
    if root.is_file():
        yield root
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(folder) / name


def read_raw(path: Path, root: Path) -> Raw:
    """Read a file; `root` is what was added: the file itself or a folder above it."""
    base = root if root.is_dir() else root.parent
    # a name that is not Unicode must not stop the import
    name = path.relative_to(base).as_posix().encode("utf-8", "replace").decode()
    try:
        if not path.resolve().is_relative_to(base):
            return Raw(source_id=name, error="it is a link that leads out of the folder")
        check_size(name, path.stat().st_size)
        return Raw(source_id=name, content=path.read_bytes())
    except Unreadable as error:
        return Raw(source_id=name, error=str(error))
    except OSError as error:
        return Raw(source_id=name, error=f"it cannot be opened: {error.strerror or error}")


def digest(raw: Raw) -> str:
    """Give what changes whenever the document or our way of reading it does."""
    told = hashlib.sha256(READER)
    for part in (raw.title, raw.url or "", raw.error or ""):
        told.update(b"\0" + part.encode("utf-8", "replace"))
    told.update(b"\0" + raw.content)
    return told.hexdigest()


def text_digest(entry: Entry) -> str:
    """Give what two documents of the same text have in common."""
    told = hashlib.sha256(READER)
    for part in (part for passage in entry.passages for part in passage):
        told.update(b"\0" + part.encode("utf-8", "replace"))
    return told.hexdigest()


def entry(id: str, raw: Raw) -> Entry:
    """Make what the library keeps of a document; a document that cannot be read keeps its reason."""
    error = raw.error
    document = Document(title=raw.title or raw.source_id, blocks=())
    if error is None:
        try:
            document = _read(raw)
        except Unreadable as reason:
            error = str(reason)
        except Exception as reason:  # one document never stops an import, and says what it did
            error = f"it could not be read ({type(reason).__name__})"
    passages = tuple((piece.heading, piece.text) for piece in cut(document)) if error is None else ()
    if error is None and not passages:
        error = "it has no text"
    found = Entry(
        id=id, source_id=raw.source_id, title=document.title, url=raw.url, digest="", passages=passages, error=error
    )
    # What surrounds the text of a page may change with every look; what was read of it tells whether it has changed.
    by = Raw(source_id="", title=found.title, url=raw.url, content=text_digest(found).encode(), error=error)
    return replace(found, digest=digest(by if raw.form is Form.PAGE else raw))


def _read(raw: Raw) -> Document:
    match raw.form:
        case Form.ARTICLE:
            return Document(title=raw.title, blocks=read_html(raw.content.decode(), raw.title).blocks)
        case Form.PAGE:
            return read_html(raw.content.decode(), _name(raw))
        case Form.PDF:
            return read_pdf(raw.content, _name(raw))
        case Form.FILE:
            return read_file(raw.source_id, raw.content)


def _name(raw: Raw) -> str:
    """Name a page that has no title by the end of its address."""
    parts = urlsplit(raw.source_id)
    last = PurePosixPath(unquote(parts.path)).stem.encode("utf-8", "replace").decode()
    return last.replace("/", " ").replace("\0", " ") or parts.netloc
