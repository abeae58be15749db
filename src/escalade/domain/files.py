"""What a file may be: its size, its name, and its kind, which content and ending must agree on. Pure.

Only what is on the list passes. A content that could be taken for two kinds is neither: what one program shows as a
picture another could run as a page or unpack as an archive.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from urllib.parse import quote

from escalade.domain.errors import Invalid

LARGEST = 20 * 1024 * 1024  # bytes of one file
MOST = 5  # files of one message
LONGEST_NAME = 120
MOST_ENTRIES = 5_000  # in an office document
ANYTHING = "application/octet-stream"

# What a browser would take for a page: https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type
_MARKUP = re.compile(
    rb"\s*<(?:!doctype|!--|\?xml|html|head|script|iframe|h[1-6]|div|font|table|a|style|title|b|body|br|p|svg|math|meta"
    rb"|img|link|object|embed|form|xsl)(?=[\s>/]|--|\Z)",
    re.IGNORECASE,
)
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|\Z)", re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r'[<>:"|?*]')
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]|\x1b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of file that passes; `picture` is what the picture library calls it."""

    media_type: str
    endings: tuple[str, ...]
    picture: str = ""


PNG = Kind(media_type="image/png", endings=("png",), picture="PNG")
JPEG = Kind(media_type="image/jpeg", endings=("jpg", "jpeg"), picture="JPEG")
GIF = Kind(media_type="image/gif", endings=("gif",), picture="GIF")
WEBP = Kind(media_type="image/webp", endings=("webp",), picture="WEBP")
PDF = Kind(media_type="application/pdf", endings=("pdf",))
TEXT = Kind(media_type="text/plain", endings=("txt", "log"))
CSV = Kind(media_type="text/csv", endings=("csv",))
_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = Kind(media_type=f"{_OFFICE}wordprocessingml.document", endings=("docx",))
XLSX = Kind(media_type=f"{_OFFICE}spreadsheetml.sheet", endings=("xlsx",))
KINDS = (PNG, JPEG, GIF, WEBP, PDF, TEXT, CSV, DOCX, XLSX)
PICTURES = frozenset(kind.media_type for kind in KINDS if kind.picture)
ENDINGS = tuple(ending for kind in KINDS for ending in kind.endings)
_MAIN_PART = {DOCX: "word/document.xml", XLSX: "xl/workbook.xml"}


def claimed_kind(name: str, content: bytes) -> Kind:
    """Say what a file claims to be by its ending, or refuse it; not a byte of it is read."""
    kind = next((kind for kind in KINDS if _ending(name) in kind.endings), None)
    if kind is None:
        raise Invalid(f"files of this kind are not taken; send {', '.join(ENDINGS)}", code="file_kind")
    if not content:
        raise Invalid("the file is empty", code="file_empty")
    return kind


def kind_of(name: str, content: bytes) -> Kind:
    """Say what a file is, or refuse it: its ending and its content must say the same."""
    kind = claimed_kind(name, content)
    if not _is(kind, content):
        raise Invalid(f"the content is not what a .{_ending(name)} file holds", code="file_kind")
    return kind


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _is(kind: Kind, content: bytes) -> bool:
    if kind is PNG:
        return content.startswith(b"\x89PNG\r\n\x1a\n")
    if kind is JPEG:
        return content.startswith(b"\xff\xd8\xff")
    if kind is GIF:
        return content.startswith((b"GIF87a", b"GIF89a"))
    if kind is WEBP:
        return content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    if kind is PDF:
        return _is_pdf(content)
    if kind in _MAIN_PART:
        return _is_office(content, _MAIN_PART[kind])
    return _is_text(content)


def _is_pdf(content: bytes) -> bool:
    """Take a document that begins and ends as one, and is no archive beside it."""
    end = content.rfind(b"%%EOF")
    return content.startswith(b"%PDF-") and end >= 0 and not content[end + 5 :].strip() and b"PK\x05\x06" not in content


def _is_office(content: bytes, main: str) -> bool:
    """Read the list of an office document's parts, and unpack none; macros and strange places are not taken."""
    if not content.startswith(b"PK\x03\x04") or b"%PDF-" in content[:1024]:
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            names = [entry.filename for entry in package.infolist()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError, UnicodeDecodeError):
        return False
    strange = any(
        name.startswith("/") or ".." in name.split("/") or "\\" in name or "vbaproject" in name.lower()
        for name in names
    )
    return not strange and len(names) <= MOST_ENTRIES and "[Content_Types].xml" in names and main in names


def _is_text(content: bytes) -> bool:
    """Take what people wrote, in Unicode or in a code page of eight bits, and nothing a browser would run."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            content = content.decode("utf-16").encode()
        except UnicodeDecodeError:
            return False
    content = content.removeprefix(b"\xef\xbb\xbf")
    return _CONTROLS.search(content) is None and _MARKUP.match(content) is None and not content.startswith(b"%PDF-")


def safe_name(given: str) -> str:
    """Give a name that is only a name: no path, nothing invisible, nothing a file system or a header trips over."""
    name = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    name = "".join(" " if char in "\t\r\n" else char for char in name)
    name = "".join(
        char for char in name if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    )
    name = " ".join(_NOT_IN_NAMES.sub("_", name).split()).strip(". ")
    if _RESERVED.match(name):
        name = f"_{name}"
    stem, dot, ending = name.rpartition(".")
    if len(name) > LONGEST_NAME:
        tail = f".{ending}" if dot and len(ending) <= 10 else ""
        name = (stem if tail else name)[: LONGEST_NAME - len(tail)].rstrip(". ") + tail
    return name or "file"


def disposition(name: str, *, inline: bool) -> str:
    """Write `Content-Disposition`: a plain name for old programs, the whole one for the others.

    https://www.rfc-editor.org/rfc/rfc6266
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", plain).strip(" .") or "file"
    way = "inline" if inline else "attachment"
    return f"{way}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
