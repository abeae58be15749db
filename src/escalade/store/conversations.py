"""Conversations, their messages, handoffs and links: the truth that every reader reads.

Every function takes its transaction first, never commits, and names its organisation: nothing here can reach across.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from escalade.domain.errors import Conflict
from escalade.domain.model import (
    Attachment,
    Citation,
    Control,
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    DeliveryView,
    Handoff,
    HandoffId,
    Message,
    MessageId,
    Millis,
    Notice,
    OrganisationId,
    Role,
    Status,
    Utterance,
)
from escalade.store import files
from escalade.store.database import Row, Tx

WATCHED_MS = 3600_000  # so long an agent may still speak after the end of a handoff
UNBROKEN_MS = 150_000  # two looks that lie further apart were no watch in between

_json = msgspec.json.Encoder()
_citations = msgspec.json.Decoder(tuple[Citation, ...])
_attachments = msgspec.json.Decoder(tuple[Attachment, ...])
_handoff = msgspec.json.Decoder(Handoff)

CONVERSATION = """
    SELECT c.*, h.body AS handoff_body, u.external_id, u.name AS customer_name, u.email, u.locale, u.verified,
           u.erased_at
      FROM conversation c
      JOIN customer u ON u.organisation = c.organisation AND u.id = c.customer
      LEFT JOIN handoff h ON h.id = c.handoff
