"""What the API's description says beside the routes: who may call, every way of being told no, the settings tree."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from escalade.domain.organisation import Settings
from escalade.services.tuning import DIGITS, IDS, MOST_SIGNING_SECRETS, SECRETS, SHOWN
from escalade.web import answers
from escalade.web.wire import PROBLEM, TITLES

PLACE = "#/components/schemas/"

# What any call may be answered; the rest of the titles belong to other doors.
ANYWHERE = (
    "malformed-request",
    "unauthorized",
    "not-found",
    "timeout",
    "conflict",
    "gone",
    "too-large",
    "unsupported-media-type",
    "validation",
    "rate-limited",
    "headers-too-large",
    "internal",
    "unavailable",
)


def shapes(kind: Any) -> dict[str, Any]:
    """Give the shape of what is written, and of everything in it, by name."""
    shape = TypeAdapter(kind).json_schema(mode="serialization", ref_template=PLACE + "{model}")
    return {**shape.pop("$defs", {}), kind.__name__: shape}


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """Add to the routes' own description what holds for all of them."""
    components = document.setdefault("components", {})
    known = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # the framework's; ours are problems
        known.pop(name, None)
    known |= _settings() | _change() | _problem()
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}}
    document["security"] = [{"key": []}]
    content = {PROBLEM[1].decode(): {"schema": {"$ref": f"{PLACE}Problem"}}}
    for methods in document["paths"].values():
        for call in methods.values():
            call["responses"].pop("422", None)  # the framework's again
            for answer in call["responses"].values():
                _name(answer, known)
            call["responses"] |= {
                str(TITLES[kind][0]): {"description": TITLES[kind][1], "content": content} for kind in ANYWHERE
            }
    return document


def _name(answer: dict[str, Any], known: dict[str, Any]) -> None:
    """Say of an answer what its shape says of itself."""
    place = answer["content"].get("application/json", {}).get("schema", {}).get("$ref", "")
    if place:
        answer["description"] = known[place.removeprefix(PLACE)].get("description") or answer["description"]


def _problem() -> dict[str, Any]:
    found = shapes(answers.Problem)
    told = found["Problem"]["properties"]
    told["type"]["enum"] = [f"/problems/{kind}" for kind in TITLES]
    told["status"]["enum"] = sorted({status for status, _ in TITLES.values()})
    return found


def _settings() -> dict[str, Any]:
    """Give the settings tree as it is kept, and in the place of each secret whether it is set."""
    found = shapes(Settings)
    for shape in found.values():
        if "properties" in shape:
            shape["required"] = list(shape["properties"])  # all of the tree is written, what has a default as well
    for name in SHOWN:
        holder, last = _holder(found, "Settings", name)
        _require(holder, last, "Secret")
    _require(found["Settings"], "webhooks", "Webhooks")
    return found | shapes(answers.Webhooks)


def _change() -> dict[str, Any]:
    """Give the settings tree as a change says it: any part of it, a secret in clear, and nothing else.

    What was read back of a secret may be sent again, and changes nothing.
    """
    kept = shapes(Settings)
    trees = {name for name, shape in kept.items() if "properties" in shape}
    found = {f"{name}Change": _as_change(kept[name], trees) for name in sorted(trees)}
    digits = {"type": "string", "pattern": "^" + DIGITS.pattern.replace(r"\Z", "$")}
    for shape in found.values():
        for name in IDS & shape["properties"].keys():  # as a number or as digits
            shape["properties"][name]["anyOf"].append(digits)
    found["SettingsChange"]["description"] = "Any part of the settings tree; what is not named stays as it is."
    read_back = {"$ref": PLACE + "Secret"}
    for name in SECRETS:
        holder, last = _holder(found, "SettingsChange", name)
        holder["properties"][last] = {"anyOf": [{"type": "string"}, {"type": "null"}, read_back]}
    several = {"type": "array", "maxItems": MOST_SIGNING_SECRETS}
    signing = {"anyOf": [{**several, "items": {"type": "string"}}, {**several, "items": read_back}]}
    found["WebhooksChange"] = {
        "type": "object",
        "description": "The secrets that Zendesk's webhooks are signed with, all of them.",
        "properties": {"signing_secrets": signing},
        "additionalProperties": False,
    }
    found["SettingsChange"]["properties"]["webhooks"] = {"$ref": PLACE + "WebhooksChange"}
    return found


def _as_change(shape: Any, trees: set[str]) -> Any:
    """Write a shape so that nothing in it must be there, nor is put in the place of what is not."""
    if isinstance(shape, list):
        return [_as_change(one, trees) for one in shape]
    if not isinstance(shape, dict):
        return shape
    place = shape.get("$ref", "").removeprefix(PLACE)
    if place in trees:
        return {"$ref": f"{PLACE}{place}Change"}
    made = {name: _as_change(one, trees) for name, one in shape.items() if name not in {"default", "required"}}
    if "properties" in shape:
        made |= {"title": f"{shape['title']}Change", "additionalProperties": False}
    return made


def _holder(found: dict[str, Any], root: str, name: str) -> tuple[dict[str, Any], str]:
    """Find the shape that a dotted name ends in, and the name there."""
    holder = found[root]
    *path, last = name.split(".")
    for step in path:
        holder = found[holder["properties"][step]["$ref"].removeprefix(PLACE)]
    return holder, last


def _require(holder: dict[str, Any], name: str, kind: str) -> None:
    holder["properties"][name] = {"$ref": PLACE + kind}
    holder["required"].append(name)
