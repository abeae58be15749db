"""Who may call."""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from starlette.routing import Route

from zendesk_emulator import control
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.ports import production

from .world import World


def token(world: World, **fields: str) -> httpx2.Response:
    body = {
        "grant_type": "client_credentials",
        "client_id": world.seed.oauth_client_id,
        "client_secret": world.seed.oauth_client_secret,
        **fields,
    }
    return world.anonymous.post("/oauth/tokens", json=body)


def bearer(world: World, access: str, path: str = "/api/v2/users/me.json", method: str = "GET") -> httpx2.Response:
    return world.anonymous.request(method, path, headers={"Authorization": f"Bearer {access}"}, json={})


def test_without_credentials_nobody_gets_in(world: World) -> None:
    answer = world.anonymous.get("/api/v2/tickets.json")
    assert answer.status_code == 401
    assert answer.json() == {"error": "Couldn't authenticate you"}
    assert world.anonymous.get("/api/v2/tickets", auth=("ada@acme.example", "password")).status_code == 401


def test_an_api_token_works_with_and_without_json_suffix(world: World) -> None:
    for path in ("/users/me", "/users/me.json"):
        answer = world.zendesk.get(path)
        assert answer.status_code == 200
        assert answer.json()["user"]["role"] == "admin"
    assert answer.headers["x-rate-limit"] == "700"


def test_a_token_expires_after_half_an_hour(world: World) -> None:
    granted = token(world, scope="read").json()
    assert granted["expires_in"] == 1800
    assert "refresh_token" not in granted
    assert bearer(world, granted["access_token"]).status_code == 200
    current = bearer(world, granted["access_token"], "/api/v2/oauth/tokens/current.json").json()["token"]
    assert current["scopes"] == ["read"]
    world.steer("/clock", {"advance_seconds": 1801})
    answer = bearer(world, granted["access_token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


@pytest.mark.parametrize(
    ("scope", "path", "method", "status"),
    [
        ("tickets:read", "/api/v2/tickets", "GET", 200),
        ("tickets:read", "/api/v2/users/me", "GET", 403),
        ("read", "/api/v2/users/me", "GET", 200),
        ("read", "/api/v2/tickets", "POST", 403),
        ("tickets:read tickets:write", "/api/v2/search?query=x", "GET", 403),
        ("write", "/api/v2/tickets", "POST", 400),
    ],
)
def test_scopes_are_enforced(world: World, scope: str, path: str, method: str, status: int) -> None:
    access = token(world, scope=scope).json()["access_token"]
    assert bearer(world, access, path, method).status_code == status


def test_a_wrong_secret_or_scope_gets_no_token(world: World) -> None:
    answer = token(world, client_secret="wrong")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    made = world.steer("/admin/oauth_client", {"identifier": "narrow", "scopes": ["tickets:read"]})["client"]
    answer = token(world, client_id="narrow", client_secret=made["secret"], scope="tickets:write")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_a_code_is_exchanged_once_and_refreshing_rotates_both_tokens(world: World) -> None:
    back = "http://127.0.0.1:9/back"
    client = world.steer("/admin/oauth_client", {"identifier": "web", "redirect_uris": [back], "kind": "public"})[
        "client"
    ]
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": "web",
        "redirect_uri": back,
        "scope": "read",
        "state": "s",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    assert world.anonymous.get("/oauth/authorizations/new", params=asked).status_code == 200
    sent_back = world.anonymous.post("/oauth/authorizations", data={**asked, "allow": "yes"})
    query = parse_qs(urlsplit(sent_back.headers["location"]).query)
    assert query["state"] == ["s"]
    body = {
        "grant_type": "authorization_code",
        "code": query["code"][0],
        "client_id": "web",
        "redirect_uri": back,
        "code_verifier": verifier,
    }
    first = world.anonymous.post("/oauth/tokens", json=body).json()
    assert world.anonymous.post("/oauth/tokens", json=body).status_code == 400
    refresh = {
        "grant_type": "refresh_token",
        "refresh_token": first["refresh_token"],
        "client_id": "web",
        "client_secret": client["secret"],
    }
    second = world.anonymous.post("/oauth/tokens", json=refresh).json()
    assert bearer(world, first["access_token"]).status_code == 401
    assert bearer(world, second["access_token"]).status_code == 200
    assert world.anonymous.post("/oauth/tokens", json=refresh).json()["error"] == "invalid_grant"


def test_sunshine_asks_for_its_own_key(world: World) -> None:
    answer = world.anonymous.get(f"/sc/v2/apps/{world.seed.app_id}")
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["code"] == "unauthorized"
    app = world.sun.get("").json()["app"]
    assert app["settings"]["multiConvoEnabled"] is True
    other = f"{world.base}/sc/v2/apps/{'0' * 24}"
    assert world.sun.get(other).json()["errors"][0]["code"] == "app_not_found"


def test_control_asks_for_its_own_token(world: World) -> None:
    assert world.anonymous.get("/emulator/state").status_code == 401
    assert world.control.get("/state").json()["account"]["subdomain"] == "acme"


# E02, E03: doors that exist in no real Zendesk


def test_e02_no_control_route_opens_without_the_token(world: World) -> None:
    routes = _control_routes()
    assert len(routes) > 10
    for method, path in routes:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {world.seed.api_token}"}):
            answer = world.anonymous.request(method, path, headers=headers, json={})
            assert answer.status_code == 401, (method, path)
    assert world.zendesk.get("/users/me").status_code == 200, "nothing was reset"


def _control_routes() -> list[tuple[str, str]]:
    """Read the control API's routes from the application; what tells only how true to life it is stays open."""
    found = []
    for route in control.routes(Emulator(production(), base_url="http://127.0.0.1:1")):
        if isinstance(route, Route) and route.path.startswith("/emulator/") and route.path != "/emulator/fidelity":
            path = re.sub(r"{\w+(?::\w+)?}", "1", route.path)
            found += [(method, path) for method in sorted((route.methods or set()) - {"HEAD"})]
    return found
