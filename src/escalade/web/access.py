"""Who may come in: tokens are compared by their digests, and every way of being wrong gets the same answer."""

from __future__ import annotations

import hmac
import re
from contextlib import suppress
from dataclasses import dataclass

from escalade.domain.errors import Unavailable
from escalade.domain.model import CustomerId, Millis, OrganisationId
from escalade.domain.organisation import Organisation
from escalade.domain.policy import Policy
from escalade.services.accounts import Accounts
from escalade.services.ports import Ports
from escalade.store import organisations
from escalade.store.database import Database, Tx
from escalade.web.limits import API_CALLS, Limits
from escalade.web.wire import Scope, header, unauthorized

KEPT_MS = 1_000  # how long an answer of the store is believed: a revoked token works no longer than this
MOST_KEPT = 10_000
NOTE_EVERY_MS = 60_000
IDLE_MS = 24 * 3600 * 1000
OLDEST_MS = 30 * IDLE_MS
BEARER = re.compile(r"(?i:bearer) ([A-Za-z0-9\-._~+/]+=*)\Z")  # https://www.rfc-editor.org/rfc/rfc6750#section-2.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """An organisation's webhook caller, with what is needed to check and decide its news."""

    organisation: Organisation
    policy: Policy
    signing_secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A browser with the widget."""

    organisation: OrganisationId
    customer: CustomerId


class Access:
    """The doors' keeper."""

    def __init__(self, database: Database, accounts: Accounts, ports: Ports, limits: Limits) -> None:
        self._database = database
        self._accounts = accounts
        self._now = ports.now
        self._wall = ports.wall  # credentials end at an hour people were told
        self._limits = limits
        self._senders: dict[tuple[str, str], tuple[Millis, Sender | None]] = {}
        self._noted: dict[str, Millis] = {}
        self._keys: dict[str, tuple[Millis, OrganisationId | None]] = {}

    async def webhook(self, scope: Scope) -> Sender:
        """Let a webhook in by its bearer token and organisation header."""
        token = bearer(scope)
        named = [value for name, value in scope["headers"] if name == b"fv-organisation-id"]
        organisation = named[0].decode("latin-1") if len(named) == 1 else ""
        key = (organisation[:128], organisations.digest(token))
        now = self._now()
        kept = self._senders.get(key)
        if kept is None or kept[0] < now:
            sender = await self._database.read(lambda tx: self._sender(tx, *key, self._wall()))
            if len(self._senders) >= MOST_KEPT:
                self._senders.clear()
            kept = self._senders[key] = (now + KEPT_MS, sender)
        if kept[1] is None:
            raise unauthorized()
        if now - self._noted.get(key[1], 0) >= NOTE_EVERY_MS:
            self._noted[key[1]] = now
            with suppress(Unavailable):  # a note for the console is not worth a message
                await self._database.write(lambda tx: organisations.used_token(tx, key[1], self._wall()))
        return kept[1]

    def _sender(self, tx: Tx, organisation: str, token_digest: str, now: Millis) -> Sender | None:
        owner = organisations.token_owner(tx, "webhook", token_digest, now)
        found = organisations.load(tx, OrganisationId(organisation))
        if owner is None or found is None or not hmac.compare_digest(owner.encode(), found.id.encode()):
            return None
        return Sender(
            organisation=found,
            policy=Policy.of(found.settings),
            signing_secrets=self._accounts.signing_secrets(tx, found.id),
        )

    async def api(self, scope: Scope) -> OrganisationId:
        """Let a developer in by an API key, so many times a second."""
        token_digest = organisations.digest(bearer(scope))
        now = self._now()
        kept = self._keys.get(token_digest)
        if kept is None or kept[0] < now:
            wall = self._wall()
            owner = await self._database.read(lambda tx: organisations.token_owner(tx, "api", token_digest, wall))
            if len(self._keys) >= MOST_KEPT:
                self._keys.clear()
            kept = self._keys[token_digest] = (now + KEPT_MS, owner)
        if kept[1] is None:
            raise unauthorized()
        self._limits.take(API_CALLS, token_digest)
        return kept[1]

    async def visitor(self, scope: Scope) -> Visitor:
        """Let a browser in by its visitor token."""
        token = bearer(scope)
        now = self._wall()
        row = await self._database.read(
            lambda tx: organisations.visitor(tx, token, unused_since=now - IDLE_MS * 30, created_since=now - OLDEST_MS)
        )
        if row is None:
            raise unauthorized("the visitor token is not known or has expired")
        return Visitor(organisation=OrganisationId(row["organisation"]), customer=CustomerId(row["customer"]))


def bearer(scope: Scope) -> str:
    """Read the one bearer token of a request."""
    value = header(scope, b"authorization")
    match = BEARER.match(value) if value is not None else None
    if match is None:
        raise unauthorized()
    return match[1]
