"""How long to wait before trying again: twice as long each time, up to a limit."""

from __future__ import annotations

MOST_DOUBLINGS = 30  # what is tried for days is tried thousands of times, and has no power of two any more


def doubling(first: float, times: int, longest: float) -> float:
    """Give the wait in seconds after so many failures that came before: `first`, doubled for each of them."""
    return min(longest, first * 2.0 ** min(times, MOST_DOUBLINGS))
