"""A live handoff's ticket is sought soon, then every minute, then seldom, and no more once it is forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from escalade.channels.base import Account, ZendeskAccount
from escalade.domain.errors import DeliveryError, Retryable
from escalade.domain.model import Handoff, HandoffId, HandoffState, Mode, Reason, TicketId
from escalade.domain.organisation import AuthType
from escalade.services.numbers import Numbers
from tests.backstage import NOON, ORGANISATION, TICKETS, Backstage

HANDOFF = Handoff(
    id=HandoffId("h-1"),
    mode=Mode.LIVE,
    state=HandoffState.QUEUED,
    reason=Reason.API,
    asked_at=NOON,
    queued_at=NOON,
)
ACCOUNT = Account(
    organisation=ORGANISATION,
    settings=TICKETS,
    zendesk=ZendeskAccount(base_url="https://acme.zendesk.example", auth=AuthType.CLIENT_CREDENTIALS),
)


class Directory:
    """Whoever can find a ticket, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.found: str | None = None
        self.error: DeliveryError | None = None

    async def ticket_of(self, account: Account, conversation: str, since: int) -> str | None:
        self.asked += 1
        assert since == NOON
        if self.error is not None:
            raise self.error
        return self.found


async def seek(stage: Backstage, numbers: Numbers, handoff: Handoff = HANDOFF, seconds: int = 1) -> str | None:
    """Look every five seconds for a while, as reconcile does."""
    found = None
    for _ in range(0, seconds, 5):
        found = await numbers.seek(ACCOUNT, handoff, "talk") or found
        stage.clock.passes(5)
    return found


@pytest.mark.parametrize("error", [None, Retryable("out of reach")])
async def test_it_is_asked_every_minute_at_first_and_seldom_later(stage: Backstage, error: DeliveryError) -> None:
    directory = Directory()
    directory.error = error
    numbers = Numbers(stage.ports, directory, stage.doors)
    await seek(stage, numbers, seconds=600)
    assert directory.asked == 10
    await seek(stage, numbers, seconds=3600)
    assert directory.asked <= 17
    directory.found, directory.error = "4711", None
    assert await seek(stage, numbers, seconds=1200) == "4711"


@pytest.mark.parametrize(
    "handoff",
    [
        replace(HANDOFF, ticket_id=TicketId("4711")),
        replace(HANDOFF, mode=Mode.TICKET),
        replace(HANDOFF, queued_at=None),
        replace(HANDOFF, queued_at=NOON + 3_600_000),
    ],
    ids=["known", "a ticket from the start", "not in the queue", "only just in the queue"],
)
async def test_it_is_not_asked_where_there_is_nothing_to_find(stage: Backstage, handoff: Handoff) -> None:
    directory = Directory()
    await seek(stage, Numbers(stage.ports, directory, stage.doors), handoff, seconds=600)
    assert directory.asked == 0


async def test_what_is_forgotten_takes_no_room_and_is_asked_anew(stage: Backstage) -> None:
    directory = Directory()
    numbers = Numbers(stage.ports, directory, stage.doors)
    stage.clock.passes(5)
    await numbers.seek(ACCOUNT, HANDOFF, "talk")
    await numbers.seek(ACCOUNT, HANDOFF, "talk")
    numbers.forget({HANDOFF.id})
    await numbers.seek(ACCOUNT, HANDOFF, "talk")
    assert directory.asked == 1
    numbers.forget(())
    await numbers.seek(ACCOUNT, HANDOFF, "talk")
    assert directory.asked == 2
