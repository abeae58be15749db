"""The faults there are, and which of them a seed turns on.

A swarm: each seed has a few faults, hot, and not all of them lukewarm, so that faults meet in every combination.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """What can go wrong."""

    # the process
    CRASH = "crash"  # at an edge of database or network, before or after
    RESTARTS_SLOWLY = "restarts_slowly"
    PROCESS_DOWN = "process_down"  # it is not there at all
    PROCESS_STOPS = "process_stops"  # it stands still, and goes on as if nothing had happened
    LOCKS_LOST = "locks_lost"  # of one process among several: what it owned is anybody's
    CLOCK_STEPS = "clock_steps"
    CLOCK_FREEZES = "clock_freezes"
    CLOCK_DRIFTS = "clock_drifts"
    # the database
    DB_SLOW = "db_slow"
    DB_REFUSES = "db_refuses"  # rolled back, and said so
    DB_ANSWER_LOST = "db_answer_lost"  # durable, and said to have failed
    DB_DOWN = "db_down"
    # towards the desk
    SLOW = "slow"
    CONNECT_REFUSED = "connect_refused"
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    ZOMBIE = "zombie"
    LATE_ZOMBIE = "late_zombie"  # breaks A1, on in no ordinary seed
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    HALF_JSON = "half_json"
    BUSY = "busy"
    BUSY_STORM = "busy_storm"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    KEY_REVOKED = "key_revoked"
    REFUSED = "refused"
    NONSENSE = "nonsense"  # done, and the answer is not what it should be
    SIGN_IN_PAGE = "sign_in_page"  # a page instead of an answer, and nothing done
    REDIRECT = "redirect"
    MASKED = "masked"  # whatever is asked, something else is answered; what is to be done is done
    LISTS_LAG = "lists_lag"  # what was posted a moment ago is not in the list yet
    LISTS_STALE = "lists_stale"  # and long after it is not; breaks A2, on in no ordinary seed
    DESK_DOWN = "desk_down"  # nobody listens
    SUPPORT_DOWN = "support_down"  # nobody but Sunshine
    SUNSHINE_DOWN = "sunshine_down"  # nobody but Support
    FILES_DOWN = "files_down"  # whoever keeps the files of agents, who send some
    # the operator
    SETTINGS_CHANGE = "settings_change"  # live or tickets, a wrong address and back, another token
    KEY_ROTATION = "key_rotation"  # another key for the desk, while messages are under way
    # from the desk
    WEBHOOK_DUPLICATED = "webhook_duplicated"
    WEBHOOK_LOST = "webhook_lost"
    WEBHOOKS_DOWN = "webhooks_down"
    WEBHOOK_DELAYED = "webhook_delayed"  # and so out of order
    WEBHOOK_ANSWER_LOST = "webhook_answer_lost"  # taken, and sent again
    WEBHOOK_FOREIGN = "webhook_foreign"
    # the browser
    SUBMIT_LOST = "submit_lost"
    SUBMIT_ANSWER_LOST = "submit_answer_lost"
    SUBMIT_SLOW = "submit_slow"
    TAB_DIES = "tab_dies"
    STREAM_CUT = "stream_cut"
    CURSOR_WRONG = "cursor_wrong"


# Once in how many chances a fault acts when it is on: on one operation of its kind, lukewarm and hot.
_RATES: Mapping[Fault, tuple[float, float]] = {
    Fault.CRASH: (0.004, 0.02),
    Fault.RESTARTS_SLOWLY: (0.3, 0.8),
    Fault.DB_SLOW: (0.05, 0.3),
    Fault.DB_REFUSES: (0.01, 0.08),
    Fault.DB_ANSWER_LOST: (0.01, 0.08),
    Fault.SLOW: (0.1, 0.5),
    Fault.CURSOR_WRONG: (0.2, 0.6),
    Fault.WEBHOOK_FOREIGN: (0.05, 0.3),
    Fault.STREAM_CUT: (0.1, 0.4),
    Fault.TAB_DIES: (0.05, 0.25),
    Fault.REFUSED: (0.08, 0.3),
    Fault.LISTS_LAG: (0.1, 0.5),
}
_ORDINARY_RATE = (0.04, 0.25)
# What a fault has to come with: what never dies does not restart, and refusals alone leave nothing in doubt.
_COMPANIONS: Mapping[Fault, Fault] = {Fault.RESTARTS_SLOWLY: Fault.CRASH, Fault.REFUSED: Fault.TIMEOUT_AFTER}

# Faults that last for a while instead of striking one operation: seconds, least and most.
SPELLS: Mapping[Fault, tuple[float, float]] = {
    Fault.DB_DOWN: (2.0, 40.0),
    Fault.BUSY_STORM: (5.0, 90.0),
    Fault.MASKED: (5.0, 120.0),
    Fault.KEY_REVOKED: (5.0, 90.0),
    Fault.DESK_DOWN: (5.0, 120.0),
    Fault.SUPPORT_DOWN: (5.0, 120.0),
    Fault.SUNSHINE_DOWN: (5.0, 120.0),
    Fault.FILES_DOWN: (5.0, 120.0),
    Fault.PROCESS_DOWN: (5.0, 120.0),
    Fault.WEBHOOKS_DOWN: (5.0, 120.0),
    Fault.CLOCK_FREEZES: (2.0, 60.0),
}
# What befalls the product itself, or people's browsers, and so every company.
EVERYBODYS = frozenset(
    fault for fault in Fault if fault.startswith(("crash", "restarts", "process", "locks", "clock", "db", "submit"))
) | {Fault.TAB_DIES, Fault.STREAM_CUT, Fault.CURSOR_WRONG}
CLOCKS = frozenset({Fault.CLOCK_STEPS, Fault.CLOCK_FREEZES, Fault.CLOCK_DRIFTS})
BROKEN_PROMISES = frozenset({Fault.LATE_ZOMBIE, Fault.LISTS_STALE})  # of the desk, on which ours rest
OFF = BROKEN_PROMISES
LONG_OUTAGE_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What one seed is like."""

    rates: Mapping[Fault, float] = field(default_factory=dict)  # the faults that are on, and how often they act
    live: bool = True  # whether the company has live chat
    customers: int = 2
    neighbour: bool = False  # whether a second company, with a desk of its own, talks beside the first
    spared: bool = False  # whether the second company has no trouble at all, and is to feel none of the first's
    hesitant: bool = False  # whether customers write, press for a ticket, and would rather chat, all at once
    workers: int = 1  # processes of the product on the one database
    chaos_s: float = 60.0
    quiet_s: float = 0.0  # how long all goes well at first, so that people are talking when it breaks
    long_outage: bool = False  # one spell of ten minutes
    unsure_wait_s: float = 60.0

    def rate(self, fault: Fault) -> float:
        """Say how often a fault acts; nought if it is off."""
        return self.rates.get(fault, 0.0)

    def without(self, fault: Fault) -> Profile:
        """Give the same profile with one fault less."""
        return replace(self, rates={known: rate for known, rate in self.rates.items() if known is not fault})

    def with_one_spared(self) -> Profile:
        """Give the same profile where all that breaks is the first company's, and a second one is beside it."""
        own = {fault: rate for fault, rate in self.rates.items() if fault not in EVERYBODYS}
        return replace(self, rates=own, neighbour=True, spared=True)


