"""Knowledge of one article, ranked as the product ranks, for tests that need no database."""

from __future__ import annotations

from escalade.assistant.passages import cut
from escalade.assistant.retrieval import Candidate, Passage, query_terms, rank
from escalade.assistant.sources import read_markdown
from escalade.assistant.words import stems
from escalade.domain.model import OrganisationId

ARTICLE = """# Cancel an order

You can cancel an order yourself while it is new.

## How to cancel

1. Open your orders.
2. Select **Cancel order** and confirm.

You get an email. It confirms the cancellation.

## How long a refund takes

The money is back after three to five working days. Cards take longest. Your bank may need two days more.
"""


class Shelf:
    """Knowledge of one article."""

    def __init__(self, article: str = ARTICLE) -> None:
        self._article = article

    async def search(self, organisation: OrganisationId, text: str, limit: int) -> list[Passage]:
        document = read_markdown(self._article, "x")
        candidates = [
            Candidate(
                document="doc_1",
                source_id="cancel.md",
                title=document.title,
                url="https://help.example/cancel",
                heading=piece.heading,
                text=piece.text,
            )
            for piece in cut(document)
        ]
        terms = query_terms(text)
        known = set(stems(self._article))
        counts = [1 if term.stems & known else 0 for term in terms]
        return rank(terms, candidates, total=20, frequencies=counts, limit=limit)
