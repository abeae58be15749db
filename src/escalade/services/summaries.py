"""A model's summary for the agent: asked for once a handoff, when its note is next in the lane and not yet tried.

That it is asked is written down before, so that after a crash nobody asks again, and what it said before the note is
built, so that the note is the same however often it is sent. Whatever goes wrong, the note goes out without it.
"""

from __future__ import annotations

import structlog

from escalade.assistant.question import Turn
from escalade.assistant.summary import NoSummary, Summariser
from escalade.domain.briefing import what_led
from escalade.domain.effects import AddNote, PostContext
from escalade.domain.model import Handoff, Reason, SummaryBy
from escalade.services.errand import Errand
from escalade.services.ledger import Ledger

log = structlog.get_logger()

# The model may be what failed; and a request that goes on has people's words in it, and a note of its own.
WITHOUT = {Reason.ERROR, Reason.FOLLOW_UP}


class Summaries:
    """Gets handoffs summed up."""

    def __init__(self, summariser: Summariser, ledger: Ledger) -> None:
        self._summariser = summariser
        self._ledger = ledger

    @staticmethod
    def wants(task: Errand) -> bool:
        """Say whether a summary is to be got before this is sent.

        An own bot's conversations are its own, and who has switched the assistant off has switched off its model.
        """
        handoff, assistant = task.conversation.handoff, task.account.settings.assistant
        return (
            isinstance(task.delivery.effect, PostContext | AddNote)
            and (task.delivery.state, task.delivery.tries) == ("pending", 0)
            and handoff is not None
            and (handoff.summary, handoff.summary_by) == ("", SummaryBy.ASKER)
            and handoff.reason not in WITHOUT
            and not task.conversation.customer.erased
            and assistant.enabled
            and not assistant.bot.url
        )

    async def get(self, task: Errand) -> None:
        """Have the model asked, and keep what it said with the handoff; it is read again from there."""
        handoff = task.conversation.handoff
        assert handoff is not None
        if not await self._ledger.ask_for_summary(task):
            return
        try:
            text = await self._summariser.sum_up(task.conversation.organisation, _said(task, handoff))
        except NoSummary as error:
            log.info("no_summary", handoff=handoff.id, why=str(error))
        except Exception:
            log.exception("summary_failed", handoff=handoff.id)
        else:
            await self._ledger.summed_up(task, text)


def _said(task: Errand, handoff: Handoff) -> list[Turn]:
    """Give what led to the handoff, the message that it is about included: in a live chat that comes after the note."""
    told = list(task.job.transcript)
    if task.job.message is not None and task.job.message not in told:
        told.append(task.job.message)
    return [Turn(role=message.role, text=message.text) for message in what_led(handoff, told) if message.text]
