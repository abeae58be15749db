"""Read back what Zendesk could not deliver: it keeps for seven days what became of every call of a webhook.

A webhook is called for everything on an account, and thousands of calls may fail in an outage, many in one second. So
the list is read from where it was left, the oldest first, and what one round does not manage the next one goes on with.
https://developer.zendesk.com/api-reference/webhooks/webhooks-api/webhook-invocations/
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from urllib.parse import quote

from escalade.channels.base import Account, CallsTo, MissedCall
from escalade.channels.zendesk.calls import Calls, Json, listed
from escalade.domain.errors import Refused

# Recorded beside the documented ones: "terminated" is a failure that is not tried again.
FAILED = frozenset({"failed", "timeout", "client error", "server error", "terminated", "circuit broken"})
MOST_PAGES = 20
MOST_AT_ONCE = 50  # each costs a call, and this API allows a hundred a minute
LONGEST_CALL = timedelta(minutes=10)  # with all its repetitions


async def missed(
    calls: Calls, account: Account, webhook: str, since: str | None, is_known: Callable[[str], bool]
) -> AsyncIterator[MissedCall | CallsTo]:
    """Give the calls that failed and came to their end at an instant of theirs or later, the oldest first.

    Known ones are passed over. In between it is told up to where every call was seen to.
    """
    path = f"/api/v2/webhooks/{quote(webhook, safe='')}/invocations"
    query = {"sort": "latest_completed_at"} | _from(since)
    told, seen_to = 0, since
    async for page in calls.pages(account, path, query, most=MOST_PAGES):
        if seen_to is not None and seen_to != since:
            yield CallsTo(ended=seen_to)  # only what has a page behind it: the end of the list may be filled in yet
        for invocation in listed(page, "invocations"):
            id, ended, status = (invocation.get(name) for name in ("id", "latest_completed_at", "status"))
            if not isinstance(id, str) or not isinstance(ended, str) or (since is not None and ended < since):
                continue
            seen_to = ended
            if status not in FAILED or is_known(id):
                continue
            if told == MOST_AT_ONCE:
                return
            told += 1
            attempts = await _attempts(calls, account, f"{path}/{quote(id, safe='')}/attempts")
            requests = [request for attempt in attempts if isinstance(request := attempt.get("request"), dict)]
            payload = next((text for request in requests if isinstance(text := request.get("payload"), str)), None)
            yield MissedCall(invocation=id, ended=ended, body=None if payload is None else payload.encode())


def _from(since: str | None) -> dict[str, str]:
    """Have older calls left out; it is not documented whether what counts is a call's beginning or its end."""
    try:
        instant = datetime.fromisoformat(since or "") - LONGEST_CALL
    except ValueError:
        return {}  # the list is then read from its beginning
    return {"filter[from_ts]": instant.strftime("%Y-%m-%dT%H:%M:%SZ")}


async def _attempts(calls: Calls, account: Account, path: str) -> list[Json]:
    """List the attempts of a call; one that is not shown keeps nobody from what came after it."""
    try:
        return listed(await calls.get(account, path), "attempts")
    except Refused:
        return []
