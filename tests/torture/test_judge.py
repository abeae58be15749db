"""The judge acquits what is right, convicts what is wrong for the right reason, and can show why."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from torture.history import malformed
from torture.judge import judge

from tests.torture.right import right


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(0, 120))
def test_a_correct_run_is_acquitted(seed: int, talks: int, steps: int) -> None:
    facts = right(seed, talks=talks, steps=steps)
    assert [malformed(fact) for fact in facts if malformed(fact)] == []
    verdict = judge(facts)
    assert verdict.holds, str(verdict)
