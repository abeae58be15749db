"""`escalade demo` as a newcomer uses it: the shop, the desk and the console in a real browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.browser import a_browser, needs_chromium
from tests.world import eventually, free_port

pytestmark = [pytest.mark.processes, pytest.mark.browser, needs_chromium]


HERE = re.compile(r"http://(127\.0\.0\.1|localhost)[:/]|data:|blob:")


class Demo:
    """The demo, started the way the README says."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.log = folder / "demo.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "escalade", "demo", "--no-browser", "--port", str(self.port)],
                cwd=folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually(self._ready, f"the demo is ready: {self.log.read_text(errors='replace')}", 60)
        said = self.log.read_text()
        self.shop, self.desk, self.console = re.findall(r"(http://\S+)", said)[:3]

    def _ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return "Ctrl-C stops everything" in self.log.read_text()

    def stop(self) -> int:
        os.killpg(self.process.pid, 2)
        return self.process.wait(20)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    started = Demo(tmp_path_factory.mktemp("demo"))
    yield started
    assert started.stop() == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as started:
        yield started


def open_chat(page: Page, demo: Demo) -> Frame:
    page.goto(demo.shop)
    page.get_by_role("button", name=re.compile("chat", re.IGNORECASE)).click()
    # Waiting in the page, not beside it: Playwright hears of new frames only while it is asked something.
    for _ in range(200):
        frame = next((f for f in page.frames if "/widget/v1/panel" in f.url), None)
        if frame is not None:
            break
        page.wait_for_timeout(100)
    assert frame is not None, "the panel opens"
    expect(frame.get_by_role("textbox")).to_be_visible()
    return frame


def write(frame: Frame, text: str) -> None:
    box = frame.get_by_role("textbox").first
    box.fill(text)
    box.press("Enter")


def test_from_a_question_to_a_person_and_back(demo: Demo, browser: Browser) -> None:
    customer = browser.new_context().new_page()
    problems: list[str] = []
    customer.on("pageerror", lambda error: problems.append(str(error)))
    customer.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    elsewhere: list[str] = []
    customer.on(
        "request",
        lambda r: (
            elsewhere.append(r.url) if not re.match(r"http://(127\.0\.0\.1|localhost)[:/]|data:|blob:", r.url) else None
        ),
    )
    chat = open_chat(customer, demo)

    write(chat, "How do I return something?")
    expect(chat.get_by_role("listitem").filter(has_text="Print the return label")).to_be_visible()
    expect(chat.get_by_text("1 source")).to_be_visible()

    write(chat, "I want to talk to a human")
    expect(chat.get_by_text("Waiting for someone from our team").first).to_be_visible()

    agent = browser.new_context().new_page()
    agent.goto(demo.desk)
    agent.get_by_role("button", name="Accept").first.click()
    log = agent.get_by_role("log")
    expect(log).to_contain_text("How do I return something?")
    expect(log).to_contain_text("I want to talk to a human")
    agent.get_by_label("Reply", exact=True).fill("Hello, I can take the tent back today.")
    agent.get_by_role("button", name="Send reply").click()

    expect(chat.get_by_text("Hello, I can take the tent back today.", exact=True)).to_be_visible()
    expect(chat.get_by_text(re.compile(r"joined the chat")).first).to_be_visible()
    write(chat, "That is kind")
    expect(log).to_contain_text("That is kind")

    customer.reload()
    chat = open_chat(customer, demo)
    expect(chat.get_by_text("Hello, I can take the tent back today.", exact=True)).to_be_visible()

    agent.on("dialog", lambda dialog: dialog.accept())
    agent.get_by_role("button", name="End session").click()
    expect(chat.get_by_text(re.compile("ended", re.IGNORECASE)).first).to_be_visible()
    state = httpx2.get(
        demo.desk.removesuffix("/desk") + "/emulator/state", headers={"Authorization": "Bearer demo-control"}
    ).json()
    assert [ticket["status"] for ticket in state["tickets"]] == ["open"], "the ticket is left alone"
    assert problems == []
    assert elsewhere == [], "nothing comes from anywhere else"


def test_the_console_signs_in_once_and_tells_the_story(demo: Demo, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(demo.console)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Conversations").first.click()
    page.locator("main a[href*='/conversations/']").first.click()
    story = page.locator("main")
    expect(story).to_contain_text("I want to talk to a human")
    expect(story).to_contain_text("PassToAgents")
    again = browser.new_context().new_page()
    again.goto(demo.console)
    if again.get_by_role("button", name="Sign in").count():
        again.get_by_role("button", name="Sign in").click()
    expect(again.locator("body")).to_contain_text(re.compile("used|expired", re.IGNORECASE))
