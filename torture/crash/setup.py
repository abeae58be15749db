"""Connect the product to Zendesk the way the guide says, through both programs' own doors."""

from __future__ import annotations

from typing import Any

from tests.world import EVENTS, SESSION_END_BODY

from torture.crash.scene import Scene
from zendesk_emulator.triggers import SESSION_STATE


def connect(scene: Scene, *, live: bool) -> None:
    """Enter the credentials, turn live chat on if asked, set the webhooks and the trigger up."""
    seed, url = scene.stage.seed, scene.stage.desk_url
    settings: dict[str, Any] = {
        "zendesk": {
            "subdomain": scene.stage.subdomain,
            "base_url": url,
            "auth": {
                "type": "client_credentials",
                "client_id": seed.oauth_client_id,
                "client_secret": seed.oauth_client_secret,
            },
        }
    }
    if live:
        settings["live"] = {
            "enabled": True,
            "app_id": seed.app_id,
            "key_id": seed.key_id,
            "secret": seed.key_secret,
            "base_url": f"{url}/sc",
            "require_online_agent": False,
        }
    # In haste on a busy machine Zendesk may not have answered in time: asked again, until it does.
    scene.until(lambda: scene.ask("PATCH", "/settings", settings)[0] == 200, "the settings are refused")
    _webhooks(scene)


def _webhooks(scene: Scene) -> None:
    keys = scene.stage.keys
    common = {
        "status": "active",
        "endpoint": keys["webhook_url"],
        "http_method": "POST",
        "request_format": "json",
        "authentication": {
            "type": "bearer_token",
            "data": {"token": keys["webhook_token"]},
            "add_position": "header",
        },
        "custom_headers": {"fv-organisation-id": keys["organisation_id"]},
    }
    scene.desk("POST", "/emulator/admin/webhook", {"name": "all", "subscriptions": list(EVENTS), **common})
    ends = scene.desk(
        "POST", "/emulator/admin/webhook", {"name": "end", "subscriptions": ["conditional_ticket_events"], **common}
    )
    scene.desk(
        "POST",
        "/emulator/admin/trigger",
        {
            "title": "session end",
            "conditions": {
                "all": [],
                "any": [{"field": SESSION_STATE, "operator": "value_previous", "value": "active"}],
            },
            "actions": [{"field": "notification_webhook", "value": [ends["webhook"]["id"], SESSION_END_BODY]}],
        },
    )
