"""The widget in a real browser, on a shop of another site, against a scripted server."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserType, sync_playwright

from tests.browser import CHROMIUM

from .fake_server import FakeServer, fake_server
from .visit import Arrive, Visit

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
# The last such switch counts. Playwright's own turns off the partitioning of storage, as no visitor's browser does.
PARTITIONED = "--disable-features=HttpsUpgrades,OptimizationHints"


@pytest.fixture(scope="module")
def served() -> Iterator[FakeServer]:
    with fake_server() as server:
        yield server


@pytest.fixture(scope="module")
def chromium() -> Iterator[BrowserType]:
    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="module")
def browser(chromium: BrowserType) -> Iterator[Browser]:
    launched = chromium.launch(executable_path=CHROMIUM, args=[*ARGS, PARTITIONED])
    yield launched
    launched.close()


@pytest.fixture
def server(served: FakeServer) -> FakeServer:
    served.reset()
    return served


@pytest.fixture
def visit(browser: Browser, server: FakeServer) -> Iterator[Arrive]:
    """Let a visitor arrive; afterwards nothing may have left our two sites or reached the console unexpected."""
    visits: list[tuple[Visit, re.Pattern[str] | None]] = []

    def arrive(path: str = "/", complaints: re.Pattern[str] | None = None, **options: Any) -> Visit:
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 860}, "reduced_motion": "reduce", **options}
        )
        visitor = Visit(context, server)
        if path != "/":
            visitor.page.close()
            visitor.page = visitor.tab(path)
        visits.append((visitor, complaints))
        return visitor

    yield arrive
    for visitor, expected in visits:
        visitor.context.close()
        assert visitor.foreign == []
        assert [c for c in visitor.complaints if not (expected and expected.search(c))] == []
