"""People who answer: they accept, reply, leave notes, end, solve, close, hand tickets on, and race the customer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from torture.simulator.chaos import Chaos
from torture.simulator.loop import sleep
from torture.simulator.profile import Fault
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.errors import DeskRefused
from zendesk_emulator.records.people import User
from zendesk_emulator.records.tickets import Attachment, Session, Ticket

PHRASES = (
    "{who} {n}: hello, let me look",
    "{who} {n}: it is on its way",
    "{who} {n}:  two  spaces and a {{{{placeholder}}}}",
    "{who} {n}: déjà vu 🙂",
)

KIND, PLAN = "application/octet-stream", b"a plan"


class Agents:
    """The people at the desk."""

    def __init__(self, company: str, emulator: Emulator, chaos: Chaos) -> None:
        self._who = f"agent of {company}"
        self._emulator = emulator
        self._chaos = chaos
        self._count = 0

    async def live(self, until: Callable[[], bool]) -> None:
        """Do one thing after the other."""
        tape = self._chaos.tape
        pause = max(1.0, self._chaos.profile.chaos_s / 12)
        people = [self._emulator.desk.agent("jonas"), self._emulator.desk.agent("mira")]
        for agent in people:
            agent.max_capacity = 100
        while not until():
            await sleep(tape.seconds(0.1, pause))
            if until():
                return
            tickets = [t for t in self._emulator.account.records.tickets.values() if not t.is_over]
            if tickets:
                with contextlib.suppress(DeskRefused):  # a click the workspace would not allow
                    self._act(tickets[-1 - tape.below(len(tickets))], people[tape.below(len(people))])

    def _act(self, ticket: Ticket, agent: User) -> None:
        tape, desk = self._chaos.tape, self._emulator.desk
        what = tape.below(24)
        if what < 14:
            self._answer(ticket, agent)
        elif what < 16:
            desk.note(ticket, agent, self._says())
        elif what < 18:
            desk.accept(ticket, agent)
        elif what == 18:
            desk.assign(ticket, agent, to=tape.one_of((agent, None)))
        elif what == 19:
            desk.set_status(ticket, agent, tape.one_of(("pending", "open", "solved")))
        elif what == 20 and ticket.session is Session.ACTIVE:
            desk.go_inactive(ticket)
        elif what == 21:
            self._answer(ticket, agent)  # the last word races the end
            desk.end_session(ticket, agent)
        elif what == 22:
            self._end(ticket, agent)
        elif what == 23 and ticket.session is not None:
            desk.trigger_says(ticket, self._says())

    def _end(self, ticket: Ticket, agent: User) -> None:
        """Let a request take nothing more: close it, mostly; delete it, merge it, or let its chat be full or gone."""
        tape, desk = self._chaos.tape, self._emulator.desk
        what = tape.below(16)
        if 7 <= what < 12:
            desk.set_status(ticket, agent, "closed")
        elif what == 12:
            desk.delete(ticket, agent)
        elif what == 13 and ticket.is_messaging:
            desk.fill(ticket)
        elif what == 14 and ticket.is_messaging:
            desk.forget_customer(ticket)
        elif what == 15 and not ticket.is_messaging:
            others = [t for t in self._emulator.account.records.tickets.values() if t is not ticket]
            if others:
                desk.merge(ticket, agent, into=tape.one_of(others))

    def _answer(self, ticket: Ticket, agent: User) -> None:
        desk = self._emulator.desk
        with_file = Fault.FILES_DOWN in self._chaos.profile.rates and self._chaos.tape.below(3) == 0
        if desk.can_reply(ticket) and with_file:
            desk.send_file(ticket, agent, name="plan.bin", content_type=KIND, data=PLAN, body=self._says())
        elif desk.can_reply(ticket):
            desk.reply(ticket, agent, self._says())
        elif not ticket.is_messaging:
            desk.comment(ticket, agent, self._says(), files=[self._file()] if with_file else None)

    def _file(self) -> Attachment:
        id = self._emulator.account.ids.integer()
        return Attachment(id=id, file_name="plan.bin", content_type=KIND, data=PLAN)

    def _says(self) -> str:
        self._count += 1
        return self._chaos.tape.one_of(PHRASES).format(who=self._who, n=self._count)
