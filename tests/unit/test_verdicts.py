"""What each HTTP answer means for a delivery, and what of it is said to an operator."""

from __future__ import annotations

import json

import pytest

from escalade.channels import verdicts
from escalade.channels.http import Request, Response
from escalade.domain.errors import Crowded, DeliveryError, Refused, Retryable, Unaccepted, Uncertain

NOW = ("Date", "Thu, 15 Jan 2026 09:30:00 GMT")
POST = Request(method="POST", url="https://acme.zendesk.com/api/v2/tickets", body=b"{}")
GET = Request(method="GET", url="https://acme.zendesk.com/api/v2/tickets")
JSON = ("Content-Type", "application/json; charset=utf-8")


def judged(request: Request, response: Response) -> DeliveryError:
    with pytest.raises(DeliveryError) as error:
        verdicts.read(request, response, credential="the key")
    return error.value


@pytest.mark.parametrize(
    ("status", "order", "question"),
    [
        (301, Retryable, Retryable),
        (302, Retryable, Retryable),
        (400, Refused, Refused),
        (401, Unaccepted, Unaccepted),
        (402, Unaccepted, Unaccepted),
        (403, Unaccepted, Unaccepted),
        (404, Refused, Refused),
        (408, Uncertain, Retryable),
        (409, Retryable, Retryable),
        (413, Refused, Refused),
        (415, Refused, Refused),
        (418, Refused, Refused),
        (422, Refused, Refused),
        (423, Refused, Refused),
        (429, Retryable, Retryable),
        (500, Uncertain, Retryable),
        (502, Uncertain, Retryable),
        (503, Uncertain, Retryable),
        (599, Uncertain, Retryable),
        (103, Uncertain, Retryable),
    ],
)
def test_each_status_has_a_verdict(status: int, order: type, question: type) -> None:
    for request, kind in ((POST, order), (GET, question)):
        error = judged(request, Response(status=status, headers=(JSON,), body=b'{"error":"X"}'))
        assert type(error) is kind
        assert error.status == status
        if status in {401, 402, 403, 301, 302}:
            assert isinstance(error, Retryable)
            assert error.after == 60


@pytest.mark.parametrize(
    "response",
    [
        Response(status=200, headers=(("Content-Type", "text/html"),), body=b"<html>"),
        Response(status=200, body=b"{}"),
        Response(status=200, headers=(JSON,), body=b"[]"),
        Response(status=200, headers=(JSON,), body=b"{"),
        Response(status=200, headers=(JSON,), body=b"\xff\xff"),
        Response(status=200, headers=(JSON,), body=b"[" * 50_000),
        Response(status=200, headers=(JSON,), body=b'{"x":' + b"9" * 5000 + b"}"),
    ],
)
def test_a_success_that_is_no_json_object_proves_nothing(response: Response) -> None:
    assert isinstance(judged(POST, response), Uncertain)
    assert isinstance(judged(GET, response), Retryable)


def test_a_success_is_read() -> None:
    body = json.dumps({"a": ["x\0y", {"k\0": 1}, 9007199254740993, None]}).encode()
    for kind in ("application/json", "application/vnd.api+json; charset=utf-8", "APPLICATION/JSON"):
        response = Response(status=201, headers=(("content-type", kind),), body=body)
        found = verdicts.read(POST, response, credential="the key")
        assert found == {"a": ["x\ufffdy", {"k\ufffd": 1}, 9007199254740993, None]}
    assert verdicts.read(POST, Response(status=204), credential="the key") == {}


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("0", 1),
        ("99999999999999999999", 900),
        ("Thu, 15 Jan 2026 09:30:20 GMT", 20),
        ("Thu, 15 Jan 2026 09:00:00 GMT", 1),
        ("Thu, 15 Jan 2099 09:00:00 GMT", 900),
        ("Thu, 15 Jan 2026 09:30:20 -0000", 20),
        ("-5", 30),
        ("soon", 30),
        ("1.5", 30),
        ("٧", 30),
        ("Thu, 99 Jan 2026 09:30:20 GMT", 30),
        ("", 30),
        (None, 30),
    ],
)
def test_how_long_to_wait_is_read_within_reason(given: str | None, seconds: float) -> None:
    headers = (NOW, ("Retry-After", given)) if given is not None else ()
    error = judged(POST, Response(status=429, headers=headers, body=b"slow down"))
    assert isinstance(error, Retryable)
    assert error.after == seconds


def test_a_date_to_wait_for_is_held_against_the_senders_own_clock() -> None:
    until = ("Retry-After", "Thu, 15 Jan 2026 09:32:00 GMT")
    for date, seconds in (("Thu, 15 Jan 2026 09:31:30 GMT", 30), ("Thu, 15 Jan 2026 09:31:15 GMT", 45), ("noon", 30)):
        error = judged(POST, Response(status=429, headers=(until, ("Date", date))))
        assert isinstance(error, Retryable)
        assert error.after == seconds


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"X-Rate-Limit": "700", "X-Rate-Limit-Remaining": "212"}, Crowded),  # one ticket takes 30 updates
        ({"ratelimit-remaining": "1"}, Crowded),
        ({"X-Rate-Limit-Remaining": "0"}, Retryable),
        ({"X-Rate-Limit-Remaining": "some"}, Retryable),
        ({}, Retryable),
    ],
)
def test_a_limit_of_one_thing_is_told_from_that_of_the_account(headers: dict[str, str], kind: type) -> None:
    error = judged(POST, Response(status=429, headers=(("Retry-After", "540"), *headers.items())))
    assert type(error) is kind
    assert isinstance(error, Retryable)
    assert error.after == 540


def test_a_busy_server_may_say_when_to_ask_again() -> None:
    error = judged(GET, Response(status=503, headers=(("Retry-After", "12"),)))
    assert isinstance(error, Retryable)
    assert error.after == 12
    plain = judged(GET, Response(status=503))
    assert isinstance(plain, Retryable)
    assert plain.after is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "Couldn't authenticate you"}, "Couldn't authenticate you"),
        ({"error": "invalid_token", "error_description": "It ended"}, "invalid_token: It ended"),
        ({"error": {"title": "Forbidden", "message": "No plan"}}, "Forbidden: No plan"),
        (
            {
                "error": "RecordInvalid",
                "description": "Record validation errors",
                "details": {"requester": [{"description": "Jo is suspended."}, "x"], "base": []},
            },
            "RecordInvalid: Record validation errors: Jo is suspended.",
        ),
        ({"errors": [{"code": "locked", "title": "Full"}, "x", {"code": "b"}]}, "locked: Full: b"),
        ({"errors": "x", "details": [], "error": 5}, ""),
        ([], ""),
        ({"error": "x" * 900}, "x" * 200),
    ],
)
def test_the_reason_is_given_in_their_words(body: object, said: str) -> None:
    assert verdicts.sentence(Response(status=400, body=json.dumps(body).encode())) == said


def test_a_refusal_says_whose_credential_and_keeps_the_answer() -> None:
    error = judged(POST, Response(status=401, body=b'{"error":"no","token":"abc"}'))
    assert error.detail == "the key is not accepted (401: no)"
    assert error.answer == '{"error":"no","token":"•••"}'
    assert judged(POST, Response(status=404, body=b"gone")).detail == "404: no reason given"
    assert verdicts.has_error(Refused("x", answer='{"error":"Y"}'), "Y")
    assert not verdicts.has_error(Refused("x", answer='{"error":"YZ"}'), "Y")
