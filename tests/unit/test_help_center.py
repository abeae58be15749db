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


async def test_every_page_is_read_by_its_cursor_and_no_link_is_followed() -> None:
    pages = Pages(a_page(an_article(1), an_article(2), cursor="c1"), a_page(an_article(2), an_article(3)))
    center = HelpCenter(pages.get)
    articles = [(article.id, center.listed) async for article in center.articles()]
    assert articles == [("1", 2), ("2", 2), ("3", 4)]
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
    assert [article.id async for article in center.articles()] == ["4"]
    assert center.skipped == {"drafts": 1, "restricted": 1, "empty": 2}


async def test_a_cursor_that_does_not_move_is_the_end() -> None:
    pages = Pages(a_page(an_article(1), cursor="same"))
    assert [article.id async for article in HelpCenter(pages.get).articles()] == ["1"]
    assert len(pages.asked) == 2


async def test_an_answer_that_is_no_list_is_refused() -> None:
    with pytest.raises(Refused, match="help centre"):
        [article async for article in HelpCenter(Pages({"error": "x"}).get).articles()]


async def test_an_address_that_is_no_web_address_is_not_shown() -> None:
    pages = Pages(a_page(an_article(1, html_url="javascript:alert(1)")))
    (article,) = [article async for article in HelpCenter(pages.get).articles()]
    assert article.url is None
