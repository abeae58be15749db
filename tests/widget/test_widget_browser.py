"""The widget in a real browser, on a shop of another site, against a scripted server."""

import re

import pytest
from playwright.sync_api import (
    BrowserType,
    Route,
    expect,
)

from tests.browser import CHROMIUM

from .conftest import ARGS
from .fake_server import FakeServer
from .visit import NEEDS_CHROMIUM, Arrive, Visit

pytestmark = NEEDS_CHROMIUM

NETWORK = re.compile(r"Failed to load resource")

TENT = "How do I return a tent?"
ANSWER = "You can return it within **60 days** [1].\n\n- Keep it dry\n- Print the label [2]"
SOURCES = [("Returns and exchanges", "https://help.example.com/returns"), ("Parcels", None)]


# Opening and closing


def test_a_page_nobody_chats_on_loads_the_loader_and_nothing_else(visit: Arrive, server: FakeServer) -> None:
    visitor = visit()
    visitor.page.wait_for_load_state("networkidle")
    expect(visitor.page.locator("support-chat iframe")).to_have_count(0)
    assert server.requests == []


def test_opens_by_click_and_escape_gives_the_focus_back(visit: Arrive) -> None:
    visitor = visit()
    expect(visitor.launcher).to_have_attribute("aria-expanded", "false")
    visitor.open()
    expect(visitor.launcher).to_have_accessible_name("Close support chat")
    visitor.page.keyboard.press("Escape")
    expect(visitor.launcher).to_be_focused()
    expect(visitor.launcher).to_have_attribute("aria-expanded", "false")
    expect(visitor.page.locator("support-chat iframe")).to_be_hidden()


def test_works_with_the_keyboard_alone(visit: Arrive, server: FakeServer) -> None:
    visitor = visit()
    visitor.launcher.focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.composer).to_be_focused()
    visitor.page.keyboard.type("Hello")
    visitor.page.keyboard.press("Shift+Enter")
    visitor.page.keyboard.type("there")
    visitor.page.keyboard.press("Enter")
    expect(visitor.log.get_by_text("Sent")).to_be_visible()
    assert server.newest().messages[0]["text"] == "Hello\nthere"
    # Not a trap: the keyboard leaves the panel of a large screen.
    visitor.launcher.focus()
    expect(visitor.launcher).to_be_focused()


def test_the_keyboard_stays_at_the_button_until_the_panel_is_there(visit: Arrive) -> None:
    visitor = visit()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    visitor.context.route("**/widget/v1/panel?*", hold)
    visitor.launcher.focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.launcher).to_have_attribute("aria-expanded", "true")
    visitor.page.keyboard.press("Escape")
    expect(visitor.launcher).to_have_attribute("aria-expanded", "false")
    visitor.page.keyboard.press("Enter")
    for route in held:
        route.continue_()
    expect(visitor.composer).to_be_focused()
    visitor.page.keyboard.type("Hello")
    expect(visitor.composer).to_have_value("Hello")


def test_the_header_s_button_closes_too(visit: Arrive) -> None:
    visitor = visit().open()
    visitor.button("Close chat").click()
    expect(visitor.launcher).to_be_focused()


def test_the_greeting_says_it_is_an_ai_and_how_to_reach_a_person(visit: Arrive) -> None:
    visitor = visit().open()
    expect(visitor.log.get_by_text("I’m an AI assistant")).to_be_visible()
    expect(visitor.log.get_by_text("You can reach a person at any time")).to_be_visible()
    expect(visitor.button("Talk to a person")).to_be_visible()


def test_the_api_opens_with_a_draft_and_reports_events(visit: Arrive) -> None:
    visitor = visit()
    visitor.page.evaluate(
        "window.seen = []; for (const n of ['open', 'close']) SupportChat('on', n, () => seen.push(n)); 0"
    )
    visitor.page.evaluate("SupportChat('open', 'I need help with order 7')")
    expect(visitor.composer).to_have_value("I need help with order 7")
    visitor.page.evaluate("SupportChat('close')")
    assert visitor.page.evaluate("seen") == ["open", "close"]
    visitor.page.evaluate("SupportChat('hide')")
    expect(visitor.launcher).to_be_hidden()


# The assistant


