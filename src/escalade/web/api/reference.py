"""The API's pages: the OpenAPI document as one plain page, made here and needing nothing from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

TEMPLATES = Path(__file__).parents[1] / "templates"
_environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape())


def reference_page(document: dict[str, Any]) -> str:
    """Render an OpenAPI document."""
    schemas = document.get("components", {}).get("schemas", {})
    calls = []
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            answer = next(said for status, said in call["responses"].items() if status.startswith("2"))
            calls.append(
                {
                    "method": method.upper(),
                    "path": f"/api/v1{path}",
                    "tag": (call.get("tags") or ["other"])[0],
                    "what": call.get("description") or call.get("summary", ""),
                    "parameters": [p for p in call.get("parameters", []) if p["in"] == "query"],
                    "body": _example(call.get("requestBody", {}), schemas),
                    "answer": _example(answer, schemas),
                }
            )
    tags = list(dict.fromkeys(call["tag"] for call in calls))
    template = _environment.get_template("reference.html")
    return template.render(title=document["info"]["title"], version=document["info"]["version"], tags=tags, calls=calls)


def _example(said: dict[str, Any], schemas: dict[str, Any]) -> str | None:
    """Write out the JSON that is sent or answered; nothing where it is none."""
    schema = said.get("content", {}).get("application/json", {}).get("schema")
    return None if schema is None else json.dumps(_resolved(schema, schemas), indent=2)


def _resolved(schema: Any, schemas: dict[str, Any]) -> Any:
    """Write a schema out as an example a person can read."""
    if "$ref" in schema:
        return _resolved(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            options = [o for o in schema[choice] if o.get("type") != "null"]
            return _resolved(options[0], schemas)
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    match schema.get("type"):
        case "object":
            return {name: _resolved(one, schemas) for name, one in schema.get("properties", {}).items()}
        case "array":
            return [_resolved(schema.get("items", {}), schemas)]
        case kind:
            return kind or "any"
