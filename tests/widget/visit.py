"""A visitor of the shop, with the widget in front of them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, expect

from tests.browser import needs_chromium

from .fake_server import FakeServer

NEEDS_CHROMIUM = [pytest.mark.browser, needs_chromium]


class Visit:
    """A visitor with one tab or more, and everything their console complained about."""

    def __init__(self, context: BrowserContext, server: FakeServer) -> None:
        self.context, self.server = context, server
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.page = self.tab()

    def tab(self, path: str = "/") -> Page:
        page = self.context.new_page()
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.seen(request.url))
        page.goto(self.server.shop + path)
        page.wait_for_function("window.SupportChat?.loaded")
        return page

    def seen(self, url: str) -> None:
        if not url.removeprefix("blob:").startswith((self.server.origin, self.server.shop)):
            self.foreign.append(url)

    @property
    def launcher(self) -> Locator:
        return self.page.locator("support-chat .launcher")

    @property
    def panel(self) -> FrameLocator:
        return self.page.frame_locator("support-chat iframe")

    @property
    def log(self) -> Locator:
        return self.panel.get_by_role("log")

    @property
    def composer(self) -> Locator:
        return self.panel.get_by_role("textbox", name="Write a message")

    def open(self) -> "Visit":
        self.launcher.click()
        expect(self.composer).to_be_focused()
        return self

    def write(self, text: str) -> None:
        self.composer.fill(text)
        self.composer.press("Enter")

    def button(self, name: str) -> Locator:
        return self.panel.get_by_role("button", name=name, exact=True)

    def heading(self, name: str) -> Locator:
        return self.panel.get_by_role("heading", name=name)


Arrive = Callable[..., Visit]
