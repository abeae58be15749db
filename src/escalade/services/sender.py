"""Send the head of a lane, or look for what may have arrived.

An attempt is written down before it starts (`ledger.py`). A request without an answer may have arrived: it is looked
for by our mark, and only after a late arrival has become impossible is it sent once more.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Protocol

import structlog

from escalade.channels.base import Account, Channel
from escalade.domain.effects import LiveStep
from escalade.domain.errors import DeliveryError, Refused, Uncertain
from escalade.domain.events import Event
from escalade.domain.model import Conversation, Message
from escalade.services.bell import Bell
from escalade.services.doors import Doors
from escalade.services.errand import Errand
from escalade.services.files import read as read_file_of
from escalade.services.ledger import Ledger
from escalade.services.patience import LOOK_AFTER_S, Patience
from escalade.services.ports import Ports
from escalade.store import conversations
from escalade.store.database import Database
from escalade.store.doors import Door

log = structlog.get_logger()


class Replier(Protocol):
    """Who answers for the assistant."""

    async def reply(self, account: Account, conversation: Conversation, question: Message) -> Event:
        """Say what the assistant makes of a message: an answer, or that a person must."""
        ...


class Sender:
    """What the courier says to the desk and to the assistant, and what it asks."""

    def __init__(
        self,
        database: Database,
        bell: Bell,
        ports: Ports,
        replier: Replier,
        doors: Doors,
        patience: Patience,
        ledger: Ledger,
    ) -> None:
        self._database = database
        self._bell = bell
        self._ports = ports
        self._replier = replier
        self._doors = doors
        self._patience = patience
        self._ledger = ledger

    async def ask_assistant(self, task: Errand) -> bool:
        """Have the assistant answer; its words become an event that is decided like any other."""
        conversation, question = task.conversation, task.job.message
        assert question is not None
        attempt = await self._ledger.begin(task, kind="send", frozen=None)
        if attempt is None:
            return True
        topic = conversations.topic(conversation.organisation, conversation.id)
        self._bell.typing(topic, "assistant", True)
        try:
            event = await self._replier.reply(task.account, conversation, question)
        finally:
            self._bell.typing(topic, "assistant", False)
        await self._ledger.answered(task, attempt, event)
        return True

    async def send(self, task: Errand, channel: Channel) -> bool:
        """Send once, if the door is open; say whether the next in the lane may be tried right away."""
        door = task.doors.get(channel.name)
        probe = await self._doors.probe(door)
        if probe is None and door is not None:
            return await self._wait_outside(task, door)
        probed = door if probe else None
        frozen = task.job.frozen
        try:
            if frozen is None:
                frozen = channel.freeze(task.account, task.job)
        except Exception as error:
            # Nothing was sent; a fault of ours that will be there again is an operator's to mend.
            log.exception("request_not_built", lane=str(task.delivery.lane))
            attempt = await self._ledger.begin(task, kind="send", frozen=None)
            if attempt is None:
                return True
            return await self._ledger.failed(task, attempt, Refused(f"{type(error).__name__}: {error}"), channel)
        read_file = partial(read_file_of, self._database, task.conversation.organisation)
        job = replace(task.job, frozen=frozen, read_file=read_file)
        attempt = await self._ledger.begin(task, kind="send", frozen=frozen)
        if attempt is None:
            return True
        try:
            sent = await channel.send(task.account, job)
        except DeliveryError as error:
            moves_on = await self._ledger.failed(task, attempt, error, channel)
            await self._doors.note(task.account.organisation, channel.name, error, probed)
            return moves_on
        except Exception as error:
            # A fault of ours after the attempt began: it may have arrived.
            log.exception("attempt_broke", lane=str(task.delivery.lane), effect=type(job.effect).__name__)
            return await self._ledger.failed(task, attempt, Uncertain(f"{type(error).__name__}: {error}"), channel)
        await self._ledger.delivered(task, attempt, sent, verdict="delivered", channel=channel)
        await self._doors.note(task.account.organisation, channel.name, None, probed)
        return True

    async def _wait_outside(self, task: Errand, door: Door) -> bool:
        """Wait at a shut door; where a customer has waited too long in a live handoff, go the other way."""
        if self._patience.is_over(task):
            await self._ledger.refused(task, Refused(f"gave up: {door.why}"))
            return True
        delivery = task.delivery
        state = "pending" if delivery.state == "pending" else "unsure"
        seconds = self._doors.opens_in(door)
        if isinstance(delivery.effect, LiveStep):
            seconds = min(seconds, LOOK_AFTER_S[-1])  # its patience may end before the door opens
        await self._ledger.postpone(delivery, state, seconds, failed=False)
        return False

    async def look(self, task: Errand, channel: Channel, *, may_send: bool, why: str) -> bool:
        """Look for our mark. Found: delivered. Absent long enough: send again, or let go if no longer wanted."""
        delivery = task.delivery
        now = self._ports.now()
        waited = (now - (delivery.tried_at or now)) / 1000
        due_in = self._patience.next_look_in(delivery, waited)
        if due_in > 0:
            await self._ledger.postpone(delivery, "unsure", due_in, failed=False)
            return False
        door = task.doors.get(channel.name)
        probe = await self._doors.probe(door)
        if probe is None and door is not None:
            return await self._wait_outside(task, door)
        probed = door if probe else None
        attempt = await self._ledger.begin(task, kind="look", frozen=None)
        if attempt is None:
            return True
        try:
            found = await channel.find(task.account, task.job)
        except Refused:
            found = None  # a lasting no: there is nothing to be found in
        except DeliveryError as error:
            await self._doors.note(task.account.organisation, channel.name, error, probed)
            if self._patience.is_over(task):
                return await self._ledger.failed(task, attempt, error, channel)
            await self._ledger.look_failed(task, attempt, error, self._patience.pause(delivery, error, channel.name))
            return False
        await self._doors.note(task.account.organisation, channel.name, None, probed)
        if found is not None:
            await self._ledger.delivered(task, attempt, found, verdict="found", channel=channel)
            return True
        await self._ledger.absent(task, attempt, waited, may_send=may_send, why=why)
        return True
