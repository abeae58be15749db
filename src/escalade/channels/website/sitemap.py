"""Read a sitemap: the pages a site names itself, or the further sitemaps of an index; also packed with gzip.

https://www.sitemaps.org/protocol.html
Only `<loc>` counts, and it is looked for as text: no entity of a stranger's XML is ever expanded.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from html import unescape
from itertools import islice

LARGEST = 50 * 1024 * 1024  # the protocol's own limit, unpacked
MOST = 50_000  # addresses of one sitemap, by the protocol
_LOC = re.compile(r"<loc>\s{0,99}(?:<!\[CDATA\[)?([^<\]]{1,2048})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitemap:
    """Addresses as they are written; of an index, they lead to further sitemaps."""

    addresses: tuple[str, ...]
    is_index: bool


def read(content: bytes) -> Sitemap | None:
    """Read what was fetched; nothing where it is no sitemap."""
    if content.startswith(b"\x1f\x8b"):
        unpacked = _unpacked(content)
        if unpacked is None:
            return None
        content = unpacked
    text = content.decode("utf-8", "replace")
    is_index = "<sitemapindex" in text[:4096]
    if not is_index and "<urlset" not in text[:4096]:
        return None
    found = islice(_LOC.finditer(text), MOST)
    return Sitemap(addresses=tuple(unescape(each[1]).strip() for each in found), is_index=is_index)


def _unpacked(content: bytes) -> bytes | None:
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        found = unzip.decompress(content, LARGEST)
    except zlib.error:
        return None
    return found if unzip.eof else None
