"""An import that is killed half-way keeps what it read, and the next one goes on there: over real HTTP."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from escalade.domain.organisation import Organisation
from escalade.product import open_library
from escalade.settings import load
from escalade.store import organisations
from tests.engines import blank_sqlite
from tests.serving import served

from .elsewhere import ACME, NOON

PAGES, EACH = 12, 100
HANGS_AT = 7


class Center:
    """A help centre whose list hangs at one page until somebody stops waiting."""

    def __init__(self) -> None:
        self.hangs = True
        self.reached = threading.Event()
        self.asked: list[int] = []

    async def articles(self, request: Request) -> Response:
        if "page[size]" not in request.query_params:
            return JSONResponse({"articles": [], "count": PAGES * EACH})
        page = int(request.query_params.get("page[after]", "1"))
        self.asked.append(page)
        while page == HANGS_AT and self.hangs:
            self.reached.set()
            await asyncio.sleep(0.01)
        first = (page - 1) * EACH
        articles = [
            {"id": number, "title": f"Article {number}", "body": f"<p>About word{number}x.</p>", "html_url": None}
            for number in range(first + 1, first + EACH + 1)
        ]
        more = page < PAGES
        meta = {"has_more": more, "after_cursor": str(page + 1) if more else None}
        return JSONResponse({"articles": articles, "meta": meta})


@pytest.mark.processes
async def test_a_killed_import_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ESCALADE_ENV", "development")
    monkeypatch.setenv("ESCALADE_DATABASE_URL", blank_sqlite(tmp_path))
    center = Center()
    routes = [Route("/api/v2/help_center/articles.json", center.articles)]
    with served(lambda _url: Starlette(routes=routes)) as url:
        async with open_library(load()) as library:
            organisation = Organisation(id=ACME, name="Acme", widget_key="pk_acme")
            await library._db.write(lambda tx: organisations.create(tx, organisation, NOON))
            command = [sys.executable, "-m", "escalade", "knowledge", "add", url, "--org", ACME]
            process = subprocess.Popen(command, env=os.environ, stderr=subprocess.PIPE, start_new_session=True)
            try:
                assert await asyncio.to_thread(center.reached.wait, 60)
            finally:
                process.kill()
                process.communicate()
            center.hangs = False
            read_before = (HANGS_AT - 1) * EACH
            assert len(await library.search(ACME, f"word{read_before}x", 3)) == 1, "what was read is there"
            center.asked.clear()
            (imported,) = await library.sync(ACME)
            assert center.asked == list(range(HANGS_AT, PAGES + 1)), "no page is asked for again"
            assert (imported.added, imported.unchanged, imported.removed) == (PAGES * EACH - read_before, 0, 0)
            assert imported.source.documents == PAGES * EACH
