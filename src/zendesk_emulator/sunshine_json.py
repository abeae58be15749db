"""Show messaging records as the Sunshine API and its webhooks show them."""

from __future__ import annotations

from datetime import datetime

from zendesk_emulator.account import Account
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.messaging import (
    Conversation,
    Integration,
    Message,
    SunUser,
    SunWebhook,
    SwitchboardIntegration,
)
from zendesk_emulator.text import sun_time


def time(instant: datetime) -> str:
    """Write an instant with milliseconds."""
    return sun_time(instant)


def app(account: Account) -> Json:
    """Show the app, where clients read which messaging settings are on."""
    settings = account.settings
    return {
        "id": account.app_id,
        "displayName": account.subdomain,
        "subdomain": account.subdomain,
        "settings": {
            "conversationRetentionSeconds": 0,
            "maskCreditCardNumbers": True,
            "useAnimalNames": False,
            "echoPostback": False,
            "ignoreAutoConversationStart": False,
            "multiConvoEnabled": settings.multi_conversations,
            "endSessionEnabled": settings.end_session,
            "disableConversationReopen": False,
        },
        "metadata": {},
    }


def user(record: SunUser) -> Json:
    """Show a messaging user."""
    shown: Json = {
        "id": record.id,
        "externalId": record.external_id,
        "zendeskId": None,
        "brandId": None,
        "authenticated": False,  # users made by API never are
        "identities": record.identities,
        "profile": {"locale": "en-US", "localeOrigin": "api", **record.profile},
        "metadata": record.metadata,
        "toBeRetained": record.to_be_retained,
    }
    if record.signed_up_at:
        shown["signedUpAt"] = sun_time(record.signed_up_at)
    return shown


def user_in_event(record: SunUser, *, full: bool = False) -> Json:
    """Show a user as events do: truncated unless the webhook asks for more."""
    shown: Json = {"id": record.id, "authenticated": False}
    if record.external_id is not None:
        shown["externalId"] = record.external_id
    if full:
        shown |= {"profile": record.profile, "metadata": record.metadata, "identities": record.identities}
    return shown


def conversation(account: Account, record: Conversation) -> Json:
    """Show a conversation with who controls it."""
    shown: Json = {
        "id": record.id,
        "type": record.type,
        "isDefault": record.is_default,
        "metadata": record.metadata,
        "businessLastRead": sun_time(record.business_last_read) if record.business_last_read else None,
        "lastUpdatedAt": sun_time(record.updated_at),
        "createdAt": sun_time(record.created_at),
    }
    names = (("displayName", record.display_name), ("description", record.description), ("iconUrl", record.icon_url))
    shown |= {key: value for key, value in names if value is not None}
    return shown | _control(account, record)


def conversation_in_event(account: Account, record: Conversation) -> Json:
    """Show a conversation as events do; the active seat is left out when nobody has control."""
    return {
        "id": record.id,
        "type": record.type,
        "brandId": str(account.records.brand_id),
        "metadata": dict(record.metadata),
        **_control(account, record),
    }


def message(record: Message) -> Json:
    """Show a message as the API does."""
    shown: Json = {
        "id": record.id,
        "received": sun_time(record.received),
        "author": record.author,
        "content": record.content,
        "source": record.source,
    }
    if record.metadata:
        shown["metadata"] = record.metadata
    if record.activity:
        shown["activity"] = record.activity
    return shown


def message_in_event(account: Account, record: Message, *, full_user: bool) -> Json:
    """Show a message as webhooks do: a user author comes with the user."""
    shown = message(record)
    author = account.records.sun_users.get(str(record.author.get("userId") or ""))
    if author is not None:
        shown["author"] = {**record.author, "user": user_in_event(author, full=full_user)}
    return shown


def seat(record: SwitchboardIntegration) -> Json:
    """Show a seat of the switchboard."""
    shown: Json = {
        "id": record.id,
        "name": record.name,
        "integrationId": record.integration_id,
        "integrationType": record.integration_type,
        "deliverStandbyEvents": record.deliver_standby_events,
        "messageHistoryCount": record.message_history_count,
    }
    if record.next_id:
        shown["nextSwitchboardIntegrationId"] = record.next_id
    return shown


def integration(record: Integration, *, with_secrets: bool = False) -> Json:
    """Show an integration; its webhooks only when it was just created."""
    shown: Json = {
        "id": record.id,
        "type": record.type,
        "status": record.status,
        "displayName": record.display_name,
    }
    if with_secrets:
        shown["webhooks"] = [webhook(hook) for hook in record.webhooks]
    return shown


def webhook(record: SunWebhook) -> Json:
    """Show a webhook with the key it sends."""
    return {
        "id": record.id,
        "version": "v2",
        "target": record.target,
        "triggers": record.triggers,
        "secret": record.secret,
        "includeFullUser": record.include_full_user,
        "includeFullSource": record.include_full_source,
    }


def _control(account: Account, record: Conversation) -> Json:
    shown: Json = {}
    for key, seat_id in (
        ("activeSwitchboardIntegration", record.active),
        ("pendingSwitchboardIntegration", record.pending),
    ):
        found = account.records.seats.get(seat_id or "")
        if found is not None:
            shown[key] = {
                "id": found.id,
                "name": found.name,
                "integrationId": found.integration_id,
                "integrationType": found.integration_type,
            }
    return shown
