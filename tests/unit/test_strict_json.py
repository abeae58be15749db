"""The strict profile, case by case (W01–W18), and properties that hold for any document."""

from __future__ import annotations

import json
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalade.channels import strict_json
from escalade.domain.errors import Malformed

DOCUMENTED = b'{ "ticket_id": "12345", "type": "fv:conversation_closed", }'

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**19), 10**19) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(alphabet=st.sampled_from('ab",}]\\: é'), max_size=5), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def test_the_documented_trigger_body_is_read_and_the_comma_reported() -> None:
    assert strict_json.parse_lenient(DOCUMENTED) == (
        {"ticket_id": "12345", "type": "fv:conversation_closed"},
        True,
    )
    with pytest.raises(Malformed):
        strict_json.parse(DOCUMENTED)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"ticket_id": 12345}', {"ticket_id": 12345}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"id": 9007199254740993}', {"id": 9007199254740993}),
        (b'{"id": -99999999999999999999}', {"id": -99999999999999999999}),
        (b"[]", []),
        (b'"x"', "x"),
        (b"1", 1),
        (b"null", None),
        (b" \n true ", True),
        ('{"a":"\\ud83d\\ude00\\\\u0000 é"}'.encode(), {"a": "😀\\u0000 é"}),
        (b'{"a":"{{[[' + b"[" * 100 + b'"}', {"a": "{{[[" + "[" * 100}),
        (json.dumps({"a": ":" * 2000}).encode(), {"a": ":" * 2000}),
    ],
)
def test_valid_documents_are_read(body: bytes, value: object) -> None:
    assert strict_json.parse(body) == value
    assert strict_json.parse_lenient(body) == (value, False)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"[1,]", [1]),
        (b'[["a",],]', [["a"]]),
        (b'{"a":{"b":null , \n} ,\t}', {"a": {"b": None}}),
        (b'{"a":true,}', {"a": True}),
        (b'{"s":",}",}', {"s": ",}"}),
        (b'{"s":"\\",]",}', {"s": '",]'}),
        (b"[[],]", [[]]),
    ],
)
def test_a_trailing_comma_after_a_value_is_tolerated(body: bytes, value: object) -> None:
    assert strict_json.parse_lenient(body) == (value, True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"{",
        b'{"a"',
        b"nul",
        b"{'a':1}",
        b"{a:1}",
        b"//c\n{}",
        b'{"a":1}x',
        b"[,]",
        b"{,}",
        b"[1,,]",
        b'{"a":1,,}',
        b'{"a":,}',
        b'{"a",}',
        b",}",
        b'{"type":NaN}',
        b'{"x":1e999}',
        b'{"x":-Infinity}',
        b'{"type":"a","type":"fv:conversation_closed"}',
        b'{"type":"a","\\u0074ype":"b"}',
        b"[" * 100_000,
        b'{"a":' * 33 + b"1" + b"}" * 33,
        b'{"x":' + b"9" * 5000 + b"}",
        b'{"x":' + b"9" * 21 + b"}",
        b'{"x":"\\ud800"}',
        b'{"\\ud800":1}',
        b'["a\\u0000b"]',
        b'"a\x00b"',
        b'"a\x01b"',
        b"\xff\xfe",
        '{"a":1}'.encode("utf-16"),
        '{"a":"é"}'.encode("latin-1"),
        b"01",
        b"1.",
        b"+1",
        json.dumps({str(n): n for n in range(1001)}).encode(),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_everything_else_is_refused_without_a_crash(body: bytes) -> None:
    for read in (strict_json.parse, strict_json.parse_lenient):
        with pytest.raises(Malformed) as refused:
            read(body)
        assert refused.value.code == "invalid-json"
        assert len(refused.value.detail) < 100


def test_limits_belong_to_the_caller() -> None:
    with pytest.raises(Malformed) as refused:
        strict_json.parse(b"[" + b" " * 100 + b"]", size=50)
    assert refused.value.code == "too-large"
    assert strict_json.parse(b'{"x":' + b"9" * 30 + b"}", digits=30) == {"x": int("9" * 30)}
    assert strict_json.parse(b"[" * 40 + b"]" * 40, depth=40)


def test_a_hostile_megabyte_is_refused_quickly() -> None:
    for body in (b"[,]" * 340_000, b"[1,]" * 260_000, b'"' * 1_000_001, b"\\" * 1_000_000, b"[ " * 500_000):
        with pytest.raises(Malformed):
            strict_json.parse_lenient(body)


@given(VALUES, st.sampled_from([None, 1, 3]))
def test_lenient_is_strict_on_valid_documents(value: object, indent: int | None) -> None:
    body = json.dumps(value, indent=indent).encode()
    assert strict_json.parse_lenient(body) == (value, False)
    assert strict_json.parse(body) == value
    assert strict_json.parse(json.dumps(value, ensure_ascii=False).encode()) == value


@given(VALUES)
def test_repairing_a_valid_document_changes_nothing(value: object) -> None:
    text = json.dumps(value)
    assert strict_json.without_trailing_commas(text) == text


@given(st.text(alphabet='{}[],:"\\ 1a', max_size=30))
def test_any_bytes_are_read_or_refused(text: str) -> None:
    try:
        value, tolerated = strict_json.parse_lenient(text.encode())
    except Malformed:
        return
    assert value == json.loads(strict_json.without_trailing_commas(text) if tolerated else text)


def test_it_is_fast_enough_for_the_webhook_route(capsys: pytest.CaptureFixture[str]) -> None:
    detail = {f"field_{n}": "58789189659033" for n in range(25)}
    body = json.dumps({"type": "zen:event-type:ticket.status_changed", "detail": detail}, indent=3).encode()
    seconds = min(timeit.repeat(lambda: strict_json.parse_lenient(body), number=200, repeat=5)) / 200
    per_kilobyte = seconds * 1e6 / (len(body) / 1024)
    with capsys.disabled():
        print(f"\nstrict_json: {per_kilobyte:.1f} µs per 1 KB")
    assert per_kilobyte < 500
