"""Knowledge in the console: a site is added by its address, read at once, and how far it is can be seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from escalade.store import audit, readings
from escalade.store.database import Tx
from tests.serving import until
from tests.website import Website, website

from .stage import Browser, Stage, stage


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("knowledge")) as found:
        yield found


@pytest.fixture
def site() -> Iterator[Website]:
    with website() as found:
        yield found


def reads(browser: Browser, *texts: str) -> str:
    """Look at the page until it says all of this."""

    def page() -> str:
        shown = browser.get("/console/knowledge").text
        return shown if all(text in shown for text in texts) else ""

    return str(until(page))


def source_of(page: str) -> str:
    return page.partition('action="/console/knowledge/')[2].partition("/sync")[0]


def test_a_site_is_added_read_and_read_again_by_a_form(running: Stage, site: Website) -> None:
    owner = running.signed_in()
    owner.get("/console/knowledge")
    before = running.write(lambda tx: tx.value("SELECT count(*) FROM audit"))
    site.page("/", "Money comes back in five days.", "/broken.pdf")
    site.put("/broken.pdf", "nonsense", "application/pdf")
    added = owner.done("/console/knowledge", {"address": f"{site.url}/"})
    assert "It is read now" in added
    page = reads(owner, "1 not readable", "Read now")
    assert "it is broken, or no PDF" in page
    assert '<td data-label="Kind">Site</td><td data-label="Documents" class="number">1</td>' in page
    assert "Again <time" in page
    assert "Found by words alone." in page
    found = running.api("POST", "/assistant/ask", {"text": "When does my money come back?"}).json()
    assert [passage["source_id"] for passage in found["passages"]] == [f"{site.url}/"]

    site.page("/", "Money comes back in six weeks.")
    owner.done(f"/console/knowledge/{source_of(page)}/sync")
    reads(owner, '<span class="quiet">None</span>', "Read now")
    assert running.write(lambda tx: tx.value("SELECT count(*) FROM audit")) == before + 2
    assert running.write(lambda tx: audit.broken(tx, running.organisation)) is None


def test_a_source_that_is_being_read_shows_how_far_it_is(running: Stage, site: Website) -> None:
    owner = running.signed_in()
    site.page("/", "Shoes.")
    owner.get("/console/knowledge")
    owner.done("/console/knowledge", {"address": site.url})
    page = reads(owner, "Read now")
    id = [part.partition("/sync")[0] for part in page.split('action="/console/knowledge/')[1:]][-1]
    now = running.product.ports.now()

    def halfway(tx: Tx) -> None:
        readings.progress(tx, running.organisation, id, now=now, done=120, total=1200, title="<b>Refunds</b>")

    running.write(halfway)
    page = owner.get("/console/knowledge").text
    assert '<progress value="120" max="1200"' in page
    assert "120 of 1200" in page
    assert "&lt;b&gt;Refunds&lt;/b&gt;" in page
    assert f"/console/knowledge/{id}/sync" not in page, "it is being read already"
    assert 'data-live="3"' in page


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "Give an address such as"),
        ("/etc", "Give an address such as"),
        ("./articles", "Give an address such as"),
        ("file:///etc/passwd", "is not a web address"),
        ("http://10.0.0.7/", "Blocked address"),
        ("https://user:planted@example.com/", "Not an address we can call"),
    ],
)
def test_what_is_no_address_of_a_site_is_refused_beside_its_field(running: Stage, address: str, why: str) -> None:
    owner = running.signed_in()
    owner.get("/console/knowledge")
    answer = owner.post("/console/knowledge", {"address": address})
    assert answer.status_code == 422
    assert why in answer.text
    assert 'id="f-knowledge-address-error"' in answer.text
    assert "planted" not in answer.text.replace(f'value="{address}"', "")


def test_whoever_may_only_look_can_add_nothing_and_read_nothing(running: Stage) -> None:
    viewer = running.signed_in("viewer", "vera@example.com")
    page = viewer.get("/console/knowledge").text
    assert "Read now" not in page
    assert "Add a site" not in page
    viewer.get("/console")
    for path in ("/console/knowledge", "/console/knowledge/src_1/sync"):
        assert viewer.post(path, {"address": "https://example.com"}).status_code == 403
    owner = running.signed_in()
    owner.get("/console/knowledge")
    assert "Nothing was read" in owner.done("/console/knowledge/src_of_nobody/sync")
