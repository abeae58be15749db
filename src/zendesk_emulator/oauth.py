"""Give out OAuth tokens: client credentials, refresh with rotation, and codes with PKCE.

https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from zendesk_emulator.access import Call, route
from zendesk_emulator.account import Account
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.errors import Refused
from zendesk_emulator.records.credentials import AuthorizationCode, OAuthClient, OAuthToken
from zendesk_emulator.records.json import Json
from zendesk_emulator.text import rest_time

CODES_LIVE = timedelta(seconds=120)
ALL = ["read", "write"]


def routes(emulator: Emulator) -> Sequence[BaseRoute]:
    """Give the routes of OAuth."""
    account = emulator.account

    async def tokens(request: Request) -> Response:
        return JSONResponse(_grant(account, _body(await request.body())))

    async def consent(request: Request) -> Response:
        client = _client(account, dict(request.query_params))
        fields = "".join(
            f'<input type="hidden" name="{html.escape(key)}" value="{html.escape(value)}">'
            for key, value in request.query_params.items()
        )
        scopes = html.escape(request.query_params.get("scope", "read write"))
        return HTMLResponse(
            "<!doctype html><title>Emulator: allow access</title>"
            f"<h1>Allow {html.escape(client.name)} to use {scopes}?</h1>"
            f'<form method="post" action="/oauth/authorizations">{fields}'
            '<button name="allow" value="yes">Allow</button> <button name="allow" value="no">Deny</button></form>'
        )

    async def decide(request: Request) -> Response:
        return _decide(account, dict(parse_qsl((await request.body()).decode())))

    return [
        Route("/oauth/tokens", tokens, methods=["POST"]),
        Route("/oauth/authorizations/new", consent, methods=["GET"]),
        Route("/oauth/authorizations", decide, methods=["POST"]),
        route(emulator, "GET", "/api/v2/oauth/tokens/current", _current, "read"),
        route(emulator, "DELETE", "/api/v2/oauth/tokens/current", _revoke, "write"),
        route(emulator, "GET", "/api/v2/oauth/clients", _clients, "read", admin=True),
        route(emulator, "POST", "/api/v2/oauth/clients", _create_client, "write", admin=True, status=201),
    ]


def _body(raw: bytes) -> Json:
    try:
        body = json.loads(raw)
    except ValueError:
        body = dict(parse_qsl(raw.decode("utf-8", "replace")))
    return body if isinstance(body, dict) else {}


def _wrong(error: str, description: str, status: int = 400) -> Refused:
    return Refused(status, {"error": error, "error_description": description})


def _client(account: Account, fields: Json) -> OAuthClient:
    wanted = fields.get("client_id")
    client = next((known for known in account.records.oauth_clients.values() if known.identifier == wanted), None)
    if client is None:
        raise _wrong("invalid_client", "Client authentication failed", 401)
    return client


def _authenticated(account: Account, fields: Json) -> OAuthClient:
    """Check the secret; a public client shows a code verifier instead."""
    client = _client(account, fields)
    if client.kind == "public" and fields.get("code_verifier") and not fields.get("client_secret"):
        return client
    if fields.get("client_secret") != client.secret:
        raise _wrong("invalid_client", "Client authentication failed", 401)
    return client


def _grant(account: Account, fields: Json) -> Json:
    client = _authenticated(account, fields)
    match fields.get("grant_type"):
        case "client_credentials":
            if client.kind != "confidential":
                raise _wrong("unauthorized_client", "Only confidential clients may use this grant")
            return _shown(_issue(account, client, _scopes(client, fields), client.user_id, refreshable=False), account)
        case "refresh_token":
            return _refresh(account, client, fields)
        case "authorization_code":
            return _exchange(account, client, fields)
        case _:
            raise _wrong("unsupported_grant_type", "The grant type is not supported")


def _scopes(client: OAuthClient, fields: Json) -> list[str]:
    """Read the scopes asked for; without any, everything; beyond the client's own, refused."""
    wanted = str(fields.get("scope") or "").split() or (client.scopes or ALL)
    if client.scopes:
        beyond = [
            scope for scope in wanted if scope not in client.scopes and scope.partition(":")[2] not in client.scopes
        ]
        if beyond:
            raise _wrong("invalid_scope", f"The requested scope is invalid: {' '.join(beyond)}")
    return wanted


def _issue(account: Account, client: OAuthClient, scopes: list[str], user_id: int, *, refreshable: bool) -> OAuthToken:
    now = account.now()
    token = OAuthToken(
        id=account.ids.integer(),
        access=account.ids.secret(64),
        client_id=client.id,
        user_id=user_id,
        scopes=scopes,
        created_at=now,
        expires_at=now + timedelta(seconds=client.expires_in),
    )
    if refreshable:
        token.refresh = account.ids.secret(64)
        token.refresh_expires_at = now + timedelta(seconds=client.refresh_expires_in)
    account.records.oauth_tokens[token.access] = token
    return token


