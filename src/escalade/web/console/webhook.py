"""What an administrator copies into Zendesk so that agents' replies and session ends reach us, and proof they do."""

from __future__ import annotations

from starlette.responses import Response

from escalade.domain.errors import Invalid
from escalade.store import organisations, overview
from escalade.store.database import Row, Tx
from escalade.web.console.gate import Note, Visit

PATH = "/console/escalate/webhook"

# The words of Zendesk's own screens, and the names of its API.
EVENTS = (
    ("Status changed", "zen:event-type:ticket.status_changed", "status_changed"),
    ("Agent assignment changed", "zen:event-type:ticket.agent_assignment_changed", "assignment_changed"),
    ("Message added", "zen:event-type:messaging_ticket.message_added", "message_added"),
)
SESSION_END = "session_end"
END_BODY = '{ "ticket_id": "{{ticket.id}}", "type": "fv:conversation_closed" }'
END_BODY_AS_DOCUMENTED = '{ "ticket_id": "{{ticket.id}}", "type": "fv:conversation_closed", }'


class Webhook:
    """The pages Webhook and Session end."""

    async def show(self, visit: Visit) -> Response:
        """Show what to copy and what was heard."""
        return await self._draw(visit)

    async def rotate(self, visit: Visit) -> Response:
        """Make a new bearer token; the old one works for another day."""
        token = f"wt_{visit.parts.ports.new_token()}"

        def written(tx: Tx) -> None:
            organisations.rotate_token(tx, visit.organisation.id, "webhook", token, visit.now)
            visit.audit(tx, "webhook_token.rotated")

        await visit.parts.database.write(written)
        text = "Copy it now: it is kept as a digest and cannot be shown again. The old token works for 24 more hours."
        return visit.back(PATH, Note(tone="good", title="Your new bearer token", text=text, secret=token))

    async def sign(self, visit: Visit) -> Response:
        """Replace the signing secrets, or stop checking signatures."""
        secrets = [] if visit.form.text("then") == "remove" else visit.form.lines("signing_secrets")
        try:
            if not secrets and visit.form.text("then") != "remove":
                raise Invalid("paste at least one secret", pointer="/webhooks/signing_secrets")
            await visit.parts.tuning.change(
                visit.organisation.id, {"webhooks": {"signing_secrets": secrets}}, visit.operator.email
            )
        except Invalid as error:
            return await self._draw(visit, {error.pointer: error.detail}, status=422)
        if secrets:
            text = "Every webhook from Zendesk must be signed with one of these from now on."
            return visit.back(PATH, Note(tone="good", title="Signatures are checked", text=text))
        return visit.back(PATH, Note(tone="good", title="Signatures are no longer checked"))

    async def session_end(self, visit: Visit) -> Response:
        """Show the trigger's conditions and body."""
        heard = await visit.parts.database.read(lambda tx: overview.heard(tx, visit.organisation.id, "zendesk"))
        return visit.show(
            "escalate/session_end.html",
            section="session-end",
            body=END_BODY,
            documented=END_BODY_AS_DOCUMENTED,
            heard=heard.get(SESSION_END),
            on_inactive=visit.organisation.settings.live.on_session_inactive.value,
        )

    async def _draw(self, visit: Visit, errors: dict[str, str] | None = None, status: int = 200) -> Response:
        id = visit.organisation.id

        def read(tx: Tx) -> tuple[dict[str, Row], list[Row]]:
            return overview.heard(tx, id, "zendesk"), organisations.tokens(tx, id, "webhook")

        heard, tokens = await visit.parts.database.read(read)
        tree = await visit.parts.tuning.read(id)
        return visit.show(
            "escalate/webhook.html",
            status=status,
            section="webhook",
            errors=errors or {},
            url=visit.parts.settings.webhook_url,
            is_public=visit.parts.settings.public_url.startswith("https://"),
            events=EVENTS,
            heard=heard,
            last=max(heard.values(), key=lambda row: int(row["at"]), default=None),
            tokens=[row for row in tokens if row["expires_at"] is None or row["expires_at"] > visit.now],
            signing=tree["webhooks"]["signing_secrets"],
        )
