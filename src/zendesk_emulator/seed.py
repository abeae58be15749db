"""Fill an empty account with the people and settings every trial starts from; nobody in it is real."""

from __future__ import annotations

from dataclasses import dataclass

from zendesk_emulator.account import Account, Records
from zendesk_emulator.records.credentials import ApiToken, ConversationsKey, OAuthClient
from zendesk_emulator.records.messaging import Integration, SwitchboardIntegration
from zendesk_emulator.records.people import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """The credentials of a fresh account; they survive a reset."""

    admin_email: str
    oauth_client_id: str
    oauth_client_secret: str
    api_token: str
    app_id: str
    key_id: str
    key_secret: str
    control_token: str


def seed(account: Account, known: Seed | None = None, *, control_token: str | None = None) -> Seed:
    """Put the first agents, groups, credentials and seats into the account, emptying it first.

    With `known`, the credentials stay what they were, so that clients survive a reset.
    """
    account.records = Records()
    admin = _people(account)
    _switchboard(account)
    _catalogue(account)
    client, token, key = _credentials(account, admin, known)
    return known or Seed(
        admin_email=str(admin.email),
        oauth_client_id=client.identifier,
        oauth_client_secret=client.secret,
        api_token=token.token,
        app_id=account.app_id,
        key_id=key.id,
        key_secret=key.secret,
        control_token=control_token or account.ids.secret(32),
    )


def _people(account: Account) -> User:
    admin = account.add_user(name="Ada Admin", email="ada@acme.example", role="admin")
    jonas = account.add_user(name="Jonas Berg", email="jonas@acme.example", role="agent", messaging="online")
    mira = account.add_user(name="Mira Sato", email="mira@acme.example", role="agent", messaging="away")
    account.add_group("Support", [admin, jonas, mira], default=True)
    account.add_group("Billing", [mira])
    return admin


def _switchboard(account: Account) -> None:
    seats: dict[str, SwitchboardIntegration] = {}
    for name, kind in (("zd-agentWorkspace", "zd:agentWorkspace"), ("zd-answerBot", "zd:answerBot")):
        integration = Integration(id=account.ids.hex24(account.now()), type=kind, display_name=name)
        account.records.integrations[integration.id] = integration
        seat = SwitchboardIntegration(
            id=account.ids.hex24(account.now()),
            name=name,
            integration_id=integration.id,
            integration_type=kind,
            deliver_standby_events=False,
        )
        seats[kind] = account.records.seats[seat.id] = seat
    seats["zd:answerBot"].next_id = seats["zd:agentWorkspace"].id
    seats["zd:agentWorkspace"].next_id = seats["zd:answerBot"].id
    account.records.default_seat = seats["zd:answerBot"].id


def _catalogue(account: Account) -> None:
    ids, records = account.ids, account.records
    records.brand_id, records.form_id = ids.integer(), ids.integer()
    for title, kind in (("Subject", "subject"), ("Description", "description"), ("Conversation", "text")):
        number = ids.integer()
        records.ticket_fields[number] = {"id": number, "title": title, "type": kind}
    number = ids.integer()
    records.schedules[number] = {
        "id": number,
        "name": "Office hours",
        "time_zone": "Berlin",
        "intervals": [{"start_time": day * 1440 + 540, "end_time": day * 1440 + 1020} for day in range(1, 6)],
    }
    records.holidays[number] = [
        {"id": ids.integer(), "name": "Winter closing", "start_date": "2026-12-24", "end_date": "2026-12-26"}
    ]
    account.add_category("Notifications")


def _credentials(account: Account, admin: User, known: Seed | None) -> tuple[OAuthClient, ApiToken, ConversationsKey]:
    client = account.add_oauth_client(identifier="escalation", name="Escalation", user=admin)
    token = account.add_api_token("Seeded token")
    key = account.add_conversations_key("Seeded key")
    if known:
        client.secret, token.token = known.oauth_client_secret, known.api_token
        account.records.conversations_keys = {known.key_id: key}
        key.id, key.secret = known.key_id, known.key_secret
    return client, token, key
