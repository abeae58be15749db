"""Sign in by a one-time link, and out again. Showing the link's page uses nothing up: only its button does."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from escalade.store import audit, operators, organisations, overview
from escalade.store.database import Tx
from escalade.store.operators import Operator
from escalade.web.console import forms
from escalade.web.console.gate import SESSION_S, SIGN_IN, Gate, Visit
from escalade.web.console.pages import HEADERS, Pages
from escalade.web.console.parts import Parts
from escalade.web.limits import WRONG_CREDENTIALS, address


class SignIn:
    """The door."""

    def __init__(self, parts: Parts, pages: Pages, gate: Gate) -> None:
        self._parts = parts
        self._pages = pages
        self._gate = gate

    async def show(self, request: Request) -> Response:
        """Show the button that signs in, or say what is wrong with the link."""
        token = request.query_params.get("token", "")
        if not token:
            if await self._gate.is_signed_in(request):
                return RedirectResponse("/console", status_code=303, headers=HEADERS)
            return self._page("none", "", 200)
        now, digest = self._parts.ports.wall(), organisations.digest(token)
        state = await self._parts.database.read(lambda tx: overview.link_state(tx, digest, now))
        self._count_refused(request, state)
        return self._page(state, token if state == "good" else "", 200 if state == "good" else 410)

    async def enter(self, request: Request) -> Response:
        """Use the link up and open a session of twelve hours."""
        self._gate.check_origin(request)
        link = (await forms.read(request)).text("token")
        token, csrf = self._parts.ports.new_token(), self._parts.ports.new_token()

        def written(tx: Tx) -> Operator | None:
            now = self._parts.ports.wall()
            operator = operators.use_link(tx, link, now)
            if operator is not None:
                operators.open_session(tx, operator.id, token, csrf, now, now + SESSION_S * 1000)
                audit.record(tx, operator.organisation, operator.email, "operator.signed_in", "", now)
            return operator

        if not link or await self._parts.database.write(written) is None:
            now, digest = self._parts.ports.wall(), organisations.digest(link)
            state = await self._parts.database.read(lambda tx: overview.link_state(tx, digest, now))
            self._count_refused(request, state)
            return self._page(state, "", 410)
        answer = RedirectResponse("/console", status_code=303, headers=HEADERS)
        answer.set_cookie(
            self._gate.cookie,
            token,
            max_age=SESSION_S,
            path="/",
            secure=self._gate.is_secure,
            httponly=True,
            samesite="lax",
        )
        return answer

    def _count_refused(self, request: Request, state: str) -> None:
        """Let nobody guess at links for long: a good one still signs in."""
        if state != "good":
            self._parts.limits.take(WRONG_CREDENTIALS, "sign-in", address(request.scope))

    async def leave(self, visit: Visit) -> Response:
        """Close the session."""
        token = visit.request.cookies.get(self._gate.cookie, "")
        await self._parts.database.write(lambda tx: operators.close_session(tx, token))
        answer = RedirectResponse(f"{SIGN_IN}?out=1", status_code=303, headers=HEADERS)
        answer.delete_cookie(self._gate.cookie, path="/", secure=self._gate.is_secure, httponly=True, samesite="lax")
        return answer

    def _page(self, state: str, token: str, status: int) -> Response:
        return self._pages.draw("sign_in.html", {"state": state, "token": token}, status=status)
