"""Apps beside the tickets: installed from their package, and opened with a request that is signed for them.

Each app has a key pair; Zendesk keeps the private half and shows the public one. The token names the account, the
installation, the agent and the place in the workspace.
https://developer.zendesk.com/documentation/apps/build-an-app/building-a-server-side-app/part-5-secure-the-app/
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from zendesk_emulator.account import Account
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.errors import DeskRefused, Refused
from zendesk_emulator.records.apps import App
from zendesk_emulator.records.people import User

KEY_BITS = 2048
TOKENS_LIVE_S = 300
PLACE = "ticket_sidebar"
MOST_BYTES = 2 * 1024 * 1024


def routes(emulator: Emulator) -> Sequence[BaseRoute]:
    """Give the route of an app's public key; it is no secret."""

    async def public_key(request: Request) -> Response:
        wanted = int(request.path_params["app_id"])
        for app in emulator.account.records.apps.values():
            if app.app_id == wanted:
                return PlainTextResponse(app.public_key)
        raise Refused(404, {"error": "RecordNotFound", "description": "Not found"})

    return [Route("/api/v2/apps/{app_id:int}/public_key.pem", public_key, methods=["GET"])]


def install(account: Account, *, name: str, url: str, signed: bool = True) -> App:
    """Install an app that is served at an address."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise DeskRefused("The app's address in the ticket sidebar must be an http or https URL.")
    key = RSAKey.generate_key(KEY_BITS)
    app = App(
        id=account.ids.integer(),
        app_id=account.ids.integer(),
        name=name,
        url=url,
        signed=signed,
        private_key=key.as_pem(private=True).decode(),
        public_key=key.as_pem(private=False).decode(),
    )
    account.records.apps[app.id] = app
    account.bell.ring()
    return app


def install_package(account: Account, package: bytes) -> App:
    """Install an app from its zip, as an administrator uploads it."""
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                raise DeskRefused("The package is too large.")
            manifest = json.loads(archive.read("manifest.json"))
            for needed in ("translations/en.json", "assets/logo.png", "assets/logo-small.png"):
                archive.getinfo(needed)
        url = str(manifest["location"]["support"][PLACE]["url"])
        return install(account, name=str(manifest["name"]), url=url, signed=bool(manifest.get("signedUrls")))
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise DeskRefused(f"This is no package of an app for the ticket sidebar: {error}") from None


def opened(account: Account, app: App, agent: User, origin: str) -> tuple[str, str]:
    """Give the address an app is opened at, and the token that is posted to it; none where it asks for none."""
    address = app.url + ("&" if "?" in app.url else "?") + urlencode({"origin": origin, "app_guid": f"app-{app.id}"})
    return address, token(account, app, agent) if app.signed else ""


def token(account: Account, app: App, agent: User) -> str:
    """Sign for an app that this account's Zendesk opens it for this agent."""
    now, host = int(account.now().timestamp()), f"{account.subdomain}.zendesk.com"
    claims = {
        "iss": host,
        "aud": f"https://{host}/api/v2/apps/installations/{app.id}.json",
        "sub": f"https://{host}/api/v2/users/{agent.id}.json",
        "iat": now,
        "nbf": now,
        "exp": now + TOKENS_LIVE_S,
        "jti": account.ids.uuid(),
        "context": {"product": "support", "location": PLACE, "account": account.subdomain},
    }
    return jwt.encode({"alg": "RS256", "typ": "JWT"}, claims, RSAKey.import_key(app.private_key))
