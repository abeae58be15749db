"""The routes of conversations: what is said in them, and who may answer."""

# Annotations are evaluated here and now: the routes name types that exist only inside `routes`.

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from escalade.domain.model import ConversationId, FileId, MessageId, OrganisationId, Role
from escalade.services.desk import Desk
from escalade.store import overview
from escalade.store.database import Database
from escalade.web import answers, views
from escalade.web.api.requests import Entrance, StrictRoute, from_key
from escalade.web.api.shapes import ConversationIn, DetailsIn, EscalateIn, FeedbackIn, MessageIn, Number
from escalade.web.stream import LONGEST_WAIT_S, Streams


def routes(caller: Entrance, database: Database, desk: Desk, streams: Streams) -> APIRouter:
    """Give the routes of conversations."""
    router = APIRouter(route_class=StrictRoute)
    Caller = Annotated[OrganisationId, Depends(caller)]  # noqa: N806 - a type

    @router.post("/conversations", status_code=201, tags=["conversations"])
    async def open_conversation(caller: Caller, body: ConversationIn, request: Request) -> answers.Conversation:
        """Open a conversation; the same id or `Idempotency-Key` again gives the same one."""
        conversation = await desk.open_conversation(
            caller,
            id=body.id or from_key(request),
            customer=body.customer.model_dump(exclude_none=True),
            context=body.context,
        )
        return views.opened(conversation)

    @router.get("/conversations/{id}", tags=["conversations"])
    async def show_conversation(caller: Caller, id: str) -> answers.WholeConversation:
        """Show all of a conversation."""
        conversation = await desk.load(caller, ConversationId(id))
        counts = await database.read(lambda tx: overview.counts(tx, caller, ConversationId(id)))
        return views.conversation(conversation, counts)

    @router.post("/conversations/{id}/messages", status_code=201, tags=["conversations"])
    async def say(caller: Caller, id: str, body: MessageIn, request: Request) -> answers.Message:
        """Take a message; the answer means that it is durable. Its files are uploaded before it."""
        said = await desk.say(
            caller,
            ConversationId(id),
            role=Role(body.author),
            text=body.text,
            id=body.id or from_key(request),
            attachments=tuple(FileId(attachment.id) for attachment in body.attachments),
        )
        return views.message(said.message)

    @router.get("/conversations/{id}/messages", tags=["conversations"])
    async def messages(caller: Caller, id: str, after: Number = 0, wait: Number = 0) -> answers.Messages:
        """List what was said after a place, waiting up to 25 seconds for something."""
        return await streams.poll(caller, ConversationId(id), after=after, wait=min(float(wait), LONGEST_WAIT_S))

    @router.post("/conversations/{id}/messages/{message}/feedback", tags=["conversations"])
    async def rate(caller: Caller, id: str, message: str, body: FeedbackIn) -> answers.MessageFeedback:
        """Keep what the customer found of an answer of the assistant, or with null take it back."""
        await desk.rate(caller, ConversationId(id), MessageId(message), body.feedback)
        return views.feedback(MessageId(message), body.feedback)

    @router.post("/conversations/{id}/escalate", status_code=202, tags=["handoff"])
    async def escalate(caller: Caller, id: str, body: EscalateIn | None = None) -> answers.AskedForPerson:
        """Ask for a person; while a handoff is under way, the same one is given again."""
        body = body or EscalateIn()
        handoff = await desk.escalate(
            caller,
            ConversationId(id),
            reason=body.reason,
            wish=body.mode,
            summary=body.summary,
            note=body.note,
        )
        conversation = await desk.load(caller, ConversationId(id))
        return {"handoff": views.handoff(handoff, conversation.customer)}

    @router.post("/conversations/{id}/customer", tags=["conversations"])
    async def identify(caller: Caller, id: str, body: DetailsIn) -> answers.ConversationWithHandoff:
        """Take a name and an address, which an open ticket then carries; neither is proof of anything."""
        conversation = await desk.identify(caller, ConversationId(id), name=body.name, email=body.email)
        return views.standing(conversation)

    @router.post("/conversations/{id}/release", tags=["handoff"])
    async def release(caller: Caller, id: str) -> answers.ConversationWithHandoff:
        """Go back to the assistant."""
        conversation = await desk.release(caller, ConversationId(id))
        return views.standing(conversation)

    @router.post("/conversations/{id}/close", tags=["conversations"])
    async def close(caller: Caller, id: str) -> answers.ConversationWithHandoff:
        """End a conversation for good."""
        conversation = await desk.close(caller, ConversationId(id))
        return views.standing(conversation)

    return router
