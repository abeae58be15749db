"""Deliver to Zendesk Support, once: open the ticket, leave the note, show the customer's messages, hear the replies.

Only opening a ticket can be repeated safely, for two hours. Every other change carries our mark into the ticket's
audits, and after an uncertain attempt the audits are read before anything is sent again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from escalade.channels import verdicts
from escalade.channels.attachments import fetch, with_links
from escalade.channels.base import (
    Account,
    After,
    CallsTo,
    ChannelName,
    Heard,
    Job,
    Link,
    LinkKind,
    MissedCall,
    Page,
    Sent,
)
from escalade.channels.http import Transport
from escalade.channels.zendesk import invocations, requests, wire
from escalade.channels.zendesk.calls import Answer, Calls, Json, beside, listed
from escalade.channels.zendesk.lookup import Lookup
from escalade.channels.zendesk.oauth import SCOPE, Credentials, Keep, keep_nothing, named, support
from escalade.channels.zendesk.staffing import Staffing
from escalade.domain import transcript
from escalade.domain.effects import AddNote, MergeTicket, NameRequester, OpenTicket, Post
from escalade.domain.errors import DeliveryError, Gone, Refused, Retryable, Unaccepted, Uncertain, Unverified
from escalade.domain.files import ANYTHING
from escalade.domain.model import Agent, Attachment, FileId, Handoff, HandoffId, Millis
from escalade.domain.switchboard.endings import GONE

UPLOAD_SECONDS = 60.0
PERSON_KEPT = 10 * 60 * 1000
LIST_PAGES = 5  # of groups, agents and tags for the console

Links = Mapping[tuple[ChannelName, LinkKind], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One thing an operator may choose; `id` as Zendesk gives it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PickLists:
    """What an operator may choose from; a list Zendesk does not let us read is missing."""

    groups: tuple[Choice, ...] | None
    agents: tuple[Choice, ...] | None
    tags: tuple[str, ...] | None


class ZendeskChannel:
    """Zendesk Support as a channel."""

    name = ChannelName.ZENDESK

    def __init__(
        self, transport: Transport, now: Callable[[], Millis], *, keep: Keep = keep_nothing, scope: str = SCOPE
    ) -> None:
        self._now = now
        self._transport = transport
        self._credentials = Credentials(transport, now, keep=keep, scope=scope)
        self.calls = Calls(transport, self._credentials)
        self._staffing = Staffing(self.calls, now)
        self._lookup = Lookup(self.calls)
        self._people: dict[tuple[str, str], tuple[Millis, wire.Person | None]] = {}

    # Out

    def freeze(self, account: Account, job: Job) -> str | None:
        """Give the body of a new ticket: the same key with another body would be refused."""
        if not isinstance(job.effect, OpenTicket):
            return None
        return wire.ticket_body(job, _handoff(job), account.settings.tickets)

    def after_uncertain(self, job: Job) -> After:
        """Repeat what Zendesk recognises; look for the rest."""
        match job.effect:
            case OpenTicket() | NameRequester() | MergeTicket():
                return After.REPEAT
            case _:
                return After.LOOK

    async def send(self, account: Account, job: Job) -> Sent:
        """Perform the effect once."""
        match job.effect:
            case OpenTicket():
                return await self._open_ticket(account, job)
            case AddNote():
                return await self._add_note(account, job)
            case NameRequester():
                return await self._update(account, job, wire.requester_body(job.conversation.customer))
            case Post():
                return await self._post(account, job)
            case MergeTicket(theirs=theirs):
                double = await self.ticket(account, theirs)
                return await requests.merge(self.calls, account, _ticket_id(job), double)
            case _:
                raise Refused(f"{type(job.effect).__name__} is not for Zendesk Support")

    async def find(self, account: Account, job: Job) -> Sent | None:
        """Look for the ticket by its external id, and for comments by our mark in the audits."""
        match job.effect:
            case OpenTicket():
                return await self._find_ticket(account, job)
            case AddNote():
                marks = [mark for mark, _ in wire.note_parts(job, _handoff(job))]
                found = await self._marked(account, job, marks)
                return _found(job, found.values()) if len(found) == len(marks) else None
            case Post(message=message):
                return _found(job, (await self._marked(account, job, [message])).values())
            case _:
                return None

    async def _open_ticket(self, account: Account, job: Job) -> Sent:
        # A ticket of the last two hours is known to Zendesk by the key, an older one to us by its external id.
        found = await self._find_ticket(account, job) if job.attempts else None
        if found is not None:
            return found
        body = job.frozen if job.frozen is not None else self.freeze(account, job)
        try:
            answer = await self.calls.call(
                # https://developer.zendesk.com/api-reference/ticketing/introduction/#idempotency
                account,
                "POST",
                "/api/v2/tickets",
                body=body,
                headers={"Idempotency-Key": job.key[:255]},
            )
        except Refused as error:
            # Seen only if the body was not frozen: the ticket of the first body exists, so find it.
            found = await self._find_ticket(account, job) if _is_other_body(error) else None
            if found is None:
                raise
            return found
        ticket = wire.read_ticket(answer.json.get("ticket"))
        if ticket is None:
            raise Uncertain("Zendesk opened a ticket without saying which", status=answer.status, answer=answer.summary)
        return self._opened(job, ticket, wire.comment_id(answer.json.get("audit")), answer.status, answer.summary)

    async def _find_ticket(self, account: Account, job: Job) -> Sent | None:
        mine = await requests.tickets_of(self.calls, account, _handoff(job).id)
        return self._opened(job, mine[0], None, 200, f"found as ticket {mine[0].id}") if mine else None

    def _opened(self, job: Job, ticket: wire.Ticket, comment: str | None, status: int, answer: str) -> Sent:
        handoff = _handoff(job)
        links = [_link(LinkKind.TICKET, ticket.id, handoff.id)]
        if ticket.requester_id is not None:
            links.append(_link(LinkKind.REQUESTER, ticket.requester_id, handoff.id))
        if comment is not None and job.message is not None:
            links.append(_link(LinkKind.MESSAGE, comment, job.message.id))
        return Sent(links=tuple(links), status=status, answer=answer)

    async def _update(self, account: Account, job: Job, body: str) -> Sent:
        answer = await self.calls.call(account, "PUT", f"/api/v2/tickets/{_ticket_id(job)}", body=body)
        links: tuple[Link, ...] = ()
        if isinstance(job.effect, NameRequester):
            ticket = wire.read_ticket(answer.json.get("ticket"))
            if ticket is not None and ticket.requester_id is not None:
                links = (_link(LinkKind.REQUESTER, ticket.requester_id, _handoff(job).id),)
        elif job.message is not None and isinstance(job.effect, Post):
            links = _posted(job, answer)
        return Sent(links=links, status=answer.status, answer=answer.summary)

    async def _post(self, account: Account, job: Job) -> Sent:
        if job.message is None:
            raise Refused("there is no message to post")
        # Read before the look, so that a late arrival in between makes the careful update collide.
        ticket = await self.ticket(account, _ticket_id(job))
        found = await self.find(account, job) if job.attempts and ticket.status != "deleted" else None
        if found is not None:
            return found
        _expect_open(ticket)
        # The ticket's own word first: the requester changes when the customer gives a name or an address later.
        author = ticket.requester_id or job.links.get((ChannelName.ZENDESK, LinkKind.REQUESTER))
        uploads = await self._upload(account, job, job.message.attachments)
        body = wire.post_body(job.message, author, ticket, uploads, careful=job.attempts > 0)
        try:
            sent = await self._update(account, job, body)
        except Refused:
            _expect_open(await self.ticket(account, ticket.id))  # it may have been closed at this very moment
            raise
        return replace(sent, lost=_ids(uploads.lost))

    async def _add_note(self, account: Account, job: Job) -> Sent:
        """Leave the note, in as many comments as it takes; the files sent so far come with the first."""
        parts = wire.note_parts(job, _handoff(job))
        there = await self._marked(account, job, [mark for mark, _ in parts]) if job.attempts else {}
        lost = [id for audit in there.values() for id in wire.lost_in(audit)]
        sent = Sent(status=200, answer="every part was there")
        for n, (mark, text) in enumerate(parts):
            if mark not in there:
                uploads = wire.NO_FILES if n else await self._upload(account, job, transcript.files(job.transcript))
                lost += _ids(uploads.lost)
                sent = await self._update(account, job, wire.note_body(text, mark, uploads))
        return replace(sent, lost=tuple(lost))

    async def _upload(self, account: Account, job: Job, files: Iterable[Attachment]) -> wire.Uploads:
        """Hand over files for the next comment; until it names them they show nothing, so they may come twice.

        https://developer.zendesk.com/api-reference/ticketing/tickets/ticket-attachments/
        """
        token: str | None = None
        lost: list[Attachment] = []
        for file in files:
            assert file.id is not None
            content = await job.read_file(file.id)
            try:
                answer = await self.calls.call(
                    account,
                    "POST",
                    "/api/v2/uploads",
                    query={"filename": file.name} | ({"token": token} if token else {}),
                    body=content,
                    headers={"Content-Type": file.media_type or ANYTHING},
                    seconds=UPLOAD_SECONDS,
                )
            except Refused:
                lost.append(file)
                continue
            except Uncertain as error:
                raise Retryable(error.detail, status=error.status, answer=error.answer) from error
            token = wire.upload_token(answer.json) or token
            if token is None:
                raise Retryable("the answer names no upload", status=answer.status, answer=answer.summary)
        return wire.Uploads(token=token, lost=tuple(lost))

    async def _marked(self, account: Account, job: Job, marks: Collection[str]) -> dict[str, Json]:
        """Find the audits that carry our marks."""
        found: dict[str, Json] = {}
        async for page in self.calls.pages(account, f"/api/v2/tickets/{_ticket_id(job)}/audits"):
            for audit in listed(page, "audits"):
                mark = wire.mark_of(audit)
                if mark in marks and mark is not None:
                    found.setdefault(mark, audit)
            if len(found) == len(marks):
                break
        return found

    # Back

    async def heard_since(self, account: Account, links: Links, cursor: str | None) -> Page:
        """List the public comments after the one the cursor names, oldest first; notes are passed over unread."""
        ticket = links.get((ChannelName.ZENDESK, LinkKind.TICKET))
        if ticket is None:
            return Page(heard=(), cursor=cursor)
        # Newest first, so that a long ticket costs one page and no cursor of theirs can go stale.
        query = {"sort": "-created_at", "include": "users"}
        reading = wire.Reading(cursor)
        async for page in self.calls.pages(account, f"/api/v2/tickets/{ticket}/comments", query):
            for person in map(wire.read_person, beside(page, "users")):
                if person is not None and person.role:  # a shortened user would make an agent look like a customer
                    self._keep(account, person.id, person)
            if reading.is_done_after(listed(page, "comments")):
                break
        fresh = reading.fresh()
        requesters: set[str | None] = set()
        if fresh:  # before and after the customer gave an address, it may be two users
            requesters = {
                links.get((ChannelName.ZENDESK, LinkKind.REQUESTER)),
                (await self.ticket(account, ticket)).requester_id,
            }
        own = _files_of(account)
        heard = [
            with_links(found, own)
            for item in fresh
            if (found := await self._hear(account, item, requesters)) is not None
        ]
        return Page(heard=tuple(heard), cursor=reading.cursor())

    async def fetch(self, account: Account, url: str) -> bytes:
        """Fetch a file an agent put on a comment; where attachments are private, it takes our credential."""
        if not url.startswith(_files_of(account)):
            raise Refused("the file is not at an address of this account")
        authorization = await self._credentials.header(account)
        return await fetch(self._transport, url, authorization, credential=named(support(account)))

    async def _hear(self, account: Account, comment: Json, requesters: Collection[str | None]) -> Heard | None:
        author = wire.whole(comment.get("author_id"))
        people: dict[str, wire.Person] = {}
        if comment.get("public") is True and author is not None and author not in requesters:
            person = await self.person(account, author)
            people = {author: person} if person is not None else {}
        return wire.hear(comment, requesters, people)

    async def ticket(self, account: Account, id: str) -> wire.Ticket:
        """Ask for a ticket; one that is gone is `deleted`."""
        try:
            found = wire.read_ticket((await self.calls.get(account, f"/api/v2/tickets/{id}")).get("ticket"))
        except Refused as error:
            if error.status != 404:
                raise
            return wire.Ticket(id=id, status="deleted")
        if found is None:
            raise Retryable("Zendesk's answer shows no ticket")
        return found

    async def tickets_of(self, account: Account, handoff: HandoffId) -> list[wire.Ticket]:
        """List the tickets of one request, the oldest first."""
        return await requests.tickets_of(self.calls, account, handoff)

    async def ticket_of(self, account: Account, conversation: str, since: Millis) -> str | None:
        """Find the ticket of a live conversation by the tickets' audits."""
        return await self._lookup.ticket_of(account, conversation, since)

    async def ticket_status(self, account: Account, ticket_id: str) -> str:
        """Give a ticket's status; one that is gone is `deleted`."""
        return (await self.ticket(account, ticket_id)).status

    async def agent(self, account: Account, id: str) -> Agent | None:
        """Name an agent; nothing for someone who is none, or is gone."""
        person = await self.person(account, id)
        return person.as_agent() if person is not None and person.is_staff else None

    async def person(self, account: Account, id: str) -> wire.Person | None:
        """Ask who a user is, at most once in ten minutes."""
        at, person = self._people.get((support(account).base_url, id), (None, None))
        if at is None or self._now() - at >= PERSON_KEPT:
            try:
                person = wire.read_person((await self.calls.get(account, f"/api/v2/users/{id}")).get("user"))
            except Refused as error:
                if error.status != 404:
                    raise
                person = None
            else:
                if person is None:  # whoever it is must not pass for nobody
                    raise Retryable("Zendesk's answer shows no user")
            self._keep(account, id, person)
        return person

    def _keep(self, account: Account, id: str, person: wire.Person | None) -> None:
        if len(self._people) >= 10_000:
            self._people.clear()
        self._people[support(account).base_url, id] = (self._now(), person)

    def missed(
        self, account: Account, webhook: str, since: str | None, is_known: Callable[[str], bool]
    ) -> AsyncIterator[MissedCall | CallsTo]:
        """Give the calls of a webhook that failed since an instant of theirs, the oldest first."""
        return invocations.missed(self.calls, account, webhook, since, is_known)

    # For the console and the doctor

    async def staffed(self, account: Account) -> bool | None:
        """Say whether an agent is online with room for a chat, or nothing if Zendesk cannot be asked."""
        return await self._staffing.staffed(account)

    async def check(self, account: Account) -> wire.Person:
        """Prove the credential and say whose it is, or raise with Zendesk's own answer."""
        try:
            me = wire.read_person((await self.calls.get(account, "/api/v2/users/me")).get("user"))
        except Unaccepted as error:
            raise Unverified(error.detail, code=str(error.status or "")) from error
        if me is None:
            raise Unverified("Zendesk let us in as nobody: the credential names no user", code="anonymous")
        if not me.is_staff:
            raise Unverified(f"{me.name} is an {me.role or 'unknown user'}, not an agent or administrator", code="role")
        return me

    async def pick_lists(self, account: Account) -> PickLists:
        """List what an operator may choose: groups, agents and tags."""
        groups = await self._listed(account, "/api/v2/groups", "groups", {})
        agents = await self._listed(account, "/api/v2/users", "users", {"role[]": "agent"})
        admins = await self._listed(account, "/api/v2/users", "users", {"role[]": "admin"})
        tags = await self._listed(account, "/api/v2/tags", "tags", {})
        people = None if agents is None and admins is None else [*(agents or ()), *(admins or ())]
        return PickLists(
            groups=_choices(groups),
            agents=_choices(people),
            tags=None if tags is None else tuple(str(tag["name"]) for tag in tags if tag.get("name")),
        )

    async def _listed(self, account: Account, path: str, name: str, query: Mapping[str, str]) -> list[Json] | None:
        found: list[Json] = []
        try:
            async for page in self.calls.pages(account, path, query, most=LIST_PAGES):
                found += listed(page, name)
        except DeliveryError as error:
            if error.status not in {400, 403, 404}:
                raise
            return None
        return found


