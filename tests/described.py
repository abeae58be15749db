"""Holds answers of the developer API against its description: the status, the kind of content, and the body."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import jsonschema_rs

API = "/api/v1"


def closed(document: dict[str, Any]) -> dict[str, Any]:
    """Give a description in which no shape may have fields that it does not name.

    Callers let pass what they do not know; here it is a field that nobody has described.
    """
    strict = deepcopy(document)
    for shape in strict["components"]["schemas"].values():
        if "properties" in shape:
            shape.setdefault("additionalProperties", False)
    return strict


class Description:
    """What an application says of its answers."""

    def __init__(self, document: dict[str, Any]) -> None:
        strict = closed(document)
        self._shapes = {"components": strict["components"]}
        self._calls = [
            (method.upper(), re.compile(re.sub(r"{\w+}", "[^/]+", API + path)), call["responses"])
            for path, methods in strict["paths"].items()
            for method, call in methods.items()
        ]
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def against(self, method: str, target: str, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
        """Say what of an answer is not as described; nothing is said of calls that are not described."""
        path = target.partition("?")[0]
        for known, pattern, answers in self._calls:
            if known == method and pattern.fullmatch(path):
                return [f"{method} {path} {status}: {wrong}" for wrong in self._wrong(answers, status, headers, body)]
        return []

    def _wrong(self, answers: Mapping[str, Any], status: int, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
        described = answers.get(str(status))
        if described is None:
            yield "no such status"
            return
        kind = headers["content-type"].partition(";")[0]
        content = described["content"].get(kind)
        if content is None:
            yield f"no such content: {kind}"
        elif kind.endswith("json"):
            for error in self._validator(content["schema"]).iter_errors(json.loads(body)):
                yield f"/{'/'.join(map(str, error.instance_path))}: {error.message}"

    def _validator(self, schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
        name = json.dumps(schema)
        if name not in self._validators:
            self._validators[name] = jsonschema_rs.Draft202012Validator(schema | self._shapes, validate_formats=True)
        return self._validators[name]
