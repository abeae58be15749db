"""Files and their bytes, under our own ids.

The bytes are in pieces, each written in a transaction of its own, so that a large file never stands between a message
and its commit. Until the last piece is there the file is `arriving`, and nobody can be given it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from escalade.domain.errors import Conflict, Invalid
from escalade.domain.model import (
    Attachment,
    ConversationId,
    FileId,
    FileState,
    MessageId,
    Millis,
    OrganisationId,
)
from escalade.store.database import Row, Tx

PIECE = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What is known of a file; `channel` and `url` say who has it where it came from an agent."""

    id: FileId
    organisation: OrganisationId
    conversation: ConversationId
    message: MessageId | None
    name: str
    state: FileState
    media_type: str | None = None
    size: int | None = None
    channel: str | None = None
    url: str = ""
    received: str | None = None
    why: str = ""
    tries: int = 0
    asked_at: Millis | None = None

    def shown(self) -> Attachment:
        """Give it as a message carries it."""
        return Attachment(
            id=self.id,
            name=self.name,
            url=self.url,
            media_type=self.media_type,
            size=self.size,
            state=self.state,
        )


def add(tx: Tx, file: File, now: Millis, *, due_at: Millis | None = None) -> None:
    """Write down a file whose bytes are yet to come."""
    tx.run(
        "INSERT INTO file (organisation, id, conversation, message, channel, url, name, media_type, size, received,"
        " state, why, asked_at, due_at, created_at) VALUES (:organisation, :id, :conversation, :message, :channel,"
        " :url, :name, :media_type, :size, :received, :state, :why, :asked_at, :due_at, :now)",
        organisation=file.organisation,
        id=file.id,
        conversation=file.conversation,
        message=file.message,
        channel=file.channel,
        url=file.url,
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        received=file.received,
        state=file.state.value,
        why=file.why,
        asked_at=file.asked_at,
        due_at=due_at,
        now=now,
    )


def pieces(content: bytes) -> Iterable[tuple[int, bytes]]:
    """Cut a content into numbered pieces."""
    return ((n, content[at : at + PIECE]) for n, at in enumerate(range(0, len(content), PIECE)))


def put(tx: Tx, organisation: OrganisationId, id: FileId, n: int, content: bytes) -> None:
    """Write down one piece; writing it again replaces it. A file that is whole, or taken away meanwhile, gets none."""
    file = load(tx, organisation, id)
    if file is None or file.state not in {FileState.ARRIVING, FileState.AWAITED}:
        return
    tx.run(
        "INSERT INTO file_piece (organisation, file, n, content) VALUES (:organisation, :file, :n, :content)"
        " ON CONFLICT (organisation, file, n) DO UPDATE SET content = excluded.content",
        organisation=organisation,
        file=id,
        n=n,
        content=content,
    )


def keep(
    tx: Tx, organisation: OrganisationId, id: FileId, *, media_type: str, size: int, digest: str, expects: FileState
) -> bool:
    """Say that every piece is there; not where the file has become something else meanwhile."""
    touched = tx.run(
        "UPDATE file SET state = 'kept', media_type = :media_type, size = :size, digest = :digest, why = '',"
        " due_at = NULL WHERE organisation = :organisation AND id = :id AND state = :expects",
        organisation=organisation,
        id=id,
        media_type=media_type,
        size=size,
        digest=digest,
        expects=expects.value,
    )
    return touched == 1


def load(tx: Tx, organisation: OrganisationId, id: FileId) -> File | None:
    """Give what is known of a file of this organisation."""
    row = tx.one("SELECT * FROM file WHERE organisation = :organisation AND id = :id", organisation=organisation, id=id)
    return None if row is None else _file(row)


def piece(tx: Tx, organisation: OrganisationId, id: FileId, n: int) -> bytes | None:
    """Give one piece, or nothing after the last."""
    found = tx.value(
        "SELECT content FROM file_piece WHERE organisation = :organisation AND file = :file AND n = :n",
        organisation=organisation,
        file=id,
        n=n,
    )
    return None if found is None else bytes(found)


def claim(
    tx: Tx,
    organisation: OrganisationId,
    conversation: ConversationId,
    message: MessageId,
    ids: Iterable[FileId],
) -> tuple[Attachment, ...]:
    """Tie uploaded files to the message that carries them; a file of another conversation is none."""
    claimed = []
    for n, id in enumerate(ids):
        file = load(tx, organisation, id)
        at = f"/attachments/{n}"
        if file is None or file.conversation != conversation or file.channel is not None:
            raise Invalid("there is no such file in this conversation", pointer=at, code="no_such_file")
        if file.state is not FileState.KEPT:
            raise Invalid("this file has not arrived yet", pointer=at, code="no_such_file")
        if file.message not in {None, message}:
            raise Conflict("this file was sent with another message", pointer=at, code="file_sent")
        tx.run(
            "UPDATE file SET message = :message WHERE organisation = :organisation AND id = :id",
            organisation=organisation,
            id=id,
            message=message,
        )
        claimed.append(file.shown())
    return tuple(claimed)


