"""Webhooks in: check who speaks, keep what they said, answer. The rest happens afterwards.

The answer is part of delivery. Zendesk repeats 409, 429 and 503 with a short `Retry-After`, and timeouts; it never
repeats a 500. So trouble of ours is always a 503, and what is genuine and readable is always a 200.
https://developer.zendesk.com/documentation/webhooks/anatomy-of-a-webhook-request/
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

import structlog

from escalade.channels import strict_json
from escalade.channels.base import Arrival, delivery_key
from escalade.domain.errors import Rejected, Unavailable
from escalade.domain.model import Millis, OrganisationId
from escalade.domain.policy import Policy
from escalade.services.accounts import SUNSHINE_WEBHOOK, Accounts
from escalade.services.arrivals import Accepted, Arrivals, Status
from escalade.services.ports import Ports
from escalade.store import organisations, webhooks
from escalade.store.database import Database, Tx
from escalade.web.access import Access, Sender
from escalade.web.limits import Limits
from escalade.web.wire import (
    Problem,
    Receive,
    Scope,
    Send,
    answer_json,
    answer_problem,
    check_address,
    check_head,
    check_json_kind,
    check_length,
    header,
    read_body,
    rejected,
    unauthorized,
    unavailable,
)

log = structlog.get_logger()

PATH = "/ai-agent/escalation/webhooks/zendesk/all"
PATHS = frozenset({PATH.encode(), PATH.encode() + b"/"})
SUNSHINE_PREFIX = "/hooks/sunshine/"
BODY_LIMIT = 1024 * 1024
RETRY_AFTER_S = 20  # three tries then cover a minute
RAW_KEPT = 64 * 1024

PATIENCE_S = 2.5  # a sender who hears nothing for long counts it against us; one who is asked to come back does not
NUMBER_DIGITS = 40  # an id of more than 20 digits is not an id, but the document is one


def is_for_hooks(scope: Scope) -> bool:
    """Say whether a request is for here: by the address as it was sent, so that there is one spelling of it."""
    path: bytes = scope["raw_path"]
    return path in PATHS or path.startswith(SUNSHINE_PREFIX.encode())


ReadZendesk = Callable[[object, str, Millis | None], "Read"]
ReadSunshine = Callable[[object], Iterable[Arrival]]
Verify = Callable[[Iterable[str], str, bytes, str, Millis], Millis]


class Read:
    """What a Zendesk body turned out to be."""

    __slots__ = ("account_id", "arrival", "is_test")

    def __init__(self, arrival: Arrival, *, account_id: str | None = None, is_test: bool = False) -> None:
        self.arrival = arrival
        self.account_id = account_id
        self.is_test = is_test


class Hooks:
    """Takes webhooks."""

    def __init__(
        self,
        database: Database,
        ports: Ports,
        arrivals: Arrivals,
        access: Access,
        accounts: Accounts,
        limits: Limits,
        *,
        read_zendesk: ReadZendesk,
        read_sunshine: ReadSunshine,
        verify: Verify,
    ) -> None:
        self._database = database
        self._ports = ports
        self._arrivals = arrivals
        self._access = access
        self._accounts = accounts
        self._limits = limits
        self._read_zendesk = read_zendesk
        self._read_sunshine = read_sunshine
        self._verify = verify
        self._learnt: set[tuple[OrganisationId, str]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; whatever goes wrong with us, the sender is asked to come again."""
        try:
            path: str = scope["path"]
            if scope["method"] != "POST":
                raise Problem("method-not-allowed", headers=((b"allow", b"POST"),))
            check_head(scope)
            check_address(scope, query=False)
            check_length(scope, BODY_LIMIT)
            if path.startswith(SUNSHINE_PREFIX):
                await self._sunshine(scope, receive, send, path.removeprefix(SUNSHINE_PREFIX))
            else:
                await self._zendesk(scope, receive, send)
        except Problem as problem:
            await answer_problem(send, self._limits.refused(scope, problem, "webhook"))
        except Rejected as error:
            await answer_problem(send, self._limits.refused(scope, rejected(error), "webhook"))
        except TimeoutError:
            log.warning("webhook_not_taken", path=scope["path"], why="the database is busy")
            await answer_problem(send, unavailable(RETRY_AFTER_S, "the database is busy"))
        except Exception as error:
            log.exception("webhook_not_taken", path=scope["path"])
            await answer_problem(send, unavailable(RETRY_AFTER_S, type(error).__name__))

    async def _zendesk(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take Zendesk's webhook: authenticate, read, verify, parse, keep, answer."""
        sender = await self._access.webhook(scope)
        check_json_kind(scope, required=False)
        body = await read_body(scope, receive, BODY_LIMIT)
        signed_at = self._signed_at(scope, sender, body)
        document, tolerated = strict_json.parse_lenient(body, size=BODY_LIMIT, digits=NUMBER_DIGITS)
        if tolerated:
            log.info("tolerated_trailing_comma", organisation=sender.organisation.id)
        invocation = header(scope, b"x-zendesk-webhook-invocation-id")
        read = self._read_zendesk(document, delivery_key(invocation, body, self._ports.new_id), signed_at)
        if read.is_test:
            await self._keep_test(sender, read, body)
            await answer_json(send, 200, {"status": "ignored", "reason": "placeholder_not_rendered"})
            return
        self._check_account(sender, read)
        raw = body[:RAW_KEPT].decode("utf-8", "replace")
        arrival = read.arrival if len(body) < RAW_KEPT else replace(read.arrival, text=read.arrival.text[:RAW_KEPT])
        async with asyncio.timeout(PATIENCE_S):
            accepted = await self._database.write(lambda tx: self._arrive(tx, sender, read, arrival, raw))
        await self._learn_webhook(sender, header(scope, b"x-zendesk-webhook-id"))
        await answer_json(send, 200, _answer(accepted))

    async def _learn_webhook(self, sender: Sender, id: str | None) -> None:
        """Remember which of Zendesk's webhooks this is, so that what it fails to deliver can be read back."""
        key = (sender.organisation.id, (id or "")[:128])
        if not key[1] or key in self._learnt:
            return
        with suppress(Unavailable):  # it will call again
            await self._database.write(lambda tx: webhooks.learn(tx, *key))
            self._learnt.add(key)

    def _arrive(self, tx: Tx, sender: Sender, read: Read, arrival: Arrival, raw: str) -> Accepted:
        organisation = sender.organisation
        if organisation.zendesk_account_id is None and read.account_id is not None:
            organisations.learn_account(tx, organisation.id, read.account_id)
        return self._arrivals.arrive(tx, organisation.id, "zendesk", arrival, raw, sender.policy)

    async def _keep_test(self, sender: Sender, read: Read, body: bytes) -> None:
        """Keep a test call too, so that the console can say that the credentials are fine."""
        raw = body[:RAW_KEPT].decode("utf-8", "replace")
        await self._database.write(
            lambda tx: self._arrivals.arrive(tx, sender.organisation.id, "zendesk", read.arrival, raw, sender.policy)
        )

    def _signed_at(self, scope: Scope, sender: Sender, body: bytes) -> Millis | None:
        """Check the signature where the organisation has given us a secret for it."""
        if not sender.signing_secrets:
            return None
        timestamp = header(scope, b"x-zendesk-webhook-signature-timestamp") or ""
        signature = header(scope, b"x-zendesk-webhook-signature") or ""
        return self._verify(sender.signing_secrets, timestamp, body, signature, self._ports.wall())

    def _check_account(self, sender: Sender, read: Read) -> None:
        known = sender.organisation.zendesk_account_id
        if known is not None and read.account_id is not None and known != read.account_id:
            log.warning("foreign_account", organisation=sender.organisation.id)
            raise unauthorized("the event is of another Zendesk account")

    async def _sunshine(self, scope: Scope, receive: Receive, send: Send, organisation: str) -> None:
        """Take Sunshine's own webhook: a static secret in `X-API-Key`, several events in one call."""
        given = header(scope, b"x-api-key") or ""
        id = OrganisationId(organisation.removesuffix("/"))
        secret, policy = await self._database.read(lambda tx: self._sunshine_secret(tx, id))
        digests = (hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (secret or "", given))
        if not hmac.compare_digest(*digests) or not secret:
            raise unauthorized()
        check_json_kind(scope, required=False)
        body = await read_body(scope, receive, BODY_LIMIT)
        arrivals = list(self._read_sunshine(strict_json.parse(body, size=BODY_LIMIT)))

        def written(tx: Tx) -> list[Accepted]:
            return [self._arrivals.arrive(tx, id, "sunshine", one, "", policy) for one in arrivals]

        taken = await self._database.write(written)
        status = taken[0] if len(taken) == 1 else Accepted(status=Status.ACCEPTED)
        await answer_json(send, 200, _answer(status))

    def _sunshine_secret(self, tx: Tx, id: OrganisationId) -> tuple[str | None, Policy]:
        found = organisations.load(tx, id)
        if found is None:
            return None, Policy(zendesk_connected=False)
        return self._accounts.secrets(tx, id).get(SUNSHINE_WEBHOOK), Policy.of(found.settings)


def _answer(accepted: Accepted) -> dict[str, str]:
    document = {"status": accepted.status.value}
    return document | ({"reason": accepted.reason} if accepted.reason else {})
