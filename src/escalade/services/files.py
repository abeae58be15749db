"""Files customers send and get: looked into before they are kept, kept before they are acknowledged, and given to
nobody outside their conversation.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from functools import partial

from escalade.domain.errors import Conflict, Invalid, NotFound
from escalade.domain.files import LARGEST, safe_name
from escalade.domain.model import (
    Attachment,
    ConversationId,
    CustomerId,
    FileId,
    FileState,
    OrganisationId,
    Status,
)
from escalade.services.desk import Desk, check_id
from escalade.services.inspection import Inspect
from escalade.services.ports import Ports
from escalade.services.scrutiny import Inspected
from escalade.store import conversations, files
from escalade.store.database import Database, Tx

MOST_UNSENT = 20  # files of one conversation that no message carries yet


class Files:
    """Takes files in and gives them out."""

    def __init__(self, database: Database, ports: Ports, desk: Desk, inspect: Inspect) -> None:
        self._database = database
        self._ports = ports
        self._desk = desk
        self._inspect = inspect

    async def check_place(
        self, organisation: OrganisationId, conversation: ConversationId, customer: CustomerId | None = None
    ) -> None:
        """Say whether a file may be uploaded here, before a byte of it is read."""
        found = await self._desk.load(organisation, conversation, customer)
        if found.status is Status.CLOSED:
            raise Conflict("this conversation is closed", code="session_closed")
        if await self._database.read(lambda tx: files.unsent(tx, organisation, conversation)) >= MOST_UNSENT:
            raise Conflict("too many files wait to be sent with a message", code="too_many_files")

    async def take(
        self,
        organisation: OrganisationId,
        conversation: ConversationId,
        *,
        name: str,
        content: bytes,
        id: str | None = None,
        customer: CustomerId | None = None,
    ) -> Attachment:
        """Take an upload; when this returns it is durable, and repeating it with the same id changes nothing.

        1. Look into it: what it is, and whether it may pass.
        2. Write it down, a piece at a time.
        3. Say that it is whole.
        """
        await self.check_place(organisation, conversation, customer)
        chosen = FileId(check_id(id, "/id") if id is not None else self._ports.new_id())
        if len(content) > LARGEST:
            raise Invalid(f"at most {LARGEST} bytes", code="file_too_large")
        received = await self._ports.aside(partial(digest_of, content))
        name = safe_name(name)
        known = await self._database.read(lambda tx: files.load(tx, organisation, chosen))
        if known is not None and (known.conversation != conversation or known.received != received):
            raise Conflict("this id was used for another file", pointer="/id")
        if known is not None and known.state is FileState.KEPT:
            return known.shown()
        inspected = await self._inspect(name, content)
        file = files.File(
            id=chosen,
            organisation=organisation,
            conversation=conversation,
            message=None,
            name=name,
            state=FileState.ARRIVING,
            media_type=inspected.media_type,
            size=len(inspected.content),
            received=received,
        )

        def begun(tx: Tx) -> None:
            current = conversations.load(tx, organisation, conversation)
            if current is None or current.status is Status.CLOSED:
                raise Conflict("this conversation is closed", code="session_closed")
            before = files.load(tx, organisation, chosen)
            if before is not None and (before.conversation != conversation or before.received != received):
                raise Conflict("this id was used for another file", pointer="/id")
            if before is None:
                files.add(tx, file, self._ports.now())

        await self._database.write(begun)
        await keep(self._database, self._ports, organisation, chosen, inspected, FileState.ARRIVING)
        kept = await self._database.read(lambda tx: files.load(tx, organisation, chosen))
        assert kept is not None
        return kept.shown()

    async def give(
        self,
        organisation: OrganisationId,
        conversation: ConversationId,
        id: FileId,
        customer: CustomerId | None = None,
    ) -> tuple[Attachment, AsyncIterator[bytes]]:
        """Give a file of this conversation; any other is answered like one that does not exist."""
        await self._desk.load(organisation, conversation, customer)
        file = await self._database.read(lambda tx: files.load(tx, organisation, id))
        if file is None or file.conversation != conversation or file.state is FileState.ARRIVING:
            raise NotFound("no such file")
        if file.state is not FileState.KEPT:
            raise Conflict(WHY_NOT[file.state], code=f"file_{file.state.value}")
        return file.shown(), pieces_of(self._database, organisation, id)

    async def fetch_again(
        self,
        organisation: OrganisationId,
        conversation: ConversationId,
        id: FileId,
        customer: CustomerId | None = None,
    ) -> Attachment:
        """Have an agent's file that was lost fetched once more."""
        await self._desk.load(organisation, conversation, customer)

        def written(tx: Tx) -> Attachment:
            file = files.load(tx, organisation, id)
            if file is None or file.conversation != conversation or file.channel is None:
                raise NotFound("no such file")
            if files.ask_again(tx, organisation, id, self._ports.now()):
                tx.ring("file", "due")
                tx.ring("conversation", conversations.topic(organisation, conversation))
            after = files.load(tx, organisation, id)
            assert after is not None
            return after.shown()

        return await self._database.write(written)


WHY_NOT = {
    FileState.AWAITED: "this file is still on its way here; try again in a moment",
    FileState.LOST: "this file could not be fetched",
    FileState.FLAGGED: "this file was held back: a scan found something harmful in it",
}


async def pieces_of(database: Database, organisation: OrganisationId, id: FileId) -> AsyncIterator[bytes]:
    """Give a file's bytes a piece at a time."""
    n = 0
    while (piece := await database.read(partial(files.piece, organisation=organisation, id=id, n=n))) is not None:
        yield piece
        n += 1


async def read(database: Database, organisation: OrganisationId, id: FileId) -> bytes:
    """Give a file's bytes whole, for a delivery."""
    return b"".join([piece async for piece in pieces_of(database, organisation, id)])


async def keep(
    database: Database,
    ports: Ports,
    organisation: OrganisationId,
    id: FileId,
    inspected: Inspected,
    expects: FileState,
) -> bool:
    """Write a file down piece by piece, other people's messages in between; say whether it is kept."""
    for n, piece in files.pieces(inspected.content):
        await database.write(partial(files.put, organisation=organisation, id=id, n=n, content=piece))
    digest = await ports.aside(partial(digest_of, inspected.content))

    def whole(tx: Tx) -> bool:
        kept = files.keep(
            tx,
            organisation,
            id,
            media_type=inspected.media_type,
            size=len(inspected.content),
            digest=digest,
            expects=expects,
        )
        file = files.load(tx, organisation, id)
        if file is not None:
            tx.ring("conversation", conversations.topic(organisation, file.conversation))
        return kept

    return await database.write(whole)


def digest_of(content: bytes) -> str:
    """Give the SHA-256 of a content."""
    return hashlib.sha256(content).hexdigest()