def _shown(token: OAuthToken, account: Account) -> Json:
    client = account.records.oauth_clients[token.client_id]
    shown: dict[str, Any] = {
        "access_token": token.access,
        "token_type": "bearer",
        "scope": " ".join(token.scopes),
        "expires_in": client.expires_in,
    }
    if token.refresh:
        shown |= {"refresh_token": token.refresh, "refresh_token_expires_in": client.refresh_expires_in}
    return shown


def _refresh(account: Account, client: OAuthClient, fields: Json) -> Json:
    """Swap a refresh token for a new pair; the old pair dies at once."""
    wanted = fields.get("refresh_token")
    tokens = account.records.oauth_tokens
    old = next((token for token in tokens.values() if token.refresh and token.refresh == wanted), None)
    expired = old is not None and old.refresh_expires_at is not None and old.refresh_expires_at <= account.now()
    if old is None or old.client_id != client.id or expired:
        raise _wrong("invalid_grant", "The refresh token is invalid, expired or was already used")
    scopes = _scopes(client, fields) if fields.get("scope") else old.scopes
    del tokens[old.access]
    return _shown(_issue(account, client, scopes, old.user_id, refreshable=True), account)


def _exchange(account: Account, client: OAuthClient, fields: Json) -> Json:
    """Swap a code for tokens, once, within two minutes, for whoever started the flow."""
    code = account.records.authorization_codes.pop(str(fields.get("code") or ""), None)
    if code is None or code.client_id != client.id or code.expires_at <= account.now():
        raise _wrong("invalid_grant", "The authorization code is invalid, expired or was already used")
    if code.redirect_uri != fields.get("redirect_uri"):
        raise _wrong("invalid_grant", "The redirect URI does not match")
    if code.challenge is not None:
        digest = hashlib.sha256(str(fields.get("code_verifier") or "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != code.challenge.rstrip("="):
            raise _wrong("invalid_grant", "The code verifier does not match")
    return _shown(_issue(account, client, code.scopes, code.user_id, refreshable=True), account)


def _decide(account: Account, fields: Json) -> Response:
    """Send the browser back with a code, or with a refusal."""
    client = _client(account, fields)
    redirect_uri = str(fields.get("redirect_uri") or "")
    if redirect_uri not in client.redirect_uris:
        raise _wrong("invalid_request", "The redirect URI is not registered with the client")
    if client.kind == "public" and not fields.get("code_challenge"):
        raise _wrong("invalid_request", "Public clients need PKCE")
    answer = {"state": str(fields["state"])} if fields.get("state") else {}
    if fields.get("allow") != "yes":
        answer |= {
            "error": "access_denied",
            "error_description": "The end-user or authorization server denied the request.",
        }
    else:
        code = AuthorizationCode(
            code=account.ids.secret(40),
            client_id=client.id,
            user_id=client.user_id,
            scopes=_scopes(client, fields),
            redirect_uri=redirect_uri,
            expires_at=account.now() + CODES_LIVE,
            challenge=fields.get("code_challenge"),
        )
        account.records.authorization_codes[code.code] = code
        answer["code"] = code.code
    joint = "&" if "?" in redirect_uri else "?"
    return RedirectResponse(f"{redirect_uri}{joint}{urlencode(answer)}", 302)


def _current(call: Call) -> Json:
    token = call.caller.token
    if token is None:
        raise Refused(404, {"error": "RecordNotFound", "description": "Not found"})
    return {
        "token": {
            "id": token.id,
            "user_id": token.user_id,
            "client_id": token.client_id,
            "token": token.access[:10],
            "refresh_token": token.refresh[:10] if token.refresh else None,
            "scopes": token.scopes,
            "created_at": rest_time(token.created_at),
            "expires_at": rest_time(token.expires_at) if token.expires_at else None,
            "used_at": rest_time(token.used_at) if token.used_at else None,
        }
    }


def _revoke(call: Call) -> Response:
    if call.caller.token is not None:
        call.account.records.oauth_tokens.pop(call.caller.token.access, None)
    return Response(status_code=204)


def client_shown(client: OAuthClient, *, secret: bool = False) -> Json:
    """Show a client; its secret in full only once."""
    return {
        "id": client.id,
        "identifier": client.identifier,
        "name": client.name,
        "kind": client.kind,
        "user_id": client.user_id,
        "redirect_uri": client.redirect_uris,
        "scopes": client.scopes,
        "secret": client.secret if secret else client.secret[:10],
        "created_at": rest_time(client.created_at),
    }


def _clients(call: Call) -> Json:
    clients = call.account.records.oauth_clients.values()
    return {"clients": [client_shown(client) for client in clients], "count": len(clients)}


def _create_client(call: Call) -> Json:
    fields = call.json("client")
    if not fields.get("identifier") or not fields.get("name"):
        raise _wrong("invalid_request", "name and identifier are required", 422)
    uris = fields.get("redirect_uri") or []
    client = call.account.add_oauth_client(
        identifier=str(fields["identifier"]),
        name=str(fields["name"]),
        user=call.user,
        scopes=list(fields.get("scopes") or []),
        redirect_uris=uris.split() if isinstance(uris, str) else list(uris),
        kind=str(fields.get("kind") or "confidential"),
    )
    return {"client": client_shown(client, secret=True)}
