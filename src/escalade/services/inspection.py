"""Look into a file somebody sent, in a process of its own: what a hostile file breaks there breaks nothing else.

Pictures come out written anew: the place where they were taken, thumbnails, and whatever else hid in them stay behind.
Their size is read from the header and judged before a single point is decoded.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from escalade.domain.errors import Invalid
from escalade.domain.files import LARGEST, Kind, kind_of

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_POINTS = 50_000_000  # of one picture: the largest a telephone takes
MOST_FRAMES = 200
MOST_POINTS_TOGETHER = 100_000_000  # of all frames of an animation
MEMORY = 1536 * 1024 * 1024
SECONDS = 20
AT_ONCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """A file that passes: what it is, and the bytes to keep."""

    media_type: str
    content: bytes


class Inspect(Protocol):
    """Whoever looks into files."""

    async def __call__(self, name: str, content: bytes) -> Inspected:
        """Say what a file is and give it clean, or refuse it."""
        ...


class Inspector:
    """Looks into a few files at a time, each in a process of its own."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._turn = asyncio.Semaphore(at_once)

    async def __call__(self, name: str, content: bytes) -> Inspected:
        """Say what a file is and give it clean, or refuse it."""
        async with self._turn:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                __name__,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                # Nothing of ours goes in but where the code is: no keys, no addresses.
                env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            )
            answer = b""
            try:
                async with asyncio.timeout(SECONDS + 10):
                    answer, _ = await process.communicate(json.dumps(name).encode() + b"\n" + content)
            except TimeoutError:
                pass
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        return _read(answer)


def _read(answer: bytes) -> Inspected:
    """Read the other process's verdict; one that died over the file has said enough."""
    head, found, content = answer.partition(b"\n")
    if not found:
        raise Invalid("the file could not be read", code="file_unreadable")
    verdict = json.loads(head)
    if "error" in verdict:
        raise Invalid(verdict["error"], code=verdict["code"])
    return Inspected(media_type=verdict["media_type"], content=content)


# In the process of its own


def look(name: str, content: bytes) -> Inspected:
    """Judge a file here and now."""
    kind = kind_of(name, content)
    if kind.picture:
        content = _written_anew(kind, content)
        if len(content) > LARGEST:
            raise Invalid("the picture is too large once it is cleaned; send it smaller", code="file_too_large")
    return Inspected(media_type=kind.media_type, content=content)


def _written_anew(kind: Kind, content: bytes) -> bytes:
    from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = MOST_POINTS
    try:
        with Image.open(io.BytesIO(content), formats=[kind.picture]) as found:
            frames = _frames(found)
            if frames == 1:
                upright = ImageOps.exif_transpose(found)
                return _saved(kind, [_plain(kind, upright)], {})
            shown = [_plain(kind, frame.copy()) for frame in ImageSequence.Iterator(found)]
            rhythm = {"duration": [_duration(frame) for frame in ImageSequence.Iterator(found)]}
            return _saved(kind, shown, rhythm | {"loop": int(found.info.get("loop", 0))})
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Invalid("the picture cannot be read, or is too large", code="file_picture") from error
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, MemoryError, OverflowError) as error:
        raise Invalid("the picture is broken", code="file_picture") from error


def _frames(found: Image) -> int:
    """Count the frames, all judged by what the header says."""
    points = found.width * found.height
    if points > MOST_POINTS:
        raise Invalid(f"pictures have at most {MOST_POINTS // 1_000_000} million points", code="file_picture")
    frames = int(getattr(found, "n_frames", 1))
    if frames > MOST_FRAMES or points * frames > MOST_POINTS_TOGETHER:
        raise Invalid(f"an animation has at most {MOST_FRAMES} frames", code="file_picture")
    return frames


def _plain(kind: Kind, picture: Image) -> Image:
    """Give the points and nothing else."""
    from PIL import Image

    mode = picture.mode
    if kind.picture == "JPEG":
        mode = "L" if mode == "L" else "RGB"
    elif mode not in {"1", "L", "LA", "RGB", "RGBA"}:
        mode = "RGBA" if picture.has_transparency_data else "RGB"
    converted = picture.convert(mode)
    clean = Image.new(converted.mode, converted.size)
    clean.paste(converted)
    return clean


def _duration(frame: Image) -> int:
    return max(20, min(60_000, int(frame.info.get("duration", 100) or 100)))


def _saved(kind: Kind, frames: list[Image], rhythm: dict[str, object]) -> bytes:
    out = io.BytesIO()
    how: dict[str, object] = {"quality": 90} if kind.picture in {"JPEG", "WEBP"} else {}
    if len(frames) > 1:
        how |= {"save_all": True, "append_images": frames[1:], **rhythm}
    frames[0].save(out, format=kind.picture, **how)
    return out.getvalue()


def main() -> None:
    """Judge the file on standard input: its name in JSON on the first line, its bytes after it."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    name = json.loads(sys.stdin.buffer.readline())
    try:
        passed = look(name, sys.stdin.buffer.read())
    except Invalid as error:
        verdict = {"error": error.detail, "code": error.code}
        sys.stdout.buffer.write(json.dumps(verdict).encode() + b"\n")
    else:
        sys.stdout.buffer.write(json.dumps({"media_type": passed.media_type}).encode() + b"\n" + passed.content)


if __name__ == "__main__":
    main()
