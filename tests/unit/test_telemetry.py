"""A line of the log is a line: nothing from outside adds another, paints the terminal, or shows a credential (O01)."""

from __future__ import annotations

import json
from typing import Any

import pytest
import structlog

from escalade import telemetry


def logged(capsys: pytest.CaptureFixture[str], log_format: str, **values: Any) -> str:
    telemetry.set_up(log_format, "info")
    try:
        structlog.get_logger().warning("something", **values)
    finally:
        structlog.reset_defaults()
    return capsys.readouterr().err


HOSTILE = "first\n2026-01-01 [critical] forged \x1b[31mred\x1b[0m \r\x08\x00 \u202egpj.exe \u2028 \ud800"


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_control_characters_are_spelled_out(capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    written = logged(capsys, log_format, why=HOSTILE)
    assert written.count("\n") == 1
    assert written.endswith("\n")
    line = written[:-1]
    assert line.isprintable()
    assert "forged" in line
    line.encode("utf-8")


def test_what_is_long_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    line = json.loads(logged(capsys, "json", why="x" * 1_000_000))
    assert len(line["why"]) < 2_100
    assert "998000 more characters" in line["why"]


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer s3cr3t-s3cr3t", "basic czNjcjN0LXMzY3IzdA==", "ek_s3cr3t-s3cr3t", "wt_s3cr3t_s3cr3t",
        "GET /console/sign-in?token=s3cr3t-s3cr3t&a=1", '{"client_secret": "s3cr3t-s3cr3t"}', "password=s3cr3t-s3cr3t",
        "{'api_key': 's3cr3t-s3cr3t'}", "BEARER s3cr3t-s3cr3t",
    ],
)  # fmt: skip
def test_what_looks_like_a_credential_is_covered(capsys: pytest.CaptureFixture[str], text: str) -> None:
    written = logged(capsys, "json", why=text)
    assert "s3cr3t" not in written
    assert "czNj" not in written
    assert "•••" in json.loads(written)["why"]


def test_a_traceback_keeps_its_lines_and_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.set_up("json", "info")
    try:
        raise ValueError("x" * 50_000 + " ek_s3cr3t-s3cr3t \x1b[31m the end")
    except ValueError:
        structlog.get_logger().exception("broke")
    finally:
        structlog.reset_defaults()
    line = json.loads(capsys.readouterr().err)
    assert len(line["exception"]) < 20_200
    assert line["exception"].endswith("ek_••• \\x1b[31m the end")


def test_numbers_and_flags_stay_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    line = json.loads(logged(capsys, "json", n=7, share=0.5, on=True, none=None))
    assert (line["n"], line["share"], line["on"], line["none"]) == (7, 0.5, True, None)