def test_sends_and_shows_an_answer_with_its_sources(visit: Arrive, server: FakeServer) -> None:
    visitor = visit("/other").open()
    visitor.write(TENT)
    expect(visitor.log.get_by_text("Looking for an answer")).to_be_visible()
    talk = server.newest()
    assert talk.context == {"page": "/other"}
    talk.answer(ANSWER, SOURCES)
    expect(visitor.log.get_by_text("Looking for an answer")).to_be_hidden()
    expect(visitor.log.locator("strong")).to_have_text("60 days")
    assert visitor.log.locator(".tag").count() == 2
    visitor.panel.get_by_role("button", name="Source 1: Returns and exchanges").click()
    link = visitor.panel.get_by_role("link", name="Returns and exchanges")
    expect(link).to_be_focused()
    expect(link).to_have_attribute("href", "https://help.example.com/returns")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")


def test_an_answer_grows_in_its_place_and_is_there_once(visit: Arrive, server: FakeServer) -> None:
    visitor = visit().open()
    visitor.write(TENT)
    talk = server.newest()
    talk.listened_to()
    talk.typing("assistant")
    talk.draft("a1", "You can return a tent. [1]", "Returns")
    growing = visitor.log.get_by_text("You can return a tent.")
    expect(growing).to_be_visible()
    expect(visitor.log.get_by_text("Looking for an answer")).to_be_visible()
    expect(visitor.panel.get_by_role("button", name="Source 1: Returns")).to_be_visible()
    talk.draft("a1", "You can return a tent. [1] Within 60 days. [1]", "Returns")
    expect(visitor.log.get_by_text("Within 60 days.")).to_be_visible()
    talk.say("assistant", "You can return a tent within 60 days.", ident="a1", name="Assistant")
    expect(visitor.log.get_by_text("You can return a tent within 60 days.")).to_be_visible()
    expect(growing).to_be_hidden()
    talk.draft("a1", "You can return a tent. [1]", "Returns")  # late: its answer is there
    talk.draft("a2", "Please wait. [1]", "Returns")
    expect(visitor.log.get_by_text("Please wait.")).to_be_visible()
    expect(growing).to_be_hidden()
    talk.become("pending", state="requested")
    expect(visitor.log.get_by_text("Please wait.")).to_be_hidden()


def test_text_of_the_assistant_never_becomes_markup(visit: Arrive, server: FakeServer) -> None:
    visitor = visit().open()
    visitor.write("hi")
    server.newest().answer(
        '<img src=x onerror="alert(1)"> [press](javascript:alert(1)) '
        "![pixel](https://evil.example/p.png) <script>alert(2)</script>"
    )
    expect(visitor.log.get_by_text("<img src=x")).to_be_visible()
    assert visitor.log.locator("img, script").count() == 0
    assert visitor.log.locator('a[href^="javascript"]').count() == 0


def test_whole_messages_are_announced(visit: Arrive, server: FakeServer) -> None:
    visitor = visit().open()
    visitor.write(TENT)
    server.newest().answer("Within 60 days.")
    expect(visitor.panel.locator('[aria-live="polite"]')).to_contain_text("Assistant: Within 60 days.")
    expect(visitor.log).to_have_attribute("aria-live", "off")


# People


def test_from_asking_for_a_person_to_the_end_of_the_chat(visit: Arrive, server: FakeServer) -> None:
    visitor = visit().open()
    visitor.write(TENT)
    talk = server.newest()
    talk.answer(ANSWER, SOURCES)
    visitor.button("Talk to a person").click()
    expect(visitor.heading("Connecting you to our team")).to_be_visible()
    talk.queue()
    expect(visitor.heading("Waiting for someone from our team")).to_be_visible()
    expect(visitor.button("Leave a message instead")).to_be_visible()
    talk.join("Priya Nair")
    expect(visitor.heading("Priya Nair")).to_be_visible()
    expect(visitor.log.get_by_text("Priya Nair joined the chat")).to_be_visible()
    expect(visitor.button("Talk to a person")).to_have_count(0)
    talk.say("agent", "Hello, I can help.", name="Priya Nair")
    expect(visitor.log.get_by_text("Hello, I can help.")).to_be_visible()
    visitor.write("Thank you!")
    expect(visitor.log.get_by_text("Sent")).to_be_visible()
    talk.deliver(talk.messages[-1])
    expect(visitor.log.get_by_text("Delivered")).to_be_visible()
    talk.end("by_agent")
    expect(visitor.heading("Priya Nair ended this chat")).to_be_visible()
    expect(visitor.composer).to_have_count(0)
    visitor.button("Ask the assistant").click()
    expect(visitor.composer).to_be_focused()
    expect(visitor.button("Talk to a person")).to_be_visible()


