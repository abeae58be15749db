"""What belongs to a site: one host, and what lies below the address that was given. An address has one spelling."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

LONGEST = 2000
DEFAULT_PORTS = {"http": 80, "https": 443}
# What a link carries for those who count visits; the page is the same without.
COUNTING = re.compile(r"utm_\w+|gclid|fbclid|msclkid|mc_[ce]id|_ga|_gl")
DOCUMENT = re.compile(r"\.(?:x?html?|php|aspx?|jspx?|cfm|pdf)$", re.IGNORECASE)
# What is surely not for reading, by the ending of its name; everything else is judged by what the server says it is.
_OTHER = (
    ".7z .avi .avif .bin .bmp .bz2 .css .csv .dmg .doc .docx .eot .exe .gif .gz .ico .iso .jar .jpeg .jpg .js .json"
    " .m4a .m4v .mjs .mkv .mov .mp3 .mp4 .mpeg .odp .ods .odt .ogg .otf .png .ppt .pptx .rar .rss .svg .tar .tgz .tif"
    " .tiff .ttf .wav .webm .webmanifest .webp .wmv .woff .woff2 .xls .xlsx .xml .zip"
)
OTHER = frozenset(_OTHER.split())


def spelt(address: str, base: str = "") -> str | None:
    """Give an address its one spelling: no fragment, no default port, no counting; nothing where it is no address."""
    try:
        parts = urlsplit(urljoin(base, address.strip()))
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS or not host or parts.username is not None or parts.password is not None:
        return None
    place = f"[{host}]" if ":" in host else host
    if port is not None and port != DEFAULT_PORTS[scheme]:
        place += f":{port}"
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = parts.query
    if any(COUNTING.fullmatch(name) for name, _ in parse_qsl(query, keep_blank_values=True)):
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([(name, value) for name, value in pairs if not COUNTING.fullmatch(name)])
    query = quote(query, safe="/%:@!$&'()*+,;=~-._?")
    found = f"{scheme}://{place}{path}{f'?{query}' if query else ''}"
    return found if len(found) <= LONGEST else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A site: everything on `origin` whose path is `path` or lies below its last slash."""

    origin: str
    path: str

    @classmethod
    def of(cls, address: str) -> Scope:
        """Take in what lies beside and below an address that `spelt` gave."""
        parts = urlsplit(address)
        return cls(origin=f"{parts.scheme}://{parts.netloc}", path=parts.path)

    def inside(self, address: str, base: str = "") -> str | None:
        """Give the one spelling of an address that belongs to the site; nothing for any other.

        With and without `www.`, and by `http` where the site has `https`, it is still the same site.
        """
        found = spelt(address, base)
        if found is None:
            return None
        own, other = urlsplit(self.origin), urlsplit(found)
        upgraded = other.scheme == own.scheme or (other.scheme == "http" and other.port is None)
        if not (upgraded and _bare(other.netloc) == _bare(own.netloc)):
            return None
        folder = self.path if self.path.endswith("/") else f"{self.path}/"
        if DOCUMENT.search(self.path):
            folder = self.path.rpartition("/")[0] + "/"
        if other.path != self.path and not other.path.startswith(folder):
            return None
        return f"{self.origin}{other.path}{f'?{other.query}' if other.query else ''}"


def same_site(one: str, other: str) -> bool:
    """Say whether two addresses are of one host, with or without `www.`."""
    return _bare(urlsplit(one).netloc) == _bare(urlsplit(other).netloc)


def may_be_read(address: str) -> bool:
    """Say whether the ending of a path leaves hope for text."""
    return PurePosixPath(urlsplit(address).path).suffix.lower() not in OTHER


def is_pdf(address: str) -> bool:
    """Say whether an address looks like that of a PDF."""
    return urlsplit(address).path.lower().endswith(".pdf")


def _bare(host: str) -> str:
    return host.removeprefix("www.")