"""


def topic(organisation: str, conversation: str) -> str:
    """Name a conversation for the bell; a slash in an id cannot make two names alike."""
    return f"{len(organisation)}:{organisation}/{conversation}"


def save_customer(tx: Tx, organisation: OrganisationId, customer: Customer, now: Millis) -> None:
    """Create a customer, or replace what is known of them."""
    tx.run(
        "INSERT INTO customer (organisation, id, external_id, name, email, locale, verified, created_at)"
        " VALUES (:organisation, :id, :external_id, :name, :email, :locale, :verified, :now)"
        " ON CONFLICT (organisation, id) DO UPDATE SET external_id = excluded.external_id, name = excluded.name,"
        " email = excluded.email, locale = excluded.locale, verified = excluded.verified",
        organisation=organisation,
        id=customer.id,
        external_id=customer.external_id,
        name=customer.name,
        email=customer.email,
        locale=customer.locale,
        verified=int(customer.verified),
        now=now,
    )


def customer(tx: Tx, organisation: OrganisationId, id: CustomerId) -> Customer | None:
    """Give a customer of this organisation."""
    row = tx.one(
        "SELECT * FROM customer WHERE organisation = :organisation AND id = :id", organisation=organisation, id=id
    )
    if row is None:
        return None
    return Customer(
        id=CustomerId(row["id"]),
        external_id=row["external_id"],
        name=row["name"],
        email=row["email"],
        locale=row["locale"],
        verified=bool(row["verified"]),
    )


def create(tx: Tx, conversation: Conversation, *, request: str) -> None:
    """Open a conversation; `request` is the digest of what asked for it."""
    tx.run(
        "INSERT INTO conversation (organisation, id, customer, status, control, context, request, created_at,"
        " updated_at) VALUES (:organisation, :id, :customer, :status, :control, :context, :request, :now, :now)",
        organisation=conversation.organisation,
        id=conversation.id,
        customer=conversation.customer.id,
        status=conversation.status.value,
        control=conversation.control.value,
        context=_json.encode(conversation.context).decode(),
        request=request,
        now=conversation.created_at,
    )


def lock(tx: Tx, organisation: OrganisationId, id: ConversationId) -> None:
    """Wait until nobody else decides about this conversation, and keep it so until the commit.

    First in every unit that decides about a conversation: what was read of it before may have changed meanwhile. It is
    the first lock of a unit, too; everything that hangs off the conversation comes after it, never before.
    """
    if tx.shared:
        tx.run(
            "SELECT 1 FROM conversation WHERE organisation = :organisation AND id = :id FOR UPDATE",
            organisation=organisation,
            id=id,
        )


def request_of(tx: Tx, organisation: OrganisationId, id: ConversationId) -> str | None:
    """Give the digest of what created a conversation."""
    digest: str | None = tx.value(
        "SELECT request FROM conversation WHERE organisation = :organisation AND id = :id",
        organisation=organisation,
        id=id,
    )
    return digest


def load(
    tx: Tx, organisation: OrganisationId, id: ConversationId, *, handoff: HandoffId | None = None
) -> Conversation | None:
    """Give a conversation of this organisation with its customer and current handoff.

    With `handoff`, it is seen from that handoff, which may be an earlier one: what was owed then is judged by it. Where
    others may write beside us it is ours from here to the commit.
    """
    lock(tx, organisation, id)
    row = tx.one(
        CONVERSATION + " WHERE c.organisation = :organisation AND c.id = :id", organisation=organisation, id=id
    )
    if row is None:
        return None
    conversation = _conversation(row)
    if handoff is None or (conversation.handoff is not None and conversation.handoff.id == handoff):
        return conversation
    return replace(conversation, handoff=handoff_by_id(tx, organisation, handoff))


def handoff_by_id(tx: Tx, organisation: OrganisationId, id: HandoffId) -> Handoff | None:
    """Give one handoff, current or earlier."""
    body = tx.value(
        "SELECT body FROM handoff WHERE organisation = :organisation AND id = :id", organisation=organisation, id=id
    )
    return None if body is None else _handoff.decode(body)


def recent(
    tx: Tx,
    organisation: OrganisationId,
    *,
    customer: CustomerId | None = None,
    limit: int = 50,
    before: Millis | None = None,
) -> list[Conversation]:
    """List the conversations that changed last, newest first."""
    where = " WHERE c.organisation = :organisation"
    if customer is not None:
        where += " AND c.customer = :customer"
    if before is not None:
        where += " AND c.updated_at < :before"
    rows = tx.all(
        CONVERSATION + where + " ORDER BY c.updated_at DESC, c.id LIMIT :limit",
        organisation=organisation,
        customer=customer,
        before=before,
        limit=limit,
    )
    return [_conversation(row) for row in rows]


def _conversation(row: Row) -> Conversation:
    return Conversation(
        id=ConversationId(row["id"]),
        organisation=OrganisationId(row["organisation"]),
        customer=Customer(
            id=CustomerId(row["customer"]),
            external_id=row["external_id"],
            name=row["customer_name"],
            email=row["email"],
            locale=row["locale"],
            verified=bool(row["verified"]),
            erased=row["erased_at"] is not None,
        ),
        status=Status(row["status"]),
        control=Control(row["control"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        last_seq=row["last_seq"],
        handoff=_handoff.decode(row["handoff_body"]) if row["handoff_body"] else None,
        context=msgspec.json.decode(row["context"]),
        turns=row["turns"],
    )


def save(tx: Tx, before: Conversation, after: Conversation, now: Millis) -> None:
    """Write down what a decision changed, and nothing else."""
    if after == before:
        return
    if after.handoff is not None and after.handoff != before.handoff:
        save_handoff(tx, after, after.handoff)
        if before.handoff is None or before.handoff.id != after.handoff.id:
            tx.note("B.handoff", o=after.organisation, c=after.id, handoff=after.handoff.id)
    if after.customer != before.customer:
        save_customer(tx, after.organisation, after.customer, now)
    tx.run(
        "UPDATE conversation SET status = :status, control = :control, handoff = :handoff, turns = :turns,"
        " updated_at = :now WHERE organisation = :organisation AND id = :id",
        organisation=after.organisation,
        id=after.id,
        status=after.status.value,
        control=after.control.value,
        handoff=after.handoff.id if after.handoff else None,
        turns=after.turns,
        now=now,
    )
    tx.ring("conversation", topic(after.organisation, after.id))


def save_handoff(tx: Tx, conversation: Conversation, handoff: Handoff) -> None:
    """Create or replace a handoff."""
    tx.run(
        "INSERT INTO handoff (id, organisation, conversation, state, body, ticket_id, asked_at, ended_at)"
        " VALUES (:id, :organisation, :conversation, :state, :body, :ticket_id, :asked_at, :ended_at)"
        " ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body,"
        " ticket_id = excluded.ticket_id, ended_at = excluded.ended_at",
        id=handoff.id,
        organisation=conversation.organisation,
        conversation=conversation.id,
        state=handoff.state.value,
        body=_json.encode(handoff).decode(),
        ticket_id=handoff.ticket_id,
        asked_at=handoff.asked_at,
        ended_at=handoff.ended_at,
    )


def append(
    tx: Tx, conversation: Conversation, said: Utterance, id: MessageId, now: Millis, *, said_at: Millis
) -> Message:
    """Give an utterance the next place in the transcript; `said_at` is what people are shown, `seq` is the order."""
    seq = tx.insert(
        "UPDATE conversation SET last_seq = last_seq + 1, updated_at = :now"
        " WHERE organisation = :organisation AND id = :id RETURNING last_seq",
        organisation=conversation.organisation,
        id=conversation.id,
        now=now,
    )
    message = Message(
        id=id,
        seq=seq,
        role=said.role,
        text=said.text,
        name=said.name,
        avatar_url=said.avatar_url,
        citations=said.citations,
        attachments=said.attachments,
        notice=said.notice,
        delivery=DeliveryView.PENDING if said.tracked else DeliveryView.NONE,
        created_at=said_at,
    )
    tx.run(
        "INSERT INTO message (organisation, conversation, seq, id, role, text, name, avatar_url, citations, "
        "attachments, notice, delivery, created_at) VALUES (:organisation, :conversation, :seq, :id, :role, :text,"
        " :name, :avatar_url, :citations, :attachments, :notice, :delivery, :said_at)",
        organisation=conversation.organisation,
        conversation=conversation.id,
        seq=seq,
        id=id,
        role=said.role.value,
        text=said.text,
        name=said.name,
        avatar_url=said.avatar_url,
        citations=_json.encode(said.citations).decode() if said.citations else None,
        attachments=_json.encode(said.attachments).decode() if said.attachments else None,
        notice=said.notice.value if said.notice else None,
        delivery=message.delivery.value,
        said_at=said_at,
    )
    tx.ring("conversation", topic(conversation.organisation, conversation.id))
    tx.note("B.append", o=conversation.organisation, c=conversation.id, seq=seq, mid=id, role=said.role.value)
    return message


def message(tx: Tx, organisation: OrganisationId, conversation: ConversationId, id: MessageId) -> Message | None:
    """Give one message by its id."""
    row = tx.one(
        "SELECT * FROM message WHERE organisation = :organisation AND conversation = :conversation AND id = :id",
        organisation=organisation,
        conversation=conversation,
        id=id,
    )
    return None if row is None else _message(tx, row)


def messages(
    tx: Tx, organisation: OrganisationId, conversation: ConversationId, *, after: int = 0, limit: int = 500
) -> list[Message]:
    """List the messages after a place, in order."""
    rows = tx.all(
        "SELECT * FROM message WHERE organisation = :organisation AND conversation = :conversation AND seq > :after"
        " ORDER BY seq LIMIT :limit",
        organisation=organisation,
        conversation=conversation,
        after=after,
        limit=limit,
    )
    return [_message(tx, row) for row in rows]


def last_from_customer(tx: Tx, organisation: OrganisationId, conversation: ConversationId) -> Message | None:
    """Give what the customer said last."""
    row = tx.one(
        "SELECT * FROM message WHERE organisation = :organisation AND conversation = :conversation"
        " AND role = 'customer' ORDER BY seq DESC LIMIT 1",
        organisation=organisation,
        conversation=conversation,
    )
    return None if row is None else _message(tx, row)


def _message(tx: Tx, row: Row) -> Message:
    attachments = _attachments.decode(row["attachments"]) if row["attachments"] else ()
    return Message(
        id=MessageId(row["id"]),
        seq=row["seq"],
        role=Role(row["role"]),
        text=row["text"],
        name=row["name"],
        avatar_url=row["avatar_url"],
        citations=_citations.decode(row["citations"]) if row["citations"] else (),
        attachments=tuple(_as_it_stands(tx, OrganisationId(row["organisation"]), file) for file in attachments),
        notice=Notice(row["notice"]) if row["notice"] else None,
        delivery=DeliveryView(row["delivery"]),
        created_at=row["created_at"],
    )


def _as_it_stands(tx: Tx, organisation: OrganisationId, attachment: Attachment) -> Attachment:
    """Give a file of a message as it stands now: a message never changes, but its file may arrive after it."""
    found = None if attachment.id is None else files.load(tx, organisation, attachment.id)
    return attachment if found is None else found.shown()


def mark(
    tx: Tx, organisation: OrganisationId, conversation: ConversationId, id: MessageId, delivery: DeliveryView
) -> None:
    """Tell the sender what became of a message."""
    tx.run(
        "UPDATE message SET delivery = :delivery"
        " WHERE organisation = :organisation AND conversation = :conversation AND id = :id",
        organisation=organisation,
        conversation=conversation,
        id=id,
        delivery=delivery.value,
    )
    tx.ring("delivery", topic(organisation, conversation))


def deliveries(
    tx: Tx, organisation: OrganisationId, conversation: ConversationId, limit: int = 20
) -> dict[MessageId, str]:
    """Say what became of the customer's last messages."""
    rows = tx.all(
        "SELECT id, delivery FROM message WHERE organisation = :organisation AND conversation = :conversation"
        " AND role = 'customer' ORDER BY seq DESC LIMIT :limit",
        organisation=organisation,
        conversation=conversation,
        limit=limit,
    )
    return {MessageId(row["id"]): row["delivery"] for row in rows}


