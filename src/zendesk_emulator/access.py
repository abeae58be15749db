"""Decide who calls the Support API and what they may do, and give each route one tidy `Call`.

OAuth bearer tokens expire and carry scopes; `email/token:apitoken` is the legacy way. Passwords are dead.
https://developer.zendesk.com/api-reference/introduction/security-and-auth/
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from zendesk_emulator.account import Account
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.errors import Refused, forbidden, unauthenticated
from zendesk_emulator.records.credentials import OAuthToken
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.people import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, and with which token."""

    user: User
    token: OAuthToken | None = None  # None: an API token, which may do everything

    def may(self, need: str) -> bool:
        """Tell whether the scopes cover `resource:read`, `resource:write`, `read` or `write`."""
        if self.token is None:
            return True
        scopes = self.token.scopes
        return need in scopes or need.rpartition(":")[2] in scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to the Support API, with its caller and body."""

    emulator: Emulator
    request: Request
    caller: Caller
    raw: bytes

    @property
    def account(self) -> Account:
        """Give the account called."""
        return self.emulator.account

    @property
    def user(self) -> User:
        """Give the user who calls."""
        return self.caller.user

    def json(self, key: str | None = None) -> Json:
        """Read the body, or one object in it; anything else is refused with 400."""
        try:
            body = json.loads(self.raw) if self.raw else {}
        except (ValueError, RecursionError):
            raise Refused(400, {"error": "Unprocessable Entity", "message": "Server could not parse JSON"}) from None
        found = body.get(key) if key is not None and isinstance(body, dict) else body
        if not isinstance(found, dict):
            raise Refused(
                400,
                {
                    "error": {
                        "title": "Invalid attribute",
                        "message": f"You passed an invalid value for the {key or 'body'} attribute. Must be an object",
                    }
                },
            )
        return found

    def query(self, name: str, default: str = "") -> str:
        """Read a query parameter."""
        return self.request.query_params.get(name, default)

    def number(self, name: str) -> int:
        """Read an integer of the path."""
        return int(self.request.path_params[name])

    def word(self, name: str) -> str:
        """Read a word of the path."""
        return str(self.request.path_params[name])


Handler = Callable[[Call], Response | Json]


def identify(account: Account, header: str | None) -> Caller | None:
    """Find the caller behind an Authorization header; nobody if there is none, 401 if it is wrong."""
    if not header:
        return None
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return _by_oauth(account, value.strip())
    if scheme.lower() == "basic":
        return _by_api_token(account, value.strip())
    raise unauthenticated()


def _by_oauth(account: Account, access: str) -> Caller:
    token = account.records.oauth_tokens.get(access)
    if token is None or (token.expires_at is not None and token.expires_at <= account.now()):
        # The wording of this body is a guess.
        body = {"error": "invalid_token", "error_description": "The access token is invalid or has expired."}
        raise Refused(401, body, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    token.used_at = account.now()
    return Caller(user=account.records.users[token.user_id], token=token)


def _by_api_token(account: Account, value: str) -> Caller:
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise unauthenticated() from None
    email, marker, extra = name.rpartition("/token")
    user = account.user_by_email(email) if marker and not extra else None
    known = any(token.active and token.token == secret for token in account.records.api_tokens.values())
    if user is None or not user.is_staff or not known or not account.settings.api_tokens_allowed:
        raise unauthenticated()
    return Caller(user=user)


def route(
    emulator: Emulator,
    method: str,
    path: str,
    handler: Handler,
    need: str,
    *,
    admin: bool = False,
    status: int = 200,
) -> Route:
    """Make a route that asks for a caller, a scope and perhaps an administrator, before it runs its handler."""

    async def endpoint(request: Request) -> Response:
        caller = identify(emulator.account, request.headers.get("authorization"))
        if caller is None or not caller.user.active or caller.user.suspended:
            raise unauthenticated()
        if not caller.may(need):
            raise forbidden(f"The token lacks the scope {need}")
        if not caller.user.is_staff or (admin and caller.user.role != "admin"):
            raise forbidden("You do not have access to this page")
        call = Call(emulator=emulator, request=request, caller=caller, raw=await request.body())
        answer = handler(call)
        return answer if isinstance(answer, Response) else JSONResponse(answer, status)

    return Route(path, endpoint, methods=[method])
