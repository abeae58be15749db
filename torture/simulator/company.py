"""Set up a company on both sides the way an administrator would: credentials here, webhooks and trigger there."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

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
from escalade.store import knowledge, organisations
from escalade.store.database import Tx
from escalade.store.vault import NONCE_BYTES, Vault
from torture.simulator.database import Disk
from torture.simulator.process import NOON_MS, URL, settings
from zendesk_emulator import control_admin
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.triggers import SESSION_STATE

EVENTS = (
    "zen:event-type:ticket.status_changed",
    "zen:event-type:ticket.agent_assignment_changed",
    "zen:event-type:messaging_ticket.message_added",
    "zen:event-type:ticket.comment_added",
)
# The reference guide's trigger body, trailing comma and all.
SESSION_END_BODY = '{ "ticket_id": "{{ticket.id}}", "type": "fv:conversation_closed", }'


# What the assistant can answer of what people write, with the names and numbers they put in front of it.
ANSWERS = {
    "Where is my parcel?": "Your parcel is on its way",
    "The tent arrived torn": "If the tent arrived torn, and the second one too, we send another",
}
NAMES = " ".join(["c1", "c2", "b1", *map(str, range(20))])


@dataclass(frozen=True, slots=True)
class Company:
    """What a company is called on both sides; two of them share a product and nothing else."""

    name: str

    @property
    def organisation(self) -> OrganisationId:
        """Give its id in the product."""
        return OrganisationId(f"org_{self.name}")

    @property
    def widget_key(self) -> str:
        """Give what its pages name it by."""
        return f"pk_{self.name}"

    @property
    def webhook_token(self) -> str:
        """Give what its desk shows when it knocks."""
        return f"wt_of-the-company-{self.name}"

    @property
    def desk(self) -> str:
        """Give the address of its desk."""
        return f"https://{self.name}.zendesk.example"


def found(
    company: Company, disk: Disk, emulator: Emulator, *, live: bool, hears_sunshine: bool, unsure_wait_s: float
) -> None:
    """Found a company: its settings and secrets in the product, its webhooks at the desk."""
    seed, secrets = emulator.seed, {ZENDESK_SECRET: emulator.seed.oauth_client_secret}
    if live:
        secrets[LIVE_SECRET] = seed.key_secret
    if live and hears_sunshine:
        secrets[SUNSHINE_WEBHOOK] = _hear_sunshine(company, emulator)
    chosen = Settings(
        zendesk=ZendeskSettings(
            subdomain=company.name,
            base_url=company.desk,
            auth=ZendeskAuth(type=AuthType.CLIENT_CREDENTIALS, client_id=seed.oauth_client_id),
        ),
        live=LiveSettings(
            enabled=live,
            app_id=seed.app_id,
            key_id=seed.key_id,
            base_url=f"{company.desk}/sc",
            require_online_agent=False,
        ),
    )

    def written(tx: Tx) -> None:
        id = company.organisation
        organisation = Organisation(id=id, name=company.name, widget_key=company.widget_key, settings=chosen)
        organisations.create(tx, organisation, NOON_MS)
        organisations.add_token(tx, id, "webhook", company.webhook_token, NOON_MS)
        keep_secrets(tx, company, secrets)
        _teach(tx, company)

    disk.write(written)
    _set_webhooks_up(company, emulator)


def _teach(tx: Tx, company: Company) -> None:
    """Let the assistant know something."""
    id = company.organisation
    source = knowledge.Source(
        id=f"src_{id}", organisation=id, kind="folder", location="/nonexistent", title="Help", created_at=NOON_MS
    )
    knowledge.put_source(tx, source)
    for title, text in ANSWERS.items():
        entry = knowledge.Entry(
            id=f"{title} {id}",
            source_id=title,
            title=title,
            url=None,
            digest="",
            passages=((title, f"{text}, {NAMES}."),),
        )
        knowledge.put_documents(tx, id, source.id, [entry], at=NOON_MS)


def keep_secrets(tx: Tx, company: Company, secrets: Mapping[str, str]) -> None:
    """Keep secrets as the product does."""
    vault = Vault(settings(60.0).master_keys())
    for name, secret in secrets.items():
        nonce = random.Random(f"{name} {secret}").randbytes(NONCE_BYTES)
        sealed = vault.seal(secret, organisation=company.organisation, name=name, nonce=nonce)
        organisations.save_secret(tx, company.organisation, name, sealed, secret[-4:], NOON_MS)


def _set_webhooks_up(company: Company, emulator: Emulator) -> None:
    common = {
        "status": "active",
        "endpoint": settings(60.0).webhook_url,
        "http_method": "POST",
        "request_format": "json",
        "authentication": {"type": "bearer_token", "data": {"token": company.webhook_token}, "add_position": "header"},
        "custom_headers": {"fv-organisation-id": company.organisation},
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


def _hear_sunshine(company: Company, emulator: Emulator) -> str:
    """Let Sunshine's own webhooks ring too; give their secret."""
    made = control_admin.make(
        emulator,
        "integration",
        {
            "type": "custom",
            "displayName": "bridge",
            "webhooks": [
                {
                    "target": f"{URL}/hooks/sunshine/{company.organisation}",
                    "triggers": ["conversation:message", "switchboard:passControl", "switchboard:releaseControl"],
                }
            ],
        },
    )
    return str(made["integration"]["webhooks"][0]["secret"])
