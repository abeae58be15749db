"""Ten minutes of nothing, from anybody: what waited is through 95 seconds after the end, and no operator was needed.

The product and the fake Zendesk on virtual time. 95 seconds are the wait for a late arrival (60), the longest pause of
ours (30), and the work itself.
"""

from __future__ import annotations

import pytest
from torture.simulator.profile import Fault, Profile
from torture.simulator.schedules import verdict_of
from torture.simulator.world import Told, simulate

BOUND_S = 95.0
OUTAGES = {
    Fault.DESK_DOWN: "Zendesk is out of reach",
    Fault.SUPPORT_DOWN: "Zendesk Support is out of reach, and Sunshine is there",
    Fault.SUNSHINE_DOWN: "Sunshine is out of reach, and Zendesk Support is there",
    Fault.FILES_DOWN: "the files that agents send cannot be fetched",
    Fault.PROCESS_DOWN: "we are not there ourselves",
    Fault.DB_DOWN: "our database is out of reach",
    Fault.WEBHOOKS_DOWN: "no webhook comes",
    Fault.KEY_REVOKED: "our credential is not accepted",
    Fault.BUSY_STORM: "we are asked to slow down, again and again",
}


# Who has no live chat never asks Sunshine anything.
CASES = [(outage, live) for outage in OUTAGES for live in (True, False) if live or outage is not Fault.SUNSHINE_DOWN]


@pytest.mark.parametrize(
    ("outage", "live"), CASES, ids=[f"{outage.value}-{'live' if live else 'ticket'}" for outage, live in CASES]
)
def test_after_ten_minutes_of(outage: Fault, live: bool) -> None:
    profile = Profile(rates={outage: 1.0}, live=live, customers=2, chaos_s=60.0, long_outage=True)
    told = next((told for seed in range(7, 17) if _was_felt(told := simulate(seed, profile), outage)), None)
    assert told is not None
    assert told.seconds > 600
    assert verdict_of(told) == ()
    assert set(told.files) == ({"kept"} if outage is Fault.FILES_DOWN else set())
    assert told.drained_after_s is not None
    assert told.drained_after_s <= BOUND_S


def _was_felt(told: Told, outage: Fault) -> bool:
    """Say whether the outage kept anything from anybody: in a few seeds nobody wants anything of whoever is out."""
    return told.met[f"met.{outage.value}.out.pending"] + told.met[f"met.{outage.value}.in.settled"] > 0
