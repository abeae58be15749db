"""A small share of the fuzz, from fixed seeds."""

from __future__ import annotations

import pytest
from torture.fuzz import bodies, schema


@pytest.mark.parametrize("seed", range(2))
def test_any_bytes_as_a_webhooks_body_are_read_or_refused(seed: int) -> None:
    counts, violations = bodies.run_bodies(seed, 10_000)
    assert violations == []
    assert counts["bodies"] == 10_000
    assert bodies.PART.missing(counts) == []


@pytest.mark.processes
def test_the_developer_api_is_as_its_description_says() -> None:
    counts, violations = schema.ask(seed=1, examples=3)
    assert violations == []
    assert counts["operations"] > 15
    assert counts["cases"] > 300
