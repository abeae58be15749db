"""Tokens as Zendesk signs them for an app beside a ticket, and every way of being wrong."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import time
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

INSTALLATION, OTHER_INSTALLATION = 4711, 4712
HOST = "acme.zendesk.com"


@functools.cache
def key(name: str = "ours") -> RSAKey:
    """Give a key pair, the same for a name as long as this process lives."""
    assert name
    return RSAKey.generate_key(2048)


def public(name: str = "ours") -> str:
    return key(name).as_pem(private=False).decode()


def claims(now: float | None = None, **changed: Any) -> dict[str, Any]:
    """Give what Zendesk claims; a claim changed to nothing is left out."""
    at = int(time.time() if now is None else now)
    whole = {
        "iss": HOST,
        "aud": f"https://{HOST}/api/v2/apps/installations/{INSTALLATION}.json",
        "sub": f"https://{HOST}/api/v2/users/77.json",
        "iat": at,
        "nbf": at,
        "exp": at + 300,
        "jti": "one",
        "context": {"product": "support", "location": "ticket_sidebar", "account": "acme"},
    } | changed
    return {name: value for name, value in whole.items() if value is not None}


def token(with_key: str = "ours", now: float | None = None, head: dict[str, Any] | None = None, **changed: Any) -> str:
    """Sign as Zendesk does."""
    return jwt.encode({"alg": "RS256", "typ": "JWT", **(head or {})}, claims(now, **changed), key(with_key))


def raw(head: dict[str, Any], payload: dict[str, Any], sign: Any = lambda _: b"") -> str:
    """Put a token together by hand."""
    parts = [_encoded(json.dumps(part).encode()) for part in (head, payload)]
    return ".".join([*parts, _encoded(sign(".".join(parts).encode()))])


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def wrong(now: float | None = None) -> dict[str, str]:
    """Give tokens that must not open anything, by what is wrong with them."""
    at = int(time.time() if now is None else now)
    pem = public().encode()
    head, rest = {"alg": "RS256", "typ": "JWT"}, claims(at)
    good = token(now=at)
    return {
        "none at all": "",
        "no algorithm": raw({"alg": "none", "typ": "JWT"}, rest),
        "no algorithm, spelled otherwise": raw({"alg": "NoNe"}, rest),
        "signed with the public key as a secret": raw(
            {"alg": "HS256"}, rest, lambda text: hmac.new(pem, text, hashlib.sha256).digest()
        ),
        "another algorithm of ours": jwt.encode({"alg": "RS512"}, rest, key(), algorithms=["RS512"]),
        "another kind of key": jwt.encode({"alg": "ES256"}, rest, ECKey.generate_key("P-256")),
        "another's key": token("theirs", at),
        "a key it brings along": token("theirs", at, {"jwk": key("theirs").as_dict(private=False)}),
        "wrong aud": token(now=at, aud=f"https://{HOST}/api/v2/apps/installations/1.json"),
        "the other installation": token(
            now=at, aud=f"https://{HOST}/api/v2/apps/installations/{OTHER_INSTALLATION}.json"
        ),
        "aud of another account": token(
            now=at, aud=f"https://evil.zendesk.com/api/v2/apps/installations/{INSTALLATION}.json"
        ),
        "no aud": token(now=at, aud=None),
        "wrong iss": token(now=at, iss="evil.zendesk.com"),
        "no iss": token(now=at, iss=None),
        "expired": token(now=at - 3600),
        "no exp": token(now=at, exp=None),
        "exp that is no number": token(now=at, exp="tomorrow"),
        "future nbf": token(now=at, nbf=at + 600, iat=at + 600, exp=at + 900),
        "no nbf": token(now=at, nbf=None),
        "cut short": good[:-8],
        "one letter changed": good[:-20] + ("A" if good[-20] != "A" else "B") + good[-19:],
        "other claims under its signature": ".".join(
            [good.split(".")[0], raw(head, claims(at, exp=at + 10**6)).split(".")[1], good.split(".")[2]]
        ),
        "no token": "not.a.token",
        "two parts": "a.b",
        "encrypted": "a.b.c.d.e",
        "too long": good + "A" * 9000,
        "not ASCII": "é.é.é",
    }