# links


def link(
    tx: Tx, organisation: OrganisationId, handoff: HandoffId, *, channel: str, kind: str, theirs: str, ours: str
) -> None:
    """Tie their id to ours; tying it twice is the same as once."""
    tx.run(
        "INSERT INTO link (organisation, channel, kind, theirs, ours, handoff)"
        " VALUES (:organisation, :channel, :kind, :theirs, :ours, :handoff) ON CONFLICT DO NOTHING",
        organisation=organisation,
        channel=channel,
        kind=kind,
        theirs=theirs,
        ours=ours,
        handoff=handoff,
    )


def handoff_at(tx: Tx, organisation: OrganisationId, *, channel: str, kind: str, theirs: str) -> HandoffId | None:
    """Say which handoff their id belongs to; the latest, where a record of theirs served several."""
    found = tx.value(
        "SELECT handoff FROM link WHERE organisation = :organisation AND channel = :channel AND kind = :kind"
        " AND theirs = :theirs ORDER BY rowid DESC LIMIT 1",
        organisation=organisation,
        channel=channel,
        kind=kind,
        theirs=theirs,
    )
    return None if found is None else HandoffId(found)


def copies(tx: Tx, handoff: HandoffId, *, channel: str, ours: str) -> list[str]:
    """List their ids for a message of ours, the lowest first: more than one where it arrived more than once."""
    rows = tx.all(
        "SELECT theirs FROM link WHERE handoff = :handoff AND channel = :channel AND kind = 'message'"
        " AND ours = :ours ORDER BY theirs",
        handoff=handoff,
        channel=channel,
        ours=ours,
    )
    return [row["theirs"] for row in rows]


