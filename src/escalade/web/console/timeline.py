"""Tell a conversation's story: messages, handoffs, receipts, deliveries and attempts in one list by time. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from escalade.domain.briefing import SUMMARY
from escalade.domain.model import Attachment, Conversation, Handoff, Message, Millis, Role
from escalade.store.database import Row
from escalade.store.receipts import Receipt
from escalade.web.console import words
from escalade.web.console.words import Toned

# Among what happened in the same millisecond: cause before effect.
FROM_CUSTOMER, HEARD, ASKED, SAID_AFTER, OWED, TRIED, QUEUED, ENDED = range(8)
SAID = frozenset({"customer", "assistant", "agent", "system", "handoff"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything that is known of one conversation."""

    conversation: Conversation
    messages: list[Message]
    handoffs: list[Handoff]
    receipts: list[Receipt]
    deliveries: list[Row]
    attempts: list[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the story."""

    key: str
    at: Millis
    rank: tuple[int, int]
    kind: str
    icon: str
    label: str
    text: str = ""
    badge: Toned | None = None
    files: tuple[Attachment, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    body: str = ""  # raw JSON, or Zendesk's answer
    resend: int | None = None
    skip: int | None = None


def tell(story: Story) -> list[Entry]:
    """Put everything into one list, first to last."""
    entries = [
        *map(_message, story.messages),
        *(entry for handoff in story.handoffs for entry in _handoff(handoff)),
        *map(_receipt, story.receipts),
        *map(_delivery, story.deliveries),
        *map(_attempt, story.attempts),
    ]
    return sorted(entries, key=lambda entry: (entry.at, entry.rank))


def _message(message: Message) -> Entry:
    role = words.ROLE[message.role.value]
    label = f"{message.name} · {role}" if message.name and message.role is Role.AGENT else role
    facts = [("Message", f"{message.seq} · {message.id}")]
    if message.citations:
        facts.append(("Sources", "; ".join(f"[{c.n}] {c.title}" for c in message.citations)))
    tones = {"delivered": ("good", "Delivered"), "failed": ("bad", "Not delivered"), "pending": ("warn", "On its way")}
    return Entry(
        key=f"m{message.seq}",
        at=message.created_at,
        rank=(FROM_CUSTOMER if message.role is Role.CUSTOMER else SAID_AFTER, message.seq),
        kind=message.role.value,
        icon=message.role.value,
        label=label,
        text=message.text,
        files=message.attachments,
        badge=words.FEEDBACK[message.feedback.value] if message.feedback else tones.get(message.delivery.value),
        facts=tuple(facts),
    )


def _handoff(handoff: Handoff) -> Iterator[Entry]:
    facts = [("Reason", words.REASON[handoff.reason.value])]
    for name, value in (
        ("Evidence", handoff.evidence),
        (SUMMARY[handoff.summary_by], handoff.summary),
        ("Note", handoff.note),
    ):
        if value:
            facts.append((name, value))
    facts.append(("Handoff", handoff.id))
    yield Entry(
        key=f"h{handoff.id}",
        at=handoff.asked_at,
        rank=(ASKED, 0),
        kind="handoff",
        icon="handoff",
        label="Handoff asked for",
        text=words.REASON[handoff.reason.value],
        badge=("person", words.MODE[handoff.mode.value]),
        facts=tuple(facts),
    )
    if handoff.queued_at is not None:
        yield Entry(
            key=f"q{handoff.id}",
            at=handoff.queued_at,
            rank=(QUEUED, 0),
            kind="handoff",
            icon="handoff",
            label="Agents have control",
            text="The conversation is in the agents' queue.",
        )
    if handoff.ended_at is not None:
        ending = words.ENDING[handoff.ended.value] if handoff.ended else "The handoff failed"
        yield Entry(
            key=f"e{handoff.id}",
            at=handoff.ended_at,
            rank=(ENDED, 0),
            kind="handoff",
            icon="ended",
            label="Handoff ended",
            text=ending,
        )


def _receipt(receipt: Receipt) -> Entry:
    ours = receipt.source not in words.SOURCE
    label = words.named(words.OURS if ours else words.RECEIPT, receipt.kind)
    source = "Noted" if ours else words.SOURCE[receipt.source]
    return Entry(
        key=f"r{receipt.id}",
        at=receipt.received_at,
        rank=(HEARD, receipt.id),
        kind="receipt",
        icon="in",
        label=f"{source} · {label}",
        text="" if receipt.outcome == "applied" else receipt.outcome.replace("_", " "),
        badge=words.toned(words.RECEIPT_STATE, receipt.state),
        facts=(("Receipt", f"{receipt.id} · {receipt.kind}"), ("Key", receipt.key)),
        body=receipt.body,
    )


def _delivery(row: Row) -> Entry:
    state = row["state"]
    return Entry(
        key=f"d{row['id']}",
        at=row["created_at"],
        rank=(OWED, row["id"]),
        kind="delivery",
        icon="owed",
        label=f"Owed · {words.named(words.EFFECT, row['effect'])}",
        text=words.named(words.OURS, row["why"]),
        badge=words.toned(words.DELIVERY, state),
        facts=(
            ("Delivery", f"{row['id']} · {row['effect']}"),
            ("Lane", f"{row['lane']}, place {row['position']}"),
            ("Key", row["key"]),
            ("Tries", str(row["tries"])),
        ),
        body=row["body"],
        resend=row["id"] if state in words.RESENDABLE else None,
        skip=row["id"] if words.skippable(state, row["tries"]) else None,
    )


def _attempt(row: Row) -> Entry:
    took = None if row["ended_at"] is None else row["ended_at"] - row["started_at"]
    status = f"HTTP {row['status']}" if row["status"] else ""
    facts = [
        ("Attempt", f"{row['number']} of delivery {row['delivery']} · {words.named(words.ATTEMPT, row['kind'])}"),
        ("Effect", row["effect"]),
        ("Verdict", words.toned(words.VERDICT, row["verdict"])[1]),
        ("Status", status or "none"),
    ]
    if took is not None:
        facts.append(("Took", f"{took} ms"))
    nth = f"attempt {row['number']}" if row["number"] > 1 else ""
    told = [part for part in (status, f"{took} ms" if took is not None else "", nth) if part]
    return Entry(
        key=f"a{row['id']}",
        at=row["started_at"],
        rank=(TRIED, row["id"]),
        kind="attempt",
        icon="look" if row["kind"] == "look" else "out",
        label=words.named(words.EFFECT, row["effect"]),
        text=" · ".join(told),
        badge=words.toned(words.VERDICT, row["verdict"]),
        facts=tuple(facts),
        body=row["detail"],
    )
