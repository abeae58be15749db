"""The demo says what keeps it from starting, before it touches anything."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from escalade.demo.run import run
from escalade.domain.errors import ConfigError


@pytest.mark.parametrize("beyond", [0, 1, 2])
def test_a_port_that_is_taken_is_named_and_nothing_is_forgotten(
    beyond: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = tmp_path / ".demo" / "keys.json"
    kept.parent.mkdir()
    kept.write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(ConfigError, match=r"port \d+ is taken; .*--port"):  # the one beside it may be taken, too
            run(taken - beyond, fresh=True, browser=False)
    assert kept.read_text() == "{}"
