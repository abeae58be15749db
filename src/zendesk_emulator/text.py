"""What Zendesk does to text: placeholders, HTML, blank runs, the silent cut at 64 kB, and timestamps.

Placeholders and the cut are documented; how exactly runs of blanks collapse is a guess.
https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_comments/
"""

from __future__ import annotations

import html
import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime

BODY_LIMIT = 64 * 1024  # bytes

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_LIQUID = re.compile(r"\{%.*?%\}", re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_BREAK = re.compile(r"<br\s*/?>|</p>|</div>|</li>|</h\d>", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t]{2,}")
_EMPTY_LINES = re.compile(r"\n{3,}")


def expand(template: str, values: Mapping[str, str]) -> str:
    """Put values in for `{{placeholders}}`; unknown ones vanish."""
    return _PLACEHOLDER.sub(lambda match: values.get(match.group(1), ""), template)


def expand_comment(template: str, values: Mapping[str, str]) -> str:
    """Expand a comment body, where Liquid tags vanish too."""
    return expand(_LIQUID.sub("", template), values)


def cut(text: str) -> str:
    """Keep the first 64 kB, telling nobody."""
    return text.encode("utf-8", "replace")[:BODY_LIMIT].decode("utf-8", "ignore")


def plain(markup: str) -> str:
    """Read HTML as text."""
    return html.unescape(_TAG.sub("", _BREAK.sub("\n", markup))).strip()


def clean(body: str) -> str:
    """Do to a plain body what Zendesk does: strip tags, collapse runs of blanks and of empty lines."""
    return _EMPTY_LINES.sub("\n\n", _BLANKS.sub(" ", _TAG.sub("", body))).strip()


def as_html(body: str) -> str:
    """Show a plain body as HTML."""
    paragraphs = "".join(f"<p>{html.escape(part)}</p>" for part in body.split("\n\n"))
    return f'<div class="zd-comment">{paragraphs}</div>'.replace("\n", "<br>")


def _whole(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00")


def rest_time(instant: datetime) -> str:
    """Write an instant as the REST API does: whole seconds."""
    return f"{_whole(instant)}Z"


def sun_time(instant: datetime) -> str:
    """Write an instant as Sunshine does: milliseconds."""
    return f"{_whole(instant)}.{instant.microsecond // 1000:03d}Z"


def event_time(instant: datetime, dice: random.Random) -> str:
    """Write an instant as events do: with anything from no to nine fractional digits."""
    digits = dice.choice((0, 3, 6, 9, dice.randrange(10)))
    whole = _whole(instant)
    if not digits:
        return f"{whole}Z"
    fraction = f"{instant.microsecond:06d}{dice.randrange(1000):03d}"[:digits]
    return f"{whole}.{fraction}Z"


def read_time(text: str) -> datetime | None:
    """Read an ISO instant, or give nothing."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