def draw(seed: int, *, always: frozenset[Fault] = frozenset(), never: frozenset[Fault] = OFF, **like: Any) -> Profile:
    """Draw the profile of a seed; what is given as `like` is not left to it."""
    dice = random.Random(f"profile {seed}")
    heat = dice.choice((0.05, 0.1, 0.1, 0.2, 0.2, 0.4))  # the share of all faults that is on
    rates: dict[Fault, float] = {}
    for fault in Fault:
        own = random.Random(f"profile {seed} {fault.value}")  # one fault more leaves the others as they were
        on, hot = own.random() < heat, own.random() < 0.4
        cool, warm = _RATES.get(fault, _ORDINARY_RATE)
        if (on or fault in always) and fault not in never:
            rates[fault] = warm if hot else cool
    for fault, companion in _COMPANIONS.items():
        if fault in rates and companion not in rates and companion not in never:
            rates[companion] = _RATES.get(companion, _ORDINARY_RATE)[0]
    drawn = Profile(
        rates=rates,
        live=dice.random() < 0.75,
        customers=dice.choice((1, 2, 2)),
        chaos_s=dice.choice((20.0, 40.0, 40.0, 70.0, 120.0)),
        quiet_s=dice.choice((0.0, 6.0, 12.0)),
        long_outage=dice.random() < 0.03 and bool(set(rates) & set(SPELLS)),
        neighbour=dice.random() < 0.2,
        hesitant=dice.random() < 0.1,
        workers=dice.choice((1, 1, 1, 2)),
    )
    drawn = replace(drawn, spared=drawn.neighbour and dice.random() < 0.3)
    profile = replace(drawn, **like)
    return profile.with_one_spared() if profile.spared else profile
