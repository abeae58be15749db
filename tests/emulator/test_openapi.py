"""Hold a few answers against Zendesk's own API descriptions, where those are at hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from .world import World

CONTRACTS = Path(__file__).parents[3] / "shared" / "contracts"

pytestmark = pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the API descriptions are not here")


@cache
def described(name: str) -> Any:
    class Loader(yaml.CSafeLoader):  # type: ignore[misc]
        """Reads a bare `=` as text."""

    Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))
    return yaml.load((CONTRACTS / name).read_text(), Loader=Loader)


def problems(root: Any, schema: Any, value: Any, path: str = "") -> list[str]:
    """List where a value does not fit a schema; only types, enums, required keys and references are looked at."""
    while "$ref" in schema:
        target = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = target
    if value is None:
        return []
    for key in ("allOf",):
        if key in schema:
            return [found for part in schema[key] for found in problems(root, part, value, path)]
    for key in ("oneOf", "anyOf"):
        if key in schema:
            tried = [problems(root, part, value, path) for part in schema[key]]
            return [] if any(not found for found in tried) else min(tried, key=len)
    kinds: dict[str, Any] = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "array": list,
        "object": dict,
    }
    kind = schema.get("type")
    if kind in kinds and not isinstance(value, kinds[kind]):
        return [f"{path}: {value!r} is not {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path}: {value!r} is not one of {schema['enum']}"]
    found = []
    if isinstance(value, dict):
        found += [f"{path}.{name}: missing" for name in schema.get("required", []) if name not in value]
        for name, part in (schema.get("properties") or {}).items():
            if name in value:
                found += problems(root, part, value[name], f"{path}.{name}")
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            found += problems(root, schema["items"], item, f"{path}[{number}]")
    return found


def check(file: str, path: str, method: str, status: str, value: Any) -> None:
    root = described(file)
    answer = root["paths"][path][method]["responses"][status]
    while "$ref" in answer:
        target = root
        for part in answer["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        answer = target
    assert problems(root, answer["content"]["application/json"]["schema"], value) == []


SUPPORT, SUNSHINE = "zendesk-support-openapi.yaml", "sunshine-conversations-openapi.yaml"


@pytest.mark.parametrize(
    ("described_path", "path"),
    [
        ("/api/v2/tickets", "/tickets"),
        ("/api/v2/tickets/{ticket_id}", "/tickets/{ticket}"),
        ("/api/v2/tickets/{ticket_id}/comments", "/tickets/{ticket}/comments"),
        ("/api/v2/groups", "/groups"),
        ("/api/v2/users/{user_id}", "/users/{user}"),
        ("/api/v2/triggers", "/triggers"),
        ("/api/v2/brands", "/brands"),
        ("/api/v2/ticket_fields", "/ticket_fields"),
        ("/api/v2/group_memberships", "/group_memberships"),
    ],
)
def test_support_answers_fit_the_description(world: World, described_path: str, path: str) -> None:
    ticket = world.ticket(tags=["a"], priority="high")
    body = world.zendesk.get(path.format(ticket=ticket["id"], user=ticket["requester_id"])).json()
    check(SUPPORT, described_path, "get", "200", body)


def test_sunshine_answers_fit_the_description(world: World) -> None:
    user, cid = world.conversation()
    world.say(cid, {"type": "user", "userId": user}, "Hi")
    world.hand_over(cid)
    world.agent("reply", body="Hello")
    world.integration("conversation:message")
    board = world.sun.get("/switchboards").json()["switchboards"][0]["id"]
    base = "/v2/apps/{appId}"
    for described_path, path in (
        ("", ""),
        ("/users/{userIdOrExternalId}", f"/users/{user}"),
        ("/conversations/{conversationId}", f"/conversations/{cid}"),
        ("/conversations", f"/conversations?filter[userId]={user}"),
        ("/conversations/{conversationId}/messages", f"/conversations/{cid}/messages"),
        ("/switchboards", "/switchboards"),
        ("/switchboards/{switchboardId}/switchboardIntegrations", f"/switchboards/{board}/switchboardIntegrations"),
        ("/integrations", "/integrations"),
    ):
        check(SUNSHINE, base + described_path, "get", "200", world.sun.get(path).json())
