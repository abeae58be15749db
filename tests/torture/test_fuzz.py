"""A small share of the fuzz, from fixed seeds."""

from __future__ import annotations

import pytest
from torture.fuzz import bodies, schema
from torture.fuzz.grammar import Bodies


@pytest.mark.parametrize("seed", range(2))
def test_any_bytes_as_a_webhooks_body_are_read_or_refused(seed: int) -> None:
    counts, violations = bodies.run_bodies(seed, 10_000)
    assert violations == []
    assert counts["bodies"] == 10_000
    assert bodies.PART.missing(counts) == []


def test_a_seeds_bodies_are_its_own_whatever_was_made_before() -> None:
    def bodies_of(seed: int) -> list[bytes]:
        made = Bodies(seed)
        return [made.body() for _ in range(2_000)]

    alone = bodies_of(5)
    for seed in range(6, 16):
        bodies_of(seed)
    assert bodies_of(5) == alone


@pytest.mark.processes
def test_the_developer_api_is_as_its_description_says() -> None:
    counts, violations = schema.ask(seed=1, examples=3, phases=(*schema.BORDERS, *schema.DICE))
    assert violations == []
    assert counts["operations"] > 20
    assert counts["cases"] > 600


def test_a_proof_that_never_came_through_to_an_operation_says_so() -> None:
    met = {"cases": 9, "reached.GET /settings": 0, "reached.POST /conversations": 3}
    assert schema.PART.missing(met) == ["never reached GET /settings"]
