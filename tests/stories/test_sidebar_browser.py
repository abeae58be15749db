"""The app beside a ticket, from its package to what an agent sees, in a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, Request, expect

from tests.browser import a_browser, needs_chromium
from tests.stories.talk import start_live
from tests.world import World, a_world

pytestmark = [pytest.mark.processes, pytest.mark.browser, needs_chromium]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as found:
        yield found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[World]:
    """A company whose administrator has installed the app from its package."""
    folder = tmp_path_factory.mktemp("sidebar")
    with a_world(folder) as made:
        made.connect(live=True, require_online_agent=False)
        install(made, browser, folder)
        yield made


def install(world: World, browser: Browser, folder: Path) -> None:
    """Write the package, upload it, and tell the product which installation that is."""
    package = folder / "app.zip"
    organisation = world.product.keys["organisation_id"]
    world.product.command("zendesk", "app", "--org", organisation, "--output", str(package))
    page = browser.new_page()
    page.goto(f"{world.zendesk.url}/admin/apps")
    page.get_by_label("Package").set_input_files(package)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("status")).to_contain_text("Escalade is installed")
    page.close()
    [app] = world.zendesk.state()["apps"]
    key = world.product.http.get(f"{world.zendesk.url}/api/v2/apps/{app['app_id']}/public_key.pem").text
    world.product.api("PATCH", "/settings", sidebar={"installation_id": app["installation_id"], "public_key": key})


def beside(page: Page) -> FrameLocator:
    return page.frame_locator("iframe.app")


def test_an_agent_sees_what_was_said_before_and_how_each_message_stands(world: World, browser: Browser) -> None:
    customer, ticket = start_live(world)
    customer.wait_delivered(customer.says("Is anybody there?"))
    page = browser.new_page()
    page.goto(f"{world.zendesk.url}/desk/tickets/{ticket}")
    app = beside(page)
    expect(app.get_by_role("heading", name="Since then")).to_be_visible()
    line = app.get_by_role("listitem").filter(has_text="Is anybody there?")
    expect(line).to_contain_text("In Zendesk")
    world.zendesk.agent("reply", ticket=ticket, body="Yes, I am")
    customer.wait_for("agent", "Yes, I am")
    app.get_by_role("link", name="Refresh").click()
    expect(app.get_by_role("listitem").filter(has_text="Yes, I am")).to_contain_text("Shown in the chat")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_into_320_points_in_light_and_dark(world: World, browser: Browser, scheme: Any) -> None:
    customer, ticket = start_live(world)
    customer.wait_delivered(customer.says("A" * 200))
    page = browser.new_page(color_scheme=scheme)
    page.goto(f"{world.zendesk.url}/desk/tickets/{ticket}")
    expect(beside(page).get_by_role("heading", name="Since then")).to_be_visible()
    frame = next(one for one in page.frames if "/zendesk/app/" in one.url)
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(frame.url)
    expect(page.get_by_role("heading", name="Since then")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark is (scheme == "dark")
    page.close()


def test_a_ticket_that_is_not_ours_says_so_in_a_line(world: World, browser: Browser) -> None:
    made = world.zendesk.post("/emulator/admin/ticket", {"subject": "Something else", "comment": {"body": "Hello"}})
    page = browser.new_page()
    page.goto(f"{world.zendesk.url}/desk/tickets/{made['ticket']['id']}")
    expect(beside(page).locator("main")).to_have_text("This ticket did not come from the assistant.")
    page.close()


@contextmanager
def a_foreign_site(content: str) -> Iterator[str]:
    """Serve one page at an origin of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_z02_another_site_cannot_frame_it(world: World, browser: Browser) -> None:
    [app] = world.zendesk.state()["apps"]
    token = world.zendesk.post("/emulator/admin/app_token", {"installation_id": app["installation_id"]})["token"]
    address = f"{world.product.url}/zendesk/app/{world.product.keys['organisation_id']}"
    framing = (
        f'<iframe name="f"></iframe><form method="post" target="f" action="{address}">'
        f'<input name="token" value="{token}"></form><script>document.forms[0].submit()</script>'
    )
    with a_foreign_site(framing) as site:
        page = browser.new_page()
        loaded: list[str] = []
        page.on("request", lambda request: loaded.append(request.url))
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            page.goto(site)
        assert address in loaded, "it was asked for, and let in"
        assert not [url for url in loaded if "/static/sidebar/" in url], "nothing of it was drawn"
        page.close()


def test_z04_no_secret_is_in_page_address_referrer_console_or_log(world: World, browser: Browser) -> None:
    customer, ticket = start_live(world)
    customer.wait_delivered(customer.says("Is anybody there?"))
    context = browser.new_context()
    page = context.new_page()
    requests: list[Request] = []
    said: list[str] = []
    page.on("request", lambda request: requests.append(request))  # noqa: PLW0108 - a list's own method takes no marks
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{world.zendesk.url}/desk/tickets/{ticket}")
    expect(beside(page).get_by_role("heading", name="Since then")).to_be_visible()
    frame = next(one for one in page.frames if "/zendesk/app/" in one.url)
    ours = [request for request in requests if request.url.startswith(world.product.url)]
    assert [request.method for request in ours].count("POST") == 1
    assert [request for request in ours if "/static/sidebar/" in request.url], "it was drawn"

    [cookie] = [one for one in context.cookies() if one["name"] == "escalade_sidebar"]
    assert cookie["httpOnly"]
    posted = next(request.post_data for request in ours if request.method == "POST")
    token = str(posted).removeprefix("token=")
    assert token.startswith("eyJ")
    keys, seed = world.product.keys, world.zendesk.seed
    secrets = [
        *(keys[name] for name in ("api_key", "webhook_token")),
        *(seed[name] for name in ("oauth_client_secret", "key_secret", "api_token")),
        token,
        token.split(".")[2],
        cookie["value"],
        "PRIVATE KEY",
    ]
    shown = "\n".join([frame.content(), *said, *(request.url for request in requests)])
    sent = "\n".join(request.headers.get("referer", "") for request in ours if request.frame == frame)
    log = world.product.program.log()
    for secret in secrets:
        assert secret not in shown
        assert secret not in sent
        assert secret not in log
    assert not [request for request in ours if request.headers.get("referer", "").startswith(world.product.url)]
    context.close()