def _choices(found: list[Json] | None) -> tuple[Choice, ...] | None:
    if found is None:
        return None
    choices = {
        id: Choice(id=id, name=str(item.get("name") or id))
        for item in found
        if (id := wire.whole(item.get("id"))) is not None and item.get("active") is not False
        if item.get("deleted") is not True
    }
    return tuple(sorted(choices.values(), key=lambda choice: choice.name.casefold()))


def _handoff(job: Job) -> Handoff:
    if job.conversation.handoff is None:
        raise Refused("there is no handoff")
    return job.conversation.handoff


def _expect_open(ticket: wire.Ticket) -> None:
    if ticket.status in GONE:
        raise Gone(f"ticket {ticket.id} is {ticket.status}")


def _ticket_id(job: Job) -> str:
    id = job.links.get((ChannelName.ZENDESK, LinkKind.TICKET)) or _handoff(job).ticket_id
    if id is None:
        raise Refused("there is no ticket")
    return id


def _files_of(account: Account) -> str:
    """Give where the files of an account lie: below its own address, which is the only one that gets its credential."""
    return f"{support(account).base_url}/attachments/"


def _found(job: Job, audits: Collection[Json]) -> Sent | None:
    """Say what the audits of a delivery tell of it; nothing without any."""
    comments = [comment for audit in audits if (comment := wire.comment_id(audit)) is not None]
    is_post = job.message is not None and isinstance(job.effect, Post)
    links = [_link(LinkKind.MESSAGE, comment, job.message.id) for comment in comments if job.message and is_post]
    lost = tuple(id for audit in audits for id in wire.lost_in(audit))
    return Sent(links=tuple(links), status=200, answer="found in the ticket's audits", lost=lost) if audits else None


def _ids(files: Iterable[Attachment]) -> tuple[FileId, ...]:
    return tuple(file.id for file in files if file.id is not None)


def _posted(job: Job, answer: Answer) -> tuple[Link, ...]:
    comment = wire.comment_id(answer.json.get("audit"))
    assert job.message is not None
    return (_link(LinkKind.MESSAGE, comment, job.message.id),) if comment is not None else ()


def _link(kind: LinkKind, theirs: str, ours: str) -> Link:
    return Link(channel=ChannelName.ZENDESK, kind=kind, theirs=theirs, ours=ours)


def _is_other_body(error: Refused) -> bool:
    return error.status == 400 and verdicts.has_error(error, "IdempotentRequestError")
