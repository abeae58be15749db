"""Webhooks that never reached us: what Zendesk could not deliver is read back from it, once a minute.

A webhook only rings, and the lists are read without one while people talk. This is for the rest: after an outage of
ours, or of the way to us, no conversation has to wait for its next turn. What is read back is taken in like the webhook
it was, under the same key, so one that came after all changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol

import structlog

from escalade.channels.base import Account, Arrival, CallsTo, ChannelName, MissedCall
from escalade.domain.errors import DeliveryError, Rejected, Unaccepted, Unavailable
from escalade.domain.model import OrganisationId
from escalade.services.accounts import Accounts
from escalade.services.arrivals import Arrivals
from escalade.services.intake import policy_of
from escalade.services.ports import Ports
from escalade.store import doors, organisations, webhooks
from escalade.store.database import Database, Tx
from escalade.store.webhooks import Webhook

log = structlog.get_logger()

EVERY_MS = 60_000
SWEEP_S = 5.0
MOST_KNOWN = 10_000
RAW_KEPT = 64 * 1024

ReadBody = Callable[[MissedCall], Arrival | None]


class Failures(Protocol):
    """Who can say what a webhook could not deliver."""

    def missed(
        self, account: Account, webhook: str, since: str | None, is_known: Callable[[str], bool]
    ) -> AsyncIterator[MissedCall | CallsTo]:
        """Give the calls that failed since an instant of theirs, the oldest first, as many as one round may ask for."""
        ...


class Missed:
    """The reader of failed calls."""

    def __init__(
        self,
        database: Database,
        ports: Ports,
        arrivals: Arrivals,
        accounts: Accounts,
        failures: Failures,
        read_body: ReadBody,
    ) -> None:
        self._database = database
        self._ports = ports
        self._arrivals = arrivals
        self._accounts = accounts
        self._failures = failures
        self._read_body = read_body
        self._known: set[tuple[OrganisationId, str]] = set()

    async def run(self) -> None:
        """Read back until cancelled; after a start every webhook's turn has come."""
        begun = False
        while True:
            try:
                if not begun:
                    await self._database.write(webhooks.recover)
                    begun = True
                await self.round()
            except Unavailable as error:
                log.warning("missed_webhooks_wait_for_database", why=str(error))
            await self._ports.sleep(SWEEP_S)

    async def round(self) -> None:
        """Read what failed since the last time, for every webhook whose turn it is."""
        now = self._ports.now()
        for webhook in await self._database.write(lambda tx: webhooks.take_due(tx, now, EVERY_MS)):
            account = await self._database.read(lambda tx, webhook=webhook: self._account(tx, webhook))  # type: ignore[misc]
            if account is None:
                continue
            try:
                await self._read_back(webhook, account)
            except Unavailable:
                raise
            except Unaccepted as error:
                log.info("missed_webhooks_not_shown", organisation=webhook.organisation, why=error.detail)
            except DeliveryError as error:
                log.warning("missed_webhooks_unreadable", organisation=webhook.organisation, why=error.detail)
            except Exception:
                log.exception("missed_webhooks_stumbled", organisation=webhook.organisation)

    def _account(self, tx: Tx, webhook: Webhook) -> Account | None:
        """Give the account to ask, or nothing where it cannot be asked now."""
        found = organisations.load(tx, webhook.organisation)
        if found is None or ChannelName.ZENDESK in doors.of(tx, webhook.organisation):
            return None
        account = self._accounts.account(tx, found)
        return account if account.zendesk is not None else None

    async def _read_back(self, webhook: Webhook, account: Account) -> None:
        def is_known(invocation: str) -> bool:
            return (webhook.organisation, invocation) in self._known

        async for call in self._failures.missed(account, webhook.id, webhook.read_to, is_known):
            if isinstance(call, CallsTo):
                to = call.ended
                await self._database.write(lambda tx, to=to: webhooks.read_on(tx, webhook, to))  # type: ignore[misc]
                continue
            await self._database.write(lambda tx, call=call: self._take_in(tx, webhook, call))  # type: ignore[misc]
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known.add((webhook.organisation, call.invocation))

    def _take_in(self, tx: Tx, webhook: Webhook, call: MissedCall) -> None:
        """Take a failed call in like the webhook it was; of one that was never sent, only that something was said."""
        arrival: Arrival | None = None
        if call.body is None:
            tx.ring("door", webhook.organisation)  # read every list
        else:
            try:
                arrival = self._read_body(call)
            except Rejected as error:
                log.warning("missed_webhook_unreadable", organisation=webhook.organisation, why=error.detail)
        if arrival is not None and call.body is not None:
            raw = call.body[:RAW_KEPT].decode("utf-8", "replace")
            policy = policy_of(tx, webhook.organisation)
            accepted = self._arrivals.arrive(tx, webhook.organisation, "zendesk", arrival, raw, policy)
            log.info("missed_webhook", organisation=webhook.organisation, status=accepted.status.value)
        webhooks.read_on(tx, webhook, call.ended)
