"""Post a message in its parts, each once: the words, then each file.

A part is found again by its mark. An upload is no part: it shows nothing to anybody until a message names it, so it is
simply done again. A file that Sunshine will not take gives way to a line that says so, and the words still arrive.
"""

from __future__ import annotations

from collections.abc import Iterable

from escalade.channels.base import Job, SunshineApp
from escalade.channels.sunshine import wire
from escalade.channels.sunshine.calls import Answer, Calls, Json, messages_path, objects
from escalade.domain.errors import Refused, Retryable, Uncertain
from escalade.domain.model import Attachment

UPLOAD_SECONDS = 60.0


class Posting:
    """Posts parts into a Sunshine conversation."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def post(
        self,
        app: SunshineApp,
        conversation: str,
        author: Json,
        parts: Iterable[wire.Part],
        placed: wire.Places,
        job: Job,
    ) -> Answer | None:
        """Post the parts that are not there yet, in order, and write down where they are; give the last answer."""
        answer: Answer | None = None
        for part in parts:
            if part.mark in placed:
                continue
            body = wire.part_body(author, part)
            if part.file is not None:
                media = await self._upload(app, conversation, part.file, job)
                body = wire.file_body(author, part, media) if media else wire.lost_body(author, part)
            try:
                answer = await self._calls.call(app, "POST", messages_path(conversation), body=body)
            except Refused:
                if part.file is None:
                    raise
                body = wire.lost_body(author, part)
                answer = await self._calls.call(app, "POST", messages_path(conversation), body=body)
            made = [found for item in objects(answer.json, "messages") if (found := wire.place_of(item)) is not None]
            if not made:
                raise Uncertain("the answer names no message", status=answer.status, answer=answer.summary)
            placed[part.mark] = wire.Place(id=made[0].id, lost=wire.lost_in(body))
        return answer

    async def _upload(self, app: SunshineApp, conversation: str, file: Attachment, job: Job) -> str | None:
        """Upload a file and give its address there; nothing where it is not taken."""
        assert file.id is not None
        content = await job.read_file(file.id)
        try:
            answer = await self._calls.upload(
                app, conversation, file.name, file.media_type or "", content, seconds=UPLOAD_SECONDS
            )
        except Refused:
            return None
        except Uncertain as error:
            raise Retryable(error.detail, status=error.status, answer=error.answer) from error
        shown = answer.json.get("attachment")
        media = wire.text(shown.get("mediaUrl")) if isinstance(shown, dict) else None
        if media is None:
            raise Retryable("the answer names no file", status=answer.status, answer=answer.summary)
        return media
