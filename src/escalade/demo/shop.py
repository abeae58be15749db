"""A shop to be a customer of: a few static pages that carry the widget's snippet, on a site of their own."""

from __future__ import annotations

import html
import http.server
import threading
from pathlib import Path
from types import TracebackType

PAGES = Path(__file__).parent / "storefront"
KINDS = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


class Shop:
    """Serves the shop on a thread until the block ends."""

    def __init__(self, port: int, *, product: str, widget_key: str, desk: str, console: str) -> None:
        words = {"product": product, "widget_key": widget_key, "desk": desk, "console": console}
        pages = {f"/{path.name}": (KINDS[path.suffix], _filled(path, words)) for path in PAGES.iterdir()}
        pages["/"] = pages["/index.html"]

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, body = pages.get(self.path.partition("?")[0], ("text/plain; charset=utf-8", b""))
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: the visitor's clicks are nobody's business."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Shop:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _filled(path: Path, words: dict[str, str]) -> bytes:
    text = path.read_text()
    for name, value in words.items():
        text = text.replace("{" + name + "}", html.escape(value, quote=True))
    return text.encode()
