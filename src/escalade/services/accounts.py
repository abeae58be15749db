"""What an organisation lets us use of Zendesk, put together from its settings and its sealed secrets."""

from __future__ import annotations

from escalade.channels.base import Account, SunshineApp, ZendeskAccount
from escalade.domain.model import OrganisationId
from escalade.domain.organisation import Organisation
from escalade.store import organisations
from escalade.store.database import Tx
from escalade.store.vault import Vault

ZENDESK_SECRET = "zendesk.auth.client_secret"  # noqa: S105 - the secret's place in the settings tree
ZENDESK_TOKEN = "zendesk.auth.token"  # noqa: S105
ZENDESK_REFRESH = "zendesk.auth.refresh_token"
LIVE_SECRET = "live.secret"  # noqa: S105
SIGNING_SECRETS = "webhooks.signing_secrets"
SUNSHINE_WEBHOOK = "live.webhook_secret"


class Accounts:
    """Open accounts for the channels."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def secrets(self, tx: Tx, organisation: OrganisationId) -> dict[str, str]:
        """Open every secret of an organisation."""
        return {
            name: self._vault.open(kept.sealed, organisation=organisation, name=name)
            for name, kept in organisations.secrets(tx, organisation).items()
        }

    def account(self, tx: Tx, organisation: Organisation) -> Account:
        """Put an organisation's account together; a part it has not set up is missing."""
        return put_together(organisation, self.secrets(tx, organisation.id))


def put_together(organisation: Organisation, secrets: dict[str, str]) -> Account:
    """Build the account that settings and secrets describe."""
    zendesk, live = organisation.settings.zendesk, organisation.settings.live
    host = f"https://{zendesk.subdomain}.zendesk.com"
    support = None
    if zendesk.is_connected:
        support = ZendeskAccount(
            base_url=(zendesk.base_url or host).rstrip("/"),
            auth=zendesk.auth.type,
            client_id=zendesk.auth.client_id,
            client_secret=secrets.get(ZENDESK_SECRET, ""),
            email=zendesk.auth.email,
            token=secrets.get(ZENDESK_TOKEN, ""),
            refresh_token=secrets.get(ZENDESK_REFRESH, ""),
        )
    sunshine = None
    if live.app_id and live.key_id and LIVE_SECRET in secrets:
        # https://developer.zendesk.com/documentation/conversations/getting-started/api-authentication
        sunshine = SunshineApp(
            base_url=(live.base_url or f"{host}/sc").rstrip("/"),
            app_id=live.app_id,
            key_id=live.key_id,
            secret=secrets[LIVE_SECRET],
        )
    return Account(organisation=organisation.id, settings=organisation.settings, zendesk=support, sunshine=sunshine)
