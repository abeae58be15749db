"""Decide who may open the pages: people at this machine freely, others with the control token; no foreign web page.

A page is free when the connection comes from a loopback address and names a loopback host, which a rebound DNS name
does not. Every POST must come from a page of this very host and port.
"""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from zendesk_emulator.emulator import Emulator

SIGN_IN = "/pages/sign-in"
COOKIE = "zendesk_emulator_pass"


class Guard:
    """The door of the pages."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def is_open(self, request: Request) -> bool:
        """Tell whether this visitor may see pages."""
        at_home = request.client is not None and is_loopback(request.client.host)
        if at_home and is_loopback(urlsplit(f"//{request.headers.get('host', '')}").hostname or ""):
            return True
        return hmac.compare_digest(request.cookies.get(COOKIE, ""), self._pass())

    def is_own(self, request: Request) -> bool:
        """Tell whether a POST was sent by one of our own pages."""
        host, origin = request.headers.get("host", ""), request.headers.get("origin", "")
        return bool(host) and urlsplit(origin).netloc.lower() == host.lower()

    def admit(self, request: Request, token: str) -> Response:
        """Let a visitor in who knows the control token; others see the question again."""
        known = hmac.compare_digest(token.strip().encode(), self._emulator.seed.control_token.encode())
        answer = RedirectResponse("/" if known else f"{SIGN_IN}?again=1", 303)
        if known:
            answer.set_cookie(COOKIE, self._pass(), httponly=True, samesite="lax", path="/")
        return answer

    def _pass(self) -> str:
        return hashlib.sha256(b"pages\0" + self._emulator.seed.control_token.encode()).hexdigest()


def is_loopback(host: str) -> bool:
    """Tell whether a name or an address can only mean this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
