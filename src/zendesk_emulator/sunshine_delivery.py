"""Send Sunshine webhooks: a static key in a header, five tries within fifteen minutes, some answers final.

400, 401, 403, 404 and 406 are never retried; anything but 2xx within 20 s is. The exact pauses are a guess.
https://developer.zendesk.com/documentation/conversations/messaging-platform/programmable-conversations/receiving-messages/
"""

from __future__ import annotations

import asyncio
import json

from zendesk_emulator import sunshine_json
from zendesk_emulator.account import Account, Happened
from zendesk_emulator.faults import Faults
from zendesk_emulator.ports import ConnectionDropped, Outbound, Reply, SendFailed
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.messaging import SunWebhook
from zendesk_emulator.request_log import RequestLog
from zendesk_emulator.switchboard import Switchboard

PREFIX = "sunshine."
ATTEMPTS = 5
WINDOW_SECONDS = 15 * 60
FINAL = (400, 401, 403, 404, 406)

TRIGGERS = frozenset(
    {
        *("client:add", "client:remove", "client:update"),
        *("conversation:create", "conversation:join", "conversation:leave", "conversation:remove"),
        *("conversation:message", "conversation:postback", "conversation:read", "conversation:referral"),
        *("conversation:message:delivery:channel", "conversation:message:delivery:failure"),
        *("conversation:message:delivery:user", "conversation:typing", "passthrough:messaging"),
        *("switchboard:acceptControl", "switchboard:acceptControl:failure"),
        *("switchboard:offerControl", "switchboard:offerControl:failure"),
        *("switchboard:passControl", "switchboard:passControl:failure", "switchboard:releaseControl"),
        *("user:merge", "user:update", "user:remove"),
    }
)


class SunshineDelivery:
    """The sender of Sunshine webhooks."""

    def __init__(self, account: Account, switchboard: Switchboard, faults: Faults, log: RequestLog) -> None:
        self._account = account
        self._switchboard = switchboard
        self._faults = faults
        self._log = log

    def hear(self, happened: Happened) -> None:
        """Send an event to every integration that may hear it and asked for it."""
        if not happened.kind.startswith(PREFIX):
            return
        trigger = happened.kind.removeprefix(PREFIX)
        for integration in self._account.records.integrations.values():
            if not integration.webhooks or not self._switchboard.hears(integration, happened.conversation):
                continue
            for webhook in integration.webhooks:
                if trigger in webhook.triggers:
                    self.start(webhook, trigger, self._event(webhook, trigger, happened))

    def start(self, webhook: SunWebhook, trigger: str, event: Json) -> None:
        """Begin delivering one event; order between events is not kept."""
        body: Json = {
            "app": {"id": self._account.app_id},
            "webhook": {"id": webhook.id, "version": "v2"},
            "events": [event],
        }
        data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        kind = PREFIX + trigger
        work = self._faults.around_webhook(kind, webhook.target, lambda: self._deliver(webhook, kind, data))
        if work is not None:
            self._account.ports.spawn(work)

    def _event(self, webhook: SunWebhook, trigger: str, happened: Happened) -> Json:
        account, facts = self._account, happened.facts
        payload: Json = {}
        if happened.conversation is not None:
            payload["conversation"] = sunshine_json.conversation_in_event(account, happened.conversation)
        if "message" in facts:
            payload["message"] = sunshine_json.message_in_event(
                account, facts["message"], full_user=webhook.include_full_user
            )
        if "user" in facts:
            payload["user"] = sunshine_json.user_in_event(facts["user"])
        for key in ("activity", "author", "error", "reason"):
            if key in facts:
                payload[key] = facts[key]
        if facts.get("metadata"):
            payload["metadata"] = facts["metadata"]
        if "activity" in facts:
            payload["activity"] = {**facts["activity"], "author": payload.pop("author", {})}
        return {
            "id": account.ids.hex24(happened.at),
            "createdAt": sunshine_json.time(happened.at),
            "type": trigger,
            "payload": payload,
        }

    async def _deliver(self, webhook: SunWebhook, kind: str, body: bytes) -> None:
        account = self._account
        if account.settings.event_delay_seconds:
            await account.ports.sleep(account.settings.event_delay_seconds)
        pause, waited = account.settings.sunshine_retry_seconds, 0.0
        for attempt in range(1, ATTEMPTS + 1):
            status = await self._attempt(webhook, kind, body)
            account.emit("webhook.attempted", facts={"sunshine": webhook, "status": status})
            if status is not None and (200 <= status < 300 or status in FINAL):
                return
            if attempt == ATTEMPTS or waited + pause > WINDOW_SECONDS:
                return
            await account.ports.sleep(pause)
            waited += pause
            pause *= 4

    async def _attempt(self, webhook: SunWebhook, kind: str, body: bytes) -> int | None:
        account = self._account
        request = Outbound(
            method="POST",
            url=webhook.target,
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "Sunshine-Conversations-Webhook",
                "X-API-Key": webhook.secret,
            },
            body=body,
        )
        reply: Reply | None = None
        outcome = "answered"
        try:
            async with asyncio.timeout(account.settings.sunshine_timeout_seconds):
                reply = await account.ports.send(request)
        except TimeoutError:
            outcome = "timeout"
        except (SendFailed, ConnectionDropped):
            outcome = "failed"
        self._log.webhook(request, reply, kind=kind, outcome=outcome)
        return reply.status if reply else None
