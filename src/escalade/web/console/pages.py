"""Draw pages: templates that escape everything, behind headers that allow nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from escalade import __version__
from escalade.domain.model import Millis
from escalade.web.console import words

TEMPLATES = Path(__file__).parent.parent / "templates" / "console"

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    # Not `no-referrer`: under that one browsers send `Origin: null` with a form, and we check the origin.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


def ago(at: Millis, now: Millis) -> str:
    """Say in words how long ago something was, or how soon it will be."""
    gone = now - at
    for length, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")):
        n = abs(gone) // length
        if n:
            return f"{n} {name} ago" if gone > 0 else f"in {n} {name}"
    return "just now"


def counted(n: int, one: str) -> str:
    """Write a number with what it counts, one or several."""
    return f"{n} {one}" if n == 1 else f"{n} {one}s"


def stamp(at: Millis) -> str:
    """Write an instant for machines."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock(at: Millis) -> str:
    """Write the time of day to the second, UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%H:%M:%S")


def day(at: Millis) -> str:
    """Write a date for people."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return f"{moment.day} {moment:%B %Y}"


def pretty(text: str) -> str:
    """Lay JSON out for reading; what is none stays as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def sentence(text: str) -> str:
    """Begin a message of the services like a sentence; an address stays as it is."""
    return text if "://" in text[:9] else text[:1].upper() + text[1:]


def listed(detail: str) -> str:
    """Write the detail of a change for people: a list of names, or names with their values."""
    try:
        found = json.loads(detail)
    except ValueError:
        return detail
    match found:
        case list():
            return ", ".join(map(str, found))
        case dict():
            return ", ".join(f"{name}: {value}" for name, value in found.items())
        case _:
            return str(found or "")


class Pages:
    """The templates."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            stamp=stamp,
            clock=clock,
            counted=counted,
            day=day,
            ago=ago,
            pretty=pretty,
            sentence=sentence,
            listed=listed,
        )
        self._environment.globals.update(version=__version__, words=words)

    def draw(self, template: str, context: Mapping[str, Any], *, status: int = 200) -> Response:
        """Draw a page."""
        return HTMLResponse(
            self._environment.get_template(template).render(context), status_code=status, headers=HEADERS
        )