def has_arrived(tx: Tx, conversation: Conversation, message: MessageId) -> bool:
    """Say whether a message is known to be at the desk, with whichever handoff."""
    found = tx.value(
        "SELECT 1 FROM link l JOIN handoff h ON h.id = l.handoff WHERE h.organisation = :organisation"
        " AND h.conversation = :conversation AND l.kind = 'message' AND l.ours = :message LIMIT 1",
        organisation=conversation.organisation,
        conversation=conversation.id,
        message=message,
    )
    return found is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where news belongs: the handoff, its conversation, and the ticket's number where we know it."""

    handoff: HandoffId
    conversation: ConversationId
    ticket_id: str | None
    via: str  # whose record led here


def place_of(tx: Tx, organisation: OrganisationId, *, channel: str, kind: str, theirs: str) -> Place | None:
    """Say where news about their record belongs; the latest, where it served several handoffs."""
    row = tx.one(
        "SELECT h.id, h.conversation, h.ticket_id FROM link l JOIN handoff h ON h.id = l.handoff"
        " WHERE l.organisation = :organisation AND l.channel = :channel AND l.kind = :kind AND l.theirs = :theirs"
        " ORDER BY l.rowid DESC LIMIT 1",
        organisation=organisation,
        channel=channel,
        kind=kind,
        theirs=theirs,
    )
    if row is None:
        return None
    return Place(
        handoff=HandoffId(row["id"]),
        conversation=ConversationId(row["conversation"]),
        ticket_id=row["ticket_id"],
        via=channel,
    )


def waits_for_ticket(tx: Tx, organisation: OrganisationId) -> bool:
    """Say whether an open handoff's ticket is still unknown, so that news of a strange ticket may be ours."""
    return (
        tx.value(
            "SELECT 1 FROM handoff WHERE state IN ('requested', 'queued', 'with_agent', 'asynchronous')"
            " AND organisation = :organisation AND ticket_id IS NULL LIMIT 1",
            organisation=organisation,
        )
        is not None
    )


