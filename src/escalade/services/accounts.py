"""What an organisation lets us use of Zendesk, put together from its settings and its sealed secrets."""

from __future__ import annotations

import structlog

from escalade.channels.base import Account, BotAccount, SunshineApp, ZendeskAccount
from escalade.domain.model import OrganisationId
from escalade.domain.organisation import Organisation
from escalade.store import organisations
from escalade.store.database import Tx
from escalade.store.vault import Unreadable, Vault

log = structlog.get_logger()

ZENDESK_SECRET = "zendesk.auth.client_secret"  # noqa: S105 - the secret's place in the settings tree
ZENDESK_TOKEN = "zendesk.auth.token"  # noqa: S105
ZENDESK_REFRESH = "zendesk.auth.refresh_token"
LIVE_SECRET = "live.secret"  # noqa: S105
SIGNING_SECRETS = "webhooks.signing_secrets"
SUNSHINE_WEBHOOK = "live.webhook_secret"
BOT_SECRET = "assistant.bot.secret"  # noqa: S105


class Accounts:
    """Open accounts for the channels."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._told: set[tuple[str, str, str]] = set()

    def secrets(self, tx: Tx, organisation: OrganisationId) -> dict[str, str]:
        """Open every secret of an organisation; one that does not open is not used, and the operator is told."""
        opened: dict[str, str] = {}
        for name, kept in organisations.secrets(tx, organisation).items():
            try:
                opened[name] = self._vault.open(kept.sealed, organisation=organisation, name=name)
            except Unreadable as error:
                self._tell(organisation, name, kept.sealed, error)
        return opened

    def unreadable(self, tx: Tx, organisation: OrganisationId) -> tuple[str, ...]:
        """Name the secrets that are kept and do not open."""
        return tuple(sorted(organisations.secrets(tx, organisation).keys() - self.secrets(tx, organisation).keys()))

    def signing_secrets(self, tx: Tx, organisation: OrganisationId) -> tuple[str, ...]:
        """Give the secrets webhooks are signed with; where there are some and they do not open, nothing is let in."""
        kept = organisations.secrets(tx, organisation).get(SIGNING_SECRETS)
        if kept is None:
            return ()
        return tuple(self._vault.open(kept.sealed, organisation=organisation, name=SIGNING_SECRETS).split())

    def _tell(self, organisation: OrganisationId, name: str, sealed: str, error: Unreadable) -> None:
        if (organisation, name, sealed) not in self._told:  # once, not with every look
            self._told.add((organisation, name, sealed))
            log.error("secret_unreadable", organisation=organisation, name=name, why=str(error))

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
    chosen, bot = organisation.settings.assistant.bot, None
    if chosen.url and BOT_SECRET in secrets:
        bot = BotAccount(url=chosen.url, secret=secrets[BOT_SECRET], wait_s=chosen.wait_s)
    return Account(
        organisation=organisation.id, settings=organisation.settings, zendesk=support, sunshine=sunshine, bot=bot
    )
