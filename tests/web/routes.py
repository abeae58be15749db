"""Every address the product answers, read from the application itself: what is not listed here is not served."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from escalade.app import API_EVENTS, App
from escalade.web import hooks


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """A method and a path, its parameters in braces."""

    door: str  # api, widget, console, webhook, sidebar, open
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def at(self, **parameters: str) -> str:
        """Give the path with its parameters filled in."""
        return re.sub(r"{(\w+)(?::\w+)?}", lambda found: parameters[found[1]], self.path)

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)(?::\w+)?}", self.path)


def addresses(app: App) -> list[Address]:
    """List every route of an application."""
    found = [
        Address("webhook", "POST", hooks.PATH),
        Address("webhook", "POST", hooks.SUNSHINE_PREFIX + "{organisation}"),
        Address("api", "GET", API_EVENTS + "{id}/events"),
    ]
    for method, pattern, _ in app._widget._routes:
        path = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", pattern.pattern).removesuffix(r"\Z").replace("\\", "")
        found.append(Address("widget", method, path))
    found += [Address("console", method, path) for method, path in _walk(app._console.routes)]
    found += [Address("sidebar", method, path) for method, path in _walk(app._sidebar.routes)]
    for method, path in _walk(app._rest.routes):
        is_open = not path.startswith("/api/v1/") or path.endswith(("/health", "/ready", "/docs", "/openapi.json"))
        found.append(Address("open" if is_open else "api", method, path))
    return sorted(found)


def _walk(routes: list[BaseRoute], before: str = "") -> Iterator[tuple[str, str]]:
    for route in routes:
        match route:
            case Mount(app=StaticFiles()):
                yield "GET", before + route.path + "/{file}"
            case Mount():
                yield from _walk(list(route.routes), before + route.path)
            case Route():
                for method in sorted((route.methods or set()) - {"HEAD"}):
                    yield method, before + route.path
            case _:  # FastAPI keeps a router that was included as one
                yield from _walk(route.original_router.routes, before + route.include_context.prefix)  # type: ignore[attr-defined]