@pytest.mark.parametrize(
    ("how", "words"),
    [("inactive", "quiet for a while"), ("closed", "Your request was closed"), ("unknown", "This chat has ended")],
)
def test_says_which_ending_it_was(visit: Arrive, server: FakeServer, how: str, words: str) -> None:
    visitor = visit().open()
    visitor.write(TENT)
    talk = server.newest()
    talk.join("Priya Nair")
    talk.end(how)
    expect(visitor.heading(words)).to_be_visible()
    expect(visitor.button("Talk to a person again")).to_be_visible()


def test_a_ticket_asks_for_the_address_once(visit: Arrive, server: FakeServer) -> None:
    visitor = visit(complaints=NETWORK).open()
    visitor.write(TENT)
    talk = server.newest()
    talk.ticket("4312", needs_email=True)
    field = visitor.panel.get_by_label("Where should we reply?")
    field.fill("nonsense")
    field.press("Enter")
    expect(visitor.panel.get_by_text("Enter an address like")).to_be_visible()
    expect(field).to_be_focused()
    field.fill("maria@example.invalid")
    field.press("Enter")
    expect(visitor.panel.get_by_text("That address does not work")).to_be_visible()
    field.fill("maria@example.com")
    field.press("Enter")
    expect(visitor.panel.get_by_text("We reply here and to maria@example.com.")).to_be_visible()
    expect(visitor.heading("Request #4312")).to_be_visible()
    assert server.customers[talk.customer]["email"] == "maria@example.com"


def test_waiting_can_be_left_for_the_assistant(visit: Arrive, server: FakeServer) -> None:
    visitor = visit().open()
    visitor.write(TENT)
    server.newest().queue()
    visitor.button("Back to the assistant").click()
    expect(visitor.log.get_by_text("You are back with the assistant")).to_be_visible()
    expect(visitor.button("Talk to a person")).to_be_visible()


def test_an_escalation_that_fails_is_not_a_dead_end(visit: Arrive, server: FakeServer) -> None:
    visitor = visit(complaints=NETWORK).open()
    server.refuse_next.append(("/escalate", 503))
    visitor.button("Talk to a person").click()
    expect(visitor.heading("We could not reach the team")).to_be_visible()
    visitor.button("Try again").click()
    expect(visitor.heading("Connecting you to our team")).to_be_visible()


def test_a_closed_conversation_leads_to_a_new_one(visit: Arrive, server: FakeServer) -> None:
    visitor = visit().open()
    visitor.write(TENT)
    talk = server.newest()
    talk.become("nobody", "closed", state="ended", ended="closed", ticket_id="4312")
    expect(visitor.heading("Request #4312 was closed")).to_be_visible()
    visitor.button("Start a new chat").click()
    visitor.write("Something else")
    expect(visitor.log.get_by_text("Sent")).to_be_visible()
    assert len(server.talks) == 2


def test_unread_messages_show_on_the_closed_launcher(visit: Arrive, server: FakeServer) -> None:
    visitor = visit().open()
    visitor.write(TENT)
    talk = server.newest()
    expect(visitor.log.get_by_text("Sent")).to_be_visible()
    visitor.page.keyboard.press("Escape")
    expect(visitor.launcher).to_have_accessible_name("Open support chat")  # the page outside has heard of the key
    talk.join("Priya Nair")
    talk.say("agent", "Are you still there?", name="Priya Nair")
    expect(visitor.launcher).to_have_accessible_name("Open support chat, 1 unread message")
    expect(visitor.page.locator("support-chat .teaser")).to_contain_text("Are you still there?")
    visitor.open()
    expect(visitor.launcher.locator(".badge")).to_be_hidden()


# Lines that drop, tabs, reloads


