"""How what Zendesk sends is read and proved, and a ticket previewed, by each channel's own code."""

from __future__ import annotations

from collections.abc import Iterable

from escalade.channels import strict_json
from escalade.channels.base import Account, Arrival, Job, MissedCall, Preview, delivery_key
from escalade.channels.sunshine import webhook as sunshine_webhook
from escalade.channels.zendesk import webhook as zendesk_webhook
from escalade.channels.zendesk.preview import preview
from escalade.domain.model import Millis
from escalade.domain.organisation import Organisation
from escalade.services.ports import Ports
from escalade.web import hooks as web_hooks
from escalade.web.hooks import Read


def read_zendesk(document: object, delivery: str, signed_at: Millis | None) -> Read:
    """Read what Zendesk Support sends."""
    inbound = zendesk_webhook.read_webhook(document)
    arrival = zendesk_webhook.arrival(inbound, delivery=delivery, sent_at=signed_at)
    return Read(
        arrival,
        account_id=getattr(inbound, "account_id", None),
        is_test=isinstance(inbound, zendesk_webhook.NotRendered),
    )


def read_missed(ports: Ports, call: MissedCall) -> Arrival | None:
    """Read a webhook that did not reach us as it would have been read; a test call is nothing."""
    assert call.body is not None
    document, _ = strict_json.parse_lenient(call.body, size=web_hooks.BODY_LIMIT, digits=web_hooks.NUMBER_DIGITS)
    read = read_zendesk(document, delivery_key(call.invocation, call.body, ports.new_id), None)
    return None if read.is_test else read.arrival


def read_sunshine(document: object) -> Iterable[Arrival]:
    """Read what Sunshine Conversations sends."""
    return [sunshine_webhook.arrival(sunshine_webhook.read(event)) for event in sunshine_webhook.split(document)]


def preview_ticket(account: Account, job: Job) -> Preview:
    """Write the ticket a job would open, and send nothing."""
    return preview(account, job)


def verify_app(token: str, organisation: Organisation, now: Millis) -> str:
    """Check the token with which Zendesk opens the app beside a ticket, and give who opens it."""
    from escalade.channels.zendesk import app_token  # only where an organisation has the app

    chosen = organisation.settings
    return app_token.verify(
        token,
        public_key=chosen.sidebar.public_key,
        subdomain=chosen.zendesk.subdomain,
        installation_id=chosen.sidebar.installation_id or 0,
        now=now,
    )


def verifier(*, development: bool) -> web_hooks.Verify:
    """Give the check of a webhook's signature; in development its age does not matter."""

    def verify(secrets: Iterable[str], timestamp: str, body: bytes, signature: str, now: Millis) -> Millis:
        return zendesk_webhook.verify_signature(secrets, timestamp, body, signature, now, development=development)

    return verify
