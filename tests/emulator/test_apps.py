"""Apps beside a ticket: installed from a package, opened with a signed request."""

from __future__ import annotations

import html
import io
import json
import re
import zipfile

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.emulator.world import World


def zipped(**changed: object) -> bytes:
    url = "https://bot.example/zendesk/app/org_1"
    manifest = {"name": "Escalade", "signedUrls": True, "location": {"support": {"ticket_sidebar": {"url": url}}}}
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest | changed))
        for name in ("translations/en.json", "assets/logo.png", "assets/logo-small.png"):
            archive.writestr(name, b"{}")
    return written.getvalue()


def upload(world: World, package: bytes) -> str:
    """Send the admin page's form, and give the page it leads to."""
    answer = world.anonymous.post(
        "/admin/apps", files={"package": ("app.zip", package)}, headers={"Origin": world.base}
    )
    assert answer.status_code == 303
    return world.anonymous.get(answer.headers["location"]).text


def ticket_page(world: World) -> tuple[str, str]:
    made = world.steer("/admin/ticket", {"subject": "Stove", "comment": {"body": "Hello"}})["ticket"]
    answer = world.anonymous.get(f"/desk/tickets/{made['id']}")
    assert answer.status_code == 200
    return html.unescape(answer.text), answer.headers["content-security-policy"]


def test_an_uploaded_app_is_opened_beside_every_ticket_with_a_signed_request(world: World) -> None:
    assert "Escalade is installed" in upload(world, zipped())
    [app] = world.emulator.account.records.apps.values()
    page, policy = ticket_page(world)
    assert 'action="https://bot.example/zendesk/app/org_1?origin=' in page
    assert f"app_guid=app-{app.id}" in page
    assert "frame-src https://bot.example" in policy
    assert "form-action 'self' https://bot.example;" in policy
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None
    key = world.anonymous.get(f"/api/v2/apps/{app.app_id}/public_key.pem").text
    found = jwt.decode(token[1], RSAKey.import_key(key), algorithms=["RS256"])
    assert found.header["alg"] == "RS256"
    assert found.claims["iss"] == "acme.zendesk.com"
    assert found.claims["aud"] == f"https://acme.zendesk.com/api/v2/apps/installations/{app.id}.json"
    assert found.claims["nbf"] <= found.claims["iat"] < found.claims["exp"]
    assert "PRIVATE" not in page + world.control.get("/state").text


def test_an_app_that_asks_for_no_signature_gets_none(world: World) -> None:
    upload(world, zipped(signedUrls=False))
    assert 'name="token"' not in ticket_page(world)[0]


def test_without_apps_a_ticket_frames_nothing(world: World) -> None:
    page, policy = ticket_page(world)
    assert "<iframe" not in page
    assert "frame-src" not in policy


def test_what_is_no_package_is_refused_in_words(world: World) -> None:
    for package in (
        b"no zip",
        zipped(location={}),
        zipped(location={"support": {"ticket_sidebar": {"url": "assets/x.html"}}}),
    ):
        assert 'role="alert"' in upload(world, package)
    assert world.emulator.account.records.apps == {}