def test_a_reload_restores_the_conversation(visit: Arrive, server: FakeServer) -> None:
    visitor = visit().open()
    visitor.write(TENT)
    talk = server.newest()
    talk.join("Priya Nair")
    talk.say("agent", "Hello again.", name="Priya Nair")
    expect(visitor.log.get_by_text("Hello again.")).to_be_visible()
    visitor.composer.fill("half a sen")
    visitor.page.reload()
    expect(visitor.log.get_by_text(TENT)).to_be_visible()
    expect(visitor.log.get_by_text("Hello again.")).to_be_visible()
    expect(visitor.heading("Priya Nair")).to_be_visible()
    expect(visitor.composer).to_have_value("half a sen")
    assert len(server.talks) == 1
    assert len(server.customers) == 1


def test_what_is_written_offline_arrives_once_and_in_order(visit: Arrive, server: FakeServer) -> None:
    visitor = visit(complaints=NETWORK).open()
    visitor.write("one")
    expect(visitor.log.get_by_text("Sent")).to_be_visible()
    visitor.context.set_offline(True)
    expect(visitor.panel.get_by_text("You are offline")).to_be_visible()
    visitor.write("two")
    visitor.write("three")
    expect(visitor.log.get_by_text("Will be sent when you are back online")).to_have_count(2)
    visitor.context.set_offline(False)
    expect(visitor.log.get_by_text("Will be sent")).to_have_count(0)
    expect(visitor.panel.get_by_text("You are offline")).to_have_count(0)
    expect(visitor.log.get_by_text("Sent")).to_be_visible()
    assert [message["text"] for message in server.newest().messages] == ["one", "two", "three"]
    server.newest().answer("All three are here.")
    expect(visitor.log.get_by_text("All three are here.")).to_be_visible()


def test_a_refused_send_stays_and_can_be_repeated(visit: Arrive, server: FakeServer) -> None:
    visitor = visit(complaints=NETWORK).open()
    visitor.write("one")
    expect(visitor.log.get_by_text("Sent")).to_be_visible()
    server.newest().listened_to()  # a stream that begins sends what was not sent
    # It says so after the second refusal, and for an hour tries no more by itself: what goes now, the button sent.
    server.refuse_next += [("/messages", 503), ("/messages", 503, 3600)]
    visitor.write("hello")
    expect(visitor.log.get_by_text("Not sent.")).to_be_visible()
    visitor.button("Try again").click()
    expect(visitor.log.get_by_text("Not sent.")).to_have_count(0)
    expect(visitor.log.get_by_text("Sent")).to_be_visible()
    assert [message["text"] for message in server.newest().messages] == ["one", "hello"]


def test_long_polling_where_streams_are_held_back(visit: Arrive, server: FakeServer) -> None:
    server.mute_streams = True
    visitor = visit().open()
    visitor.write(TENT)
    server.newest().answer("It came all the same.")
    expect(visitor.log.get_by_text("It came all the same.")).to_be_visible()
    server.newest().answer("And again.")
    expect(visitor.log.get_by_text("And again.")).to_be_visible()
    server.newest().answer("At once by now.")
    expect(visitor.log.get_by_text("At once by now.")).to_be_visible()
    server.newest().deliver(server.newest().messages[0], "failed")
    expect(visitor.log.get_by_text("Not delivered to the team yet")).to_be_visible()
    streams = [path for path in server.requests if path.endswith("/events")]
    assert len(streams) == 1, "a stream that brought nothing is not waited for again"


def test_two_tabs_of_a_site_stay_in_step_over_one_stream(visit: Arrive, server: FakeServer) -> None:
    visitor = visit().open()
    visitor.write(TENT)
    talk = server.newest()
    expect(visitor.log.get_by_text("Sent")).to_be_visible()
    first, visitor.page = visitor.page, visitor.tab()
    visitor.open()
    expect(visitor.log.get_by_text(TENT)).to_be_visible()
    visitor.write("From the second tab")
    talk.answer("Seen in both.")
    for page in (first, visitor.page):
        log = page.frame_locator("support-chat iframe").get_by_role("log")
        expect(log.get_by_text("From the second tab")).to_be_visible()
        expect(log.get_by_text("Seen in both.")).to_be_visible()
    assert sum(path.endswith("/events") for path in server.requests) == 1
    first.close()
    talk.answer("The other tab took over.")
    expect(visitor.log.get_by_text("The other tab took over.")).to_be_visible()


