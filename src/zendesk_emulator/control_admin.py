"""Make what an administrator makes in a real Admin Center; secrets are shown once, in the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from zendesk_emulator import (
    apps,
    events,
    oauth,
    sunshine_json,
    sunshine_setup,
    support_json,
    webhook_rules,
    webhooks_api,
)
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.records.json import Json


def make(emulator: Emulator, thing: str, body: Json) -> Json:
    """Create one thing."""
    maker = MAKERS.get(thing)
    if maker is None:
        raise ValueError(f"nothing called {thing!r} can be made; there are {', '.join(MAKERS)}")
    made = maker(emulator, body)
    emulator.account.bell.ring()
    return made


def _oauth_client(emulator: Emulator, body: Json) -> Json:
    client = emulator.account.add_oauth_client(
        identifier=str(body["identifier"]),
        name=str(body.get("name") or body["identifier"]),
        user=emulator.desk.agent(body.get("agent") or emulator.seed.admin_email),
        scopes=list(body.get("scopes") or []),
        redirect_uris=list(body.get("redirect_uris") or []),
        kind=str(body.get("kind") or "confidential"),
        expires_in=int(body.get("expires_in") or 1800),
    )
    return {"client": oauth.client_shown(client, secret=True)}


def _api_token(emulator: Emulator, body: Json) -> Json:
    token = emulator.account.add_api_token(str(body.get("description") or "API token"))
    return {"api_token": {"id": token.id, "token": token.token, "description": token.description}}


def _conversations_key(emulator: Emulator, body: Json) -> Json:
    key = emulator.account.add_conversations_key(str(body.get("display_name") or "Conversations API key"))
    return {
        "key": {"id": key.id, "secret": key.secret, "displayName": key.display_name},
        "app_id": emulator.account.app_id,
    }


def _revoke_key(emulator: Emulator, body: Json) -> Json:
    emulator.account.records.conversations_keys.pop(str(body["id"]), None)
    return {"revoked": body["id"]}


def _revoke_tokens(emulator: Emulator, _: Json) -> Json:
    count = len(emulator.account.records.oauth_tokens)
    emulator.account.records.oauth_tokens.clear()
    return {"revoked": count}


def _webhook(emulator: Emulator, body: Json) -> Json:
    webhook = webhook_rules.create(emulator.account, body, by="-1")
    return {"webhook": webhooks_api.shown(webhook), "signing_secret": webhook.secret}


def _trigger(emulator: Emulator, body: Json) -> Json:
    trigger = emulator.triggers.create(body)
    return {"trigger": {"id": trigger.id, "title": trigger.title}}


def _integration(emulator: Emulator, body: Json) -> Json:
    integration = sunshine_setup.add_integration(emulator.account, {"type": "custom", **body})
    return {"integration": sunshine_json.integration(integration, with_secrets=True)}


def _user(emulator: Emulator, body: Json) -> Json:
    user = emulator.account.add_user(
        name=str(body["name"]),
        email=body.get("email"),
        role=str(body.get("role") or "end-user"),
        external_id=body.get("external_id"),
        messaging=str(body.get("messaging") or "offline"),
    )
    user.suspended = bool(body.get("suspended", False))
    for group_id in body.get("group_ids") or []:
        emulator.account.records.groups[int(group_id)].members.append(user.id)
    return {"user": support_json.user(emulator.account, user)}


def _group(emulator: Emulator, body: Json) -> Json:
    members = [emulator.desk.agent(name) for name in body.get("agents") or []]
    return {"group": support_json.group(emulator.account, emulator.account.add_group(str(body["name"]), members))}


def _ticket(emulator: Emulator, body: Json) -> Json:
    ticket, _ = emulator.tickets.create(body, actor=emulator.desk.agent(body.get("agent")), via="web")
    return {"ticket": support_json.ticket(emulator.account, ticket)}


def _app(emulator: Emulator, body: Json) -> Json:
    app = apps.install(emulator.account, name=str(body.get("name") or "App"), url=str(body["url"]))
    return {"app": {"id": app.app_id, "installation_id": app.id, "public_key": app.public_key}}


def _app_token(emulator: Emulator, body: Json) -> Json:
    """Sign what a browser would post to an app beside a ticket."""
    app = emulator.account.records.apps[int(body["installation_id"])]
    return {"token": apps.token(emulator.account, app, emulator.desk.agent(body.get("agent")))}


def _send_webhook(emulator: Emulator, body: Json) -> Json:
    """Send any body through a webhook, signed: a forged, foreign or outdated event."""
    webhook = webhook_rules.get(emulator.account, str(body["webhook_id"]))
    given = body["body"]
    data = given.encode() if isinstance(given, str) else events.pretty(given)
    return {"invocation": emulator.delivery.start(webhook, str(body.get("kind") or "forged"), data).id}


def _send_sunshine_event(emulator: Emulator, body: Json) -> Json:
    """Send any event through a Sunshine webhook, with its key."""
    event = dict(body["event"])
    for integration in emulator.account.records.integrations.values():
        for webhook in integration.webhooks:
            if webhook.id == body["webhook_id"]:
                emulator.sunshine_delivery.start(webhook, str(event.get("type") or "forged"), event)
                return {"sent": True}
    raise ValueError(f"there is no webhook {body['webhook_id']!r}")


MAKERS: Mapping[str, Callable[[Emulator, Json], Json]] = {
    "oauth_client": _oauth_client,
    "api_token": _api_token,
    "conversations_key": _conversations_key,
    "revoke_conversations_key": _revoke_key,
    "revoke_oauth_tokens": _revoke_tokens,
    "webhook": _webhook,
    "trigger": _trigger,
    "integration": _integration,
    "user": _user,
    "group": _group,
    "ticket": _ticket,
    "app": _app,
    "app_token": _app_token,
    "send_webhook": _send_webhook,
    "send_sunshine_event": _send_sunshine_event,
}
