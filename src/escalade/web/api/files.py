"""The routes of files: bytes go in and out as they are, and none are read before the caller is known."""

# Annotations are evaluated here and now: the routes name types that exist only inside `routes`.

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from escalade.domain.files import ANYTHING, KINDS
from escalade.domain.model import ConversationId, FileId, OrganisationId
from escalade.services.files import Files
from escalade.web import answers, views
from escalade.web.api.requests import Entrance, from_key
from escalade.web.files import LONGEST_GIVEN_NAME, Uploads, headers_of

_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
BYTES_IN: dict[str, Any] = {"required": True, "content": {ANYTHING: _BYTES}}
BYTES_OUT: dict[str, Any] = {
    "description": "The file, as what it is.",
    "content": dict.fromkeys((*(kind.media_type for kind in KINDS), ANYTHING), _BYTES),
}


def routes(caller: Entrance, files: Files) -> APIRouter:
    """Give the routes of files."""
    router = APIRouter(tags=["files"])
    Caller = Annotated[OrganisationId, Depends(caller)]  # noqa: N806 - a type
    Name = Annotated[str, Query(min_length=1, max_length=LONGEST_GIVEN_NAME)]  # noqa: N806 - a type
    uploads = Uploads()

    @router.post("/conversations/{id}/files", status_code=201, openapi_extra={"requestBody": BYTES_IN})
    async def upload(caller: Caller, id: str, request: Request, name: Name, file: str | None = None) -> answers.File:
        """Upload a file for a message; the body is the file. The same `file` id again gives the same one."""
        place = ConversationId(id)
        await files.check_place(caller, place)
        content = await uploads.read(request.scope, request.receive)
        kept = await files.take(caller, place, name=name, content=content, id=file or from_key(request))
        return views.attachment(kept)

    @router.get("/conversations/{id}/files/{file}", response_class=Response, responses={200: BYTES_OUT})
    async def download(caller: Caller, id: str, file: str) -> Response:
        """Give a file of this conversation; `409` while it is on its way, was lost, or was held back."""
        found, pieces = await files.give(caller, ConversationId(id), FileId(file))
        return StreamingResponse(pieces, headers={k.decode(): v.decode() for k, v in headers_of(found)})

    @router.post("/conversations/{id}/files/{file}/fetch", status_code=202)
    async def fetch(caller: Caller, id: str, file: str) -> answers.File:
        """Have an agent's file that was lost fetched again."""
        return views.attachment(await files.fetch_again(caller, ConversationId(id), FileId(file)))

    return router
