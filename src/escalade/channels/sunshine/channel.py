"""Deliver to Sunshine Conversations, once, although it recognises no repetition: hand over, relay, hear, let go.

Whatever could be doubled is looked for by our mark before it is made again. A handoff is not done when Zendesk accepts
the order to pass control, but when we have seen that the agents have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from escalade.channels.attachments import fetch, with_links
from escalade.channels.base import Account, After, ChannelName, Job, Link, LinkKind, Page, Sent, Session, SunshineApp
from escalade.channels.http import Transport, basic
from escalade.channels.sunshine import wire
from escalade.channels.sunshine.calls import Answer, Calls, Json, app_of, conversation_path, messages_path
from escalade.channels.sunshine.posting import Posting
from escalade.channels.sunshine.switchboard import Switchboard
from escalade.channels.verdicts import has_error
from escalade.domain import briefing, transcript
from escalade.domain.effects import (
    ConfirmControl,
    EnsureConversation,
    EnsureUser,
    PassToAgents,
    Post,
    PostContext,
    ReleaseControl,
    RemoveDouble,
    TakeControl,
)
from escalade.domain.errors import Gone, Refused, Retryable, Unaccepted, Uncertain
from escalade.domain.model import FileId, Handoff, Millis

CONFIRM_WITHIN = 20_000  # milliseconds from the first look
CONFIRM_EVERY = 1.0  # seconds
FULL = "locked"  # with 423: a conversation holds 30,000 messages

Links = Mapping[tuple[ChannelName, LinkKind], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFacts:
    """What an app says of itself; a setting it does not show is unknown."""

    name: str
    multiple_conversations: bool | None
    agents_may_end_sessions: bool | None


class SunshineChannel:
    """Sunshine Conversations as a channel."""

    name = ChannelName.SUNSHINE

    def __init__(self, transport: Transport, now: Callable[[], Millis]) -> None:
        self._transport = transport
        self.calls = Calls(transport)
        self._posting = Posting(self.calls)
        self._switchboard = Switchboard(self.calls, now)

    # Out

    def freeze(self, account: Account, job: Job) -> str | None:
        """Give the context's text: its parts are found again by number, so they must stay the same."""
        if not isinstance(job.effect, PostContext):
            return None
        return wire.context_text(job, _handoff(job))

    def after_uncertain(self, job: Job) -> After:
        """Look for what would be doubled; everything else is the same when done twice."""
        return After.LOOK if isinstance(job.effect, (EnsureConversation, Post)) else After.REPEAT

    async def send(self, account: Account, job: Job) -> Sent:
        """Perform the effect once."""
        app = app_of(account)
        match job.effect:
            case EnsureUser():
                return await self._ensure_user(app, job)
            case EnsureConversation():
                return await self._ensure_conversation(account, app, job)
            case TakeControl():
                return await self._take_control(app, job)
            case PostContext():
                return await self._post_context(account, app, job)
            case PassToAgents():
                return await self._pass_to_agents(account, app, job)
            case ConfirmControl():
                return await self._confirm_control(app, job)
            case Post():
                return await self._post(app, job)
            case RemoveDouble(theirs=theirs):
                return await self._remove(app, job, theirs)
            case ReleaseControl():
                return await self._release(app, job)
            case _:
                raise Refused(f"{type(job.effect).__name__} is not for Sunshine Conversations")

    async def find(self, account: Account, job: Job) -> Sent | None:
        """Look for our mark: on the customer's conversations, or on the messages since the first attempt."""
        app = app_of(account)
        match job.effect:
            case EnsureConversation():
                return await self._find_conversation(app, job)
            case Post():
                parts = _parts(job)
                placed = await self._marked(app, _conversation(job), parts)
                return _posted(job, placed, 200, "found in the conversation") if len(placed) == len(parts) else None
            case _:
                return None

    async def _ensure_user(self, app: SunshineApp, job: Job) -> Sent:
        customer = job.conversation.customer
        try:
            answer = await self.calls.call(app, "POST", "/users", body=wire.user_body(customer))
        except Retryable as error:
            if error.status != 409:
                raise
            # There is no upsert: a known external id is a conflict, and the way to the user it names.
            path = f"/users/{quote(wire.external_id(customer), safe='')}"
            answer = await self.calls.call(app, "GET", path)
        return _linked(job, answer, LinkKind.USER, "user")

    async def _ensure_conversation(self, account: Account, app: SunshineApp, job: Job) -> Sent:
        found = await self._find_conversation(app, job) if job.attempts else None
        if found is not None:
            return found
        handoff, tickets = _handoff(job), account.settings.tickets
        try:
            body = wire.conversation_body(_user(job), handoff, tickets)
            answer = await self.calls.call(app, "POST", "/conversations", body=body)
        except (Refused, Retryable) as error:
            known = await self._known_conversation(app, job) if error.status in {400, 403, 409} else None
            if known is None:
                raise
            # Where an account allows one conversation a customer, the handoff goes on in that one.
            # Whether PATCH replaces metadata or adds to it is not documented: give it all.
            ours = wire.conversation_metadata(handoff, tickets)
            metadata = wire.within({**ours, **_others(known, ours)})
            cursor = await self._newest(app, str(known["id"]))
            path = conversation_path(str(known["id"]))
            answer = await self.calls.call(app, "PATCH", path, body=wire.encode({"metadata": metadata}))
            return replace(_linked(job, answer, LinkKind.CONVERSATION, "conversation"), cursor=cursor)
        return _linked(job, answer, LinkKind.CONVERSATION, "conversation")

    async def _newest(self, app: SunshineApp, conversation: str) -> str | None:
        """Name a conversation's last message: whatever stands there before we have spoken is of an earlier talk."""
        async for page in self.calls.back_from_now(app, conversation):
            return wire.text(page[-1].get("id")) if page else None
        return None

    async def _conversations(self, app: SunshineApp, job: Job) -> list[Json]:
        return await self.calls.listed(app, "/conversations", "conversations", {"filter[userId]": _user(job)})

    async def _find_conversation(self, app: SunshineApp, job: Job) -> Sent | None:
        handoff = _handoff(job)
        for known in await self._conversations(app, job):
            id = wire.text(known.get("id"))
            if id is not None and wire.session_mark(known) == handoff.id:
                link = _link(LinkKind.CONVERSATION, id, handoff.id)
                cursor = await self._newest(app, id)
                return Sent(links=(link,), status=200, answer="found by its mark", cursor=cursor)
        return None

    async def _known_conversation(self, app: SunshineApp, job: Job) -> Json | None:
        known = [item for item in await self._conversations(app, job) if wire.text(item.get("id"))]
        return max(known, key=lambda item: item.get("isDefault") is True, default=None)

    async def _take_control(self, app: SunshineApp, job: Job) -> Sent:
        """Take control where we have a seat; without one, the agents are given it directly a step later."""
        seats, why = await self._switchboard.our_seat(app)
        if seats.ours is None:
            return Sent(status=200, answer=f"went on without control of our own: {why}")
        path = f"{conversation_path(_conversation(job))}/passControl"
        return _sent(await self.calls.call(app, "POST", path, body=wire.control_body(seats.ours)))

    async def _post_context(self, account: Account, app: SunshineApp, job: Job) -> Sent:
        handoff, conversation = _handoff(job), _conversation(job)
        whole = job.frozen if job.frozen is not None else self.freeze(account, job) or ""
        parts = wire.context_parts(handoff, whole, transcript.files(job.transcript))
        placed = await self._marked(app, conversation, parts, wire.context_series(handoff))
        answer = await self._posting.post(app, conversation, wire.BUSINESS, parts, placed, job)
        status, summary = (answer.status, answer.summary) if answer is not None else (200, "every part was there")
        return Sent(status=status, answer=summary, lost=_lost(placed))

    async def _pass_to_agents(self, account: Account, app: SunshineApp, job: Job) -> Sent:
        handoff, conversation = _handoff(job), _conversation(job)
        seats = await self._switchboard.seats(app)
        first = wire.Part(mark=wire.context_mark(handoff, 0))
        placed = await self._marked(app, conversation, [first], wire.context_series(handoff))
        began = placed[first.mark].id if first.mark in placed else None
        subject = briefing.subject(handoff, job.transcript)
        metadata = wire.pass_metadata(job.conversation.customer, account.settings.tickets, subject, began)
        body = wire.control_body(seats.agents or wire.AGENTS_NAME, metadata)
        return _sent(await self.calls.call(app, "POST", f"{conversation_path(conversation)}/passControl", body=body))

    async def _confirm_control(self, app: SunshineApp, job: Job) -> Sent:
        answer = await self.calls.call(app, "GET", conversation_path(_conversation(job)))
        shown = answer.json.get("conversation")
        holder = wire.controller(shown) if isinstance(shown, dict) else None
        if holder == wire.AGENTS:
            return _sent(answer)
        detail = f"the agents do not have control, {holder or 'nobody'} has"
        if job.first_attempt_at is not None and job.now - job.first_attempt_at >= CONFIRM_WITHIN:
            self._switchboard.forget(app)  # a seat may have been replaced
            raise Refused(detail, status=answer.status, answer=answer.summary)
        raise Retryable(detail, after=CONFIRM_EVERY, status=answer.status, answer=answer.summary)

    async def _post(self, app: SunshineApp, job: Job) -> Sent:
        parts, conversation = _parts(job), _conversation(job)
        placed: wire.Places = {}
        try:
            if job.attempts or len(parts) > 1:
                placed = await self._marked(app, conversation, parts)
            answer = await self._posting.post(app, conversation, wire.customer_author(_user(job)), parts, placed, job)
        except Refused as error:
            if has_error(error, FULL) or (error.status == 404 and await self._is_gone(app, conversation)):
                raise Gone(error.detail, status=error.status, answer=error.answer) from error
            raise
        status, summary = (answer.status, answer.summary) if answer is not None else (200, "every part was there")
        return _posted(job, placed, status, summary)

    async def _is_gone(self, app: SunshineApp, conversation: str) -> bool:
        """Ask for a conversation itself: that something was not found may also have been said of something else."""
        try:
            await self.calls.get(app, conversation_path(conversation))
        except Refused as error:
            if error.status != 404:
                raise
            return True
        return False

    async def _release(self, app: SunshineApp, job: Job) -> Sent:
        path = f"{conversation_path(_conversation(job))}/releaseControl"
        try:
            return _sent(await self.calls.call(app, "POST", path, body="{}"))
        except Refused as error:
            if error.status != 404:
                raise
            return Sent(status=404, answer="it is gone")

    async def _remove(self, app: SunshineApp, job: Job, theirs: str) -> Sent:
        path = f"{messages_path(_conversation(job))}/{quote(theirs, safe='')}"
        try:
            return _sent(await self.calls.call(app, "DELETE", path))
        except Refused as error:
            if error.status != 404:
                raise
            return Sent(status=404, answer="it is gone")

    async def _marked(
        self, app: SunshineApp, conversation: str, parts: Iterable[wire.Part], series: str | None = None
    ) -> wire.Places:
        """Find messages by our marks, paging back until all are found or no earlier attempt can be further back.

        What was delivered before these lies further back than any attempt at them, so its mark ends the search: no
        clock does. `series` is how the marks of the same delivery begin. Where a mark is there twice, the earlier
        message counts.
        """
        wanted = {part.mark for part in parts}
        found: wire.Places = {}
        async for page in self.calls.back_from_now(app, conversation):
            before = False
            for message in reversed(page):
                mark, place = wire.mark_of(message), wire.place_of(message)
                if mark is None or place is None:
                    continue
                if mark in wanted:
                    found[mark] = place
                elif series is None or not mark.startswith(series):
                    before = True
            if before or len(found) == len(wanted):
                break
        return found

    # Back

    async def heard_since(self, account: Account, links: Links, cursor: str | None) -> Page:
        """List what was said after a cursor, oldest first; without one, since our last handoff began there."""
        conversation = links.get((ChannelName.SUNSHINE, LinkKind.CONVERSATION))
        if conversation is None:
            return Page(heard=(), cursor=cursor)
        messages = await self._after(app_of(account), conversation, cursor)
        own = _files_of(app_of(account))
        heard = tuple(with_links(found, own) for message in messages if (found := wire.hear(message)) is not None)
        last = next((id for message in reversed(messages) if (id := wire.text(message.get("id")))), cursor)
        return Page(heard=heard, cursor=last)

    async def fetch(self, account: Account, url: str) -> bytes:
        """Fetch a file an agent sent; where attachments are private, it takes our key."""
        app = app_of(account)
        if not url.startswith(_files_of(app)):
            raise Refused("the file is not at an address of this account")
        return await fetch(
            self._transport, url, basic(app.key_id, app.secret), credential=f"the Conversations key {app.key_id}"
        )

    async def _after(self, app: SunshineApp, conversation: str, cursor: str | None) -> list[Json]:
        if cursor is not None:
            try:
                return await self.calls.onward(app, conversation, cursor)
            except Refused as error:
                if error.status not in {400, 404}:
                    raise
                # The message the cursor names has been deleted: read from the beginning of the handoff.
        # A start that was posted twice may have arrived again in the middle of the talk. The last handoff's first one
        # counts, and that it is the first is known once another handoff's stands before it, or nothing.
        found: list[Json] = []
        async for page in self.calls.back_from_now(app, conversation):
            found = page + found
            if len({wire.mark_of(message) for message in found if wire.starts_context(message)}) > 1:
                break
        last = next((wire.mark_of(message) for message in reversed(found) if wire.starts_context(message)), None)
        start = next((n for n, message in enumerate(found) if last and wire.mark_of(message) == last), 0)
        return found[start:]

    async def session(self, account: Account, links: Links) -> Session:
        """Say whether the agents still have the conversation, and if not, whether its ticket was closed."""
        conversation = links.get((ChannelName.SUNSHINE, LinkKind.CONVERSATION))
        if conversation is None:
            raise Refused("there is no conversation")
        app = app_of(account)
        try:
            shown = (await self.calls.get(app, conversation_path(conversation))).get("conversation")
        except Refused as error:
            if error.status != 404:
                raise
            return Session.CLOSED
        if not isinstance(shown, dict):
            raise Retryable("the answer shows no conversation")
        if wire.controller(shown) == wire.AGENTS:
            return Session.ACTIVE
        async for page in self.calls.back_from_now(app, conversation):
            for message in reversed(page):
                if wire.activity_of(message) == "ticket:closed":
                    return Session.CLOSED
                if wire.mark_of(message) is not None:  # what was closed before we spoke was another ticket
                    return Session.ENDED
            break
        return Session.ENDED

    # For the console and the doctor

    async def check(self, app: SunshineApp) -> AppFacts:
        """Prove the key and say what the app allows, or raise with Sunshine's own answer."""
        try:
            shown = (await self.calls.get(app, "")).get("app")
        except Unaccepted as error:
            raise Refused(error.detail, status=error.status, answer=error.answer) from error
        facts = shown if isinstance(shown, dict) else {}
        settings = facts.get("settings") if isinstance(facts.get("settings"), dict) else {}
        assert isinstance(settings, dict)
        several, ends = settings.get("multiConvoEnabled"), settings.get("endSessionEnabled")
        return AppFacts(
            name=str(facts.get("displayName") or facts.get("id") or app.app_id),
            multiple_conversations=several if isinstance(several, bool) else None,
            agents_may_end_sessions=ends if isinstance(ends, bool) else None,
        )


