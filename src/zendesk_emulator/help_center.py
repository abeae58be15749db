"""Serve help centre articles: public ones to anybody, drafts and restricted ones to agents.

https://developer.zendesk.com/api-reference/help_center/help-center-api/articles/
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from zendesk_emulator.access import identify
from zendesk_emulator.account import Account
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.errors import Refused, forbidden, not_found
from zendesk_emulator.paging import paged
from zendesk_emulator.records.articles import Article
from zendesk_emulator.records.json import Json
from zendesk_emulator.text import read_time, rest_time

BASE = "/api/v2/help_center"
INCREMENTAL_PAGE = 1000
PER_PAGE = 30


def routes(emulator: Emulator) -> Sequence[BaseRoute]:
    """Give the routes of the help centre."""
    account = emulator.account

    async def listed(request: Request) -> Response:
        articles = _visible(account, request)
        key = {"updated_at": "updated_at", "created_at": "created_at", "title": "title"}.get(
            request.query_params.get("sort_by", ""), "id"
        )
        articles.sort(
            key=lambda article: getattr(article, key), reverse=request.query_params.get("sort_order") == "desc"
        )
        labels = {label for label in request.query_params.get("label_names", "").split(",") if label}
        if labels:
            articles = [article for article in articles if labels & set(article.label_names)]
        page = paged(request, account.base_url, "articles", articles, lambda item: shown(account, item), size=PER_PAGE)
        for name in ("next_page", "previous_page"):
            if page.get(name):
                page[name] = page[name].replace("/articles?", "/articles.json?")
        return JSONResponse(page)

    async def one(request: Request) -> Response:
        wanted = int(request.path_params["article_id"])
        for article in _visible(account, request):
            if article.id == wanted:
                return JSONResponse({"article": shown(account, article)})
        raise not_found()

    async def incremental(request: Request) -> Response:
        return JSONResponse(_changed_since(account, request))

    return [
        Route(f"{BASE}/incremental/articles", incremental),
        Route(f"{BASE}/articles", listed),
        Route(f"{BASE}/articles/{{article_id:int}}", one),
        Route(f"{BASE}/{{locale}}/articles", listed),
        Route(f"{BASE}/{{locale}}/articles/{{article_id:int}}", one),
    ]


def load(account: Account, given: list[Json]) -> list[Article]:
    """Put articles in, or change those whose `id` is known."""
    loaded = []
    for fields in given:
        now = account.now()
        number = int(fields.get("id") or account.ids.integer())
        known = account.records.articles.get(number)
        article = Article(
            id=number,
            title=str(fields.get("title") or (known.title if known else "Untitled")),
            body=fields.get("body", known.body if known else ""),
            locale=str(fields.get("locale") or (known.locale if known else "en-us")),
            section_id=int(fields.get("section_id") or (known.section_id if known else 1)),
            created_at=read_time(str(fields.get("created_at"))) or (known.created_at if known else now),
            updated_at=read_time(str(fields.get("updated_at"))) or now,
            draft=bool(fields.get("draft", known.draft if known else False)),
            user_segment_id=fields.get("user_segment_id", known.user_segment_id if known else None),
            label_names=list(fields.get("label_names", known.label_names if known else [])),
            html_url=fields.get("html_url", known.html_url if known else None),
        )
        account.records.articles[article.id] = article
        loaded.append(article)
    account.bell.ring()
    return loaded


def shown(account: Account, article: Article) -> Json:
    """Show an article."""
    updated = rest_time(article.updated_at)
    return {
        "id": article.id,
        "url": f"{account.base_url}/api/v2/help_center/{article.locale}/articles/{article.id}.json",
        "html_url": article.html_url or f"{account.base_url}/hc/{article.locale}/articles/{article.id}",
        "author_id": account.agents()[0].id,
        "comments_disabled": False,
        "content_tag_ids": [],
        "label_names": article.label_names,
        "draft": article.draft,
        "promoted": False,
        "position": 0,
        "vote_sum": 0,
        "vote_count": 0,
        "section_id": article.section_id,
        "created_at": rest_time(article.created_at),
        "updated_at": updated,
        "edited_at": updated,
        "name": article.title,
        "title": article.title,
        "body": article.body,
        "source_locale": article.locale,
        "locale": article.locale,
        "outdated": False,
        "outdated_locales": [],
        "permission_group_id": 1,
        "user_segment_id": article.user_segment_id,
        "user_segment_ids": [article.user_segment_id] if article.user_segment_id else [],
    }


def _visible(account: Account, request: Request) -> list[Article]:
    caller = identify(account, request.headers.get("authorization"))
    if caller is not None and not caller.may("hc:read"):
        raise forbidden("The token lacks the scope hc:read")
    staff = caller is not None and caller.user.is_staff
    locale = str(request.path_params.get("locale") or "")
    return [
        article
        for article in account.records.articles.values()
        if (staff or (not article.draft and article.user_segment_id is None))
        and (not locale or article.locale == locale.lower())
    ]


def _changed_since(account: Account, request: Request) -> Json:
    """Give up to a thousand articles changed since a moment, oldest change first."""
    start = request.query_params.get("start_time", "")
    if not start.lstrip("-").isdigit():
        raise Refused(400, {"error": "InvalidValue", "description": "start_time is required"})
    since = datetime.fromtimestamp(int(start), UTC)
    changed = [article for article in _visible(account, request) if article.updated_at >= since]
    changed.sort(key=lambda article: article.updated_at)
    page = changed[:INCREMENTAL_PAGE]
    end = int(page[-1].updated_at.timestamp()) if page else int(start)
    following = f"{account.base_url}{BASE}/incremental/articles.json?start_time={end}"
    return {
        "articles": [shown(account, article) for article in page],
        "count": len(page),
        "end_time": end,
        "next_page": following if len(changed) > len(page) else None,
    }
