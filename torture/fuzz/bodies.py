"""A million bodies for the webhook, in this process: each is read or refused, and nothing ever breaks.

Every body goes through the parser and the reader; every fiftieth goes through the whole application too, with good
credentials and a database behind it. Whatever strict reading accepts, the lenient one reads alike.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from tests.web.counter import HOOK, ORGANISATION, counter
from tests.web.counter import Counter as Front

from escalade.channels import strict_json
from escalade.channels.zendesk import webhook
from escalade.domain.errors import Invalid, Malformed
from escalade.web.hooks import NUMBER_DIGITS
from torture.fuzz.grammar import Bodies
from torture.part import Outcome

EACH = 10_000  # bodies of a unit
WHOLE_WAY = 50  # every so manieth body goes through the application
ANSWERS = {200, 400, 401, 413, 415, 422}  # what a body may be answered, and nothing else
GOOD = (("authorization", "Bearer wt_1"), ("fv-organisation-id", ORGANISATION), ("content-type", "application/json"))
MUST_MEET = (
    *("read.MessageAdded", "read.StatusChanged", "read.AssignmentChanged", "read.CommentAdded"),
    *("read.ConversationClosed", "read.NotRendered", "read.Other", "refused.invalid-json", "refused.required"),
    *("refused.pattern", "refused.type", "tolerated", "answered.200", "answered.400", "answered.422"),
)  # fmt: skip


def read(body: bytes, counts: Counter[str]) -> str | None:
    """Read a body as the webhook does; give what is wrong with how that went."""
    try:
        document, tolerated = strict_json.parse_lenient(body, digits=NUMBER_DIGITS)
    except Malformed as error:
        counts[f"refused.{error.code}"] += 1
        return _strict_too(body)
    counts["tolerated"] += tolerated
    wrong = None if tolerated else _differs(body, document)
    try:
        inbound = webhook.read_webhook(document)
    except Invalid as error:
        counts[f"refused.{error.code}"] += 1
        return wrong
    counts[f"read.{type(inbound).__name__}"] += 1
    msgspec.json.encode(webhook.arrival(inbound, delivery="call:1")).decode()  # it can be kept
    return wrong


def _strict_too(body: bytes) -> str | None:
    try:
        strict_json.parse(body, digits=NUMBER_DIGITS)
    except Malformed:
        return None
    return "lenient reading refuses what strict reading accepts"


def _differs(body: bytes, document: object) -> str | None:
    """Compare with strict reading, and with a reader that is not ours."""
    if repr(strict_json.parse(body, digits=NUMBER_DIGITS)) != repr(document):
        return "strict and lenient reading differ"
    if repr(json.loads(body.decode("utf-8-sig"))) != repr(document):
        return "our reading differs from the standard library's"
    return None


def run_bodies(seed: int, count: int) -> tuple[Counter[str], list[str]]:
    """Read so many bodies from a seed; give what was met and what went wrong."""
    counts: Counter[str] = Counter()
    violations: list[str] = []
    made, whole_way = Bodies(seed), []
    for number in range(count):
        body = made.body()
        counts["bodies"] += 1
        try:
            wrong = read(body, counts)
        except Exception:
            wrong = traceback.format_exc(limit=-3)
        if wrong is not None:
            violations.append(f"{wrong}: {body[:500]!r}")
        if number % WHOLE_WAY == 0:
            whole_way.append(body)
    violations += asyncio.run(_through_the_application(whole_way, counts))
    return counts, violations


async def _through_the_application(bodies: list[bytes], counts: Counter[str]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        async with counter(Path(folder)) as front:
            await front.handed_over(ticket="7")
            return [wrong for body in bodies if (wrong := await _asked(front, body, counts)) is not None]


async def _asked(front: Front, body: bytes, counts: Counter[str]) -> str | None:
    answer: Any = await front.send("POST", HOOK, [*GOOD, ("content-length", str(len(body)))], body)
    counts[f"answered.{answer.status}"] += 1
    if answer.status not in ANSWERS:
        return f"answered {answer.status} {answer.body[:200]!r}: {body[:500]!r}"
    if answer.status != 200:
        _ = answer.problem  # has the shape every problem has
    return None


@dataclass(frozen=True, slots=True)
class BodiesPart:
    """The part of the proof."""

    name: str = "bodies"
    promise: str = "any bytes as a webhook's body are read or refused, and nothing breaks"
    workers: int = 2
    units: int | None = None

    @property
    def aims(self) -> Mapping[str, int]:
        """Say how many bodies the whole proof sends."""
        return {"bodies": 1_000_000}

    def run(self, unit: int) -> Outcome:
        """Send a unit's bodies."""
        counts, violations = run_bodies(unit, EACH)
        return Outcome(unit=unit, counts=counts, violations=tuple(violations[:20]))

    def missing(self, counts: Mapping[str, int]) -> list[str]:
        """Say which outcomes no body has had."""
        return [f"never {name}" for name in MUST_MEET if not counts.get(name)]


PART = BodiesPart()
