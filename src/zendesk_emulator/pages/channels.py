"""Admin › Channels, People and Knowledge: how sessions end, who works here, and what the help centre says."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response
from starlette.routing import BaseRoute

from zendesk_emulator.errors import DeskRefused
from zendesk_emulator.pages.shell import Pages, Visit
from zendesk_emulator.text import plain

MESSAGING = "/admin/messaging"


def routes(pages: Pages) -> Sequence[BaseRoute]:
    """Give the routes of messaging settings, people and articles."""
    return [
        pages.get(MESSAGING, _messaging),
        pages.post(MESSAGING, _save_messaging, back=MESSAGING),
        pages.get("/admin/groups", _groups),
        pages.get("/admin/agents", _agents),
        pages.get("/admin/articles", _articles),
        pages.get("/hc/{locale}/articles/{article_id:int}", _article),
    ]


async def _messaging(visit: Visit) -> Response:
    return visit.show("admin/messaging.html", settings=visit.account.settings)


async def _save_messaging(visit: Visit) -> Response:
    form, settings = visit.form, visit.account.settings
    minutes = form.text("inactive_after_minutes").strip()
    try:
        idle = float(minutes) if minutes else None
    except ValueError:
        raise DeskRefused("Minutes: must be a number, or empty") from None
    if idle is not None and not 0 < idle < 100_000:
        raise DeskRefused("Minutes: must be a number above zero, or empty")
    settings.end_session = form.has("end_session")
    settings.multi_conversations = form.has("multi_conversations")
    settings.conversation_control = "pass" if form.text("conversation_control") == "pass" else "release"
    settings.agent_typing_events = form.has("agent_typing_events")
    settings.conversation_id_in_events = form.has("conversation_id_in_events")
    settings.inactive_after_minutes = idle
    visit.account.bell.ring()
    return visit.go(MESSAGING, said="Settings saved.")


async def _groups(visit: Visit) -> Response:
    return visit.show("admin/groups.html", groups=list(visit.account.records.groups.values()))


async def _agents(visit: Visit) -> Response:
    agents = [
        (agent, visit.account.groups_of(agent.id), len(visit.account.sessions_of(agent.id)))
        for agent in visit.account.agents()
    ]
    return visit.show("admin/agents.html", agents=agents)


async def _articles(visit: Visit) -> Response:
    articles = sorted(visit.account.records.articles.values(), key=lambda article: article.title.lower())
    return visit.show("admin/articles.html", articles=articles)


async def _article(visit: Visit) -> Response:
    """Show an article as its readers would see it, as plain text."""
    article = visit.account.records.articles.get(visit.number("article_id"))
    if article is None:
        raise DeskRefused("There is no such article.")
    return visit.show("article.html", article=article, body=plain(article.body or ""))
