"""Files in the widget, in a real browser: attached in every way, shown, and honest about what went wrong."""

import base64
import re

from playwright.sync_api import FilePayload, Locator, Route, expect

from tests import pictures

from .fake_server import FakeServer, Talk
from .visit import NEEDS_CHROMIUM, Arrive, Visit

pytestmark = NEEDS_CHROMIUM

TENT: FilePayload = {"name": "tent.png", "mimeType": "image/png", "buffer": pictures.png(320, 240)}
INVOICE: FilePayload = {"name": "invoice 4711.pdf", "mimeType": "application/pdf", "buffer": pictures.pdf()}
PROGRAM: FilePayload = {"name": "setup.exe", "mimeType": "application/x-msdownload", "buffer": b"MZ"}
NETWORK = re.compile("Failed to load resource")  # the browser's own line about a refusal
LARGE = 20 * 1024 * 1024 + 1


def choose(visit: Visit, *files: FilePayload) -> Locator:
    """Attach files with the button."""
    with visit.page.expect_file_chooser() as chooser:
        visit.button("Attach files").click()
    chooser.value.set_files(list(files))
    return visit.panel.get_by_role("list", name="Files to send").get_by_role("listitem")


def hand_over(visit: Visit, event: str, files: list[FilePayload], target: str) -> None:
    """Drop or paste files, as a browser would hand them over."""
    given = [{**file, "buffer": base64.b64encode(file["buffer"]).decode()} for file in files]
    visit.panel.locator(target).evaluate(
        """(element, [event, files]) => {
            const data = new DataTransfer()
            for (const { name, mimeType, buffer } of files) {
                const bytes = Uint8Array.from(atob(buffer), (char) => char.charCodeAt(0))
                data.items.add(new File([bytes], name, { type: mimeType }))
            }
            const init = { bubbles: true, cancelable: true }
            element.dispatchEvent(event === 'paste'
                ? new ClipboardEvent(event, { ...init, clipboardData: data })
                : new DragEvent(event, { ...init, dataTransfer: data }))
        }""",
        [event, given],
    )


def begun(visit: Visit, server: FakeServer) -> Talk:
    visit.write("Hello")
    return server.newest()


def test_a_picture_and_a_paper_are_attached_and_sent_with_the_words(visit: Arrive, server: FakeServer) -> None:
    visitor = visit().open()
    items = choose(visitor, TENT, INVOICE)
    expect(items).to_have_count(2)
    expect(items.first).to_contain_text("tent.png")
    expect(visitor.button("Send message")).to_be_enabled()
    visitor.write("It arrived torn")
    expect(visitor.log.get_by_role("img", name="tent.png")).to_be_visible()
    expect(visitor.log.locator(".card")).to_contain_text("invoice 4711.pdf")
    expect(items).to_have_count(0)
    message = server.newest().messages[0]
    assert (message["text"], [file["name"] for file in message["attachments"]]) == (
        "It arrived torn",
        ["tent.png", "invoice 4711.pdf"],
    )
    with visitor.page.expect_download() as download:
        visitor.button("Save invoice 4711.pdf").click()
    assert download.value.suggested_filename == "invoice 4711.pdf"
    assert download.value.path().read_bytes() == pictures.pdf()


def test_a_file_alone_is_a_message(visit: Arrive, server: FakeServer) -> None:
    visitor = visit().open()
    choose(visitor, TENT)
    visitor.button("Send message").click()
    expect(visitor.log.get_by_role("img", name="tent.png")).to_be_visible()
    assert server.newest().messages[0]["text"] == ""


def test_files_are_pasted_and_dropped(visit: Arrive, server: FakeServer) -> None:
    visitor = visit().open()
    hand_over(visitor, "paste", [TENT], "textarea")
    hand_over(visitor, "dragover", [INVOICE], "main")
    expect(visitor.panel.get_by_text("Drop files to attach them")).to_be_visible()
    hand_over(visitor, "drop", [INVOICE], "main")
    expect(visitor.panel.get_by_text("Drop files to attach them")).to_have_count(0)
    items = visitor.panel.get_by_role("list", name="Files to send").get_by_role("listitem")
    expect(items).to_have_text([re.compile("tent.png"), re.compile("invoice 4711.pdf")])


def test_what_is_refused_says_why_and_holds_the_message_until_it_is_removed(visit: Arrive) -> None:
    visitor = visit(complaints=NETWORK).open()
    items = choose(visitor, PROGRAM)
    expect(items).to_contain_text("files of this kind are not taken")
    visitor.composer.fill("Look")
    expect(visitor.button("Send message")).to_be_disabled()
    expect(visitor.panel.locator("#composer-note")).to_have_text("Try again, or remove the file that was not taken")
    told = visitor.panel.locator("div.unseen[role=status]")
    expect(told).to_contain_text("setup.exe: files of this kind are not taken")
    visitor.button("Remove setup.exe").click()
    expect(visitor.button("Send message")).to_be_enabled()


