"""Ten minutes of nothing, from anybody: what waited is through 95 seconds after the end, and no operator was needed.

The product and the fake Zendesk on virtual time. 95 seconds are the wait for a late arrival (60), the longest pause of
ours (30), and the work itself.
"""

from __future__ import annotations

import pytest
from torture.simulator.profile import Fault, Profile
from torture.simulator.schedules import verdict_of
from torture.simulator.world import simulate

BOUND_S = 95.0
OUTAGES = {
    Fault.DESK_DOWN: "Zendesk is out of reach",
    Fault.DB_DOWN: "our database is out of reach",
    Fault.WEBHOOKS_DOWN: "no webhook comes",
    Fault.KEY_REVOKED: "our credential is not accepted",
    Fault.BUSY_STORM: "we are asked to slow down, again and again",
}


@pytest.mark.parametrize("live", [True, False], ids=["live", "ticket"])
@pytest.mark.parametrize("outage", OUTAGES, ids=lambda fault: fault.value)
def test_after_ten_minutes_of(outage: Fault, live: bool) -> None:
    profile = Profile(rates={outage: 1.0}, live=live, customers=2, chaos_s=60.0, long_outage=True)
    told = simulate(7, profile)
    assert told.seconds > 600
    assert told.met[f"met.{outage.value}.out.pending"] + told.met[f"met.{outage.value}.in.settled"] > 0
    assert verdict_of(told) == ()
    assert told.drained_after_s is not None
    assert told.drained_after_s <= BOUND_S
