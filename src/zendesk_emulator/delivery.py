"""Sign and send Zendesk webhooks: documented retries only, a breaker that loses events, and a record of every try.

Success is any 2xx within 12 s. Retried: 409 three times; 429 and 503 three times if `Retry-After` is under 60 s;
timeouts five times. Nothing else, least of all a 500. The pauses between tries are a guess.
https://developer.zendesk.com/api-reference/webhooks/introduction/
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta

from zendesk_emulator import events
from zendesk_emulator.account import Account, Happened
from zendesk_emulator.faults import Faults
from zendesk_emulator.ports import ConnectionDropped, Outbound, Reply, SendFailed
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.webhooks import Attempt, Invocation, Webhook
from zendesk_emulator.request_log import RequestLog
from zendesk_emulator.text import rest_time

TEST_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="  # noqa: S105  the documented static one
STATUS_TRIES, TIMEOUT_TRIES = 3, 5
BREAKER_WINDOW = timedelta(minutes=5)
BREAKER_PAUSE = timedelta(seconds=5)
BREAKER_SHARE, BREAKER_ERRORS, BREAKER_FLOOR = 0.7, 1000, 100
TRIAL_PER_MINUTE = 60
MEDIA = {
    "json": "application/json; charset=utf-8",
    "xml": "application/xml; charset=utf-8",
    "form_encoded": "application/x-www-form-urlencoded; charset=utf-8",
}


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Sign timestamp and body with the secret's text, not with what it might decode to."""
    return base64.b64encode(hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest()).decode()


