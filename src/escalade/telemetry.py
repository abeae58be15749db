"""Logs: one line for each verdict, an event name and ids, never what people wrote.

Whatever still gets into a line from outside is made harmless there: control characters are spelled out, so that nobody
writes a line of their own or paints a terminal; what is long is cut; what looks like a credential is covered.
"""

from __future__ import annotations

import logging
import re
import sys
import unicodedata
from typing import Any

import structlog

LONGEST = 2_000
LONGEST_TRACE = 20_000
CREDENTIAL = re.compile(
    r"\b((?:bearer|basic)\s+)[^\s'\",]{6,}"
    r"|\b((?:ek|wt)_)[\w-]{6,}"
    r"|((?:token|secret|password|api_key|signature)[\"']?\s*[=:]\s*[\"']?)[^\s'\"&,}]{6,}",
    re.IGNORECASE,
)


def set_up(log_format: str, level: str) -> None:
    """Send structured logs to standard error; `auto` writes for people on a terminal and JSON elsewhere."""
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            tame,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def tame(_logger: Any, _method: str, line: structlog.types.EventDict) -> structlog.types.EventDict:
    """Make every value of a line harmless."""
    return {name: _tamed(value, trace=name == "exception") for name, value in line.items()}


def _tamed(value: Any, *, trace: bool = False) -> Any:
    if isinstance(value, bool | int | float) or value is None:
        return value
    text = CREDENTIAL.sub(r"\1\2\3•••", str(value))
    most = LONGEST_TRACE if trace else LONGEST
    if len(text) > most:  # of a traceback the end says what happened
        cut = f"… {len(text) - most} more characters …"
        text = cut + text[-most:] if trace else text[:most] + cut
    return "".join(char if char == "\n" and trace else _spelled(char) for char in text)


def _spelled(char: str) -> str:
    """Spell out what does not print, directions and line ends among it."""
    if char == " " or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return char
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
