"""PDFs for the tests, written by hand: pages of lines, each with the size of its letters."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence

from pypdf import PdfReader, PdfWriter

Line = str | tuple[str, int]
BODY = 10


def a_pdf(*pages: Sequence[Line], title: str = "", outline: Sequence[tuple[str, int]] = ()) -> bytes:
    """Write a PDF; of the outline, each entry is a heading and the number of its page, from 0."""
    return of_streams([content(page) for page in pages], title=title, outline=outline)


def content(lines: Sequence[Line]) -> bytes:
    """Draw lines from the top of a page down."""
    drawn, y = [], 800
    for line in lines:
        text, size = line if isinstance(line, tuple) else (line, BODY)
        y -= size + 4
        shown = text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        drawn.append(b"BT /F1 %d Tf 50 %d Td (%s) Tj ET" % (size, y, shown))
    return b"\n".join(drawn)


def of_streams(streams: Sequence[bytes], *, title: str = "", outline: Sequence[tuple[str, int]] = ()) -> bytes:
    """Write a PDF of pages drawn by these streams."""
    first = 4
    kids = b" ".join(b"%d 0 R" % (first + 2 * n) for n in range(len(streams)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(streams)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for n, stream in enumerate(streams):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (first + 2 * n + 1)
        )
        packed = zlib.compress(stream)
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed))
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    if not title and not outline:
        return bytes(out)
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(bytes(out))))
    if title:
        writer.add_metadata({"/Title": title})
    for heading, page in outline:
        writer.add_outline_item(title=heading, page_number=page)
    return written(writer)


def locked(pdf: bytes, password: str) -> bytes:
    """Protect a PDF; with an empty password anybody can open it."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf)))
    writer.encrypt(password, owner_password="owner", algorithm="AES-256")
    return written(writer)


def written(writer: PdfWriter) -> bytes:
    """Give what a writer writes."""
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
