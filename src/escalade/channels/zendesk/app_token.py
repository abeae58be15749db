"""The signed token with which Zendesk opens our page beside a ticket. Pure.

Zendesk signs with a key of the app and names the installation as the audience, its own account as the issuer:
https://developer.zendesk.com/documentation/apps/build-an-app/building-a-server-side-app/part-5-secure-the-app/
What the token says of its own algorithm or key is not asked: both are known here.
"""

from __future__ import annotations

import re

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from escalade.domain.errors import Unverified
from escalade.domain.model import Millis

ALGORITHM = "RS256"
LONGEST = 8 * 1024
LEEWAY_S = 30  # by which the two clocks may differ
USER = re.compile(r"/users/([0-9]{1,18})(?:\.json)?\Z")


def verify(token: str, *, public_key: str, subdomain: str, installation_id: int, now: Millis) -> str:
    """Give the id of the agent a token was made for, or refuse it; alike for every way of being wrong."""
    audience = f"https://{subdomain}.zendesk.com/api/v2/apps/installations/{installation_id}"
    registry = jwt.JWTClaimsRegistry(
        now=now // 1000,
        leeway=LEEWAY_S,
        iss={"essential": True, "values": [f"{subdomain}.zendesk.com", f"https://{subdomain}.zendesk.com"]},
        aud={"essential": True, "values": [audience, f"{audience}.json"]},
        exp={"essential": True},
        nbf={"essential": True},
    )
    try:
        if len(token) > LONGEST:
            raise ValueError("too long")
        claims = jwt.decode(token, RSAKey.import_key(public_key), algorithms=[ALGORITHM]).claims
        registry.validate(claims)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Unverified("the token is missing or wrong") from error
    user = USER.search(str(claims.get("sub", "")))
    return user[1] if user else ""
