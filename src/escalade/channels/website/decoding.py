"""Give the text of a page: as its header says, else as its markup says, else UTF-8, else Windows' Latin."""

from __future__ import annotations

import codecs
import re

# Python knows codecs that take long over nonsense, such as `punycode`; pages are written in none of them.
_KNOWN = re.compile(
    r"(?:utf|iso|windows|cp|koi8|big5|gb|euc|shift|sjis|latin|l\d|us-ascii|ascii|mac|tis|hz|x-)", re.IGNORECASE
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]+)", re.IGNORECASE)


def text_of(body: bytes, content_type: str) -> str:
    """Decode a page; what cannot be decoded is replaced, nothing is refused."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if body.startswith(mark):
            return body.decode(name, "replace")
    declared = _CHARSET.search(content_type) or _CHARSET.search(body[:2048].decode("ascii", "replace"))
    if declared and _KNOWN.match(declared[1]):
        try:
            return body.decode(declared[1], "replace")
        except (LookupError, UnicodeError):
            pass
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")
