"""A help centre is read page by page, and only from the host we were given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from escalade.channels.zendesk.help_center import HelpCenter
from escalade.domain.errors import Refused


class Pages:
    """Answers from a list of pages and keeps what was asked."""

    def __init__(self, *pages: Mapping[str, Any]) -> None:
        self.pages = pages
        self.asked: list[tuple[str, dict[str, str]]] = []

    async def get(self, path: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        self.asked.append((path, dict(params)))
        return self.pages[min(len(self.asked), len(self.pages)) - 1]


def an_article(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "title": f"T{number}", "body": "<p>Text.</p>", "html_url": f"https://h/{number}", **more}


def a_page(*articles: Mapping[str, Any], cursor: str | None = None) -> dict[str, Any]:
    return {
        "articles": list(articles),
        "meta": {"has_more": cursor is not None, "after_cursor": cursor},
        "links": {"next": "https://elsewhere.example/api/v2/help_center/articles.json?page[after]=x"},
    }


async def ids(center: HelpCenter) -> list[str]:
    return [article.id async for page in center.pages() for article in page.articles]


async def test_every_page_is_read_by_its_cursor_and_no_link_is_followed() -> None:
    pages = Pages(a_page(an_article(1), an_article(2), cursor="c1"), a_page(an_article(2), an_article(3)))
    center = HelpCenter(pages.get)
    read = [([article.id for article in page.articles], page.onward, center.listed) async for page in center.pages()]
    assert read == [(["1", "2"], "c1", 2), (["3"], "", 4)]
    assert {path for path, _ in pages.asked} == {"/api/v2/help_center/articles.json"}
    assert [params.get("page[after]") for _, params in pages.asked] == [None, "c1"]


async def test_what_customers_may_not_see_is_passed_over_and_counted() -> None:
    pages = Pages(
        a_page(
            an_article(1, draft=True),
            an_article(2, user_segment_id=7),
            an_article(3, body=None),
            an_article(4, user_segment_id=None, draft=False),
            {"title": "no id"},
        )
    )
    center = HelpCenter(pages.get)
    (page,) = [page async for page in center.pages()]
    assert [article.id for article in page.articles] == ["4"]
    assert page.gone == {"1", "2", "3"}
    assert center.skipped == {"drafts": 1, "restricted": 1, "empty": 2}


async def test_a_cursor_that_does_not_move_is_the_end() -> None:
    pages = Pages(a_page(an_article(1), cursor="same"))
    assert await ids(HelpCenter(pages.get)) == ["1"]
    assert len(pages.asked) == 2


async def test_an_answer_that_is_no_list_is_refused() -> None:
    with pytest.raises(Refused, match="help centre"):
        await ids(HelpCenter(Pages({"error": "x"}).get))


async def test_an_address_that_is_no_web_address_is_not_shown() -> None:
    pages = Pages(a_page(an_article(1, html_url="javascript:alert(1)")))
    ((article,),) = [page.articles async for page in HelpCenter(pages.get).pages()]
    assert article.url is None


async def test_a_reading_goes_on_from_where_another_was_cut_short() -> None:
    pages = Pages(a_page(an_article(3)))
    assert [page.onward async for page in HelpCenter(pages.get).pages("c1")] == [""]
    assert pages.asked[0][1]["page[after]"] == "c1"


def changed(end: int, *articles: Mapping[str, Any], more: bool = True) -> dict[str, Any]:
    return {
        "articles": list(articles),
        "count": len(articles),
        "end_time": end,
        "next_page": "https://x" if more else None,
    }


async def test_changes_are_asked_for_until_there_are_none_or_time_stands_still() -> None:
    ends: list[dict[str, Any]] = [changed(30), changed(20, an_article(2)), changed(30, an_article(2), more=False)]
    for last in (*ends, {"articles": []}):
        pages = Pages(changed(20, an_article(1), an_article(9, draft=True)), last)
        read = [page async for page in HelpCenter(pages.get).changes(10)]
        assert [params["start_time"] for _, params in pages.asked] == ["10", "20"]
        assert {path for path, _ in pages.asked} == {"/api/v2/help_center/incremental/articles.json"}
        assert (read[0].gone, read[0].onward) == (frozenset({"9"}), "20")
        assert read[-1].onward == str(last.get("end_time", 20))


@pytest.mark.parametrize(("said", "count"), [({"count": 7}, 7), ({}, None), ({"count": "7"}, None)])
async def test_how_many_there_are_is_asked_of_those_who_say(said: Mapping[str, Any], count: int | None) -> None:
    assert await HelpCenter(Pages(said).get).count() == count