def unsent(tx: Tx, organisation: OrganisationId, conversation: ConversationId) -> int:
    """Count the files of a conversation that no message carries."""
    return int(
        tx.value(
            "SELECT count(*) FROM file WHERE organisation = :organisation AND conversation = :conversation"
            " AND message IS NULL",
            organisation=organisation,
            conversation=conversation,
        )
    )


def forget(tx: Tx, organisation: OrganisationId, id: FileId) -> None:
    """Drop a file that no message carries, and its bytes."""
    touched = tx.run(
        "DELETE FROM file WHERE organisation = :organisation AND id = :id AND message IS NULL",
        organisation=organisation,
        id=id,
    )
    if touched:
        tx.run(
            "DELETE FROM file_piece WHERE organisation = :organisation AND file = :id",
            organisation=organisation,
            id=id,
        )


def forgotten(tx: Tx, before: Millis, limit: int = 20) -> list[tuple[OrganisationId, FileId]]:
    """List files nobody sent with a message since they were uploaded."""
    rows = tx.everywhere().all(
        "SELECT organisation, id FROM file WHERE message IS NULL AND created_at < :before LIMIT :limit",
        before=before,
        limit=limit,
    )
    return [(OrganisationId(row["organisation"]), FileId(row["id"])) for row in rows]


# what agents sent, and we fetch


def due(tx: Tx, now: Millis, limit: int = 200) -> list[File]:
    """List the files to fetch now, the longest due first; where there are too many, some of every organisation's."""
    tx = tx.everywhere()
    first = "SELECT * FROM file WHERE due_at IS NOT NULL AND due_at <= :now ORDER BY due_at LIMIT :limit"
    rows = tx.all(first, now=now, limit=limit)
    if len(rows) == limit:
        fair = (
            "SELECT * FROM (SELECT file.*, row_number() OVER (PARTITION BY organisation ORDER BY due_at) AS place"
            " FROM file WHERE due_at IS NOT NULL AND due_at <= :now) AS files WHERE place <= :each ORDER BY due_at"
        )
        rows = tx.all(fair, now=now, each=max(1, limit // 16))  # far more than are fetched at once
    return [_file(row) for row in rows]


def next_due_at(tx: Tx) -> Millis | None:
    """Say when the next file is to be fetched."""
    found: Millis | None = tx.everywhere().value("SELECT min(due_at) FROM file WHERE due_at IS NOT NULL")
    return found


def recover(tx: Tx, now: Millis) -> None:
    """Begin every wait for a file anew: nobody knows how long we were away."""
    tx.everywhere().run("UPDATE file SET due_at = :now, asked_at = :now WHERE state = 'awaited'", now=now)


def missed(
    tx: Tx, organisation: OrganisationId, id: FileId, *, state: FileState, why: str, due_at: Millis | None
) -> None:
    """Write down that a file could not be fetched, and when to try again."""
    tx.run(
        "UPDATE file SET state = :state, why = :why, due_at = :due_at, tries = tries + 1"
        " WHERE organisation = :organisation AND id = :id AND state = 'awaited'",
        organisation=organisation,
        id=id,
        state=state.value,
        why=why,
        due_at=due_at,
    )


def ask_again(tx: Tx, organisation: OrganisationId, id: FileId, now: Millis) -> bool:
    """Have a lost file fetched once more; say whether it was lost."""
    touched = tx.run(
        "UPDATE file SET state = 'awaited', tries = 0, asked_at = :now, due_at = :now"
        " WHERE organisation = :organisation AND id = :id AND state = 'lost'",
        organisation=organisation,
        id=id,
        now=now,
    )
    return touched == 1


def from_agents(
    tx: Tx, organisation: OrganisationId, conversation: ConversationId, limit: int = 20
) -> dict[FileId, Attachment]:
    """Say how the last files that agents sent stand."""
    rows = tx.all(
        "SELECT * FROM file WHERE organisation = :organisation AND conversation = :conversation"
        " AND channel IS NOT NULL ORDER BY created_at DESC LIMIT :limit",
        organisation=organisation,
        conversation=conversation,
        limit=limit,
    )
    return {FileId(row["id"]): _file(row).shown() for row in rows}


def _file(row: Row) -> File:
    return File(
        id=FileId(row["id"]),
        organisation=OrganisationId(row["organisation"]),
        conversation=ConversationId(row["conversation"]),
        message=None if row["message"] is None else MessageId(row["message"]),
        name=row["name"],
        state=FileState(row["state"]),
        media_type=row["media_type"],
        size=row["size"],
        channel=row["channel"],
        url=row["url"],
        received=row["received"],
        why=row["why"],
        tries=row["tries"],
        asked_at=row["asked_at"],
    )
