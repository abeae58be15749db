"""Helpful or not: two buttons beneath the latest answer, in a real browser against a scripted server."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.serving import until

from .fake_server import FakeServer, Talk
from .visit import NEEDS_CHROMIUM, Arrive, Visit

pytestmark = NEEDS_CHROMIUM

NETWORK = re.compile(r"Failed to load resource")
SOURCES: list[tuple[str, str | None]] = [("Returns and exchanges", "https://help.example.com/returns")]


def answered(visit: Arrive, server: FakeServer, **options: Any) -> tuple[Visit, Talk]:
    visitor = visit(**options).open()
    visitor.write("How do I return a tent?")
    talk = server.newest()
    talk.answer("You can return it within **60 days** [1].", SOURCES)
    expect(visitor.log.get_by_text("60 days")).to_be_visible()
    return visitor, talk


def found(talk: Talk) -> list[str | None]:
    return [data["feedback"] for event, data in talk.events if event == "feedback"]


def kept(talk: Talk, *presses: str | None) -> None:
    """Wait until the server has what was pressed, which is shown before, and see that it has nothing else."""
    until(lambda: len(found(talk)) >= len(presses))
    assert found(talk) == list(presses)


def pressed(button: Locator, yes: bool) -> None:
    expect(button).to_have_attribute("aria-pressed", str(yes).lower())


def test_an_answer_is_found_helpful_changed_and_taken_back(visit: Arrive, server: FakeServer) -> None:
    visitor, talk = answered(visit, server)
    helpful, not_helpful = visitor.button("Helpful"), visitor.button("Not helpful")
    pressed(helpful, False)
    helpful.click()
    pressed(helpful, True)
    not_helpful.click()
    pressed(helpful, False)
    pressed(not_helpful, True)
    expect(visitor.log.get_by_text("Sorry. Write what is missing")).to_be_visible()
    not_helpful.click()
    pressed(not_helpful, False)
    expect(visitor.log.get_by_text("Sorry.")).to_have_count(0)
    kept(talk, "helpful", "not_helpful", None)
    assert talk.handoff is None
    assert [message["author"]["role"] for message in talk.messages] == ["customer", "assistant"]


def test_it_is_there_after_a_reload_and_the_same_in_two_tabs(visit: Arrive, server: FakeServer) -> None:
    visitor, talk = answered(visit, server)
    visitor.button("Helpful").click()
    pressed(visitor.button("Helpful"), True)
    kept(talk, "helpful")
    visitor.page.reload()
    pressed(visitor.button("Helpful"), True)
    first = visitor.page
    visitor.page = visitor.tab("/other")
    visitor.open()
    pressed(visitor.button("Helpful"), True)
    visitor.button("Not helpful").click()
    visitor.page = first
    pressed(visitor.button("Not helpful"), True)
    pressed(visitor.button("Helpful"), False)


def test_the_keyboard_reaches_it_and_is_told_where_to_go_on(visit: Arrive, server: FakeServer) -> None:
    visitor, talk = answered(visit, server)
    visitor.button("Helpful").focus()
    visitor.page.keyboard.press("Tab")
    expect(visitor.button("Not helpful")).to_be_focused()
    visitor.page.keyboard.press("Space")
    pressed(visitor.button("Not helpful"), True)
    expect(visitor.panel.locator('[aria-live="polite"]')).to_contain_text("Write what is missing, or Talk to a person")
    assert talk.handoff is None, "it asks for nobody by itself"
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")
    expect(visitor.heading("Connecting you to our team")).to_be_visible()
    expect(visitor.button("Not helpful")).to_have_count(0)
    expect(visitor.log.get_by_role("img", name="You did not find this helpful")).to_be_visible()


def test_only_the_latest_answer_is_asked_about_and_never_a_persons_words(visit: Arrive, server: FakeServer) -> None:
    visitor, talk = answered(visit, server)
    visitor.button("Helpful").click()
    visitor.write("And a stove?")
    expect(visitor.log.get_by_text("And a stove?")).to_be_visible()
    talk.answer("A stove, too.")
    expect(visitor.log.get_by_text("A stove, too.")).to_be_visible()
    expect(visitor.button("Helpful")).to_have_count(1)
    pressed(visitor.button("Helpful"), False)
    expect(visitor.log.get_by_role("img", name="You found this helpful")).to_be_visible()
    talk.join("Priya Nair")
    talk.say("agent", "Hello, I can help.", name="Priya Nair")
    expect(visitor.log.get_by_text("Hello, I can help.")).to_be_visible()
    expect(visitor.button("Helpful")).to_have_count(0)
    talk.end("by_agent")
    visitor.button("Ask the assistant").click()
    expect(visitor.button("Helpful")).to_have_count(0)


def test_what_was_not_kept_is_not_shown(visit: Arrive, server: FakeServer) -> None:
    visitor, talk = answered(visit, server, complaints=NETWORK)
    server.refuse_next.append(("/feedback", 503))
    visitor.button("Helpful").click()
    expect(visitor.panel.locator('[aria-live="polite"]')).to_contain_text("That could not be kept")
    pressed(visitor.button("Helpful"), False)
    visitor.button("Helpful").click()
    pressed(visitor.button("Helpful"), True)
    kept(talk, "helpful")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_buttons_are_large_enough_and_fit(visit: Arrive, server: FakeServer, width: int, scheme: str) -> None:
    options = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme}
    visitor, _ = answered(visit, server, **options)
    visitor.button("Not helpful").click()
    frame = visitor.panel.locator("main").bounding_box()
    assert frame is not None
    for button in (
        visitor.button("Helpful"),
        visitor.button("Not helpful"),
        visitor.log.get_by_role("button", name="Talk to a person"),
    ):
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24
        assert frame["x"] <= box["x"]
        assert box["x"] + box["width"] <= frame["x"] + frame["width"]