class Delivery:
    """The sender of Zendesk webhooks."""

    def __init__(self, account: Account, faults: Faults, log: RequestLog) -> None:
        self._account = account
        self._faults = faults
        self._log = log

    def hear(self, happened: Happened) -> None:
        """Send an event to every webhook subscribed to it."""
        if happened.kind not in events.SUBSCRIBABLE:
            return
        wanted = events.PREFIX + happened.kind
        hooks = [hook for hook in self._account.records.webhooks.values() if wanted in hook.subscriptions]
        for webhook in hooks:
            if webhook.status == "active":
                self.start(webhook, happened.kind, events.body_of(self._account, happened))

    def start(self, webhook: Webhook, kind: str, body: bytes) -> Invocation:
        """Begin one invocation; order between invocations is not kept."""
        account = self._account
        invocation = Invocation(id=account.ids.ulid(account.now()), webhook_id=webhook.id, kind=kind)
        webhook.invocations.append(invocation)
        work = self._faults.around_webhook(kind, webhook.endpoint, lambda: self._invoke(webhook, invocation, body))
        if work is not None:
            account.ports.spawn(work)
        return invocation

    async def test(self, request: Json) -> Json:
        """Make the request of the test button, signed with the static test secret, and report the answer."""
        account = self._account
        webhook = Webhook(
            id=account.ids.ulid(account.now()),
            name="test",
            endpoint=str(request.get("endpoint") or ""),
            http_method=str(request.get("http_method") or "POST"),
            request_format=str(request.get("request_format") or "json"),
            status="active",
            subscriptions=[],
            secret=str(request.get("signing_secret") or TEST_SECRET),
            created_at=account.now(),
            updated_at=account.now(),
            created_by="-1",
            updated_by="-1",
            authentication=request.get("authentication"),
            custom_headers=_header_map(request.get("headers") or request.get("custom_headers")),
        )
        invocation = Invocation(id=account.ids.ulid(account.now()), webhook_id=webhook.id, kind="test")
        attempt, _ = await self._attempt(webhook, invocation, str(request.get("payload") or "").encode())
        return {
            "status_code": attempt.status_code or 504,
            "headers": [{"key": key, "value": value} for key, value in attempt.response_headers],
            "payload": attempt.response_payload or "",
        }

    # One invocation

    async def _invoke(self, webhook: Webhook, invocation: Invocation, body: bytes) -> None:
        account = self._account
        if account.settings.event_delay_seconds:
            await account.ports.sleep(account.settings.event_delay_seconds)
        await self._throttle(webhook, invocation)
        if self._is_broken(webhook):
            self._record(webhook, invocation, Attempt(status="circuit broken", completed_at=account.now()))
            return
        retries: dict[str, int] = {}
        pause = account.settings.webhook_retry_seconds
        while True:
            attempt, reply = await self._attempt(webhook, invocation, body)
            failed = attempt.status != "success"
            self._count(webhook, failed=failed)
            wait = self._wait_before_retry(attempt, reply, retries, pause) if failed else None
            if failed and wait is None:
                attempt.status = "terminated"
            self._record(webhook, invocation, attempt)
            if wait is None:
                return
            pause *= 2
            await account.ports.sleep(wait)

    def _wait_before_retry(
        self, attempt: Attempt, reply: Reply | None, retries: dict[str, int], pause: float
    ) -> float | None:
        """Say how long to wait before another try, or nothing if there is none."""
        if attempt.status == "timeout":
            reason, limit, wait = "timeout", TIMEOUT_TRIES, pause
        elif attempt.status_code == 409:
            reason, limit, wait = "409", STATUS_TRIES, pause
        elif attempt.status_code in (429, 503) and reply is not None:
            after = reply.header("Retry-After") or ""
            if not after.isdigit() or int(after) >= 60:
                return None
            reason, limit, wait = "busy", STATUS_TRIES, float(after)
        else:
            return None
        retries[reason] = retries.get(reason, 0) + 1
        return wait if retries[reason] <= limit else None

    async def _attempt(self, webhook: Webhook, invocation: Invocation, body: bytes) -> tuple[Attempt, Reply | None]:
        account = self._account
        request = Outbound(
            method=webhook.http_method,
            url=webhook.endpoint,
            headers=self._headers(webhook, invocation, body),
            body=body if webhook.http_method in ("POST", "PUT", "PATCH") else b"",
        )
        reply: Reply | None = None
        try:
            async with asyncio.timeout(account.settings.webhook_timeout_seconds):
                reply = await account.ports.send(request)
        except TimeoutError:
            status, code = "timeout", 504
        except (SendFailed, ConnectionDropped):
            status, code = "failed", None
        else:
            code = reply.status
            status = "success" if 200 <= code < 300 else "client error" if 400 <= code < 500 else "server error"
        self._log.webhook(request, reply, kind=invocation.kind, outcome=status)
        attempt = Attempt(
            status=status,
            status_code=code,
            completed_at=account.now(),
            request_headers=list(request.headers.items()),
            request_payload=request.body.decode("utf-8", "replace"),
            response_headers=list(reply.headers) if reply else [],
            response_payload=reply.body[:10_000].decode("utf-8", "replace") if reply else None,
        )
        return attempt, reply

    def _headers(self, webhook: Webhook, invocation: Invocation, body: bytes) -> Mapping[str, str]:
        """Write the headers of one try, signed with the time of sending."""
        timestamp = rest_time(self._account.now())
        sent = body if webhook.http_method in ("POST", "PUT", "PATCH") else b""
        headers = {
            "Content-Type": MEDIA.get(webhook.request_format, MEDIA["json"]),
            "User-Agent": "Zendesk Webhook",
            "X-Zendesk-Account-Id": str(self._account.id),
            "X-Zendesk-Webhook-Id": webhook.id,
            "X-Zendesk-Webhook-Invocation-Id": invocation.id,
            "X-Zendesk-Webhook-Signature": signature(webhook.secret, timestamp, sent),
            "X-Zendesk-Webhook-Signature-Timestamp": timestamp,
        }
        return headers | authentication_headers(webhook.authentication) | (webhook.custom_headers or {})

    def _record(self, webhook: Webhook, invocation: Invocation, attempt: Attempt) -> None:
        invocation.attempts.append(attempt)
        invocation.status = attempt.status
        invocation.status_code = attempt.status_code
        invocation.latest_completed_at = attempt.completed_at
        self._account.emit("webhook.attempted", facts={"webhook": webhook, "invocation": invocation})

    # Breaker and throttle

    def _count(self, webhook: Webhook, *, failed: bool) -> None:
        now = self._account.now()
        webhook.recent.append((now, failed))
        webhook.recent = [(at, bad) for at, bad in webhook.recent if now - at <= BREAKER_WINDOW]
        total, errors = len(webhook.recent), sum(bad for _, bad in webhook.recent)
        if failed and total >= BREAKER_FLOOR and (errors / total >= BREAKER_SHARE or errors > BREAKER_ERRORS):
            webhook.broken_until = now + BREAKER_PAUSE

    def _is_broken(self, webhook: Webhook) -> bool:
        return webhook.broken_until is not None and self._account.now() < webhook.broken_until

    async def _throttle(self, webhook: Webhook, invocation: Invocation) -> None:
        """Hold back what a trial account sends beyond 60 a minute."""
        account = self._account
        while account.settings.trial_throttling:
            now = account.now()
            webhook.sent_at = [at for at in webhook.sent_at if now - at < timedelta(minutes=1)]
            if len(webhook.sent_at) < TRIAL_PER_MINUTE:
                break
            if invocation.status != "throttled":
                self._record(webhook, invocation, Attempt(status="throttled", completed_at=now))
            await account.ports.sleep((webhook.sent_at[0] + timedelta(minutes=1) - now).total_seconds() + 0.001)
        webhook.sent_at.append(account.now())


def authentication_headers(authentication: Json | None) -> dict[str, str]:
    """Write the header a webhook's authentication asks for."""
    if not authentication:
        return {}
    data = authentication.get("data") or {}
    match authentication.get("type"):
        case "bearer_token":
            return {"Authorization": f"Bearer {data.get('token', '')}"}
        case "basic_auth":
            pair = f"{data.get('username', '')}:{data.get('password', '')}"
            return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        case "api_key":
            return {str(data.get("name", "X-Api-Key")): str(data.get("value", ""))}
        case _:
            return {}


def _header_map(given: object) -> dict[str, str]:
    if isinstance(given, dict):
        return {str(key): str(value) for key, value in given.items()}
    if isinstance(given, list):
        return {str(entry["key"]): str(entry["value"]) for entry in given}
    return {}
