"""A web site for the tests: pages in a table, served over real HTTP, and everything that was asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.serving import served

Answer = tuple[int, dict[str, str], bytes]


@dataclass(slots=True)
class Website:
    """A site under way; `{url}` in a page or header stands for its address."""

    url: str = ""
    pages: dict[str, Answer | list[Answer]] = field(default_factory=dict)  # of a list, one each time, the last for ever
    asked: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)

    def put(self, path: str, body: str | bytes = b"", kind: str = "text/html", status: int = 200, **more: str) -> None:
        """Put a page there; further headers are written with underscores."""
        headers = {"content-type": kind} | {name.replace("_", "-"): value for name, value in more.items()}
        self.pages[path] = (status, headers, body.encode() if isinstance(body, str) else body)

    def page(self, path: str, text: str, *links: str, head: str = "") -> None:
        """Put a page with one paragraph and links there."""
        shown = "".join(f'<a href="{link}"></a>' for link in links)
        title = path.strip("/") or "home"
        self.put(path, f"<html><head><title>{title}</title>{head}</head><body><p>{text}</p>{shown}</body></html>")

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        self.asked.append(path)
        self.agents.add(request.headers.get("user-agent", ""))
        found = self.pages.get(path, (404, {"content-type": "text/html"}, b"nothing"))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        status, headers, body = found
        filled = {name: value.replace("{url}", self.url) for name, value in headers.items()}
        return Response(body.replace(b"{url}", self.url.encode()), status, filled)


@contextmanager
def website() -> Iterator[Website]:
    """Serve a site."""
    found = Website()
    with served(lambda _url: Starlette(routes=[Route("/{path:path}", found.answer)])) as url:
        found.url = url
        yield found