def links_of(tx: Tx, handoff: HandoffId) -> dict[tuple[str, str], str]:
    """Give their ids for a handoff, messages left out."""
    rows = tx.all(
        "SELECT channel, kind, theirs FROM link WHERE handoff = :handoff AND kind <> 'message'", handoff=handoff
    )
    return {(row["channel"], row["kind"]): row["theirs"] for row in rows}


def conversation_of(tx: Tx, organisation: OrganisationId, handoff: HandoffId) -> ConversationId | None:
    """Say to which conversation a handoff belongs."""
    found = tx.value(
        "SELECT conversation FROM handoff WHERE organisation = :organisation AND id = :handoff",
        organisation=organisation,
        handoff=handoff,
    )
    return None if found is None else ConversationId(found)


def handoffs_to_read(tx: Tx, now: Millis) -> list[Row]:
    """List every handoff under way, and those over whose last words may still be unread.

    An agent may finish a sentence after the end, so a handoff is read until its list was watched for an hour after it:
    time in which we were away, or by which a clock was set, does not count. A Zendesk that cannot be reached for a week
    is given up.
    """
    return tx.everywhere().all(
        "SELECT h.id, h.organisation, h.conversation, h.state, h.body, c.updated_at FROM handoff h JOIN conversation c"
        " ON c.organisation = h.organisation AND c.id = h.conversation"
        " WHERE h.state IN ('requested', 'queued', 'with_agent', 'asynchronous')"
        " OR (h.ended_at > :ever AND h.watched < :hour)",
        hour=WATCHED_MS,
        ever=now - 7 * 24 * 3600_000,
    )


def caught_up(tx: Tx, conversation: Conversation, id: HandoffId) -> None:
    """Remember that the desk can be reached again, so that a customer is told of the next delay, too."""
    handoff = handoff_by_id(tx, conversation.organisation, id)
    if handoff is not None and handoff.delay_told:
        save_handoff(tx, conversation, replace(handoff, delay_told=False))


def recover(tx: Tx, now: Millis) -> None:
    """After a start: bring handoffs whose instants lie ahead of us back, for then the clock was set back meanwhile."""
    tx = tx.everywhere()
    for row in tx.all(
        "SELECT id, body, looked_at FROM handoff WHERE state IN ('requested', 'queued', 'with_agent', 'asynchronous')"
        " OR ended_at > :now",
        now=now,
    ):
        handoff = _handoff.decode(row["body"])
        instants = (handoff.asked_at, handoff.queued_at, handoff.ended_at, row["looked_at"])
        ahead = max(at for at in instants if at is not None) - now
        if ahead <= 0:
            continue
        asked_at, queued_at, ended_at, looked_at = (None if at is None else at - ahead for at in instants)
        assert asked_at is not None
        handoff = replace(handoff, asked_at=asked_at, queued_at=queued_at, ended_at=ended_at)
        tx.run(
            "UPDATE handoff SET body = :body, asked_at = :asked_at, ended_at = :ended_at, looked_at = :looked_at"
            " WHERE id = :id",
            id=row["id"],
            body=_json.encode(handoff).decode(),
            asked_at=asked_at,
            ended_at=ended_at,
            looked_at=looked_at,
        )


def cursor(tx: Tx, handoff: HandoffId) -> str | None:
    """Say how far Zendesk's own list has been read for a handoff."""
    found: str | None = tx.value("SELECT cursor FROM handoff WHERE id = :handoff", handoff=handoff)
    return found


def looked(tx: Tx, handoff: HandoffId, cursor: str | None, now: Millis) -> None:
    """Remember how far the list was read and when, and how long it has been watched since the end."""
    tx.run(
        "UPDATE handoff SET cursor = coalesce(:cursor, cursor), looked_at = :now, watched = CASE"
        " WHEN ended_at IS NULL THEN 0 WHEN looked_at IS NULL OR looked_at > :now THEN watched"
        " WHEN looked_at + :most < :now THEN watched + :most ELSE watched + :now - looked_at END WHERE id = :handoff",
        handoff=handoff,
        cursor=cursor,
        now=now,
        most=UNBROKEN_MS,
    )


def require_same(said: Utterance, stored: Message) -> None:
    """Refuse the same id with other content: the first text stands."""
    files_of = [[file.id for file in each.attachments] for each in (said, stored)]
    if stored.role is not said.role or stored.text != said.text or files_of[0] != files_of[1]:
        raise Conflict("this id was used for another message", pointer="/id", code="conflict")
