"""A file is whole or nobody's, belongs to one conversation, and its bytes come back as they were."""

from __future__ import annotations

import pytest

from escalade.domain.errors import Conflict, Invalid
from escalade.domain.model import ConversationId, FileId, FileState, MessageId, OrganisationId
from escalade.store import files
from escalade.store.database import Tx
from tests.backstage import NOON

ORGANISATION, OTHER = OrganisationId("org_1"), OrganisationId("org_2")
HERE, ELSEWHERE = ConversationId("c-1"), ConversationId("c-2")
FILE = FileId("f-1")
CONTENT = bytes(range(256)) * 2500  # two pieces and a bit


def add(tx: Tx, state: FileState = FileState.ARRIVING, **more: object) -> None:
    facts: dict[str, object] = {"id": FILE, "conversation": HERE, "message": None, "name": "a.bin"} | more
    file = files.File(organisation=ORGANISATION, state=state, **facts)  # type: ignore[arg-type]
    files.add(tx, file, NOON, due_at=NOON if state is FileState.AWAITED else None)


def keep(tx: Tx, content: bytes = CONTENT, expects: FileState = FileState.ARRIVING) -> bool:
    for n, piece in files.pieces(content):
        files.put(tx, ORGANISATION, FILE, n, piece)
    kind = "application/octet-stream"
    return files.keep(tx, ORGANISATION, FILE, media_type=kind, size=len(content), digest="d", expects=expects)


def content(tx: Tx) -> bytes:
    found, n = b"", 0
    while (piece := files.piece(tx, ORGANISATION, FILE, n)) is not None:
        found, n = found + piece, n + 1
    return found


def test_what_is_put_comes_back_and_a_whole_file_is_not_written_over(tx: Tx) -> None:
    add(tx)
    assert keep(tx)
    assert content(tx) == CONTENT
    assert not keep(tx, b"something else")
    assert content(tx) == CONTENT
    kept = files.load(tx, ORGANISATION, FILE)
    assert kept is not None
    assert (kept.state, kept.size) == (FileState.KEPT, len(CONTENT))
    assert files.load(tx, OTHER, FILE) is None
    assert files.piece(tx, OTHER, FILE, 0) is None


def test_a_file_that_was_taken_away_meanwhile_gets_no_bytes(tx: Tx) -> None:
    add(tx)
    files.forget(tx, ORGANISATION, FILE)
    assert not keep(tx)
    assert content(tx) == b""


def test_only_a_whole_file_of_the_conversation_goes_with_a_message_and_with_one(tx: Tx) -> None:
    first, second = MessageId("m-1"), MessageId("m-2")
    add(tx)
    with pytest.raises(Invalid, match="not arrived"):
        files.claim(tx, ORGANISATION, HERE, first, [FILE])
    keep(tx)
    for organisation, conversation in ((ORGANISATION, ELSEWHERE), (OTHER, HERE)):
        with pytest.raises(Invalid, match="no such file"):
            files.claim(tx, organisation, conversation, first, [FILE])
    assert files.unsent(tx, ORGANISATION, HERE) == 1
    assert [file.id for file in files.claim(tx, ORGANISATION, HERE, first, [FILE])] == [FILE]
    assert files.claim(tx, ORGANISATION, HERE, first, [FILE]) != ()
    with pytest.raises(Conflict):
        files.claim(tx, ORGANISATION, HERE, second, [FILE])
    assert files.unsent(tx, ORGANISATION, HERE) == 0
    files.forget(tx, ORGANISATION, FILE)
    assert content(tx) == CONTENT, "a file that was sent is not forgotten"


def test_an_agents_file_is_due_until_it_is_here_or_lost(tx: Tx) -> None:
    add(tx, FileState.AWAITED, channel="sunshine", url="https://z/1", message=MessageId("sunshine:1"))
    assert [file.id for file in files.due(tx, NOON)] == [FILE]
    files.missed(tx, ORGANISATION, FILE, state=FileState.AWAITED, why="503", due_at=NOON + 5)
    assert (files.due(tx, NOON), files.next_due_at(tx)) == ([], NOON + 5)
    files.recover(tx, NOON + 1)
    assert files.next_due_at(tx) == NOON + 1
    files.missed(tx, ORGANISATION, FILE, state=FileState.LOST, why="404", due_at=None)
    assert files.next_due_at(tx) is None
    assert files.ask_again(tx, ORGANISATION, FILE, NOON + 9)
    assert not files.ask_again(tx, ORGANISATION, FILE, NOON + 9)
    assert keep(tx, expects=FileState.AWAITED)
    assert files.from_agents(tx, ORGANISATION, HERE)[FILE].state is FileState.KEPT
    assert files.next_due_at(tx) is None


def test_one_organisation_with_more_to_fetch_than_is_listed_hides_nobody_else(tx: Tx) -> None:
    for n in range(40):
        add(tx, FileState.AWAITED, id=FileId(f"f-{n:02}"))
    theirs = files.File(
        id=FILE, organisation=OTHER, conversation=HERE, message=None, name="b.bin", state=FileState.AWAITED
    )
    files.add(tx, theirs, NOON, due_at=NOON + 50)
    found = files.due(tx, NOON + 60, limit=32)
    assert [file.organisation for file in found] == [ORGANISATION, ORGANISATION, OTHER]
    assert found[-1] == files.load(tx, OTHER, FILE)
    assert len(files.due(tx, NOON + 60)) == 41
