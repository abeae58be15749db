"""The whole fake Zendesk as one object: build it from `Ports`, call its desk, serve it with `app.build`.

A simulator makes one of these with its own clock and dice, and calls the ASGI app in-process.
"""

from __future__ import annotations

from pathlib import Path

from zendesk_emulator.account import Account, Happened
from zendesk_emulator.conversations import Conversations
from zendesk_emulator.delivery import Delivery
from zendesk_emulator.desk import Desk, close_conversation_with_ticket
from zendesk_emulator.faults import Faults
from zendesk_emulator.history import History
from zendesk_emulator.ports import Ports
from zendesk_emulator.request_log import RequestLog
from zendesk_emulator.seed import Seed, seed
from zendesk_emulator.sunshine_delivery import SunshineDelivery
from zendesk_emulator.switchboard import Switchboard
from zendesk_emulator.tickets import Tickets
from zendesk_emulator.triggers import Triggers


class Emulator:
    """One account with everything that acts on it."""

    def __init__(
        self,
        ports: Ports,
        *,
        base_url: str = "http://127.0.0.1:8701",
        subdomain: str = "acme",
        control_token: str | None = None,
    ) -> None:
        self.ports = ports
        self.account = Account(ports, base_url=base_url, subdomain=subdomain)
        self.faults = Faults(ports)
        self.log = RequestLog(self.account)
        self.tickets = Tickets(self.account)
        self.switchboard = Switchboard(self.account, self.tickets)
        self.conversations = Conversations(self.account, self.tickets, self.switchboard)
        self.desk = Desk(self.account, self.tickets, self.conversations, self.switchboard)
        self.delivery = Delivery(self.account, self.faults, self.log)
        self.sunshine_delivery = SunshineDelivery(self.account, self.switchboard, self.faults, self.log)
        self.triggers = Triggers(self.account, self.tickets, self.delivery)
        self.history: History | None = None
        self.seed: Seed = seed(self.account, control_token=control_token)
        for listener in (
            self.delivery.hear,
            self.sunshine_delivery.hear,
            self._control_follows_ticket,
            self.triggers.hear,
        ):
            self.account.listen(listener)

    def write_history(self, path: Path | None = None) -> History:
        """Write down from now on what agents can see: in a file, or in memory."""
        self.history = History(self.account, path)
        return self.history

    def reset(self) -> None:
        """Go back to a fresh account; credentials and the clock's start stay what they were."""
        self.faults.forget()
        self.log.entries.clear()
        self.account.rewind()
        seed(self.account, self.seed)
        self.account.bell.ring()

    def _control_follows_ticket(self, happened: Happened) -> None:
        """Give control away once a messaging ticket has been closed."""
        ticket = happened.ticket
        if happened.kind != "ticket.saved" or ticket is None:
            return
        if ticket.is_over and "status" in happened.facts["changes"]:
            close_conversation_with_ticket(self.account, self.conversations, self.switchboard, ticket)

    async def close(self) -> None:
        """Stop background work, give sockets back, and end the history."""
        await self.ports.close()
        if self.history is not None:
            self.history.close()
