"""Rules of the customer's end, broken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from escalade.domain import standing as standing_module
from escalade.domain.effects import Answer
from escalade.domain.errors import Conflict
from escalade.domain.model import Role, Utterance
from escalade.domain.switchboard import decision, rules
from escalade.services import courier as courier_module
from escalade.services import errand as errand_module
from escalade.services.desk import Desk, Said
from escalade.services.intake import Intake
from escalade.store.database import Tx
from escalade.web import stream, widget
from torture.simulator.database import SimulatedDatabase
from torture.simulator.mutants.mutant import Patches, mutant
from torture.simulator.profile import Fault

__all__: list[str] = []  # what is here is counted, and not imported


@mutant(Fault.CRASH)
def acknowledges_before_the_commit() -> Patches:
    right = SimulatedDatabase.write

    async def write(self: SimulatedDatabase, work: Any) -> Any:
        connection = self._disk.connection
        connection.execute("BEGIN")
        try:
            result = work(Tx(connection))
        finally:
            connection.execute("ROLLBACK")
        self._process.start(right(self, work), "written later")
        return result

    return [(SimulatedDatabase, "write", write)]


@mutant(Fault.DB_SLOW, hesitant=True)
def lets_the_assistant_talk_over_people() -> Patches:
    right = standing_module.standing

    def standing(effect: Any, conversation: Any) -> Any:
        return standing_module.SEND if isinstance(effect, Answer) else right(effect, conversation)

    def said(conversation: Any, event: Any) -> Any:
        words = Utterance(id=event.id, role=Role.ASSISTANT, text=event.text, name=event.name)
        return decision.Decision(conversation=conversation, says=(words,))

    def stale(_self: Intake, _tx: Tx, _conversation: Any, _event: Any) -> str:
        return ""

    return [
        (courier_module, "standing", standing),
        (errand_module, "standing", standing),
        (rules, "_assistant_said", said),
        (Intake, "_stale", stale),
    ]


@mutant(Fault.STREAM_CUT)
def resumes_a_stream_a_little_too_late() -> Patches:
    right = stream.resume_from

    def resume_from(scope: Any, after: str | None) -> int:
        place = right(scope, after)
        return place + 1 if place else place

    return [(widget, "resume_from", resume_from)]


@mutant()
def takes_what_it_then_throws_away() -> Patches:
    right = Desk.say

    async def say(self: Desk, organisation: Any, conversation: Any, **said: Any) -> Any:
        try:
            return await right(self, organisation, conversation, **said)
        except Conflict:
            _, before = await self.messages(organisation, conversation)
            return Said(message=replace(before[-1], id=said["id"]), repeated=False)

    return [(Desk, "say", say)]


@mutant(Fault.DB_ANSWER_LOST, Fault.SUBMIT_ANSWER_LOST)
def keeps_a_repeated_message_again() -> Patches:
    right = Desk.say

    async def say(self: Desk, *where: Any, **said: Any) -> Any:
        said["id"] = f"{said['id']}-{self._ports.new_id()[:4]}"
        return await right(self, *where, **said)

    return [(Desk, "say", say)]
