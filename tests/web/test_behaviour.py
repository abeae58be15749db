"""How far the assistant goes alone is set in the console, beside what that came to when it was measured."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from escalade.services.curves import Curves, shipped
from tests.web.counter import ORGANISATION, OTHER, Counter, counter
from tests.web.operators import SignedIn, signed_in

FORM = {"enabled": "on", "minimum_confidence": "80", "topics": "legal threat\n\nLawyer", "languages": "en, de pt-BR"}


@pytest_asyncio.fixture
async def front(database_url: str, tmp_path: Path) -> AsyncIterator[Counter]:
    async with counter(tmp_path, url=database_url) as found:
        yield found


@pytest_asyncio.fixture
async def owner(front: Counter) -> SignedIn:
    return await signed_in(front)


async def test_what_is_saved_is_what_the_api_reads(front: Counter, owner: SignedIn) -> None:
    await owner.post("/assistant", FORM, 303)
    assert "It holds from the next message on" in (page := await owner.get("/assistant"))
    assert 'name="minimum_confidence" type="text" value="80"' in page
    assert "legal threat\nLawyer</textarea>" in page
    chosen = (await front.api("GET", "/settings")).json["assistant"]
    assert chosen["minimum_confidence"] == 80
    assert chosen["always_escalate_topics"] == ["legal threat", "Lawyer"]
    assert chosen["languages"] == ["en", "de", "pt-BR"]
    await owner.post("/assistant", {name: value for name, value in FORM.items() if name != "enabled"}, 303)
    assert (await front.api("GET", "/settings")).json["assistant"]["enabled"] is False


async def test_a_bot_of_ones_own_is_set_up_beside_it_and_its_secret_is_never_shown(
    front: Counter, owner: SignedIn
) -> None:
    bot = {"bot_url": "https://bot.example.com/a", "bot_secret": "a-secret-of-many-letters", "bot_wait_s": "15"}
    await owner.post("/assistant", FORM | bot, 303)
    page = await owner.get("/assistant")
    assert "https://bot.example.com/a" in page
    assert "a-secret-of-many-letters" not in page
    await owner.post("/assistant", FORM | bot | {"bot_secret": "", "bot_wait_s": "16"}, 303)  # empty: it stays
    chosen = (await front.api("GET", "/settings")).json["assistant"]["bot"]
    assert chosen == {"url": "https://bot.example.com/a", "wait_s": 16, "secret": {"set": True, "last4": "ters"}}
    await owner.post("/assistant", FORM | bot | {"bot_url": ""}, 303)
    assert (await front.api("GET", "/settings")).json["assistant"]["bot"]["url"] == ""


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"minimum_confidence": "101"}, "minimum_confidence"),
        ({"minimum_confidence": ""}, "minimum_confidence"),
        ({"minimum_confidence": "90.5"}, "minimum_confidence"),
        ({"languages": "klingon!"}, "languages"),
        ({"topics": "x" * 101}, "always_escalate_topics"),
        ({"bot_url": "http://bot.example.com"}, "bot-url"),
        ({"bot_url": "https://bot.example.com"}, "bot-secret"),
        ({"bot_wait_s": "600", "bot_url": ""}, "bot-wait_s"),
    ],
)
async def test_what_makes_no_sense_is_refused_beside_its_field(
    front: Counter, owner: SignedIn, wrong: dict[str, str], pointer: str
) -> None:
    page = (await owner.post("/assistant", FORM | wrong, 422)).body.decode()
    assert f'id="f-assistant-{pointer}-error"' in page
    assert next(iter(wrong.values())) in page
    assert (await front.api("GET", "/settings")).json["assistant"]["minimum_confidence"] == 90


async def test_the_curve_is_the_shipped_one_and_says_so_until_a_set_was_run(front: Counter, owner: SignedIn) -> None:
    page = await owner.get("/assistant")
    words = shipped(None)
    assert "Not measured on your questions" in page
    assert f'data-share="0">{round(words.at(90).precision * 100)} %</span>' in page
    assert '<polyline class="precision"' in page
    assert f"escalade eval ./my-questions --split all --org {ORGANISATION}" in page

    curves = Curves(front.product.database, front.product.ports.wall)
    await curves.keep(OTHER, replace(words, name="violet <set>"))
    assert "Not measured on your questions" in await owner.get("/assistant")
    levels = tuple(replace(level, precision=0.625) for level in words.levels)
    await curves.keep(ORGANISATION, replace(words, name="our <set>", questions=120, levels=levels))
    page = await owner.get("/assistant")
    assert "on your own set, our &lt;set&gt;: 120 questions" in page
    assert 'data-share="0">62 %</span>' in page
    assert "This curve is of another way of finding" not in page
    await curves.keep(ORGANISATION, replace(shipped("all-MiniLM-L6-v2 int8"), name="before"))
    assert "This curve is of another way of finding" in await owner.get("/assistant")
