"""Serve who is online, in the JSON:API shape; administrators only.

https://developer.zendesk.com/api-reference/agent-availability/agent-availability-api/agent_availabilities/
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from zendesk_emulator.access import Call, route
from zendesk_emulator.account import Account
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.errors import not_found
from zendesk_emulator.paging import by_cursor
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.people import User
from zendesk_emulator.text import sun_time

STATUSES = {"online": 1, "away": 2, "transfers_only": 3, "offline": 4}


def routes(emulator: Emulator) -> Sequence[BaseRoute]:
    """Give the routes of availability."""
    base = "/api/v2/agent_availabilities"
    return [
        route(emulator, "GET", base, _list, "read", admin=True),
        route(emulator, "GET", f"{base}/agent_statuses", _statuses, "read", admin=True),
        route(emulator, "GET", f"{base}/me", lambda call: _one(call, call.user), "read"),
        route(emulator, "GET", f"{base}/{{agent_id:int}}", _show, "read", admin=True),
    ]


def _list(call: Call) -> Json:
    agents = call.account.agents()
    channel, _, state = call.query("filter[channel_status]").partition(":")
    if channel:
        agents = [agent for agent in agents if channel == "messaging" and agent.messaging == state]
    groups = {word for word in call.query("filter[group_ids]").split(",") if word}  # the spelling is a guess
    if groups:
        agents = [agent for agent in agents if groups & {str(group.id) for group in call.account.groups_of(agent.id)}]
    page = by_cursor(call.request, call.account.base_url, "data", agents, lambda agent: _data(call.account, agent))
    shown = {entry["attributes"]["agent_id"] for entry in page["data"]}
    page["included"] = [_channel(call.account, agent) for agent in agents if agent.id in shown]
    return page


def _show(call: Call) -> Json:
    agent = call.account.records.users.get(call.number("agent_id"))
    if agent is None or not agent.is_staff:
        raise not_found()
    return _one(call, agent)


def _one(call: Call, agent: User) -> Json:
    return {"data": _data(call.account, agent), "included": [_channel(call.account, agent)]}


def _data(account: Account, agent: User) -> Json:
    return {
        "type": "agent_availabilities",
        "id": f"agent_availabilities|{agent.id}",
        "attributes": {
            "agent_id": agent.id,
            "agent_status": {
                "id": STATUSES[agent.messaging],
                "name": agent.messaging,
                "reason": "UNKNOWN",
                "updated_at": sun_time(agent.updated_at),
            },
            "group_ids": [group.id for group in account.groups_of(agent.id)],
            "skills": [],
            "version": 1,
        },
        "links": {"self": f"{account.base_url}/api/v2/agent_availabilities/{agent.id}"},
        "relationships": {
            "channels": {"data": [{"id": _channel_id(agent), "type": "channels"}]},
        },
    }


def _channel(account: Account, agent: User) -> Json:
    return {
        "type": "channels",
        "id": _channel_id(agent),
        "attributes": {
            "name": "messaging",
            "status": agent.messaging,
            "max_capacity": agent.max_capacity,
            "work_item_count": len(account.sessions_of(agent.id)),
            "updated_at": sun_time(agent.updated_at),
        },
    }


def _channel_id(agent: User) -> str:
    return f"agent_availabilities|{agent.id}|channels|messaging"


def _statuses(_: Call) -> Json:
    return {
        "data": [
            {"type": "agent_statuses", "id": str(number), "attributes": {"name": name}}
            for name, number in STATUSES.items()
        ],
        "meta": {"has_more": False},
        "links": {"next": None},
    }
