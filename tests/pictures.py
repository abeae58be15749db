"""Files to send: real ones, made here, and ones that are not what they say."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from PIL import Image

EXIF_ORIENTATION, EXIF_GPS = 0x0112, 0x8825


def png(width: int = 40, height: int = 30) -> bytes:
    return saved(Image.new("RGB", (width, height), (200, 30, 30)), "PNG")


def saved(picture: Image.Image, format: str, **how: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **how)
    return out.getvalue()


def photograph() -> bytes:
    """Give a picture as a telephone takes it: lying on its side, with the place where it was taken."""
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    exif[EXIF_GPS] = {1: "N", 2: (52.0, 22.0, 12.0), 3: "E", 4: (4.0, 53.0, 42.0)}
    return saved(Image.new("RGB", (80, 60), (30, 90, 30)), "JPEG", exif=exif, comment=b"taken by Noor")


def animation(format: str = "GIF", frames: int = 3) -> bytes:
    shown = [Image.new("RGB", (20, 20), (n * 60 % 256, 80, 80)) for n in range(frames)]
    return saved(shown[0], format, save_all=True, append_images=shown[1:], duration=100, loop=0)


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def png_that_claims(width: int, height: int, *, frames: int = 1) -> bytes:
    """Give a picture whose header promises more than a machine can hold."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    animated = chunk(b"acTL", struct.pack(">II", frames, 0)) if frames > 1 else b""
    body = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + header + animated + body + chunk(b"IEND", b"")


def pdf(text: str = "Invoice 4711") -> bytes:
    return f"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Title ({text}) >>\nendobj\ntrailer\n<< >>\n%%EOF\n".encode()


def docx(**more: bytes) -> bytes:
    return package("word/document.xml", **more)


def package(main: str, **more: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(main, "<document/>")
        for name, content in more.items():
            archive.writestr(name, content)
    return out.getvalue()


# https://www.eicar.org/download-anti-malware-testfile/, in two halves so that no scanner takes this file for one
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + rb"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
