"""Judge a file somebody sent: `python -m escalade.services.scrutiny`, which the inspector starts for each file.

It imports little, since it is started anew for each. Pictures come out written anew: the place where they were taken,
thumbnails, and whatever else hid in them stay behind. Their size is read from the header and judged before a single
point is decoded.
"""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from escalade.domain.errors import Invalid
from escalade.domain.files import LARGEST, Kind, kind_of

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_POINTS = 50_000_000  # of one picture: the largest a telephone takes
MOST_FRAMES = 200
MOST_POINTS_TOGETHER = 100_000_000  # of all frames of an animation
MEMORY = 1536 * 1024 * 1024
SECONDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """A file that passes: what it is, and the bytes to keep."""

    media_type: str
    content: bytes


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
