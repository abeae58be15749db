"""A real browser for the tests: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    # Playwright turns storage partitioning off, and with it the storage of a frame from another site.
    "--disable-features=Translate",
]
expect.set_options(timeout=20_000)  # milliseconds, of a machine that does much else; what is there is seen at once
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="Debian's Chromium is not installed: apt-get install chromium"
)


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Start a browser and end it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
