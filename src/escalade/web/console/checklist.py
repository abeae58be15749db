"""How far the set-up is: each step derived from what is really so, never ticked by hand."""

from __future__ import annotations

from dataclasses import dataclass

from escalade.domain.organisation import AuthType, TicketSettings
from escalade.services.accounts import LIVE_SECRET, ZENDESK_REFRESH, ZENDESK_SECRET, ZENDESK_TOKEN
from escalade.store import knowledge, organisations, overview
from escalade.store.database import Row, Tx
from escalade.store.doors import DoorState
from escalade.store.organisations import SealedSecret
from escalade.web.console.checks import Checks
from escalade.web.console.gate import Visit
from escalade.web.console.pages import ago, counted

SECRET_OF = {
    AuthType.CLIENT_CREDENTIALS: ZENDESK_SECRET,
    AuthType.API_TOKEN: ZENDESK_TOKEN,
    AuthType.AUTHORIZATION_CODE: ZENDESK_REFRESH,
}
REPLIES = ("message_added", "status_changed", "assignment_changed", "comment_added")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: `state` is done, todo or problem."""

    name: str
    title: str
    state: str
    told: str
    path: str
    act: str
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What the database knows."""

    heard: dict[str, Row]
    widget_at: int | None
    secrets: dict[str, SealedSecret]
    reached_at: int | None
    documents: int


class Checklist:
    """Derives the steps."""

    def __init__(self, checks: Checks) -> None:
        self._checks = checks

    async def steps(self, visit: Visit) -> list[Step]:
        """Give every step in the order in which it is best done."""
        id = visit.organisation.id

        def read(tx: Tx) -> _Facts:
            return _Facts(
                heard=overview.heard(tx, id, "zendesk"),
                widget_at=overview.widget_opened_at(tx, id),
                secrets=organisations.secrets(tx, id),
                reached_at=overview.reached_zendesk_at(tx, id),
                documents=sum(source.documents for source in knowledge.sources(tx, id)),
            )

        facts = await visit.parts.database.read(read)
        return [
            self._connection(visit, facts),
            _routing(visit.organisation.settings.tickets),
            _knowledge(facts),
            _widget(visit, facts),
            self._live(visit, facts),
            _webhook(visit, facts),
            _session_end(visit, facts),
        ]

    def _connection(self, visit: Visit, facts: _Facts) -> Step:
        zendesk = visit.organisation.settings.zendesk
        last = self._checks.last(visit.organisation.id, "support")
        secret = facts.secrets.get(SECRET_OF[zendesk.auth.type])
        state, told, act = "todo", "Tell us your Zendesk address and how to sign in.", "Connect"
        if zendesk.is_connected and secret is None:
            state, told = "problem", "The secret is missing: type it in again."
        elif zendesk.is_connected and secret is not None:
            place = f"{zendesk.subdomain}.zendesk.com" if zendesk.base_url is None else zendesk.base_url
            told, act = f"{place} · saved, not tested yet", "Test"
            if last is not None:
                state, told = "done" if last.passed else "problem", f"{place} · {last.sentence}"
            elif facts.reached_at is not None and facts.reached_at >= secret.set_at:
                state, told = "done", f"{place} · last delivery {ago(facts.reached_at, visit.now)}"
            if _is_locked_out(visit, "zendesk"):
                state, told = "problem", f"{place} · does not accept our credential"
        return _step("connection", "Connect Zendesk", state, told, "/console/escalate/connection", act)

    def _live(self, visit: Visit, facts: _Facts) -> Step:
        live = visit.organisation.settings.live
        last = self._checks.last(visit.organisation.id, "live")
        state, told = "todo", "Off: every handoff becomes a ticket."
        if live.enabled and LIVE_SECRET not in facts.secrets:
            state, told = "problem", "The Secret is missing: type it in again."
        elif last is not None and not last.passed:
            state, told = "problem", last.sentence
        elif live.enabled and _is_locked_out(visit, "sunshine"):
            state, told = "problem", "The key and secret are not accepted."
        elif live.enabled:
            state, told = "done", f"On · agents have {live.answer_within_s} s to answer"
        return _step("live", "Turn on live chat", state, told, "/console/escalate/live", "Set up", optional=True)


def _is_locked_out(visit: Visit, channel: str) -> bool:
    """Say whether a credential is turned away now, whatever worked before."""
    return any(door.channel == channel and door.state is DoorState.LOCKED for door in visit.doors)


def _step(name: str, title: str, state: str, told: str, path: str, act: str, *, optional: bool = False) -> Step:
    return Step(name=name, title=title, state=state, told=told, path=path, act=act, optional=optional)


def _routing(tickets: TicketSettings) -> Step:
    tags = f"tags: {', '.join(tickets.tags)}" if tickets.tags else "no tags"
    state, told = "todo", "No group chosen: tickets land where your Zendesk puts new ones."
    if tickets.group_id is not None:
        state, told = "done", f"Group {tickets.group_id} · {tags}"
    if tickets.assignee_id is not None:
        state = "problem"
        told = f"Testing override: every ticket goes to agent {tickets.assignee_id}. Clear it before you launch."
    return _step("tickets", "Choose where tickets go", state, told, "/console/escalate/tickets", "Choose")


def _knowledge(facts: _Facts) -> Step:
    state = "done" if facts.documents else "todo"
    told = "Without knowledge the assistant hands everything over."
    if facts.documents:
        told = counted(facts.documents, "document")
    return _step("knowledge", "Give the assistant knowledge", state, told, "/console/knowledge", "Add")


def _widget(visit: Visit, facts: _Facts) -> Step:
    state, told = "todo", "No browser has opened the widget yet."
    if facts.widget_at is not None:
        state, told = "done", f"A new visitor opened it {ago(facts.widget_at, visit.now)}"
    return _step("widget", "Install the widget", state, told, "/console/widget", "Install")


def _webhook(visit: Visit, facts: _Facts) -> Step:
    replies = [row for kind, row in facts.heard.items() if kind in REPLIES]
    state, told = "todo", "Nothing heard from Zendesk yet."
    if replies:
        last = max(int(row["at"]) for row in replies)
        state, told = "done", f"Last event {ago(last, visit.now)} · {sum(int(row['n']) for row in replies)} so far"
    elif facts.heard:
        told = "A test call came through: the address and the token are right."
    return _step("webhook", "Hear agents' replies by webhook", state, told, "/console/escalate/webhook", "Set up")


def _session_end(visit: Visit, facts: _Facts) -> Step:
    row = facts.heard.get("session_end")
    state, told = "todo", "Closes the customer's chat when an agent ends the session."
    if row is not None:
        state, told = "done", f"Last session end {ago(int(row['at']), visit.now)}"
    path = "/console/escalate/session-end"
    return _step("session_end", "Hear when a session ends", state, told, path, "Set up", optional=True)
