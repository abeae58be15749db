"""The clock that everything waits by cannot be set."""

from __future__ import annotations

import time

import pytest

from escalade.services import ports
from escalade.services.ports import Ports, steady


def test_only_elapsed_time_moves_it() -> None:
    elapsed = 0
    now = steady(1_000, lambda: elapsed)
    assert now() == 1_000
    elapsed = 2_500_000
    assert now() == 1_002


def test_it_starts_at_the_wall_and_does_not_follow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ports._wall_clock()
    made = Ports()
    assert abs(made.now() - made.wall()) < 60_000
    for hours in (-24, 24):
        monkeypatch.setattr(time, "time_ns", lambda by=hours: (before + by * 3600_000) * 1_000_000)
        assert abs(made.now() - before) < 60_000
