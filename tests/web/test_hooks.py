"""A webhook is answered the way that makes Zendesk do the right thing, and does exactly what it says. Rows of D2."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from escalade.domain.model import Control, Millis, Notice, Wish
from escalade.services.accounts import SIGNING_SECRETS, SUNSHINE_WEBHOOK
from escalade.store import organisations
from escalade.store.database import Tx
from escalade.web import wire
from tests.backstage import NOON
from tests.web.counter import HOOK, ORGANISATION, OTHER, Answer, Counter, counter

JSON = ("content-type", "application/json")
GOOD = [("authorization", "Bearer wt_1"), ("fv-organisation-id", ORGANISATION)]
W01 = b'{ "ticket_id": "4711", "type": "fv:conversation_closed", }'
NO_TICKET_IDS: tuple[Any, ...] = (
    *("", "0", "-1", "1e3", "1_000", "١٢٣", "１２", " 12\n", "12; DROP TABLE", "../12", "1" + "0" * 25),
    *(True, None, [1], {}, -1, 1.5),
)
DEEP = b"[" * 100_000


@pytest_asyncio.fixture
async def front(tmp_path: Path) -> AsyncIterator[Counter]:
    async with counter(tmp_path) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def quiet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Counter]:
    """One application for every request that is to change nothing."""
    async with counter(tmp_path_factory.mktemp("quiet")) as found:
        yield found


TOGETHER = pytest.mark.asyncio(loop_scope="module")


async def hook(front: Counter, body: bytes | list[bytes], *headers: tuple[str, str], **how: Any) -> Answer:
    return await front.send("POST", HOOK, [*GOOD, JSON, *headers], body, **how)


def event(kind: str, id: str = "e-1", ticket: object = 4711, account: int = 900, **event: Any) -> dict[str, Any]:
    return {
        "account_id": account,
        "detail": {"id": str(ticket)},
        "event": event,
        "id": id,
        "subject": f"zen:ticket:{ticket}",
        "time": "2026-01-15T12:00:00Z",
        "type": f"zen:event-type:{kind}",
        "zendesk_event_version": "2022-11-06",
    }


def said(id: str = "e-1", text: str | None = "I am on it", actor: str = "agent", **more: Any) -> dict[str, Any]:
    message = {"id": f"message-{id}", "body": text}
    who = {"type": actor, "id": "7", "name": "Inès"}
    return event("messaging_ticket.message_added", id, actor=who, message=message) | more


async def news(front: Counter, document: dict[str, Any], *headers: tuple[str, str]) -> Answer:
    return await hook(front, json.dumps(document).encode(), *headers)


async def is_open(front: Counter) -> bool:
    return (await front.conversation()).open_handoff is not None


# W01-W06: the documented body


@pytest.mark.parametrize(
    "body",
    [
        W01,
        b'{"ticket_id":"4711","type":"fv:conversation_closed"}',
        b'{"ticket_id":4711,"type":"fv:conversation_closed"}',
        b"\xef\xbb\xbf" + W01,  # W18
    ],
    ids=["W01", "W02 text", "W02 number", "W18"],
)
async def test_the_documented_body_ends_the_session_once(front: Counter, body: bytes) -> None:
    await front.handed_over()
    answer = await hook(front, body)
    assert (answer.status, answer.json) == (200, {"status": "accepted"})
    assert answer.headers["content-type"] == "application/json"
    conversation = await front.conversation()
    assert conversation.control is Control.ASSISTANT
    assert [m.notice for m in await front.messages()].count(Notice.ENDED) == 1
    assert (await front.receipts())[0].state == "settled"


async def test_tolerated_commas_are_counted(front: Counter) -> None:
    await front.handed_over()
    with capture_logs() as logs:
        await hook(front, W01)
        await hook(front, W01.replace(b", }", b"}"))
    assert [line["organisation"] for line in logs if line["event"] == "tolerated_trailing_comma"] == [ORGANISATION]


async def test_w03_a_body_pasted_and_never_rendered_is_a_test_call(front: Counter) -> None:
    await front.handed_over()
    answer = await hook(front, b'{ "ticket_id": "{{ticket.id}}", "type": "fv:conversation_closed", }')
    assert (answer.status, answer.json) == (200, {"status": "ignored", "reason": "placeholder_not_rendered"})
    assert await is_open(front)
    assert len(await front.receipts()) == 1  # the console can say that the credentials are fine


async def test_w04_fifty_at_once_are_one_end(front: Counter) -> None:
    await front.handed_over()
    answers = await asyncio.gather(*(hook(front, W01) for _ in range(50)))
    assert {answer.status for answer in answers} == {200}
    assert [m.notice for m in await front.messages()].count(Notice.ENDED) == 1


async def test_w04_the_same_event_a_second_time_is_a_duplicate(front: Counter) -> None:
    await front.handed_over()
    assert (await news(front, said())).json == {"status": "accepted"}
    assert (await news(front, said())).json == {"status": "duplicate"}
    assert [m.text for m in await front.messages() if m.role == "agent"] == ["I am on it"]
    repeated = ("x-zendesk-webhook-invocation-id", "inv-1")
    assert (await hook(front, W01, repeated)).json == {"status": "accepted"}
    assert (await hook(front, W01, repeated)).json == {"status": "duplicate"}


async def test_w06_another_organisations_ticket_looks_like_none(front: Counter) -> None:
    await front.handed_over(organisation=OTHER)
    foreign, unknown = await hook(front, W01), await hook(front, W01.replace(b"4711", b"4712"))
    assert foreign.json == unknown.json == {"status": "ignored", "reason": "unknown_ticket"}
    assert (await front.conversation(organisation=OTHER)).open_handoff is not None


# W07-W17: what cannot be read


@TOGETHER
@pytest.mark.parametrize(
    ("body", "status", "problem", "pointer"),
    [
        (b'{"type":"fv:conversation_closed"}', 422, "validation", "/ticket_id"),  # W07
        *[
            (json.dumps({"ticket_id": id, "type": "fv:conversation_closed"}).encode(), 422, "validation", "/ticket_id")
            for id in NO_TICKET_IDS
        ],  # W08
        (b"", 400, "invalid-json", None),  # W09
        (b" \n ", 400, "invalid-json", None),
        *[
            (body, 400, "invalid-json", None)
            for body in (b"{", b'{"a"', b"nul", b"{'a':1}", b"{a:1}", b"//c\n{}", b'{"a":1}x', b"[,]", b'{"a":1,,}')
        ],  # W10
        *[(body, 422, "validation", None) for body in (b"[]", b'"x"', b"1", b"null")],  # W11
        *[(body, 400, "invalid-json", None) for body in (b'{"type":NaN}', b'{"x":1e999}', b'{"x":-Infinity}')],  # W12
        (b'{"type":"a","type":"fv:conversation_closed","ticket_id":"1"}', 400, "invalid-json", None),  # W13
        (DEEP, 400, "invalid-json", None),  # W14
        (b'{"a":' * 33 + b"1" + b"}" * 33, 400, "invalid-json", None),
        (b'{"ticket_id":1' + b"0" * 25 + b',"type":"fv:conversation_closed"}', 422, "validation", "/ticket_id"),
        (b'{"x":' + b"9" * 5000 + b"}", 400, "invalid-json", None),  # W15
        (b'{"type":"\\ud800"}', 400, "invalid-json", None),  # W16
        (b'{"type":"a\\u0000b"}', 400, "invalid-json", None),
        (b'{"type":"\xff\xfe"}', 400, "invalid-json", None),  # W17
        ('{"type":"é"}'.encode("latin-1"), 400, "invalid-json", None),
        ('{"type":"x"}'.encode("utf-16"), 400, "invalid-json", None),
    ],
)
async def test_what_cannot_be_read_is_refused_and_changes_nothing(
    quiet: Counter, body: bytes, status: int, problem: str, pointer: str | None
) -> None:
    answer = await hook(quiet, body)
    assert (answer.status, answer.problem) == (status, problem)
    if pointer is not None:
        assert answer.pointer == pointer
    assert await quiet.receipts() == []


async def test_w15_a_large_id_survives_unchanged(front: Counter) -> None:
    await front.handed_over(ticket="9007199254740993")
    assert (await hook(front, b'{"ticket_id":9007199254740993,"type":"fv:conversation_closed"}')).status == 200
    assert not await is_open(front)


# W19-W24: how it is sent


async def test_w19_a_body_that_is_too_large_is_not_read(front: Counter) -> None:
    mebibyte = 1024 * 1024
    honest = await hook(front, b"x" * (mebibyte + 1))
    assert (honest.status, honest.problem, front.parts_read) == (413, "too-large", 0)
    assert honest.headers["connection"] == "close"
    for length in (10 * 1024**3, 10**30):
        lying = await hook(front, b"{}", ("content-length", str(length)))
        assert (lying.status, front.parts_read) == (413, 0)
    endless = await hook(front, [b"x" * 65536] * 100)
    assert (endless.status, front.parts_read) == (413, 17)


async def test_w20_a_body_that_trickles_is_cut_off(front: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "BODY_SECONDS", 0.02)
    answer = await hook(front, [b"{", b'"'], endless=True)
    assert (answer.status, answer.problem, answer.headers["connection"]) == (408, "timeout", "close")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("content-type", "application/json"), ("content-encoding", "gzip")], 415),  # W21
        ([("content-type", "text/plain")], 415),  # W22
        ([("content-type", "application/xml")], 415),
        ([("content-type", "application/x-www-form-urlencoded")], 415),
        ([("content-type", "application/jsonp")], 415),
        ([], 200),
        ([("content-type", "application/json;charset=UTF-8")], 200),
        ([("content-type", 'Application/JSON; charset="utf-8"')], 200),
        ([("content-type", "application/json; charset=utf-16")], 415),  # W23
        ([("content-type", "application/json"), ("content-type", "application/json")], 400),
    ],
)
async def test_only_plain_json_is_taken(front: Counter, headers: list[tuple[str, str]], status: int) -> None:
    await front.handed_over()
    answer = await front.send("POST", HOOK, [*GOOD, *headers], W01)
    assert answer.status == status
    if status == 415:
        assert answer.problem == "unsupported-media-type"
    assert await is_open(front) == (status != 200)


@TOGETHER
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("content-length", "10"), ("transfer-encoding", "chunked")], 400),  # W24
        ([("content-length", "10"), ("content-length", "11")], 400),  # W25
        ([("content-length", "+5")], 400),
        ([("content-length", "-1")], 400),
        ([("host", "evil.example")], 400),  # W27
        ([("x-large", "x" * 17_000)], 431),  # W28
        ([(f"x-{n}", "1") for n in range(500)], 431),
    ],
)
async def test_a_head_two_parsers_could_read_differently_is_refused(
    quiet: Counter, headers: list[tuple[str, str]], status: int
) -> None:
    answer = await hook(quiet, W01, *headers)
    assert answer.status == status
    assert answer.problem in {"malformed-request", "headers-too-large"}


async def test_w27_a_request_without_a_host_is_refused(front: Counter) -> None:
    assert (await hook(front, W01, host=False)).status == 400


# W29-W33: what it is


@TOGETHER
@pytest.mark.parametrize("method", ["GET", "PUT", "TRACE", "OPTIONS", "DELETE", "HEAD", "PATCH"])
async def test_w29_there_is_one_method(quiet: Counter, method: str) -> None:
    answer = await quiet.send(method, HOOK, GOOD, W01)
    assert (answer.status, answer.problem, answer.headers["allow"]) == (405, "method-not-allowed", "POST")
    assert quiet.parts_read == 0


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (HOOK, True),
        (HOOK + "/", True),
        (HOOK + "//", False),
        (HOOK.replace("/all", "//all"), False),
        (HOOK.replace("/all", "/ALL"), False),
        (HOOK + ";x", False),
        (HOOK + "\x00", False),
        ("/x/.." + HOOK, False),
        (HOOK.removesuffix("/all"), False),
    ],
)
async def test_w30_there_is_one_address(front: Counter, path: str, found: bool) -> None:
    answer = await front.send("POST", path, [*GOOD, JSON], W01)
    assert answer.status == (200 if found else 404)
    if not found:
        assert answer.problem == "not-found"


@pytest.mark.parametrize(
    "document",
    [
        event("ticket.moon_rose"),
        event("ticket.priority_changed", current="high", previous="low"),
        {"type": "something.else", "x": {"y": [1]}},
        event("ticket.comment_added", comment={"id": 5, "body": "internal", "is_public": False, "author": {}}),
    ],
)
async def test_w31_what_has_no_meaning_for_us_is_kept_and_ignored(front: Counter, document: dict[str, Any]) -> None:
    await front.handed_over()
    answer = await news(front, document)
    assert (answer.status, answer.json["status"]) == (200, "ignored")
    assert "internal" not in str(await front.messages())
    (receipt,) = await front.receipts()
    assert receipt.state == "ignored"
    assert document["type"] in receipt.body


async def test_w31_a_later_version_with_more_fields_is_read(front: Counter) -> None:
    await front.handed_over()
    assert (await news(front, said(zendesk_event_version="2031-01-01", mood="fine"))).json == {"status": "accepted"}
    assert [m.text for m in await front.messages() if m.role == "agent"] == ["I am on it"]


@pytest.mark.parametrize("text", ["x" * 70_000, None, ""])
async def test_w32_an_odd_message_is_kept_and_nothing_is_invented(front: Counter, text: str | None) -> None:
    await front.handed_over(wish=Wish.LIVE, ticket="4711", live="sun-1")
    assert (await news(front, said(text=text))).status == 200
    without_id = said("e-2", text=text)
    without_id["event"]["message"] = {"body": text}
    assert (await news(front, without_id)).status == 200
    assert [m for m in await front.messages() if m.role == "agent"] == []
    assert [receipt.state for receipt in await front.receipts()] == ["waiting", "waiting"]  # the list will tell


async def test_w33_the_customers_own_words_coming_back_are_not_shown_again(front: Counter) -> None:
    await front.handed_over()
    before = await front.messages()
    assert (await news(front, said(actor="end_user", text="My stove is broken"))).status == 200
    assert await front.messages() == before


# Authentication


@TOGETHER
@pytest.mark.parametrize(
    "authorization",
    [
        None, "Bearer", "Bearer ", "bearer x", "Basic d3Q6MQ==", "Bearer  wt_1", "Bearer wt_1\n", "Bearer wt_1 ",
        "wt_1", "Bearer wt_1,wt_2", "Bearer tök\u00e9n", "Bearer \xff", "Bearer wt_2", "Bearer ek_1",
        "Bearer " + "x" * 9000,
    ],
)  # fmt: skip
async def test_h01_h03_h05_a_caller_without_good_credentials_gets_one_answer(
    quiet: Counter, authorization: str | None
) -> None:
    quiet.move()
    headers = [("fv-organisation-id", ORGANISATION), JSON]
    if authorization is not None:
        headers.append(("authorization", authorization))
    answer = await quiet.send("POST", HOOK, headers, b"not even json")
    assert (answer.status, answer.problem, answer.headers["www-authenticate"]) == (401, "unauthorized", "Bearer")
    assert answer.body == (await quiet.send("POST", HOOK, [JSON], b"{}")).body
    assert quiet.parts_read == 0  # nothing of an unknown caller is read


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_h01_the_scheme_has_no_case(front: Counter, scheme: str) -> None:
    headers = [("authorization", f"{scheme} wt_1"), ("fv-organisation-id", ORGANISATION), JSON]
    assert (await front.send("POST", HOOK, headers, W01)).status == 200


@TOGETHER
@pytest.mark.parametrize("named", [[], [""], [OTHER], ["org_none"], ["x" * 10_000], [ORGANISATION, OTHER]])
async def test_h02_h04_the_organisation_is_named_once_and_rightly(quiet: Counter, named: list[str]) -> None:
    quiet.move()
    headers = [("authorization", "Bearer wt_1"), JSON, *[("fv-organisation-id", name) for name in named]]
    answer = await quiet.send("POST", HOOK, headers, W01)
    wrong = await quiet.send("POST", HOOK, [("authorization", "Bearer wrong"), *GOOD[1:], JSON], W01)
    assert answer.status == 401
    assert answer.body == wrong.body


async def test_h06_two_credentials_are_malformed(front: Counter) -> None:
    answer = await hook(front, W01, ("authorization", "Bearer wrong"))
    assert (answer.status, answer.problem) == (400, "malformed-request")


async def test_h07_a_token_elsewhere_opens_nothing(front: Counter) -> None:
    body = b'{"token":"wt_1","ticket_id":"4711","type":"fv:conversation_closed"}'
    answer = await front.send("POST", HOOK + "?token=wt_1", [*GOOD[1:], JSON], body)
    assert answer.status == 401
    assert b"wt_1" not in answer.body


async def test_h10_both_tokens_open_the_door_while_one_replaces_the_other(front: Counter) -> None:
    await front.write(lambda tx: organisations.rotate_token(tx, ORGANISATION, "webhook", "wt_new", NOON))
    headers = [("fv-organisation-id", ORGANISATION), JSON]
    for token, status in (("wt_1", 200), ("wt_new", 200)):
        sent = [*headers, ("authorization", f"Bearer {token}")]
        assert (await front.send("POST", HOOK, sent, W01)).status == status
    front.clock.passes(24 * 3600 + 1)
    for token, status in (("wt_1", 401), ("wt_new", 200)):
        sent = [*headers, ("authorization", f"Bearer {token}")]
        assert (await front.send("POST", HOOK, sent, W01)).status == status


# Signatures

SECRET = "c2lnbmluZyBzZWNyZXQ="


def signature(body: bytes, at: str, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), at.encode() + body, hashlib.sha256).digest()).decode()


def moment(at: Millis) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def signed(body: bytes, at: str | None = None, secret: str = SECRET) -> list[tuple[str, str]]:
    at = moment(NOON) if at is None else at
    return [
        ("x-zendesk-webhook-signature", signature(body, at, secret)),
        ("x-zendesk-webhook-signature-timestamp", at),
    ]


@pytest_asyncio.fixture
async def sealed(front: Counter) -> Counter:
    def kept(tx: Tx) -> None:
        text = front.product.vault.seal(SECRET, organisation=ORGANISATION, name=SIGNING_SECRETS, nonce=b"1" * 12)
        organisations.save_secret(tx, ORGANISATION, SIGNING_SECRETS, text, "ldA=", NOON)

    await front.write(kept)
    await front.handed_over()
    return front


async def test_a_signed_body_is_taken(sealed: Counter) -> None:
    assert (await hook(sealed, W01, *signed(W01))).json == {"status": "accepted"}


@pytest.mark.parametrize(
    "headers",
    [
        [],
        signed(W01)[:1],
        signed(W01)[1:],
        signed(W01, secret="another"),
        signed(json.dumps({"ticket_id": "4711", "type": "fv:conversation_closed"}).encode()),
        [("x-zendesk-webhook-signature", "not base64 !"), signed(W01)[1]],
        [("x-zendesk-webhook-signature", "\xff\xfe"), signed(W01)[1]],
        signed(W01, moment(NOON - 16 * 60_000)),
        signed(W01, moment(NOON + 16 * 60_000)),
        signed(W01, "yesterday"),
        signed(W01, ""),
    ],
)
async def test_h11_h12_a_body_that_was_not_signed_lately_by_zendesk_is_refused(
    sealed: Counter, headers: list[tuple[str, str]]
) -> None:
    answer = await hook(sealed, W01, *headers)
    assert (answer.status, answer.problem) == (401, "unauthorized")
    assert await is_open(sealed)
    assert await sealed.receipts() == []


async def test_h13_an_exact_replay_changes_nothing(sealed: Counter) -> None:
    body = json.dumps(said()).encode()
    assert (await hook(sealed, body, *signed(body))).json == {"status": "accepted"}
    before = await sealed.messages()
    assert (await hook(sealed, body, *signed(body))).json == {"status": "duplicate"}
    assert await sealed.messages() == before


async def test_h14_an_event_is_known_by_its_signed_id_and_not_by_a_header(sealed: Counter) -> None:
    for id in ("e-1", "e-2"):
        body = json.dumps(said(id, text=f"word of {id}")).encode()
        answer = await hook(sealed, body, *signed(body), ("x-zendesk-webhook-invocation-id", "inv-1"))
        assert answer.json == {"status": "accepted"}
    assert [m.text for m in await sealed.messages() if m.role == "agent"] == ["word of e-1", "word of e-2"]


async def test_w05_an_end_signed_before_the_session_began_is_stale(sealed: Counter) -> None:
    answer = await hook(sealed, W01, *signed(W01, moment(NOON - 5000)))
    assert (answer.status, answer.json) == (200, {"status": "ignored", "reason": "stale"})
    assert await is_open(sealed)


async def test_h15_news_of_another_zendesk_account_is_refused(front: Counter) -> None:
    await front.handed_over()
    assert (await news(front, said("e-1", account_id=900))).status == 200  # the first genuine one tells whose we are
    front.clock.passes(2)
    answer = await news(front, said("e-2", account_id=901))
    assert (answer.status, answer.problem) == (401, "unauthorized")
    assert len(await front.receipts()) == 1
    assert (await news(front, said("e-3", account_id=900))).status == 200


# Trouble of ours


async def test_w36_while_the_store_cannot_take_it_zendesk_is_asked_to_come_back(front: Counter) -> None:
    await hook(front, W01)
    await front.product.database.close()
    answer = await hook(front, W01)
    assert (answer.status, answer.problem, answer.headers["retry-after"]) == (503, "unavailable", "20")


async def test_w37_a_fault_of_ours_is_never_a_500(front: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(front.product.arrivals, "arrive", broken)
    answer = await hook(front, W01)
    assert (answer.status, answer.problem, answer.headers["retry-after"]) == (503, "unavailable", "20")


# Sunshine's own webhook


@pytest_asyncio.fixture
async def sunny(front: Counter) -> Counter:
    def kept(tx: Tx) -> None:
        text = front.product.vault.seal("sun", organisation=ORGANISATION, name=SUNSHINE_WEBHOOK, nonce=b"2" * 12)
        organisations.save_secret(tx, ORGANISATION, SUNSHINE_WEBHOOK, text, "sun", NOON)

    await front.write(kept)
    await front.handed_over(wish=Wish.LIVE, ticket=None, live="sun-1")
    return front


def batch(*kinds: str) -> dict[str, Any]:
    payload = {"conversation": {"id": "sun-1"}, "message": {"id": "m-9", "author": {"type": "business"}}}
    return {"events": [{"id": f"e-{n}", "type": kind, "payload": payload} for n, kind in enumerate(kinds)]}


async def test_sunshine_is_known_by_its_key_and_may_send_several_events_at_once(sunny: Counter) -> None:
    path = f"/hooks/sunshine/{ORGANISATION}"
    answer = await sunny.call("POST", path, batch("conversation:message", "switchboard:passControl"), x_api_key="sun")
    assert (answer.status, answer.json) == (200, {"status": "accepted"})
    assert [(one.kind, one.key) for one in await sunny.receipts()] == [
        ("message_added", "e-0"),
        ("control_left", "e-1"),
    ]
    again = await sunny.call("POST", path, batch("conversation:message"), x_api_key="sun")
    assert again.json == {"status": "duplicate"}


@pytest.mark.parametrize(
    ("organisation", "headers"),
    [
        (ORGANISATION, {}),
        (ORGANISATION, {"x-api-key": ""}),
        (ORGANISATION, {"x-api-key": "moon"}),
        (ORGANISATION, {"authorization": "Bearer wt_1"}),
        (OTHER, {"x-api-key": "sun"}),
        (OTHER, {"x-api-key": ""}),
        ("org_none", {"x-api-key": ""}),
    ],
)
async def test_sunshine_without_its_key_is_refused(sunny: Counter, organisation: str, headers: dict[str, str]) -> None:
    answer = await sunny.call("POST", f"/hooks/sunshine/{organisation}", batch("conversation:message"), headers)
    assert (answer.status, answer.problem) == (401, "unauthorized")
    assert await sunny.receipts() == []


@pytest.mark.parametrize(("document", "status"), [([], 422), ({}, 422), ({"events": [1]}, 422), ({"events": []}, 200)])
async def test_sunshines_body_is_checked(sunny: Counter, document: Any, status: int) -> None:
    answer = await sunny.call("POST", f"/hooks/sunshine/{ORGANISATION}", document, x_api_key="sun")
    assert answer.status == status
