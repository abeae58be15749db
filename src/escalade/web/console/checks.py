"""Prove a credential by using it, and show what Zendesk itself answered.

The last result is remembered in this process only: it is news, not a setting.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from escalade.channels.base import Account
from escalade.domain.errors import DeliveryError, Rejected
from escalade.domain.model import Millis, OrganisationId
from escalade.store import organisations
from escalade.store.database import Tx
from escalade.web.console.gate import Note, Visit
from escalade.web.console.names import said

PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a check found, and when."""

    passed: bool
    sentence: str
    at: Millis


async def account_of(visit: Visit) -> Account:
    """Put together what the organisation lets us use of Zendesk."""

    def read(tx: Tx) -> Account:
        # Read anew: a form may just have changed it.
        organisation = organisations.load(tx, visit.organisation.id)
        return visit.parts.accounts.account(tx, organisation or visit.organisation)

    return await visit.parts.database.read(read)


class Checks:
    """Checks credentials and remembers the last result of each."""

    def __init__(self) -> None:
        self._last: dict[tuple[OrganisationId, str], Result] = {}

    def last(self, organisation: OrganisationId, what: str) -> Result | None:
        """Give the last result since the start."""
        return self._last.get((organisation, what))

    def forget(self, organisation: OrganisationId, what: str) -> None:
        """Drop a result that is about something else now."""
        self._last.pop((organisation, what), None)

    async def support(self, visit: Visit) -> Note:
        """Ask Zendesk Support who we are."""
        account = await account_of(visit)
        if account.zendesk is None:
            return self._note(visit, "support", "Zendesk is not connected", "Fill in the form and save it first.")
        try:
            async with asyncio.timeout(PATIENCE_S):
                person = await visit.parts.support.check(account)
        except (DeliveryError, Rejected, TimeoutError) as error:
            return self._failed(visit, "support", "Zendesk did not accept this connection", error)
        sentence = f"Connected as {person.name} ({person.role})."
        return self._note(visit, "support", "The connection works", sentence, passed=True)

    async def live(self, visit: Visit) -> Note:
        """Ask Sunshine Conversations about the app."""
        account = await account_of(visit)
        if account.sunshine is None:
            missing = "Fill in App ID, Key ID and Secret and save them first."
            return self._note(visit, "live", "There are no credentials to test", missing)
        try:
            async with asyncio.timeout(PATIENCE_S):
                facts = await visit.parts.conversations.check(account.sunshine)
        except (DeliveryError, Rejected, TimeoutError) as error:
            return self._failed(visit, "live", "Zendesk did not accept these credentials", error)
        told = [f"App “{facts.name}” found."]
        if facts.multiple_conversations is not None:
            several = "may have several conversations" if facts.multiple_conversations else "shares one conversation"
            told.append(f"A customer {several}.")
        if facts.agents_may_end_sessions is not None:
            may = "can" if facts.agents_may_end_sessions else "cannot"
            told.append(f"Agents {may} end sessions.")
        return self._note(visit, "live", "The credentials work", " ".join(told), passed=True)

    def _failed(self, visit: Visit, what: str, title: str, error: DeliveryError | Rejected | TimeoutError) -> Note:
        if isinstance(error, TimeoutError):
            return self._note(visit, what, title, f"No answer within {PATIENCE_S:.0f} seconds.")
        return self._note(visit, what, title, said(error), answer=_answer_of(error))

    def _note(self, visit: Visit, what: str, title: str, text: str, *, answer: str = "", passed: bool = False) -> Note:
        key = (visit.organisation.id, what)
        self._last[key] = Result(passed=passed, sentence=text, at=visit.parts.ports.wall())
        return Note(tone="good" if passed else "bad", title=title, text=text, answer=answer)


def _answer_of(error: BaseException | None) -> str:
    """Give what Zendesk said; it may lie behind the error that was raised for it."""
    while error is not None:
        if isinstance(error, DeliveryError) and error.answer:
            return error.answer
        error = error.__cause__
    return ""
