"""What a page says to programs: where it leads, where it properly lives, and whether it wants to be found."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from escalade.openends import closed

MOST_LINKS = 5_000


@dataclass(slots=True, kw_only=True)
class Hints:
    """Links and the canonical address as they are written, and the orders of `robots`."""

    base: str = ""
    canonical: str = ""
    links: list[str] = field(default_factory=list)
    index: bool = True
    follow: bool = True

    def obey(self, orders: str) -> None:
        """Take what a page or its headers ask of programs."""
        given = set(re.split(r"[\s,]+", orders.lower()))
        self.index = self.index and not given & {"noindex", "none"}
        self.follow = self.follow and not given & {"nofollow", "none"}


def read(text: str, agent: str) -> Hints:
    """Read a page for one agent; however broken it is, what was read so far counts."""
    reader = _Reader(agent)
    try:
        reader.feed(closed(text))
        reader.close()
    except AssertionError:  # the parser's answer to a broken `<![`
        pass
    return reader.hints


def header(hints: Hints, value: str, agent: str) -> None:
    """Take `X-Robots-Tag`, which may name an agent first."""
    named, found, orders = value.partition(":")
    if not found:
        hints.obey(value)
    elif named.strip().lower() in ("*", agent):
        hints.obey(orders)


class _Reader(HTMLParser):
    def __init__(self, agent: str) -> None:
        super().__init__(convert_charrefs=True)
        self.hints = Hints()
        self._agents = {"robots", agent}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("a", "area", "link", "meta", "base"):
            return
        given = {name: (value or "").strip() for name, value in attrs}
        href, rel = given.get("href", ""), set(given.get("rel", "").lower().split())
        if tag == "meta":
            if given.get("name", "").lower() in self._agents:
                self.hints.obey(given.get("content", ""))
        elif tag == "base":
            self.hints.base = self.hints.base or href
        elif tag == "link":
            if "canonical" in rel:
                self.hints.canonical = self.hints.canonical or href
        elif href and "nofollow" not in rel and len(self.hints.links) < MOST_LINKS:
            self.hints.links.append(href)
