"""The API's description says the body of every answer, and whatever is answered otherwise is noticed."""

from __future__ import annotations

import html
import json
from collections.abc import AsyncIterator
from typing import Any

import jsonschema_rs
import pytest
import pytest_asyncio

from tests.described import API, Description
from tests.web.counter import Answer, Counter, counter

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def quiet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Counter]:
    async with counter(tmp_path_factory.mktemp("quiet")) as found:
        await found.api("POST", "/conversations", {"id": "c-1"})
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def document(quiet: Counter) -> dict[str, Any]:
    found: dict[str, Any] = (await quiet.call("GET", f"{API}/openapi.json")).json
    return found


async def test_every_answer_has_a_body_that_is_described(document: dict[str, Any]) -> None:
    shapes = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            assert any(status.startswith("2") for status in call["responses"]), (method, path)
            for status, answer in call["responses"].items():
                assert answer["content"], (method, path, status)
                for kind, content in answer["content"].items():
                    if kind.endswith("json"):
                        assert (kind == "application/problem+json") == (not status.startswith("2"))
                        name = content["schema"]["$ref"].removeprefix("#/components/schemas/")
                        assert shapes[name]["properties"], (method, path, status)
                        assert shapes[name]["description"] in {answer["description"], shapes["Problem"]["description"]}


async def test_every_field_has_a_type(document: dict[str, Any]) -> None:
    for name, shape in document["components"]["schemas"].items():
        for field, said in shape.get("properties", {}).items():
            assert said.keys() & {"type", "$ref", "anyOf", "enum", "const"}, f"{name}.{field}"


async def test_what_the_settings_tree_shows_is_all_described(quiet: Counter, document: dict[str, Any]) -> None:
    shapes = document["components"]["schemas"]

    def told(shape: dict[str, Any]) -> Any:
        shape = shapes[shape["$ref"].rpartition("/")[2]] if "$ref" in shape else shape
        return {name: told(one) for name, one in shape["properties"].items()} if "properties" in shape else None

    def shown(tree: Any) -> Any:
        return {name: shown(one) for name, one in tree.items()} if isinstance(tree, dict) and tree else None

    tree = (await quiet.api("GET", "/settings")).json
    secret = {"set": None, "last4": None}
    expected = shown(tree)
    for holder, name in (("live", "webhook_secret"), ("live", "secret")):
        expected[holder][name] = secret
    for holder in (expected["zendesk"]["auth"], expected["assistant"]["bot"]):
        holder.update({name: secret for name in holder if name in {"client_secret", "token", "secret"}})
    assert told({"$ref": "#/components/schemas/Settings"}) == expected


@pytest.fixture(scope="module")
def change(document: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    body = document["paths"]["/settings"]["patch"]["requestBody"]["content"]["application/json"]["schema"]
    return jsonschema_rs.Draft202012Validator(body | {"components": document["components"]})


async def test_what_was_read_of_the_settings_may_be_sent_back(
    quiet: Counter, change: jsonschema_rs.Draft202012Validator
) -> None:
    tree = (await quiet.api("GET", "/settings")).json
    assert not [str(error) for error in change.iter_errors(tree)]
    here = {name: part for name, part in tree.items() if name != "live"}  # Zendesk is asked about live, and is not here
    after = await quiet.api("PATCH", "/settings", here)
    assert (after.status, after.json) == (200, tree)


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        ({}, True),
        ({"tickets": {"group_id": 360001}}, True),
        ({"tickets": {"group_id": "360001"}}, True),
        ({"tickets": {"group_id": "a group"}}, False),
        ({"tickets": {"group_id": 1.5}}, False),
        ({"tickets": {"custom_fields": {"360001": "tent", "360002": None, "360003": 2.5}}}, True),
        ({"tickets": {"custom_fields": {"360001": ["tent"]}}}, False),
        ({"assistant": {"minimum_confidence": 80}}, True),
        ({"assistant": {"minimum_confidence": "80"}}, False),
        ({"assistant": {"minimum_confidence": None}}, False),
        ({"assistant": {"enabled": "true"}}, False),
        ({"assistant": {"enabled": 1}}, False),
        ({"assistant": {"bot": {"secret": "of-a-bot-and-long-enough"}}}, True),
        ({"assistant": {"bot": {"secret": {"set": False}}}}, True),
        ({"assistant": {"bot": {"secret": {"set": "no"}}}}, False),
        ({"assistant": {"bot": {"secret": 7}}}, False),
        ({"assistant": {"bot": {"secret": None}}}, True),
        ({"webhooks": {"signing_secrets": ["one", "two"]}}, True),
        ({"webhooks": {"signing_secrets": [{"set": True, "last4": "abcd"}]}}, True),
        ({"webhooks": {"signing_secrets": ["one", {"set": True}]}}, False),
        ({"webhooks": {"signing_secrets": ["one"] * 5}}, False),
        ({"webhooks": {"colour": "red"}}, False),
        ({"live": {"on_session_inactive": "sleep"}}, False),
        ({"colour": "red"}, False),
    ],
)
async def test_the_settings_take_what_their_description_says_and_nothing_else(
    quiet: Counter, change: jsonschema_rs.Draft202012Validator, body: dict[str, Any], taken: bool
) -> None:
    assert change.is_valid(body) is taken
    assert (await quiet.api("PATCH", "/settings", body)).status == (200 if taken else 422)


def spoilt(answer: Answer, **fields: Any) -> bytes:
    return json.dumps({name: value for name, value in (answer.json | fields).items() if value is not ...}).encode()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"colour": "red"}, "colour"),
        ({"control": ...}, "control"),
        ({"control": "the moon"}, "the moon"),
        ({"created_at": "yesterday"}, "yesterday"),
        ({"customer": None}, "null"),
    ],
)
async def test_a_body_that_is_not_as_described_is_noticed(
    quiet: Counter, document: dict[str, Any], fields: dict[str, Any], wrong: str
) -> None:
    answer = await quiet.api("POST", "/conversations", {"id": "c-1"})
    said = Description(document)
    assert said.against("POST", f"{API}/conversations", 201, answer.headers, answer.body) == []
    (found,) = said.against("POST", f"{API}/conversations", 201, answer.headers, spoilt(answer, **fields))
    assert wrong in found


async def test_a_status_or_a_kind_that_is_not_described_is_noticed(quiet: Counter, document: dict[str, Any]) -> None:
    answer, path = await quiet.api("GET", "/conversations/c-1"), f"{API}/conversations/c-1"
    said = Description(document)
    assert said.against("GET", path, 200, answer.headers, answer.body) == []
    assert said.against("GET", path, 418, answer.headers, answer.body) == [f"GET {path} 418: no such status"]
    page = answer.headers | {"content-type": "text/html; charset=utf-8"}
    assert said.against("GET", path, 200, page, answer.body) == [f"GET {path} 200: no such content: text/html"]


async def test_the_page_of_the_api_writes_out_what_is_answered(quiet: Counter) -> None:
    page = html.unescape((await quiet.call("GET", f"{API}/docs")).body.decode())
    told = page.partition("/api/v1/conversations/{id}/escalate")[2].partition("<summary>Answer</summary>")[2]
    written = json.loads(told.partition("<pre>")[2].partition("</pre>")[0])
    assert written["handoff"]["state"] == "requested | queued | with_agent | asynchronous | ended | failed"
    assert written["handoff"]["agent"] == {"name": "string", "avatar_url": "string"}
