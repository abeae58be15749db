"""Read back what Zendesk could not deliver: it keeps for seven days what became of every call of a webhook.

https://developer.zendesk.com/api-reference/webhooks/webhooks-api/webhook-invocations/
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

from escalade.channels.base import Account, MissedCall
from escalade.channels.zendesk.calls import Calls, listed

# Recorded beside the documented ones: "terminated" is a failure that is not tried again.
FAILED = frozenset({"failed", "timeout", "client error", "server error", "terminated", "circuit broken"})
MOST_PAGES = 20
MOST_AT_ONCE = 50  # each costs a call, and this API allows a hundred a minute


async def missed(calls: Calls, account: Account, webhook: str, since: str | None) -> AsyncIterator[MissedCall]:
    """Give the calls that failed and came to their end at an instant of theirs or later, the oldest first."""
    path = f"/api/v2/webhooks/{quote(webhook, safe='')}/invocations"
    found: list[tuple[str, str]] = []
    async for page in calls.pages(account, path, {"sort": "-latest_completed_at"}, most=MOST_PAGES):
        older = False
        for invocation in listed(page, "invocations"):
            id, ended, status = (invocation.get(name) for name in ("id", "latest_completed_at", "status"))
            if not isinstance(id, str) or not isinstance(ended, str):
                continue
            older = older or (since is not None and ended < since)
            if status in FAILED and (since is None or ended >= since):
                found.append((ended, id))
        if older:
            break
    for ended, id in sorted(found)[:MOST_AT_ONCE]:
        attempts = listed(await calls.get(account, f"{path}/{quote(id, safe='')}/attempts"), "attempts")
        requests = [request for attempt in attempts if isinstance(request := attempt.get("request"), dict)]
        payload = next((text for request in requests if isinstance(text := request.get("payload"), str)), None)
        yield MissedCall(invocation=id, ended=ended, body=None if payload is None else payload.encode())
