"""What a site asks of programs that read it: `robots.txt`, as RFC 9309 has it.

https://www.rfc-editor.org/rfc/rfc9309
The standard library's reader takes the first rule that fits instead of the longest, and knows no wildcards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

LARGEST = 500 * 1024  # octets that have to be read
MOST_RULES = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """What is asked of us: rules as (allows, pattern), seconds between requests, and where sitemaps are."""

    rules: tuple[tuple[bool, str], ...] = ()
    delay_s: float = 0.0
    sitemaps: tuple[str, ...] = ()

    def allows(self, address: str) -> bool:
        """Say whether an address may be read: the longest rule that fits decides, and of two the kinder."""
        parts = urlsplit(address)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        fitting = [(len(pattern), allows) for allows, pattern in self.rules if fits(pattern, path)]
        return max(fitting)[1] if fitting else True


def read(text: str, agent: str) -> Robots:
    """Read the file for one agent; what is said to nobody else by that name is said to `*`."""
    groups: dict[str, list[tuple[str, str]]] = {}  # of nobody but us and `*`
    named: set[str] = set()
    sitemaps: list[str] = []
    naming = False
    for line in text.removeprefix("\ufeff").splitlines():
        name, found, value = line.partition("#")[0].partition(":")
        name, value = name.strip().lower(), value.strip()
        if not found:
            continue
        if name == "sitemap":
            sitemaps.append(value)
        elif name == "user-agent":
            named = named if naming else set()
            if value.lower() in (agent.lower(), "*"):
                named.add(value.lower())
                groups.setdefault(value.lower(), [])
        elif name in ("allow", "disallow", "crawl-delay"):
            for each in named:
                groups[each].append((name, value))
        naming = name == "user-agent" or (naming and name == "sitemap")
    ours = groups.get(agent.lower(), groups.get("*", []))
    rules = tuple((name == "allow", _spelt(value)) for name, value in ours if name != "crawl-delay" and value)
    delays = [_seconds(value) for name, value in ours if name == "crawl-delay"]
    return Robots(rules=rules[:MOST_RULES], delay_s=max(delays, default=0.0), sitemaps=tuple(sitemaps[:100]))


def fits(pattern: str, path: str) -> bool:
    """Say whether a rule's path fits: `*` stands for anything, `$` at the end for the end. Takes linear time."""
    ends = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    for piece in rest[:-1]:
        at = path.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    if not rest:
        return not ends or at == len(path)
    last = rest[-1]
    if ends:
        return len(path) - len(last) >= at and path.endswith(last)
    return path.find(last, at) >= 0


def _spelt(pattern: str) -> str:
    return quote(pattern, safe="/%:@!$&'()*+,;=~-._?")


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0
