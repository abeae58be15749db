"""Set up one company on both sides the way an administrator would: credentials here, webhooks and trigger there."""

from __future__ import annotations

import random

from escalade.domain.model import OrganisationId
from escalade.domain.organisation import (
    AuthType,
    LiveSettings,
    Organisation,
    Settings,
    ZendeskAuth,
    ZendeskSettings,
)
from escalade.services.accounts import LIVE_SECRET, SUNSHINE_WEBHOOK, ZENDESK_SECRET
from escalade.store import organisations
from escalade.store.database import Tx
from escalade.store.vault import NONCE_BYTES, Vault
from torture.simulator.database import Disk
from torture.simulator.process import NOON_MS, URL, settings
from zendesk_emulator import control_admin
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.triggers import SESSION_STATE

ORGANISATION = OrganisationId("org_acme")
WIDGET_KEY = "pk_acme"
WEBHOOK_TOKEN = "wt_of-the-simulated-company"
ZENDESK = "https://acme.zendesk.example"
EVENTS = (
    "zen:event-type:ticket.status_changed",
    "zen:event-type:ticket.agent_assignment_changed",
    "zen:event-type:messaging_ticket.message_added",
    "zen:event-type:ticket.comment_added",
)
# The reference guide's trigger body, trailing comma and all.
SESSION_END_BODY = '{ "ticket_id": "{{ticket.id}}", "type": "fv:conversation_closed", }'


def found(disk: Disk, emulator: Emulator, *, live: bool, hears_sunshine: bool, unsure_wait_s: float) -> None:
    """Found the company: its settings and secrets in the product, its webhooks at the desk."""
    seed, secrets = emulator.seed, {ZENDESK_SECRET: emulator.seed.oauth_client_secret}
    if live:
        secrets[LIVE_SECRET] = seed.key_secret
    if live and hears_sunshine:
        secrets[SUNSHINE_WEBHOOK] = _hear_sunshine(emulator)
    chosen = Settings(
        zendesk=ZendeskSettings(
            subdomain=seed.admin_email.partition("@")[2].partition(".")[0],
            base_url=ZENDESK,
            auth=ZendeskAuth(type=AuthType.CLIENT_CREDENTIALS, client_id=seed.oauth_client_id),
        ),
        live=LiveSettings(
            enabled=live,
            app_id=seed.app_id,
            key_id=seed.key_id,
            base_url=f"{ZENDESK}/sc",
            require_online_agent=False,
        ),
    )
    vault = Vault(settings(unsure_wait_s).master_keys())
    nonces = random.Random(emulator.seed.key_secret)

    def written(tx: Tx) -> None:
        company = Organisation(id=ORGANISATION, name="Acme", widget_key=WIDGET_KEY, settings=chosen)
        organisations.create(tx, company, NOON_MS)
        organisations.add_token(tx, ORGANISATION, "webhook", WEBHOOK_TOKEN, NOON_MS)
        for name, secret in secrets.items():
            sealed = vault.seal(secret, organisation=ORGANISATION, name=name, nonce=nonces.randbytes(NONCE_BYTES))
            organisations.save_secret(tx, ORGANISATION, name, sealed, secret[-4:], NOON_MS)

    disk.write(written)
    _set_webhooks_up(emulator)


def _set_webhooks_up(emulator: Emulator) -> None:
    common = {
        "status": "active",
        "endpoint": settings(60.0).webhook_url,
        "http_method": "POST",
        "request_format": "json",
        "authentication": {"type": "bearer_token", "data": {"token": WEBHOOK_TOKEN}, "add_position": "header"},
        "custom_headers": {"fv-organisation-id": ORGANISATION},
    }
    control_admin.make(emulator, "webhook", {"name": "Replies", "subscriptions": list(EVENTS), **common})
    ends = control_admin.make(
        emulator, "webhook", {"name": "Session end", "subscriptions": ["conditional_ticket_events"], **common}
    )
    trigger = {
        "title": "Session end",
        "conditions": {"all": [], "any": [{"field": SESSION_STATE, "operator": "value_previous", "value": "active"}]},
        "actions": [{"field": "notification_webhook", "value": [ends["webhook"]["id"], SESSION_END_BODY]}],
    }
    control_admin.make(emulator, "trigger", trigger)


def _hear_sunshine(emulator: Emulator) -> str:
    """Let Sunshine's own webhooks ring too; give their secret."""
    made = control_admin.make(
        emulator,
        "integration",
        {
            "type": "custom",
            "displayName": "bridge",
            "webhooks": [
                {
                    "target": f"{URL}/hooks/sunshine/{ORGANISATION}",
                    "triggers": ["conversation:message", "switchboard:passControl", "switchboard:releaseControl"],
                }
            ],
        },
    )
    return str(made["integration"]["webhooks"][0]["secret"])
