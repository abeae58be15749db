"""A conversation as it happens: server-sent events and long polls, both readers with a cursor.

A stream keeps a wake flag and the last place it has shown. A dropped connection, a missed wake-up or a restart all heal
by the same read from the cursor.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from escalade.domain.errors import EscaladeError
from escalade.domain.model import (
    Attachment,
    Control,
    Conversation,
    ConversationId,
    CustomerId,
    DeliveryView,
    Feedback,
    FileId,
    MessageId,
    OrganisationId,
    Role,
)
from escalade.services.bell import Bell, Listener
from escalade.services.desk import Desk
from escalade.store.conversations import topic
from escalade.web import answers, views
from escalade.web.wire import NO_SNIFF, Problem, Receive, Scope, Send, encode, header

HEARTBEAT_S = 15.0
LONGEST_WAIT_S = 25.0
FAR_BACK = 500  # places before its own that a reader who comes back may show otherwise than they stand
FURTHEST = 2**53


class Streams:
    """Serves conversations to their readers."""

    def __init__(self, desk: Desk, bell: Bell) -> None:
        self._desk = desk
        self._bell = bell

    async def poll(
        self,
        organisation: OrganisationId,
        conversation: ConversationId,
        *,
        after: int,
        wait: float,
        customer: CustomerId | None = None,
    ) -> answers.Messages:
        """Give what was said after a place, waiting for something if there is nothing yet."""
        with self._listen(organisation, conversation) as listener:
            page = before = await self._page(organisation, conversation, after, customer)
            deadline = asyncio.get_running_loop().time() + wait
            while page == before and not page["messages"]:  # a ring may be for what this reader does not see
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0:
                    break
                await listener.wait(left)
                page = await self._page(organisation, conversation, after, customer)
        return page

    async def _page(
        self, organisation: OrganisationId, conversation: ConversationId, after: int, customer: CustomerId | None
    ) -> answers.Messages:
        seen = await self._desk.follow(
            organisation, conversation, after=after, unsettled=_far_back(after), customer=customer
        )
        check_place(seen.conversation, after)
        return {
            "messages": [views.message(message) for message in seen.messages],
            "conversation": views.state(seen.conversation),
            "deliveries": [
                views.delivery(id, marked.delivery)
                for id, marked in seen.deliveries.items()
                if marked.seq <= after and marked.delivery is not DeliveryView.NONE
            ],
            "files": [views.attachment(file) for file in seen.files.values()],
            "feedback": [views.feedback(id, found) for id, found in seen.feedback.items()],
        }

    def _listen(self, organisation: OrganisationId, conversation: ConversationId) -> Any:
        name = topic(organisation, conversation)
        return self._bell.listen(("conversation", name), ("delivery", name))

    async def serve(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        organisation: OrganisationId,
        conversation: ConversationId,
        *,
        after: int,
        customer: CustomerId | None = None,
    ) -> None:
        """Stream a conversation until the reader leaves."""
        check_place(await self._desk.load(organisation, conversation, customer), after)
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"text/event-stream; charset=utf-8"),
                    (b"cache-control", b"no-store"),
                    (b"x-accel-buffering", b"no"),
                    NO_SNIFF,
                ],
            }
        )
        await send({"type": "http.response.body", "body": b"retry: 2000\n: welcome\n\n", "more_body": True})
        gone = asyncio.ensure_future(_gone(receive))
        try:
            with self._listen(organisation, conversation) as listener:
                # Whoever leaves gives their place back at once: they may be back in a second.
                gone.add_done_callback(lambda _gone: listener.wake())
                events = self._events(listener, gone, organisation, conversation, after, customer)
                async for frame in events:
                    await send({"type": "http.response.body", "body": frame, "more_body": True})
        except EscaladeError:
            # The reader comes back by itself, with its cursor.
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()

    async def _events(
        self,
        listener: Listener,
        gone: asyncio.Future[None],
        organisation: OrganisationId,
        conversation: ConversationId,
        after: int,
        customer: CustomerId | None,
    ) -> AsyncIterator[bytes]:
        cursor = after
        shown_state: answers.ConversationState | None = None
        known: dict[MessageId, DeliveryView] = {}
        # What a reader who comes back was shown as under way is not known, nor how long they were away.
        unsettled = _far_back(after)
        answered: MessageId | None = None
        files: dict[FileId, Attachment] | None = None
        feedback: dict[MessageId, Feedback | None] | None = None
        while not gone.done():
            typing, listener.typing = listener.typing, {}
            draft, listener.draft = listener.draft, None
            seen = await self._desk.follow(
                organisation, conversation, after=cursor, unsettled=unsettled, customer=customer
            )
            current, messages, owed = seen.conversation, seen.messages, seen.deliveries
            frames = [frame("message", views.message(message), id=message.seq) for message in messages]
            if messages:
                cursor = messages[-1].seq
            answered = next((it.id for it in reversed(messages) if it.role is Role.ASSISTANT), answered)
            fresh = {message.id for message in messages}
            for id, marked in owed.items():
                if id not in fresh and known.get(id) != marked.delivery:
                    frames.append(frame("delivery", views.delivery(id, marked.delivery)))
            known = {it.id: it.delivery for it in messages} | {id: it.delivery for id, it in owed.items()}
            stands = [*((it.seq, it.delivery) for it in messages), *((it.seq, it.delivery) for it in owed.values())]
            unsettled = min((seq for seq, delivery in stands if delivery is DeliveryView.PENDING), default=None)
            # A message is shown before its file is here; what it came with is known to whoever reads from the start.
            for name, file in seen.files.items():
                if (files is None and after > 0) or (files is not None and files.get(name) != file):
                    frames.append(frame("file", views.attachment(file)))
            files = seen.files
            for id, found in seen.feedback.items():
                if id not in fresh and (feedback is None or id not in feedback or feedback[id] is not found):
                    frames.append(frame("feedback", views.feedback(id, found)))
            feedback = seen.feedback
            state = views.state(current)
            if state != shown_state:
                frames.append(frame("conversation", state))
                shown_state = state
            # The state was read after the draft was made: one that has been overtaken is not shown.
            if draft is not None and draft.id != answered and current.control is Control.ASSISTANT:
                frames.append(frame("draft", views.draft(draft)))
            frames.extend(frame("typing", {"role": role, "on": on}) for role, on in typing.items())
            if frames:
                yield b"".join(frames)
            if messages and cursor < current.last_seq:
                continue  # there was more than one page of it
            if not await listener.wait(HEARTBEAT_S) and not gone.done():
                yield b": still here\n\n"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def frame(event: str, data: object, id: int | None = None) -> bytes:
    """Write one server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    place = f"id: {id}\n" if id is not None else ""
    return f"{place}event: {event}\ndata: ".encode() + encode(data) + b"\n\n"


def check_place(conversation: Conversation, after: int) -> None:
    """Refuse a place that was never reached: whoever has it would wait for ever for what it thinks it has seen."""
    if after > conversation.last_seq:
        raise Problem("gone", "there is no such place in this conversation; read it from the start")


def _far_back(after: int) -> int | None:
    """Say from where on a reader who has read up to a place may show what is owed otherwise than it stands."""
    return max(1, after - FAR_BACK) if after else None


def place(value: str | None) -> int:
    """Read a cursor: a whole number from 0."""
    if value is None or value == "":
        return 0
    if not value.isascii() or not value.isdigit() or len(value) > 16 or int(value) > FURTHEST:
        raise Problem("validation", "a whole number from 0", pointer="/after")
    return int(value)


def resume_from(scope: Scope, after: str | None) -> int:
    """Read where a stream resumes: the query, or the header a browser repeats."""
    return place(after if after is not None else header(scope, b"last-event-id"))
