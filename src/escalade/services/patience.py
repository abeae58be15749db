"""How long the courier waits: before it looks again, before it tries again, and before a customer has waited enough."""

from __future__ import annotations

from escalade.channels.base import ChannelName
from escalade.domain.effects import LaneName, LiveStep, ReleaseControl
from escalade.domain.errors import DeliveryError
from escalade.services.backoff import doubling
from escalade.services.doors import MOST_TOLD_S
from escalade.services.errand import Errand
from escalade.services.ports import Ports
from escalade.store.deliveries import Delivery

LOOK_AFTER_S = (1.0, 3.0, 10.0)  # an early look may confirm, never deny
LONGEST_WAIT_S = {LaneName.DESK: 30.0, LaneName.ASSISTANT: 15.0}
LIVE_PATIENCE_MS = 60_000  # a live step that keeps failing this long gives way to the ticket
RELEASE_PATIENCE_MS = 10_000


class Patience:
    """The courier's. `unsure_wait_s` is how long a request we gave up on may still arrive."""

    def __init__(self, ports: Ports, unsure_wait_s: float) -> None:
        self._ports = ports
        self._unsure_wait_s = unsure_wait_s

    def next_look_in(self, delivery: Delivery, waited: float) -> float:
        """Say in how many seconds the next look is due: 1, 3 and 10 after the attempt, then when it is decisive."""
        marks = [mark for mark in LOOK_AFTER_S if mark < self._unsure_wait_s] + [self._unsure_wait_s]
        if delivery.looks < len(marks):
            return marks[delivery.looks] - waited
        return self._unsure_wait_s - waited

    def is_over(self, task: Errand) -> bool:
        """A customer waits in a live handoff: what does not work for a minute gives way to the ticket."""
        if isinstance(task.delivery.effect, ReleaseControl):
            # A courtesy to the agents of a chat that is over; what the customer writes next must not wait for it.
            tried_at = task.delivery.first_try_at
            return tried_at is not None and self._ports.now() - tried_at > RELEASE_PATIENCE_MS
        handoff = task.conversation.handoff
        started = handoff.asked_at if handoff else self._ports.now()
        return isinstance(task.delivery.effect, LiveStep) and self._ports.now() - started > LIVE_PATIENCE_MS

    def pause(self, delivery: Delivery, error: DeliveryError, channel: ChannelName) -> float:
        """Say how many seconds to wait: as told, or doubling with some jitter."""
        after = getattr(error, "after", None)
        if after is not None:
            return min(float(after), MOST_TOLD_S[channel])
        return doubling(self._ports.jitter(), delivery.failures, LONGEST_WAIT_S[delivery.lane.name])
