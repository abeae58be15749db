"""The panel's page and the widget's compiled files: what a browser loads before it talks to the widget's API."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

from escalade.store import organisations
from escalade.store.database import Database
from escalade.web.wire import Header, Problem, Receive, Scope, Send, answer, query_of

STATIC = Path(__file__).parent / "static" / "widget"
KINDS = {".js": b"text/javascript; charset=utf-8", ".css": b"text/css; charset=utf-8", ".svg": b"image/svg+xml"}
PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">'
    '<title>{name}</title><link rel="stylesheet" href="/widget/{css}">'
    '<script type="module" src="/widget/{js}"></script></head>'
    '<body data-key="{key}" data-origin="{origin}" data-name="{name}"><div id="app"></div></body></html>'
)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self';"
    " frame-ancestors {ancestors}; base-uri 'none'; form-action 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)


class Page:
    """Serves what the widget consists of; all of it is read once, at the start."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._assets = {path.name: path.read_bytes() for path in STATIC.glob("assets/*")}
        self._loader = (STATIC / "loader.js").read_bytes()
        self._js, self._css = _entry(STATIC / "manifest.json")

    async def show(self, scope: Scope, _receive: Receive, send: Send, _match: re.Match[str]) -> None:
        """Write the panel's page, for the sites that may show it."""
        query = query_of(scope)
        key = query.get("key", "")
        origin = query.get("origin", "")
        organisation = await self._database.read(lambda tx: organisations.by_widget_key(tx, key))
        if organisation is None:
            raise Problem("not-found", "there is no widget with this key")
        allowed = organisation.settings.widget.allowed_origins
        if allowed and origin not in allowed:
            raise Problem("forbidden", "this site is not on the widget's list of domains")
        page = PAGE.format(
            css=self._css,
            js=self._js,
            key=html.escape(key, quote=True),
            origin=html.escape(origin, quote=True),
            name=html.escape(organisation.name, quote=True),
        )
        policy = POLICY.format(ancestors=" ".join(allowed) if allowed else "*")
        headers: tuple[Header, ...] = (
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", policy.encode()),
            (b"referrer-policy", b"no-referrer"),
            (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
        )
        await answer(send, 200, page.encode(), headers)

    async def loader(self, _scope: Scope, _receive: Receive, send: Send, _match: re.Match[str]) -> None:
        """Give the script a site includes: it may be kept for minutes, since its address never changes."""
        await _file(send, self._loader, KINDS[".js"], b"public, max-age=300, stale-while-revalidate=86400")

    async def asset(self, _scope: Scope, _receive: Receive, send: Send, match: re.Match[str]) -> None:
        """Give a file whose name carries a hash of its content: it may be kept for ever."""
        body = self._assets.get(match["id"])
        kind = KINDS.get(Path(match["id"]).suffix)
        if body is None or kind is None:
            raise Problem("not-found", "there is no such file")
        await _file(send, body, kind, b"public, max-age=31536000, immutable")


def _entry(manifest: Path) -> tuple[str, str]:
    """Read which files the panel consists of; the names carry a hash of their content."""
    entry: dict[str, Any] = next(iter(json.loads(manifest.read_text()).values()))
    return str(entry["file"]), str(entry["css"][0])


async def _file(send: Send, body: bytes, kind: bytes, cache: bytes) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", kind),
                (b"content-length", str(len(body)).encode()),
                (b"cache-control", cache),
                (b"x-content-type-options", b"nosniff"),
                (b"cross-origin-resource-policy", b"cross-origin"),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
