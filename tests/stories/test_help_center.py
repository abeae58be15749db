"""A real open help centre, read through the emulated help-centre API by the product's own command.

The articles are the pages of PostgreSQL's manual where Debian's `postgresql-doc-15` puts them; nothing is copied.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.services.test_real_help_center import MANUAL, PLAIN
from tests.world import World

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not MANUAL.is_dir(), reason="Debian's postgresql-doc-15 is not installed"),
]
TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
BATCH = 60


def load(world: World, pages: list[Path]) -> None:
    """Put the pages into the fake Zendesk's help centre."""
    for start in range(0, len(pages), BATCH):
        articles = []
        for page in pages[start : start + BATCH]:
            text = page.read_text(encoding="utf-8")
            title = TITLE.search(text)
            url = f"https://manual.example/{page.name}"
            number = 1_000_000 + pages.index(page)
            articles.append({"id": number, "title": title[1] if title else page.stem, "body": text, "html_url": url})
        world.zendesk.post("/emulator/help_center/articles", {"articles": articles})


@pytest.mark.timeout(300)
def test_a_help_centre_is_imported_with_progress_and_its_questions_find_the_right_article(fresh_world: World) -> None:
    world = fresh_world
    world.connect()
    pages = sorted(MANUAL.glob("*.html"))
    load(world, pages)
    world.zendesk.post(
        "/emulator/help_center/articles",
        {"articles": [{"title": "Secret draft", "body": "<p>xylophone quarterly numbers</p>", "draft": True}]},
    )

    organisation = world.product.keys["organisation_id"]
    done = world.product.command("knowledge", "add", "help-center", "--org", organisation, "--json")
    imported = json.loads(done.stdout)
    assert imported["source"]["documents"] >= 1000
    assert "read 100" in done.stderr, "progress is shown"
    assert "read 1000" in done.stderr

    right, missed = 0, []
    for question, names in PLAIN:
        found = world.product.api("POST", "/assistant/ask", text=question)
        first = (found["citations"] or found["passages"])[0]["source_id"]  # below the slider it is shown, not answered
        best = pages[int(first) - 1_000_000].stem
        if best in names.split():
            right += 1
        else:
            missed.append(f"{question} -> {best}")
    print(f"{right} of {len(PLAIN)} cite the right page; missed: {missed}")
    assert right >= 0.85 * len(PLAIN), missed
    nothing = world.product.api("POST", "/assistant/ask", text="xylophone quarterly numbers?")
    assert nothing["decision"] == "escalate", "a draft is nobody's answer"


def test_a_public_help_centre_needs_no_account(fresh_world: World) -> None:
    fresh_world.zendesk.post(
        "/emulator/help_center/articles",
        {
            "articles": [
                {"title": "Washing wool", "body": "<h1>Washing wool</h1><p>Wash wool socks at thirty degrees.</p>"}
            ]
        },
    )
    organisation = fresh_world.product.keys["organisation_id"]
    fresh_world.product.command("knowledge", "add", fresh_world.zendesk.url + "/hc/en-us", "--org", organisation)
    found = fresh_world.product.api("POST", "/assistant/ask", text="How do I wash wool socks?")
    assert found["decision"] == "answer"
    assert "thirty degrees" in found["text"]
