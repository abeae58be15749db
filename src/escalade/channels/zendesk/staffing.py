"""Say whether someone is there to chat: an agent online in messaging, with room for one more conversation.

https://developer.zendesk.com/api-reference/agent-availability/agent-availability-api/agent_availabilities/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from escalade.channels.base import Account
from escalade.channels.zendesk.calls import Calls, beside, listed
from escalade.domain.errors import DeliveryError
from escalade.domain.model import Millis

KEPT = 15_000
ONLINE = {"filter[channel_status]": "messaging:online"}
PAGES = 10


class Staffing:
    """Who is on duty, remembered for a quarter of a minute."""

    def __init__(self, calls: Calls, now: Callable[[], Millis]) -> None:
        self._calls = calls
        self._now = now
        self._known: dict[tuple[str, str, int | None], tuple[Millis, bool | None]] = {}

    async def staffed(self, account: Account) -> bool | None:
        """Say whether live chat is staffed, or nothing where Zendesk cannot or will not say.

        Only administrators may ask, and not every plan knows: that is an answer too, and it is remembered as well.
        """
        if account.zendesk is None:
            return None
        group = account.settings.tickets.group_id
        key = (account.organisation, account.zendesk.base_url, group)
        at, said = self._known.get(key, (0, None))
        if key not in self._known or self._now() - at >= KEPT:
            said = await self._ask(account, group)
            self._known[key] = (self._now(), said)
        return said

    async def _ask(self, account: Account, group: int | None) -> bool | None:
        path = "/api/v2/agent_availabilities"
        try:
            async for page in self._calls.pages(account, path, ONLINE, most=PAGES):
                if has_room(page, group):
                    return True
        except DeliveryError:
            return None
        return False


def has_room(page: dict[str, Any], group: int | None) -> bool:
    """Say whether a page of availabilities shows an agent who can take a chat, in the group if one is set."""
    channels = {
        str(item.get("id")): item["attributes"]
        for item in beside(page, "included")
        if item.get("type") == "channels" and isinstance(item.get("attributes"), dict)
    }
    for agent in listed(page, "data"):
        attributes = agent.get("attributes")
        groups = attributes.get("group_ids") if isinstance(attributes, dict) else None
        if group is not None and (not isinstance(groups, list) or str(group) not in map(str, groups)):
            continue
        if any(_is_free(channels.get(id, {})) for id in _channel_ids(agent)):
            return True
    return False


def _channel_ids(agent: dict[str, Any]) -> list[str]:
    related: Any = agent
    for name in ("relationships", "channels", "data"):
        related = related.get(name) if isinstance(related, dict) else None
    return [str(item.get("id")) for item in related if isinstance(item, dict)] if isinstance(related, list) else []


def _is_free(channel: dict[str, Any]) -> bool:
    if channel.get("name") != "messaging" or channel.get("status") != "online":
        return False
    room, taken = channel.get("max_capacity"), channel.get("work_item_count")
    return not isinstance(room, int) or not isinstance(taken, int) or taken < room
