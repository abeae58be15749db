"""Connect the organisation to Zendesk: where it is, how we sign in, and the proof that it works."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from escalade.domain.errors import Invalid
from escalade.domain.organisation import AuthType
from escalade.web.console.checks import Checks
from escalade.web.console.forms import Form
from escalade.web.console.gate import Note, Visit
from escalade.web.console.names import Catalogue

PATH = "/console/escalate/connection"
# Zendesk ends API tokens on this day.
TOKENS_END = int(datetime(2027, 4, 30, tzinfo=UTC).timestamp() * 1000)
DAY_MS = 86_400_000


class Connection:
    """The page."""

    def __init__(self, checks: Checks, catalogue: Catalogue) -> None:
        self._checks = checks
        self._catalogue = catalogue

    async def show(self, visit: Visit) -> Response:
        """Show the connection as it is."""
        tree = await visit.parts.tuning.read(visit.organisation.id)
        return self._draw(visit, tree, typed_from(tree))

    async def save(self, visit: Visit) -> Response:
        """Save the form, and test what was saved where that was asked for."""
        tuning, organisation = visit.parts.tuning, visit.organisation.id
        try:
            await tuning.change(organisation, _patch(visit), visit.operator.email)
        except Invalid as error:
            tree = await tuning.read(organisation)
            return self._draw(visit, tree, visit.form.values, {error.pointer: error.detail}, status=422)
        self._catalogue.forget()
        self._checks.forget(organisation, "support")
        if visit.form.text("then") == "test":
            return await self.test(visit)
        return visit.back(PATH, Note(tone="good", title="Saved", text="Test the connection to be sure it works."))

    async def test(self, visit: Visit) -> Response:
        """Test what is saved."""
        return visit.back(PATH, await self._checks.support(visit))

    async def disconnect(self, visit: Visit) -> Response:
        """Forget the account and its credentials; live chat goes off with it."""
        patch = {
            "zendesk": {
                "subdomain": "",
                "base_url": None,
                "auth": {"client_id": "", "client_secret": None, "email": "", "token": None},
            },
            "live": {"enabled": False},
        }
        await visit.parts.tuning.change(visit.organisation.id, patch, visit.operator.email)
        self._catalogue.forget()
        self._checks.forget(visit.organisation.id, "support")
        text = "The webhook and trigger in Zendesk stay as they are; delete them there if you no longer need them."
        return visit.back(PATH, Note(tone="good", title="Disconnected from Zendesk", text=text))

    def _draw(
        self,
        visit: Visit,
        tree: dict[str, Any],
        typed: dict[str, str],
        errors: dict[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        return visit.show(
            "escalate/connection.html",
            status=status,
            section="connection",
            tree=tree,
            typed=typed,
            errors=errors or {},
            connected=visit.organisation.settings.zendesk.is_connected,
            last=self._checks.last(visit.organisation.id, "support"),
            days_left=(TOKENS_END - visit.now) // DAY_MS,
        )


def typed_from(tree: dict[str, Any]) -> dict[str, str]:
    """Fill the form from the settings."""
    zendesk = tree["zendesk"]
    return {
        "subdomain": zendesk["subdomain"],
        "auth": zendesk["auth"]["type"],
        "client_id": zendesk["auth"]["client_id"],
        "email": zendesk["auth"]["email"],
        "base_url": zendesk["base_url"] or "",
    }


def _patch(visit: Visit) -> dict[str, Any]:
    form = visit.form
    auth: dict[str, Any] = {"client_id": form.text("client_id"), "email": form.text("email")}
    kind = form.text("auth")
    if kind not in set(AuthType):
        raise Invalid("choose how to sign in", pointer="/zendesk/auth/type")
    auth["type"] = kind
    auth |= secret(form, "client_secret") | secret(form, "token")
    zendesk: dict[str, Any] = {"subdomain": subdomain(form.text("subdomain")), "auth": auth}
    if "base_url" in form.values:
        zendesk["base_url"] = form.text("base_url") or None
    if not zendesk["subdomain"] and not zendesk.get("base_url"):
        raise Invalid("the part of your Zendesk address before .zendesk.com", pointer="/zendesk/subdomain")
    _require_whole(visit, auth)
    return {"zendesk": zendesk}


def _require_whole(visit: Visit, auth: dict[str, Any]) -> None:
    """Ask for the identity that goes with the chosen way to sign in."""
    if auth["type"] == AuthType.CLIENT_CREDENTIALS and not auth["client_id"]:
        raise Invalid("the OAuth client's identifier", pointer="/zendesk/auth/client_id")
    if auth["type"] == AuthType.API_TOKEN and "@" not in auth["email"]:
        raise Invalid("the address of the agent the token belongs to", pointer="/zendesk/auth/email")


def subdomain(typed: str) -> str:
    """Take the subdomain out of whatever part of the address was pasted."""
    return re.sub(r"\.zendesk\.com(/.*)?$", "", re.sub(r"^https?://", "", typed.lower()))


def secret(form: Form, name: str) -> dict[str, str]:
    """Take a secret only where one was typed: an empty field keeps what is there."""
    return {name: form.text(name)} if form.text(name) else {}
