"""The route of a question to the assistant that nothing follows from."""

# Annotations are evaluated here and now: the routes name types that exist only inside `routes`.

from typing import Annotated

from fastapi import APIRouter, Depends

from escalade.assistant.answering import Assistant
from escalade.assistant.question import Question, Turn
from escalade.domain.errors import NotFound
from escalade.domain.model import OrganisationId
from escalade.store import organisations
from escalade.store.database import Database
from escalade.web import answers, views
from escalade.web.api.requests import Entrance, StrictRoute
from escalade.web.api.shapes import AskIn


def routes(caller: Entrance, database: Database, assistant: Assistant) -> APIRouter:
    """Give the route of a question."""
    router = APIRouter(route_class=StrictRoute)
    Caller = Annotated[OrganisationId, Depends(caller)]  # noqa: N806 - a type

    @router.post("/assistant/ask", tags=["assistant"])
    async def ask(caller: Caller, body: AskIn) -> answers.Verdict:
        """Consider a question and show the evidence; nothing is done."""
        return await _consider(database, assistant, caller, body)

    return router


async def _consider(database: Database, assistant: Assistant, caller: OrganisationId, body: AskIn) -> answers.Verdict:
    organisation = await database.read(lambda tx: organisations.load(tx, caller))
    if organisation is None:
        raise NotFound("no such organisation")
    verdict = await assistant.consider(
        Question(
            organisation=caller,
            text=body.text,
            history=tuple(Turn(role=turn.role, text=turn.text) for turn in body.history),
            locale=body.locale,
            settings=organisation.settings.assistant,
        )
    )
    return {
        "decision": verdict.decision,
        "reason": verdict.reason,
        "confidence": verdict.confidence,
        "text": verdict.text,
        "evidence": verdict.evidence,
        "citations": [views.citation(each) for each in verdict.citations],
        "passages": [
            {"title": p.title, "source_id": p.source_id, "score": p.score, "text": p.text} for p in verdict.passages
        ],
    }