def test_a_file_too_large_or_one_too_many_never_leaves_the_browser(visit: Arrive, server: FakeServer) -> None:
    visitor = visit().open()
    begun(visitor, server)
    visitor.panel.locator("input[type=file]").evaluate(
        """(input, size) => {
            const data = new DataTransfer()
            data.items.add(new File([new Uint8Array(size)], 'film.png'))
            data.items.add(new File([], 'nothing.txt'))
            input.files = data.files
            input.dispatchEvent(new Event('change', { bubbles: true }))
        }""",
        LARGE,
    )
    items = visitor.panel.get_by_role("list", name="Files to send").get_by_role("listitem")
    expect(items).to_have_text([re.compile("Larger than 20 MB"), re.compile("This file is empty")])
    assert not any("/files" in request for request in server.requests)
    choose(visitor, *(FilePayload(name=f"{n}.png", mimeType="image/png", buffer=pictures.png()) for n in range(5)))
    expect(items).to_have_count(5)
    expect(visitor.panel.locator("div.unseen[role=status]")).to_contain_text("5 files at most")


def test_an_upload_that_fails_is_tried_again_with_the_same_id(visit: Arrive, server: FakeServer) -> None:
    visitor = visit(complaints=NETWORK).open()
    begun(visitor, server)
    server.refuse_next.append(("/files", 503))
    items = choose(visitor, TENT)
    expect(items).to_contain_text("Not uploaded")
    items.get_by_role("button", name="Try again").click()
    expect(visitor.panel.locator("div.unseen[role=status]")).to_contain_text("tent.png is attached")
    visitor.button("Send message").click()
    expect(visitor.log.get_by_role("img", name="tent.png")).to_be_visible()
    assert len(server.newest().files) == 1


def test_an_agents_file_is_shown_when_it_is_here_and_honest_until_then(visit: Arrive, server: FakeServer) -> None:
    visitor = visit().open()
    talk = begun(visitor, server)
    talk.join("Jonas Berg")
    plan = talk.file("f-1", "plan.png", state="awaited", size=None, media_type="image/png")
    talk.say("agent", "Here is the plan", name="Jonas Berg", attachments=[plan])
    card = visitor.log.locator(".card")
    expect(card).to_contain_text("plan.pngOn its way…")
    expect(visitor.log).to_contain_text("Here is the plan")
    talk.file("f-1", "plan.png", state="lost", size=None, media_type="image/png")
    expect(card).to_contain_text("Could not be fetched")
    card.get_by_role("button", name="Try again").click()
    expect(card).to_contain_text("On its way…")
    talk.file("f-1", "plan.png", pictures.png(200, 120), media_type="image/png")
    expect(visitor.log.get_by_role("img", name="plan.png")).to_be_visible()
    bad = talk.file("f-2", "invoice.exe", state="flagged", size=None)
    talk.say("agent", "", name="Jonas Berg", attachments=[bad])
    expect(card).to_contain_text("Held back: a scan found something harmful")
    expect(card.get_by_role("button")).to_have_count(0)
    expect(visitor.panel.locator("div.unseen[role=status]")).to_contain_text("Jonas Berg: File: invoice.exe")


def test_a_file_that_is_here_stays_where_the_answer_to_asking_for_it_comes_later(
    visit: Arrive, server: FakeServer
) -> None:
    visitor = visit().open()
    talk = begun(visitor, server)
    plan = talk.file("f-1", "plan.png", state="lost", size=None, media_type="image/png")
    talk.say("agent", "Here is the plan", name="Jonas Berg", attachments=[plan])
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    visitor.context.route("**/fetch", hold)
    with visitor.page.expect_request("**/fetch"):
        visitor.log.locator(".card").get_by_role("button", name="Try again").click()
    talk.file("f-1", "plan.png", pictures.png(200, 120), media_type="image/png")
    shown = visitor.log.get_by_role("img", name="plan.png")
    expect(shown).to_be_visible()
    with visitor.page.expect_response("**/fetch"):
        held[0].fulfill(status=202, json={**plan, "state": "awaited"})
    talk.say("agent", "Do you see it?", name="Jonas Berg")
    expect(visitor.log.get_by_text("Do you see it?")).to_be_visible()
    expect(shown).to_be_visible()


def test_everything_about_files_works_from_the_keyboard(visit: Arrive, server: FakeServer) -> None:
    visitor = visit().open()
    # Listened to from the start: the browser hands choosers over only once it has been told to, and that takes a while.
    visitor.page.on("filechooser", lambda _chooser: None)
    visitor.page.keyboard.press("Shift+Tab")
    expect(visitor.button("Attach files")).to_be_focused()
    with visitor.page.expect_file_chooser() as chooser:
        visitor.page.keyboard.press("Enter")
    chooser.value.set_files(TENT)
    expect(visitor.composer).to_be_focused()
    visitor.page.keyboard.press("Shift+Tab")
    visitor.page.keyboard.press("Shift+Tab")
    expect(visitor.button("Remove tent.png")).to_be_focused()
    visitor.page.keyboard.press("Enter")
    expect(visitor.panel.get_by_role("list", name="Files to send")).to_have_count(0)
