"""Have a valid credential at hand for every Zendesk account, fetching each token once however many ask for it.

A refresh token can be used a single time, and using it kills the access token too: so one refresh at a time an
account, and the new pair is stored before it is used.
https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from escalade.channels import verdicts
from escalade.channels.base import Account, ZendeskAccount
from escalade.channels.http import Request, Response, Transport, basic, shown_answer
from escalade.domain.errors import Refused, Retryable, Unaccepted, Uncertain
from escalade.domain.model import Millis, OrganisationId
from escalade.domain.organisation import AuthType

# `tickets:read` does not open a ticket's audits, and no narrower scope is known for users, groups and availability.
SCOPE = "read tickets:write"
EARLY = 60_000  # renew this long before the end, in milliseconds
WITHOUT_END = 86_400_000  # older clients' tokens name no end; a 401 tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An access token, and the refresh token that buys the next one."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: Millis


Keep = Callable[[OrganisationId, Pair], Awaitable[None]]


async def keep_nothing(_organisation: OrganisationId, _pair: Pair) -> None:
    """Store no pair; for accounts that sign in without refresh tokens."""


@dataclass(slots=True)
class _Held:
    """What we hold for one account."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    access_token: str = ""
    expires_at: Millis = 0
    refresh_token: str = ""


class Credentials:
    """The `Authorization` header of every account."""

    def __init__(
        self, transport: Transport, now: Callable[[], Millis], *, keep: Keep = keep_nothing, scope: str = SCOPE
    ) -> None:
        self._transport = transport
        self._now = now
        self._keep = keep
        self._scope = scope
        self._held: dict[tuple[str, ...], _Held] = {}

    async def header(self, account: Account, *, rejected: str | None = None) -> str:
        """Give the header's value; `rejected` is one that Zendesk has just answered with 401."""
        zendesk = support(account)
        if zendesk.auth is AuthType.API_TOKEN:
            return basic(f"{zendesk.email}/token", zendesk.token)
        held = self._held.setdefault(_identity(account.organisation, zendesk), _Held())
        if not self._is_good(held, rejected):
            async with held.lock:
                if not self._is_good(held, rejected):  # whoever held the lock may have done it for us
                    await self._renew(account.organisation, zendesk, held)
        return f"Bearer {held.access_token}"

    def _is_good(self, held: _Held, rejected: str | None) -> bool:
        fresh = bool(held.access_token) and self._now() < held.expires_at - EARLY
        return fresh and f"Bearer {held.access_token}" != rejected

    async def _renew(self, organisation: OrganisationId, zendesk: ZendeskAccount, held: _Held) -> None:
        if zendesk.auth is AuthType.CLIENT_CREDENTIALS:
            answer = await self._ask(zendesk, {"grant_type": "client_credentials"})
        else:
            answer = await self._spend_refresh_token(zendesk, held)
        access, lasts = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(access, str) or not access:
            raise Unaccepted("Zendesk gave no access token", after=verdicts.CREDENTIAL_WAIT)
        ends = self._now() + (lasts * 1000 if isinstance(lasts, int) and lasts > 0 else WITHOUT_END)
        refresh = answer.get("refresh_token")
        if zendesk.auth is AuthType.AUTHORIZATION_CODE and isinstance(refresh, str) and refresh:
            held.refresh_token = refresh
            await self._keep(organisation, Pair(access_token=access, refresh_token=refresh, expires_at=ends))
        held.access_token, held.expires_at = access, ends

    async def _spend_refresh_token(self, zendesk: ZendeskAccount, held: _Held) -> verdicts.Json:
        """Try the newest refresh token we know, then the stored one: another process may have been faster."""
        known = [token for token in dict.fromkeys((held.refresh_token, zendesk.refresh_token)) if token]
        if not known:
            raise Unaccepted("no refresh token is stored: connect Zendesk again", after=verdicts.CREDENTIAL_WAIT)
        for token in known[:-1]:
            try:
                return await self._ask(zendesk, {"grant_type": "refresh_token", "refresh_token": token})
            except Retryable as error:
                if error.status not in {400, 401, 403}:
                    raise
        return await self._ask(zendesk, {"grant_type": "refresh_token", "refresh_token": known[-1]})

    async def _ask(self, zendesk: ZendeskAccount, grant: dict[str, str]) -> verdicts.Json:
        fields = {
            **grant,
            "client_id": zendesk.client_id,
            "client_secret": zendesk.client_secret,
            "scope": self._scope,
        }
        request = Request(
            method="POST",
            url=f"{zendesk.base_url}/oauth/tokens",
            headers={"Content-Type": "application/json"},
            body=msgspec.json.encode(fields),
        )
        try:
            response = await self._transport.send(request)
            return self._read(request, response)
        except Uncertain as error:
            raise Retryable(f"fetching a token: {error.detail}", status=error.status) from error

    def _read(self, request: Request, response: Response) -> verdicts.Json:
        try:
            return verdicts.read(request, response, credential="the OAuth client")
        except Refused as error:
            # A wrong client is mended by an operator; the delivery behind it should survive until then.
            said = f"the OAuth client is not accepted ({error.detail})"
            kept = shown_answer(request, response)
            raise Unaccepted(said, after=verdicts.CREDENTIAL_WAIT, status=response.status, answer=kept) from error


def support(account: Account) -> ZendeskAccount:
    """Give the Support half of an account, or refuse."""
    if account.zendesk is None:
        raise Refused("Zendesk is not connected")
    return account.zendesk


def named(zendesk: ZendeskAccount) -> str:
    """Say which credential an account uses, for the person who must mend it."""
    match zendesk.auth:
        case AuthType.API_TOKEN:
            return f"the API token of {zendesk.email or 'nobody'}"
        case AuthType.CLIENT_CREDENTIALS:
            return f"the OAuth client {zendesk.client_id or 'without a name'}"
        case AuthType.AUTHORIZATION_CODE:
            return f"the authorisation of the OAuth client {zendesk.client_id or 'without a name'}"


def _identity(organisation: OrganisationId, zendesk: ZendeskAccount) -> tuple[str, ...]:
    """Tell accounts apart; a changed secret is another account, so that a wrong one never lives on an old token."""
    secret = sha256(zendesk.client_secret.encode()).hexdigest()
    return (organisation, zendesk.base_url, zendesk.auth.value, zendesk.client_id, secret)
