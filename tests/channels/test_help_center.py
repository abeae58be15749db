"""The help-centre reader against the fake Zendesk: everything, what has changed, and asking again when told to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from escalade.channels.http import Outbound
from escalade.channels.zendesk.help_center import HelpCenter, is_help_center, patient, public_page
from escalade.domain.errors import Unaccepted
from zendesk_emulator import help_center as theirs

from .scene import World

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


def load(world: World, count: int, **more: object) -> None:
    """Put articles there, each changed a second after the one before."""
    theirs.load(
        world.emulator.account,
        [
            {
                "id": n,
                "title": f"Article {n}",
                "body": f"<p>{n}</p>",
                "updated_at": f"{NOON + timedelta(seconds=n):%FT%TZ}",
            }
            | more
            for n in range(1, count + 1)
        ],
    )


def reader(world: World, outbound: Outbound) -> HelpCenter:
    return HelpCenter(partial(public_page, outbound, f"{world.base_url}/hc/en-us"))


async def test_everything_is_read_and_what_changes_later_is_found(world: World, outbound: Outbound) -> None:
    load(world, 250)
    theirs.load(world.emulator.account, [{"id": 251, "draft": True}, {"id": 252, "user_segment_id": 7}])
    center = reader(world, outbound)
    assert await is_help_center(outbound, world.base_url)
    assert await center.count() == 250
    pages = [page async for page in center.pages()]
    assert [len(page.articles) for page in pages] == [100, 100, 50]
    rest = [page async for page in reader(world, outbound).pages(pages[1].onward)]
    assert [article.id for article in rest[0].articles] == [article.id for article in pages[2].articles]

    since = int(NOON.timestamp()) + 249
    changed = [page async for page in reader(world, outbound).changes(since)]
    assert [article.id for page in changed for article in page.articles] == ["249", "250"]
    assert changed[-1].onward == str(since + 1)


async def test_a_long_list_of_changes_is_read_to_its_end(world: World, outbound: Outbound) -> None:
    load(world, 1500)
    pages = [page async for page in reader(world, outbound).changes(0)]
    assert [len(page.articles) for page in pages] == [1000, 501], "the last second of a page comes again"
    assert {article.id for page in pages for article in page.articles} == {str(n) for n in range(1, 1501)}


async def test_who_is_told_to_wait_waits_and_asks_again(world: World, outbound: Outbound) -> None:
    load(world, 3)
    settings = world.emulator.account.settings
    settings.enforce_rate_limit, settings.help_center_rate_limit = True, 0
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        settings.enforce_rate_limit = False

    center = HelpCenter(patient(partial(public_page, outbound, world.base_url), sleep))
    assert await center.count() == 3
    assert len(waited) == 1
    assert 1 <= waited[0] <= 60


async def test_who_is_not_let_in_does_not_hammer(world: World, outbound: Outbound) -> None:
    asked: list[str] = []

    async def get(path: str, _query: object) -> dict[str, object]:
        asked.append(path)
        raise Unaccepted("401", after=60)

    with pytest.raises(Unaccepted):
        await HelpCenter(patient(get, _never)).count()
    assert len(asked) == 1


async def _never(_seconds: float) -> None:
    raise AssertionError("nothing is waited for")
