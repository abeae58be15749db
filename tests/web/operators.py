"""Somebody who is signed in at the console of the application of `counter.py`: looks at pages and posts their forms."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from escalade.domain.model import OrganisationId
from escalade.store import operators
from escalade.store.database import Tx
from tests.backstage import NOON
from tests.web.counter import ORGANISATION, Answer, Counter


@dataclass(frozen=True)
class SignedIn:
    """A session, and the token its forms carry."""

    front: Counter
    session: str

    async def get(self, path: str) -> str:
        """Give a page that is there."""
        answer = await self.front.send("GET", f"/console{path}", [("cookie", f"__Host-escalade={self.session}")])
        assert answer.status == 200, answer.body
        return answer.body.decode()

    async def post(self, path: str, form: dict[str, str], status: int = 200) -> Answer:
        """Post a form, and give what comes back with this status."""
        head = [
            ("cookie", f"__Host-escalade={self.session}"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", "https://support.example"),
        ]
        sent = urlencode({"csrf": "of-the-form", **form}).encode()
        answer = await self.front.send("POST", f"/console{path}", head, sent)
        assert answer.status == status, answer.body
        return answer


async def signed_in(front: Counter, role: str = "owner", organisation: OrganisationId = ORGANISATION) -> SignedIn:
    """Add an operator with a session."""
    session = f"{organisation}-{role}"

    def written(tx: Tx) -> None:
        person = operators.Operator(id=session, organisation=organisation, email=f"{session}@example.com", role=role)
        operators.add(tx, person, NOON)
        operators.open_session(tx, session, session, "of-the-form", NOON, NOON + 10**12)

    await front.write(written)
    return SignedIn(front, session)
