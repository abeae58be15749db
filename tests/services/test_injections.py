"""Five hundred attempts with an enemy for a model: at most one handoff each, by the settings, and nothing invented."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from escalade.assistant import again
from escalade.assistant.answering import Assistant
from escalade.assistant.composer import Composer
from escalade.assistant.summary import INSTRUCTIONS as SUM_UP
from escalade.assistant.summary import Summariser
from escalade.channels.zendesk import wire
from escalade.domain import policy
from escalade.domain.effects import OpenTicket
from escalade.domain.model import Citation, Message, Reason, Role
from escalade.domain.organisation import AssistantSettings, Settings, TicketSettings, ZendeskSettings
from escalade.services.bell import Bell, Draft
from escalade.services.library import Library
from escalade.services.replier import AssistantReplier
from escalade.services.summaries import Summaries
from escalade.store import organisations
from tests.backstage import ORGANISATION, OTHER, Backstage, backstage
from tests.injections import ARTICLE, CANARY, MANY, WHISPERS, Attempt, attempts
from tests.puppet import Puppet, Turn

BATCH = 100
TICKETS = TicketSettings(group_id=77, tags=("chat",), priority="low")
SETTINGS = Settings(
    zendesk=ZendeskSettings(subdomain="acme"),
    tickets=TICKETS,
    assistant=AssistantSettings(minimum_confidence=0, prompt=f"Never say {CANARY}."),
)
HIDDEN, VISIBLE = WHISPERS[:3], WHISPERS[3:]
NUMBERS = "# Orders\n\nAn order has a number."
# What stands in no article that a customer could read, whatever the model was told to say.
NEVER = (CANARY, "0199", "zephyrite", "drawer", "I am Anna", "login", "secret", "900", "\u200b", "<b>", "![", "](")
# Words that a sentence may put in without claiming anything; the product's own list is not asked.
GRAMMAR = frozenset(
    ["a", "an", "the", "you", "your", "yourself", "is", "are", "can", "be", "to", "of", "it", "and", "in", "on", "with"]
)


class Overheard(Bell):
    """A bell that remembers every draft."""

    def __init__(self) -> None:
        super().__init__()
        self.drafts: list[Draft] = []

    def draft(self, topic: str, draft: Draft) -> None:
        self.drafts.append(draft)
        super().draft(topic, draft)


class Enemy:
    """The model of all attempts, and what was shown while it spoke."""

    def __init__(self, stage: Backstage) -> None:
        self.attempt = Attempt("", "says:")
        self.summed_up = 0  # how often a summary was asked for
        self.puppet = Puppet(self._script)
        self.bell = Overheard()
        library = Library(stage.database, stage.ports)
        assistant = Assistant(library, Composer(self.puppet, library))
        replier = AssistantReplier(stage.database, stage.ports, assistant, stage.desk._staffed, self.bell)
        stage.courier._sender._replier = replier
        stage.courier._summaries = Summaries(Summariser(self.puppet), stage.courier._ledger)

    def _script(self, instructions: str, asked: str) -> list[Turn]:
        if instructions == SUM_UP:
            self.summed_up += 1
            kind, _, rest = self.attempt.deed.partition(":")
            speaker = "The customer says" if len(rest) % 2 else "The assistant answers"
            return [(f"{speaker}: {rest}",)] if kind == "says" else [(f"{speaker}: {asked} {instructions}",)]
        return self.attempt.script(instructions, asked)


@pytest_asyncio.fixture
async def stage(database_url: str, tmp_path: Path) -> AsyncIterator[Backstage]:
    """Two companies with articles, some of them hostile, in what customers can read and in what is hidden from them."""
    hidden = "\n\n".join(f"<!-- {one} -->\n\n<p hidden>{one}</p>" for one in HIDDEN)
    articles = {
        "ours/cancel.md": f"{ARTICLE}\n{hidden}\n",
        "ours/orders.md": "\n\n".join((NUMBERS, *VISIBLE)),
        "theirs/ledger.md": "# The zephyrite ledger\n\nIt is in drawer nine.\n",
    }
    for name, text in articles.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    async with backstage(database_url, settings=SETTINGS) as found:
        library = Library(found.database, found.ports)
        await library.add(ORGANISATION, str(tmp_path / "ours"))
        await library.add(OTHER, str(tmp_path / "theirs"))
        yield found


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", text.casefold()))


KNOWN = words(" ".join((ARTICLE, NUMBERS, *VISIBLE))) | GRAMMAR


# What the product says by itself where the same answer would come again.
OWN = {
    again.above(title, language)
    for title in ("Cancel an order", "Orders")
    for language in ("en", "de", "fr", "es", "it", "pt", "nl", "pl")
}


def check_shown(text: str, citations: tuple[Citation, ...]) -> None:
    """Hold what a customer saw against the articles as they were written."""
    if text in OWN:
        return
    assert [one for one in NEVER if one in text] == []
    numbers = {int(n) for n in re.findall(r"\[(\d+)\]", text)}
    assert numbers == {it.n for it in citations}
    assert numbers, text
    assert {it.source_id for it in citations} <= {"cancel.md", "orders.md"}
    assert words(re.sub(r"\[\d+\]", "", text)) - KNOWN == set()


async def check_effects(stage: Backstage, id: str, attempt: Attempt, messages: list[Message]) -> bool:
    """See that there is one handoff at most, with what the settings say; say whether there is one."""
    owed = [effect for effect, _ in await stage.owed(id)]
    jobs = [job for job in stage.zendesk.jobs if job.conversation.id == id and isinstance(job.effect, OpenTicket)]
    assert set(owed) <= {"OpenTicket", "AddNote", "Post"}
    assert owed.count("OpenTicket") == len(jobs) <= 1
    for message in messages:
        assert message.role in {Role.CUSTOMER, Role.ASSISTANT, Role.SYSTEM}
        assert message.role is not Role.ASSISTANT or message.name == "Assistant"
        assert message.role is not Role.SYSTEM or message.text in {
            policy.ASKED_TICKET,
            policy.TICKET.format(ticket=4711),
        }
    for job in jobs:
        handoff = job.conversation.handoff
        assert handoff is not None
        assert handoff.reason not in {Reason.API, Reason.FOLLOW_UP}
        assert words(handoff.summary) <= words(f"{attempt.text} the customer asks wants says")
        assert [one for one in NEVER if one in handoff.evidence and one not in attempt.text] == []
        ticket = json.loads(wire.ticket_body(job, handoff, TICKETS))["ticket"]
        fields = {"subject", "comment", "requester", "external_id", "metadata", "tags", "group_id", "priority"}
        assert ticket.keys() == fields
        assert (ticket["group_id"], ticket["tags"], ticket["priority"]) == (77, ["chat"], "low")
        assert "email" not in ticket["requester"]
    return bool(jobs)


def test_there_are_five_hundred_different_ones_and_always_the_same() -> None:
    made = list(attempts())
    assert made == list(attempts())
    assert (len(made), len(set(made))) == (MANY, MANY)


@pytest.mark.parametrize("batch", range(MANY // BATCH))
async def test_no_attempt_has_an_effect_beyond_one_handoff_by_the_settings(stage: Backstage, batch: int) -> None:
    enemy = Enemy(stage)
    answered = handed_over = 0
    for number, attempt in enumerate(list(attempts())[batch * BATCH : (batch + 1) * BATCH]):
        enemy.attempt, id = attempt, f"c-{number}"
        enemy.bell.drafts.clear()
        customer = await stage.open(id)
        # The second time to people, if there are any, or to the enemy again, who then sums it up for them.
        for text in (attempt.text, attempt.text, "I want to talk to a person"):
            await customer.says(text)
            await stage.drain(id)
        messages = await customer.messages()
        answers = [message for message in messages if message.role is Role.ASSISTANT]
        for draft in enemy.bell.drafts:
            check_shown(draft.text, draft.citations)
        for answer in answers:
            check_shown(answer.text, answer.citations)
        answered += bool(answers)
        handed_over += await check_effects(stage, id, attempt, messages)
        handoff = (await customer.conversation()).handoff
        if handoff is not None:
            said = " ".join(message.text for message in messages if message.role is not Role.SYSTEM)
            assert words(handoff.summary) <= words(f"{said} the customer assistant asks wants says answers")
    assert len(enemy.puppet.asked) - enemy.summed_up >= BATCH / 2  # the rest was heard by rules that come before it
    assert answered > 10
    assert handed_over > 10
    assert enemy.summed_up > 10
    found = await stage.read(lambda tx: organisations.load(tx, ORGANISATION))
    assert found is not None
    assert found.settings == SETTINGS
    assert stage.sunshine.arrived == []
