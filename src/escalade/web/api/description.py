"""What the API's description says beside the routes: who may call, and every way of being told no."""

from __future__ import annotations

from typing import Any

from escalade.web.wire import PROBLEM, TITLES

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
PROBLEM_SHAPE: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "What is wrong, by https://www.rfc-editor.org/rfc/rfc9457",
    "required": ["type", "title", "status", "detail", "code"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "enum": [f"/problems/{kind}" for kind in TITLES]},
        "title": {"type": "string"},
        "status": {"type": "integer", "enum": sorted({status for status, _ in TITLES.values()})},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """Add to the routes' own description what holds for all of them."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # the framework's; ours are problems
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM_SHAPE
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}}
    document["security"] = [{"key": []}]
    content = {PROBLEM[1].decode(): {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for methods in document["paths"].values():
        for call in methods.values():
            call["responses"] |= {
                str(TITLES[kind][0]): {"description": TITLES[kind][1], "content": content} for kind in ANYWHERE
            }
    return document
