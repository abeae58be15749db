"""Files come in only if they are what they say, go out only to their own conversation, and are never pages of ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from escalade.domain.files import LARGEST, MOST
from escalade.domain.model import FileId, FileState
from escalade.store import files
from tests import pictures
from tests.web.counter import ORGANISATION, Answer, Counter, counter


@pytest_asyncio.fixture
async def front(tmp_path: Path) -> AsyncIterator[Counter]:
    async with counter(tmp_path) as found:
        await found.api("POST", "/conversations", {"id": "c-1"})
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def quiet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Counter]:
    """One application for every upload that is refused."""
    async with counter(tmp_path_factory.mktemp("quiet")) as found:
        await found.api("POST", "/conversations", {"id": "c-1"})
        yield found


TOGETHER = pytest.mark.asyncio(loop_scope="module")


async def upload(
    front: Counter,
    name: str,
    content: bytes | list[bytes],
    *,
    id: str | None = None,
    conversation: str = "c-1",
    key: str = "ek_1",
    **headers: str,
) -> Answer:
    target = f"/api/v1/conversations/{conversation}/files?name={quote(name, safe='')}" + (f"&file={id}" if id else "")
    lines = {"authorization": f"Bearer {key}", "content-type": "application/octet-stream"} | headers
    return await front.send("POST", target, lines.items(), content)


async def download(front: Counter, id: str, *, conversation: str = "c-1", key: str = "ek_1") -> Answer:
    return await front.api("GET", f"/conversations/{conversation}/files/{id}", key=key)


async def say(front: Counter, *ids: str, text: str = "", id: str = "m-1", conversation: str = "c-1") -> Answer:
    document = {"id": id, "text": text, "attachments": [{"id": file} for file in ids]}
    return await front.api("POST", f"/conversations/{conversation}/messages", document)


# In and out


async def test_a_file_is_uploaded_sent_with_a_message_and_given_back(front: Counter) -> None:
    taken = await upload(front, "invoice.pdf", pictures.pdf())
    assert taken.status == 201, taken.body
    shown = {
        "id": taken.json["id"],
        "name": "invoice.pdf",
        "media_type": "application/pdf",
        "size": len(pictures.pdf()),
        "state": "kept",
        "scanned": False,
    }
    assert taken.json == shown
    said = await say(front, taken.json["id"], text="My invoice")
    assert (said.status, said.json["attachments"]) == (201, [shown])
    page = await front.api("GET", "/conversations/c-1/messages")
    assert page.json["messages"][0]["attachments"] == [shown]
    given = await download(front, taken.json["id"])
    assert (given.status, given.body) == (200, pictures.pdf())
    assert given.headers["content-length"] == str(len(given.body))


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("a.png", pictures.png(), "image/png"),
        ("a.JPG", pictures.photograph(), "image/jpeg"),
        ("a.jpeg", pictures.photograph(), "image/jpeg"),
        ("a.gif", pictures.animation(), "image/gif"),
        ("a.webp", pictures.animation("WEBP"), "image/webp"),
        ("a.pdf", pictures.pdf(), "application/pdf"),
        ("a.txt", "Grüße\r\n\tNoor".encode(), "text/plain"),
        ("a.log", b"GET / HTTP/1.1 200 <html>", "text/plain"),
        ("a.txt", "Grüße".encode("utf-16"), "text/plain"),
        ("a.csv", "Größe;Preis\n4;5".encode("cp1252"), "text/csv"),
        ("a.docx", pictures.docx(), None),
        ("a.xlsx", pictures.package("xl/workbook.xml"), None),
    ],
)
async def test_what_people_send_is_taken(front: Counter, name: str, content: bytes, media_type: str | None) -> None:
    taken = await upload(front, name, content)
    assert taken.status == 201, taken.body
    if media_type is not None:
        assert taken.json["media_type"] == media_type
    given = await download(front, taken.json["id"])
    description = (await front.call("GET", "/api/v1/openapi.json")).json["paths"]["/conversations/{id}/files/{file}"]
    assert given.headers["content-type"].partition(";")[0] in description["get"]["responses"]["200"]["content"]
    assert len(given.body) == taken.json["size"]
    assert given.body == content or taken.json["media_type"].startswith("image/")


async def test_a_large_file_is_kept_in_pieces_and_comes_back_whole(front: Counter) -> None:
    content = b"0123456789abcdef" * (LARGEST // 16)
    taken = await upload(front, "large.txt", [content[at : at + 2**20] for at in range(0, LARGEST, 2**20)])
    assert (taken.status, taken.json["size"]) == (201, LARGEST)
    assert (await download(front, taken.json["id"])).body == content


async def test_repeating_an_upload_with_its_id_gives_the_same_file(front: Counter) -> None:
    first = await upload(front, "a.txt", b"Hello", id="file-1")
    again = await upload(front, "a.txt", b"Hello", id="file-1")
    assert (first.status, again.status, again.json) == (201, 201, first.json)
    other = await upload(front, "a.txt", b"Hello?", id="file-1")
    assert (other.status, other.problem, other.pointer) == (409, "conflict", "/id")
    picture = await upload(front, "a.png", pictures.png(), id="file-2")
    assert (await upload(front, "a.png", pictures.png(), id="file-2")).json == picture.json


async def test_repeating_a_message_with_its_files_is_one_message(front: Counter) -> None:
    one, two = [(await upload(front, f"{n}.txt", b"Hello")).json["id"] for n in range(2)]
    said = await say(front, one)
    assert (await say(front, one)).body == said.body
    assert (await say(front, two)).status == 409
    assert (await say(front, one, id="m-2")).json["code"] == "file_sent"
    assert len(await front.messages()) == 1


async def test_a_message_needs_a_text_or_a_file(front: Counter) -> None:
    assert (await say(front)).pointer == "/text"
    file = (await upload(front, "a.txt", b"Hello")).json["id"]
    assert (await say(front, file, text="\u200d")).status == 422
    assert (await say(front, file)).status == 201


async def test_a_file_is_carried_by_a_customers_message_only_and_once(front: Counter) -> None:
    file = (await upload(front, "a.txt", b"Hello")).json["id"]
    assert (await say(front, file, file)).pointer == "/attachments"
    document = {"text": "Look", "author": "assistant", "attachments": [{"id": file}]}
    refused = await front.api("POST", "/conversations/c-1/messages", document)
    assert (refused.status, refused.pointer) == (422, "/attachments")


async def test_a_closed_conversation_takes_no_file(front: Counter) -> None:
    await front.api("POST", "/conversations/c-1/close")
    refused = await upload(front, "a.txt", b"Hello")
    assert (refused.status, refused.json["code"]) == (409, "session_closed")
    assert front.parts_read == 0


async def test_files_nobody_sends_do_not_pile_up(front: Counter) -> None:
    for n in range(20):
        assert (await upload(front, f"{n}.txt", b"Hello")).status == 201
    refused = await upload(front, "21.txt", b"Hello")
    assert (refused.status, refused.json["code"]) == (409, "too_many_files")


async def test_what_breaks_off_half_way_is_nobodys_file(front: Counter) -> None:
    half = files.File(
        id=FileId("half"),
        organisation=ORGANISATION,
        conversation=(await front.conversation()).id,
        message=None,
        name="a.txt",
        state=FileState.ARRIVING,
    )
    await front.write(lambda tx: files.add(tx, half, 0))
    await front.write(lambda tx: files.put(tx, ORGANISATION, half.id, 0, b"Hel"))
    assert (await download(front, "half")).status == 404
    assert (await say(front, "half")).json["code"] == "no_such_file"


# F01: how large


@TOGETHER
@pytest.mark.parametrize("declared", [str(LARGEST + 1), "999999999", "1" * 16])
async def test_what_is_announced_too_large_is_refused_unread(quiet: Counter, declared: str) -> None:
    refused = await upload(quiet, "a.txt", [b"x"], **{"content-length": declared})
    assert (refused.status, refused.problem, refused.headers["connection"]) == (413, "too-large", "close")
    assert quiet.parts_read == 0


@TOGETHER
async def test_what_turns_out_too_large_is_cut(quiet: Counter) -> None:
    piece = bytes(2**20)
    refused = await upload(quiet, "a.txt", [piece] * 1000)
    assert (refused.status, refused.problem) == (413, "too-large")
    assert quiet.parts_read == LARGEST // 2**20 + 1


@TOGETHER
async def test_an_empty_file_and_too_many_are_refused(quiet: Counter) -> None:
    empty = await upload(quiet, "a.txt", b"")
    assert (empty.status, empty.json["code"]) == (422, "file_empty")
    many = await say(quiet, *(f"file-{n}" for n in range(MOST + 1)))
    assert (many.status, many.pointer) == (422, "/attachments")


@TOGETHER
async def test_nothing_is_read_before_the_caller_and_the_place_are_known(quiet: Counter) -> None:
    assert (await upload(quiet, "a.txt", b"Hello", key="wrong")).status == 401
    assert quiet.parts_read == 0
    assert (await upload(quiet, "a.txt", b"Hello", conversation="c-none")).status == 404
    assert quiet.parts_read == 0


# F02-F04, F06: what it is


@TOGETHER
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("program.png", b"MZ\x90\x00 This program cannot be run in DOS mode"),
        ("program.exe", b"MZ\x90\x00"),
        ("page.png", b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>"),
        ("page.jpg", b"\xff\xd8\xff<html><script>alert(1)</script>"),
        ("script.gif", b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)"),
        ("archive.pdf", pictures.pdf() + pictures.docx()),
        ("paper.docx", b"%PDF-1.4\n" + pictures.docx()),
        ("picture.jpg", pictures.png()),
        ("picture.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 "),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("page.html", b"<!doctype html><p>Hello"),
        ("page.xhtml", b"<?xml version='1.0'?><html/>"),
        ("formula.mml", b"<math/>"),
        ("page.txt", b"\xef\xbb\xbf \n<!DOCTYPE html><script>alert(1)</script>"),
        ("page.txt", "<html>".encode("utf-16")),
        ("page.csv", b"<math><mtext>"),
        ("binary.txt", b"\x00\x01\x02"),
        ("huge.png", pictures.png_that_claims(50_000, 50_000)),
        ("endless.png", pictures.png_that_claims(200, 200, frames=10_000)),
        ("long.gif", pictures.animation(frames=256)),
        ("cut.png", pictures.png()[:60]),
        ("scan.tiff", b"II*\x00"),
        ("scan.png", b"II*\x00\x08\x00\x00\x00"),
        ("a.zip", pictures.docx()),
        ("macros.docx", pictures.docx(**{"word/vbaProject.bin": b"x"})),
        ("slip.docx", pictures.docx(**{"../../etc/passwd": b"x"})),
        ("other.docx", pictures.package("xl/workbook.xml")),
        ("no-ending", b"Hello"),
        (".htaccess", b"Require all granted"),
        ("../../x", b"Hello"),
        ("\u202egnp.exe", pictures.png()),
    ],
)
async def test_what_is_not_what_it_says_is_refused(quiet: Counter, name: str, content: bytes) -> None:
    refused = await upload(quiet, name, content)
    assert (refused.status, refused.problem) == (422, "validation"), refused.body
    assert refused.json["code"] in {"file_kind", "file_picture", "file_unreadable"}
    assert await quiet.read(lambda tx: tx.value("SELECT count(*) FROM file")) == 0


async def test_a_picture_is_written_anew(front: Counter) -> None:
    """F02, F09: what hid behind the picture is gone, and so is the place where it was taken; it stands upright."""
    hidden = b"<script>alert(1)</script>"
    taken = await upload(front, "me.jpg", pictures.photograph() + hidden)
    kept = (await download(front, taken.json["id"])).body
    assert taken.status == 201
    assert hidden not in kept
    assert b"Noor" not in kept
    picture = pictures.opened(kept)
    assert dict(picture.getexif()) == {}
    assert picture.size == (60, 80)


async def test_an_animation_still_moves(front: Counter) -> None:
    for name, format in (("a.gif", "GIF"), ("a.webp", "WEBP"), ("a.png", "PNG")):
        taken = await upload(front, name, pictures.animation(format))
        assert pictures.opened((await download(front, taken.json["id"])).body).n_frames == 3  # type: ignore[attr-defined]


# F05: names


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../x.txt", "x.txt"),
        ("C:\\Users\\noor\\x.txt", "x.txt"),
        ("a\0.txt", "a.txt"),
        ("CON.txt", "_CON.txt"),
        ("com1.txt", "_com1.txt"),
        ("a" * 300 + ".txt", "a" * 116 + ".txt"),
        ("\u202ea\u200bb.txt", "ab.txt"),
        ("x\r\nSet-Cookie: a=b.txt", "x Set-Cookie_ a=b.txt"),
        ('"; filename=evil.txt', "_; filename=evil.txt"),
        ("  Rechnung März.txt  ", "Rechnung März.txt"),
        ("請求書.txt", "請求書.txt"),
        ("👩‍🚒.txt", "👩🚒.txt"),
    ],
)
async def test_a_name_is_only_a_name(front: Counter, given: str, shown: str) -> None:
    taken = await upload(front, given, b"Hello")
    assert (taken.status, taken.json["name"]) == (201, shown)
    given_back = await download(front, taken.json["id"])
    line = given_back.headers["content-disposition"]
    assert line.startswith('attachment; filename="')
    assert line.endswith(f"filename*=UTF-8''{quote(shown, safe='')}")
    assert line.isascii()
    assert line.isprintable()
    assert line.count('"') == 2


# F07


async def test_nobody_claims_to_have_scanned_what_nobody_scanned(front: Counter) -> None:
    taken = await upload(front, "eicar.txt", pictures.EICAR)
    assert (taken.status, taken.json["scanned"]) == (201, False)
    assert (await upload(front, "eicar.com", pictures.EICAR)).status == 422


# F08: who may have it


async def test_a_file_is_found_in_its_own_conversation_only(front: Counter) -> None:
    await front.api("POST", "/conversations", {"id": "c-2"})
    await front.api("POST", "/conversations", {"id": "c-1"}, key="ek_2")
    file = (await upload(front, "a.txt", b"Hello")).json["id"]
    assert (await download(front, file)).status == 200
    missing = await download(front, "file-of-nobody")
    for answer in (
        await download(front, file, conversation="c-2"),
        await download(front, file, key="ek_2"),
        await front.api("POST", f"/conversations/c-2/files/{file}/fetch"),
    ):
        assert (answer.status, answer.json) == (404, missing.json)
    assert (await say(front, file, conversation="c-2")).json["code"] == "no_such_file"
    assert (await download(front, file, key="wrong")).status == 401


async def test_a_visitors_file_is_that_visitors(front: Counter) -> None:
    tokens = [(await front.call("POST", "/widget/v1/sessions", {"key": "pk_1"})).json["token"] for _ in range(2)]
    noor, other = ({"authorization": f"Bearer {token}"} for token in tokens)
    at = "/widget/v1/conversations/conversation-0001"
    await front.call("POST", "/widget/v1/conversations", {"id": "conversation-0001"}, noor)
    target = f"{at}/files?name=a.png&file=file-00000000001"
    taken = await front.send("POST", target, noor.items(), pictures.png())
    assert (taken.status, taken.json["id"]) == (201, "file-00000000001")
    given = await front.call("GET", f"{at}/files/file-00000000001", headers=noor)
    assert pictures.opened(given.body).size == (40, 30)
    for method, path in (("GET", f"{at}/files/file-00000000001"), ("POST", f"{at}/files/file-00000000001/fetch")):
        assert (await front.call(method, path, headers=other)).status == 404
        assert (await front.call(method, path)).status == 401
    refused = await front.send("POST", target, other.items(), pictures.png())
    assert (refused.status, front.parts_read) == (404, 0)
    document = {"id": "message-00000001", "attachments": [{"id": "file-00000000001"}]}
    assert (await front.call("POST", f"{at}/messages", document, noor)).status == 201


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("", "/name"), ("?name=", "/name"), (f"?name={'a' * 1025}", "/name"), ("?name=a.txt&file=short", "/file")],
)
async def test_the_widget_says_what_is_wrong_with_the_address(front: Counter, query: str, pointer: str) -> None:
    token = (await front.call("POST", "/widget/v1/sessions", {"key": "pk_1"})).json["token"]
    visitor = {"authorization": f"Bearer {token}"}
    await front.call("POST", "/widget/v1/conversations", {"id": "conversation-0001"}, visitor)
    target = f"/widget/v1/conversations/conversation-0001/files{query}"
    refused = await front.send("POST", target, visitor.items(), b"Hello")
    assert (refused.status, refused.pointer) == (422, pointer)


async def test_a_download_is_never_a_page_of_ours(front: Counter) -> None:
    text, picture = await upload(front, "a.txt", b"Hello"), await upload(front, "a.png", pictures.png())
    for taken, way, kind in ((text, "attachment", "text/plain; charset=utf-8"), (picture, "inline", "image/png")):
        given = await download(front, taken.json["id"])
        assert given.headers["content-disposition"].startswith(f"{way};")
        assert given.headers["content-type"] == kind
        assert given.headers["content-security-policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"
        assert given.headers["x-content-type-options"] == "nosniff"
        assert given.headers["cache-control"] == "no-store"
        assert given.headers["cross-origin-resource-policy"] == "same-origin"


async def test_more_uploads_than_there_is_room_for_are_asked_to_come_back(front: Counter) -> None:
    target = "/api/v1/conversations/c-1/files?name=a.txt"
    lines = {"authorization": "Bearer ek_1", "content-type": "text/plain"}
    waiting = [asyncio.create_task(front.send("POST", target, lines.items(), [b"x"], endless=True)) for _ in range(8)]
    try:
        while (refused := await upload(front, "a.txt", b"Hello")).status == 201:
            pass  # not all of them have begun to read
        assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert (await upload(front, "a.txt", b"Hello")).status == 201