def _handoff(job: Job) -> Handoff:
    if job.conversation.handoff is None:
        raise Refused("there is no handoff")
    return job.conversation.handoff


def _user(job: Job) -> str:
    user = job.links.get((ChannelName.SUNSHINE, LinkKind.USER))
    if user is None:
        raise Refused("the customer is not known to Sunshine Conversations")
    return user


def _conversation(job: Job) -> str:
    conversation = job.links.get((ChannelName.SUNSHINE, LinkKind.CONVERSATION))
    if conversation is None:
        raise Refused("there is no conversation")
    return conversation


def _parts(job: Job) -> list[wire.Part]:
    if job.message is None:
        raise Refused("there is no message to post")
    return wire.post_parts(job.message)


def _others(conversation: Json, ours: Json) -> Json:
    """Give a conversation's metadata but for what is ours to set."""
    metadata = conversation.get("metadata")
    return {key: value for key, value in metadata.items() if key not in ours} if isinstance(metadata, dict) else {}


def _linked(job: Job, answer: Answer, kind: LinkKind, name: str) -> Sent:
    shown = answer.json.get(name)
    id = wire.text(shown.get("id")) if isinstance(shown, dict) else None
    if id is None:
        raise Uncertain(f"the answer names no {name}", status=answer.status, answer=answer.summary)
    return Sent(links=(_link(kind, id, _handoff(job).id),), status=answer.status, answer=answer.summary)


def _posted(job: Job, placed: wire.Places, status: int, answer: str) -> Sent:
    """Link the message to the first of its parts."""
    assert job.message is not None
    first = placed[_parts(job)[0].mark].id
    link = _link(LinkKind.MESSAGE, first, job.message.id)
    return Sent(links=(link,), status=status, answer=answer, lost=_lost(placed))


def _files_of(app: SunshineApp) -> str:
    """Give where the files of an app lie: below its own address, which is the only one that gets its key."""
    return f"{app.base_url}/attachments/"


def _lost(placed: wire.Places) -> tuple[FileId, ...]:
    return tuple(place.lost for place in placed.values() if place.lost is not None)


def _sent(answer: Answer) -> Sent:
    return Sent(status=answer.status, answer=answer.summary)


def _link(kind: LinkKind, theirs: str, ours: str) -> Link:
    return Link(channel=ChannelName.SUNSHINE, kind=kind, theirs=theirs, ours=ours)