def test_a_session_the_server_forgot_is_made_anew(visit: Arrive, server: FakeServer) -> None:
    visitor = visit(complaints=NETWORK).open()
    visitor.write("one")
    expect(visitor.log.get_by_text("Sent")).to_be_visible()
    server.customers.clear()
    server.talks.clear()
    visitor.write("two")
    talk = server.newest()
    expect(visitor.log.get_by_text("Sent")).to_be_visible()
    assert [message["text"] for message in talk.messages] == ["two"]


def test_works_from_memory_where_storage_is_denied(chromium: BrowserType, server: FakeServer) -> None:
    denied = [*ARGS, "--disable-features=HttpsUpgrades,ThirdPartyStoragePartitioning"]
    launched = chromium.launch(executable_path=CHROMIUM, args=denied)
    visitor = Visit(launched.new_context(), server).open()
    expect(visitor.log.get_by_text("This browser forgets the chat")).to_be_visible()
    visitor.write(TENT)
    server.newest().answer("Here you are.")
    expect(visitor.log.get_by_text("Here you are.")).to_be_visible()
    assert visitor.complaints == []
    launched.close()


# Other people's pages


@pytest.mark.parametrize("path", ["/?hostile", "/?strict", "/?hostile&strict"])
def test_a_hostile_or_strict_page_changes_nothing(visit: Arrive, server: FakeServer, path: str) -> None:
    visitor = visit(path).open()
    box = visitor.launcher.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (56, 56)
    assert box["x"] + box["width"] == pytest.approx(1260, abs=16)
    frame = visitor.page.locator("support-chat iframe").bounding_box()
    assert frame is not None
    assert frame["width"] == 400
    visitor.write(TENT)
    server.newest().answer("Fine.")
    expect(visitor.log.get_by_text("Fine.")).to_be_visible()


def test_letters_from_strangers_or_in_another_shape_are_dropped(visit: Arrive, server: FakeServer) -> None:
    visitor = visit().open()
    visitor.page.evaluate(
        """() => {
          const panel = document.querySelector('support-chat').shadowRoot.querySelector('iframe').contentWindow
          const proto = '"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}'
          const odd = JSON.parse(`{${proto}, "t": "init"}`)
          const letters = [null, 1, 'init', [], odd, {t: 'init', v: 1, d: odd}, {t: '__proto__', d: {polluted: 1}}]
          for (const letter of letters) {
            panel.postMessage(letter, '*', [new MessageChannel().port1])
            window.postMessage(letter, '*', [new MessageChannel().port1])
          }
          const stranger = document.createElement('iframe')
          const inside = 'parent.frames[0].postMessage({t: "init", d: {}}, "*"); parent.postMessage({t: "ready"}, "*")'
          stranger.srcdoc = '<script>' + inside + '</' + 'script>'
          document.body.append(stranger)
        }"""
    )
    visitor.write(TENT)
    server.newest().answer("Fine.")
    expect(visitor.log.get_by_text("Fine.")).to_be_visible()
    assert visitor.page.evaluate("({}).polluted === undefined && [].polluted === undefined")


def test_a_phone_gets_the_whole_screen_and_a_quiet_page(visit: Arrive) -> None:
    visitor = visit(viewport={"width": 390, "height": 844}, has_touch=True)
    visitor.open()
    frame = visitor.page.locator("support-chat iframe").bounding_box()
    assert frame == {"x": 0, "y": 0, "width": 390, "height": 844}
    assert visitor.page.evaluate("document.body.inert")
    expect(visitor.page.locator("support-chat .box")).to_have_attribute("aria-modal", "true")
    visitor.button("Close chat").click()
    expect(visitor.launcher).to_be_focused()  # the page outside has heard of the click
    assert not visitor.page.evaluate("document.body.inert")


@pytest.mark.parametrize("width", [320, 390])
def test_nothing_is_cut_off_on_narrow_screens(visit: Arrive, server: FakeServer, width: int) -> None:
    visitor = visit(viewport={"width": width, "height": 700}).open()
    visitor.write("a" * 300)
    server.newest().answer("`" + "b" * 300 + "`", SOURCES)
    expect(visitor.log.locator("code")).to_be_visible()
    assert visitor.log.evaluate("node => node.scrollWidth <= node.clientWidth")
    expect(visitor.button("Talk to a person")).to_be_in_viewport(ratio=1)
    expect(visitor.button("Close chat")).to_be_in_viewport(ratio=1)
