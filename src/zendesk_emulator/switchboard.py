"""Who controls a conversation, and the ticket that appears when control passes to the agents.

200 from an action does not mean done: failures are told by an event only.
https://developer.zendesk.com/documentation/conversations/messaging-platform/programmable-conversations/switchboard
"""

from __future__ import annotations

from zendesk_emulator import messaging_ticket
from zendesk_emulator.account import SYSTEM, Account
from zendesk_emulator.errors import SunRefused
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.messaging import Conversation, Integration, SwitchboardIntegration
from zendesk_emulator.records.tickets import Session
from zendesk_emulator.tickets import Tickets

AGENTS = "zd:agentWorkspace"


class Switchboard:
    """The rules of control."""

    def __init__(self, account: Account, tickets: Tickets) -> None:
        self._account = account
        self._tickets = tickets

    def is_with_agents(self, conversation: Conversation) -> bool:
        """Tell whether Agent Workspace has control."""
        seat = self._account.records.seats.get(conversation.active or "")
        return seat is not None and seat.integration_type == AGENTS

    def pass_control(
        self, conversation: Conversation, target: str, metadata: Json | None = None, *, reason: str | None = None
    ) -> None:
        """Hand control to a seat given by id, name, type or `next`; a bad target is told by an event."""
        seat = self._find(conversation, target)
        if seat is None:
            self._failed("passControl", conversation, "switchboard_invalid_target", f"No such target: {target}")
            return
        if conversation.active == seat.id:
            return
        left_agents = self.is_with_agents(conversation)
        conversation.active, conversation.pending = seat.id, None
        if seat.integration_type == AGENTS:
            messaging_ticket.open_or_resume(self._account, self._tickets, conversation, metadata or {})
        self._tell("passControl", conversation, metadata, reason)
        if left_agents:
            self._leave_agents(conversation)

    def release_control(
        self, conversation: Conversation, metadata: Json | None = None, *, reason: str | None = None
    ) -> None:
        """Leave the conversation to nobody."""
        left_agents = self.is_with_agents(conversation)
        conversation.active = conversation.pending = None
        self._tell("releaseControl", conversation, metadata, reason)
        if left_agents:
            self._leave_agents(conversation)

    def offer_control(self, conversation: Conversation, target: str, metadata: Json | None = None) -> None:
        """Make a seat pending; a later offer replaces this one."""
        seat = self._find(conversation, target)
        if seat is None or seat.id == conversation.active:
            code = "switchboard_invalid_target" if seat is None else "switchboard_invalid_action"
            self._failed("offerControl", conversation, code, f"Cannot offer control to {target}")
            return
        conversation.pending = seat.id
        self._tell("offerControl", conversation, metadata, None)

    def accept_control(self, conversation: Conversation, metadata: Json | None = None) -> None:
        """Let the pending seat take control."""
        if conversation.pending is None:
            self._failed("acceptControl", conversation, "switchboard_invalid_action", "Nobody is pending")
            return
        left_agents = self.is_with_agents(conversation)
        conversation.active, conversation.pending = conversation.pending, None
        if self.is_with_agents(conversation):
            messaging_ticket.open_or_resume(self._account, self._tickets, conversation, metadata or {})
        self._tell("acceptControl", conversation, metadata, None)
        if left_agents:
            self._leave_agents(conversation)

    def assign_default(self, conversation: Conversation) -> None:
        """Give an abandoned conversation to the account's default responder, silently."""
        conversation.active = self._account.records.default_seat
        if self.is_with_agents(conversation):
            messaging_ticket.open_or_resume(self._account, self._tickets, conversation, {})

    # Seats

    def add_seat(self, fields: Json) -> SwitchboardIntegration:
        """Give an integration a seat; ten seats at most."""
        records = self._account.records
        integration = records.integrations.get(str(fields.get("integrationId") or ""))
        if integration is None:
            raise SunRefused(404, "integration_not_found", "Integration not found")
        name = str(fields.get("name") or "")
        if not name or len(name) > 128 or not all(char.isalnum() or char in "-_" for char in name):
            raise SunRefused(400, "bad_request", "name must be alphanumeric, - or _, at most 128 characters")
        if any(seat.name == name for seat in records.seats.values()):
            raise SunRefused(409, "conflict", "A switchboard integration with this name exists")
        if len(records.seats) >= 10:
            raise SunRefused(400, "too_many_switchboard_integrations", "A switchboard has at most 10 integrations")
        seat = SwitchboardIntegration(
            id=self._account.ids.hex24(self._account.now()),
            name=name,
            integration_id=integration.id,
            integration_type=integration.type,
        )
        self.change_seat(seat, fields)
        records.seats[seat.id] = seat
        return seat

    def change_seat(self, seat: SwitchboardIntegration, fields: Json) -> None:
        """Change what a seat hears and where control goes next."""
        if "deliverStandbyEvents" in fields:
            seat.deliver_standby_events = bool(fields["deliverStandbyEvents"])
        if "nextSwitchboardIntegrationId" in fields:
            seat.next_id = fields["nextSwitchboardIntegrationId"]
        if "messageHistoryCount" in fields:
            seat.message_history_count = fields["messageHistoryCount"]

    def remove_seat(self, seat: SwitchboardIntegration) -> None:
        """Take a seat away; its conversations fall to the default responder without an event."""
        records = self._account.records
        if records.default_seat == seat.id or any(other.next_id == seat.id for other in records.seats.values()):
            raise SunRefused(400, "bad_request", "The switchboard integration is a default or a next one")
        del records.seats[seat.id]
        for conversation in records.conversations.values():
            if conversation.active == seat.id:
                conversation.active = records.default_seat

    def hears(self, integration: Integration, conversation: Conversation | None) -> bool:
        """Tell whether an integration's webhooks receive the events of a conversation.

        Outside the switchboard: everything. Inside: while active or pending, and on standby if asked for.
        """
        seats = [seat for seat in self._account.records.seats.values() if seat.integration_id == integration.id]
        if not seats or conversation is None:
            return True
        return any(
            seat.id in (conversation.active, conversation.pending) or seat.deliver_standby_events for seat in seats
        )

    # Inside

    def _find(self, conversation: Conversation, target: str) -> SwitchboardIntegration | None:
        seats = self._account.records.seats
        if target == "next":
            # With an app key nobody knows who asks, so each repetition moves one hop further.
            active = seats.get(conversation.active or "")
            return seats.get(active.next_id or "") if active else None
        if target in seats:
            return seats[target]
        by_name = [seat for seat in seats.values() if seat.name == target]
        by_type = [seat for seat in seats.values() if seat.integration_type == target]
        for found in (by_name, by_type):
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def _leave_agents(self, conversation: Conversation) -> None:
        """End the messaging session of the ticket when control has left the agents (a guess)."""
        ticket = self._account.records.tickets.get(conversation.ticket_id or 0)
        if ticket is not None and ticket.session is not Session.ENDED:
            self._tickets.set_session(ticket, Session.ENDED, SYSTEM, reason="other")

    def _tell(self, action: str, conversation: Conversation, metadata: Json | None, reason: str | None) -> None:
        facts: Json = {"metadata": metadata or {}}
        if reason:
            facts["reason"] = reason
        self._account.emit(f"sunshine.switchboard:{action}", conversation=conversation, facts=facts)

    def _failed(self, action: str, conversation: Conversation, code: str, message: str) -> None:
        self._account.emit(
            f"sunshine.switchboard:{action}:failure",
            conversation=conversation,
            facts={"error": {"code": code, "message": message}},
        )
