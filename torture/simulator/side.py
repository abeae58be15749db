"""One company of a schedule: its desk, its customers, and whether all that was said there has arrived."""

from __future__ import annotations

from collections.abc import Sequence

from torture.simulator.company import Company
from torture.simulator.customers import Customer
from torture.simulator.database import Disk
from zendesk_emulator.emulator import Emulator


class Side:
    """A company, and who talks there."""

    def __init__(self, company: Company, emulator: Emulator, customers: Sequence[Customer]) -> None:
        self.company = company
        self.emulator = emulator
        self.customers = customers
        self.seen = emulator.write_history()

    def is_drained(self, disk: Disk) -> bool:
        """Say whether its agents' words are known and shown, and their leaving, too."""
        return (
            self._is_heard(disk)
            and self._knows_who_left(disk)
            and self._knows_what_is_over(disk)
            and self._is_shown(disk)
        )

    def _is_heard(self, disk: Disk) -> bool:
        """Say whether every word of an agent is in a transcript."""
        records = self.emulator.account.records
        said = set()
        for conversation in records.conversations.values():
            said |= {f"sunshine:{m.id}" for m in conversation.messages if "agent" in m.author.get("subtypes", ())}
        for ticket in records.tickets.values():
            if not ticket.is_messaging and ticket.status != "deleted":
                said |= {
                    f"zendesk:{c.id}"
                    for c in ticket.comments
                    if c.public and records.users[c.author_id].is_staff and c.via != "api"
                }
        known = disk.look(
            lambda tx: {
                row["id"]
                for row in tx.all("SELECT id FROM message WHERE organisation = :o", o=self.company.organisation)
            }
        )
        return said <= known

    def _knows_who_left(self, disk: Disk) -> bool:
        """Say whether no chat is held for open that the agents have left."""
        held = disk.look(
            lambda tx: tx.all(
                "SELECT l.theirs FROM handoff h JOIN link l ON l.handoff = h.id AND l.channel = 'sunshine'"
                " AND l.kind = 'conversation' WHERE h.organisation = :o AND h.state IN ('queued', 'with_agent')",
                o=self.company.organisation,
            )
        )
        known, switchboard = self.emulator.account.records.conversations, self.emulator.switchboard
        return all(row["theirs"] in known and switchboard.is_with_agents(known[row["theirs"]]) for row in held)

    def _knows_what_is_over(self, disk: Disk) -> bool:
        """Say whether no ticket is held for open that has been closed or deleted."""
        held = disk.look(
            lambda tx: tx.all(
                "SELECT ticket_id FROM handoff WHERE organisation = :o AND ticket_id IS NOT NULL"
                " AND state IN ('queued', 'with_agent', 'asynchronous')",
                o=self.company.organisation,
            )
        )
        known = self.emulator.account.records.tickets
        return not any(ticket.is_over for row in held if (ticket := known.get(int(row["ticket_id"]))) is not None)

    def _is_shown(self, disk: Disk) -> bool:
        """Say whether every tab shows all there is, and what became of it: a stream not rung for looks by itself."""
        last = disk.look(
            lambda tx: {row["id"]: row["last_seq"] for row in tx.all("SELECT id, last_seq FROM conversation")}
        )
        marks = disk.look(
            lambda tx: {
                row["id"]: row["delivery"] for row in tx.all("SELECT id, delivery FROM message WHERE role = 'customer'")
            }
        )
        return all(
            tab.cursor == last[customer.conversation] and all(mark == marks.get(mid) for mid, mark in tab.marks())
            for customer in self.customers
            for tab in customer.tabs
        )
