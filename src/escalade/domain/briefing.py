"""What the person who takes over reads first, on one screen: want, tried, why, words, facts, next step. Pure.

All of it is found in the conversation: nothing is worded anew, and nothing is there that was not said. Only what led
here counts; an earlier stretch of human help stands in the transcript below.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from escalade.domain.facts import Fact, facts
from escalade.domain.model import Conversation, Handoff, Message, Notice, Reason, Role, SummaryBy
from escalade.domain.transcript import EARLIER, spoken, words_of

LIVE_NOTE_LIMIT = 60_000  # characters of context in a live chat, where somebody is to read it now
TICKET_NOTE_LIMIT = 600_000  # and on a ticket, in as many notes as that takes
LONGEST_LINE = 280
LONGEST_GIVEN = 4_000  # of a summary, or of what the page tells
SHORTEST_LINE = 4  # words; what says less tells an agent nothing
MOST_TRIED = 3
MOST_WORDS = 3

WHY = {
    Reason.ASKED_FOR_PERSON: "the customer asked for a person",
    Reason.NO_ANSWER: "the assistant had no answer",
    Reason.UNHELPFUL: "the answers did not help",
    Reason.TOPIC: "the topic always goes to a person",
    Reason.FRUSTRATION: "the customer has had enough",
    Reason.LOOP: "the assistant could only repeat itself",
    Reason.ERROR: "the assistant failed",
    Reason.API: "requested through the API",
    Reason.FOLLOW_UP: "it goes on from an earlier request that takes no more messages",
}
NEXT = {
    Reason.NO_ANSWER: "Answer it yourself; no article does.",
    Reason.UNHELPFUL: "Do not send what was tried again; ask what is missing.",
    Reason.TOPIC: "Take it from here; the assistant has said nothing about it.",
    Reason.FRUSTRATION: "Apologise first, and ask for nothing that stands above.",
    Reason.LOOP: "Do not send what was tried again; ask what is missing.",
    Reason.ERROR: "Answer it yourself; the assistant could not look.",
    Reason.FOLLOW_UP: "Look at the earlier request first.",
}
SUMMARY = {
    SummaryBy.ASKER: "Summary",
    SummaryBy.MODEL: "Summary by a language model",
}
ANSWER_IT = "Answer the question; nothing was tried."
ASK_WHAT = "Ask what it is about; they have not said."
FURTHER = "Go on from what was tried."

_QUOTED = {Reason.ASKED_FOR_PERSON, Reason.UNHELPFUL, Reason.TOPIC, Reason.FRUSTRATION}  # evidence in their own words
_ASKED = {Reason.ASKED_FOR_PERSON, Reason.UNHELPFUL, Reason.FRUSTRATION, Reason.API}  # whatever it is about
_THEN = "”, then “"  # between two pieces of evidence
_OVER = {Notice.ENDED, Notice.INACTIVE, Notice.BACK_TO_ASSISTANT}
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Briefing:
    """What led to a handoff. Every text of the customer's is as they wrote it."""

    want: str
    tried: tuple[Message, ...]  # answers with their sources
    words: tuple[str, ...]  # what else the customer said
    facts: tuple[Fact, ...]
    next_step: str


def brief(handoff: Handoff, messages: Sequence[Message]) -> Briefing:
    """Find what led to a handoff in what was said."""
    led = what_led(handoff, messages)
    told = [m for m in led if m.role is Role.CUSTOMER]
    wanted = next((m for m in told if m.id == handoff.wanted), None)
    shown = wanted or next(reversed(told), None)
    tried = _tried(led)
    others = [m for m in told if m is not shown and not _is_in_why(handoff, m)]
    lines = [m.text for m in others if len(_WORD.findall(m.text)) >= SHORTEST_LINE]
    return Briefing(
        want="" if shown is None else words_of(shown),
        tried=tried,
        words=tuple(lines[-MOST_WORDS:]),
        facts=tuple(facts([m.text for m in told])),
        next_step=_next_step(handoff, tried, known=wanted is not None),
    )


def subject(handoff: Handoff, messages: Sequence[Message]) -> str:
    """Name the ticket by what the customer wanted, in one line of at most 140 characters."""
    return _one_line(brief(handoff, messages).want or "Chat with a customer", 140)


def note(
    conversation: Conversation,
    handoff: Handoff,
    messages: Sequence[Message],
    limit: int = LIVE_NOTE_LIMIT,
    follows: Message | None = None,
) -> str:
    """Write the internal note: the briefing on one screen, and the transcript below.

    `follows` is a message that is shown right after it, so that the transcript ends before it. Where all of it is too
    long, the oldest lines of the transcript are left out, and it says how many.
    """
    led = [*messages, follows] if follows is not None else messages
    lines = ["Escalated by the AI assistant", "", *_lines(handoff, brief(handoff, led))]
    customer = conversation.customer
    proof = "verified" if customer.verified else "not verified"
    lines.append(f"Customer: {customer.name or 'no name given'}, {customer.email or 'no address given'} ({proof})")
    for key, value in sorted(conversation.context.items()):
        lines.append(f"{_one_line(key)}: {_one_line(str(value), LONGEST_GIVEN)}")
    if handoff.note:
        lines += ["", handoff.note]
    said = list(spoken(messages))
    if said:
        lines += ["", "Transcript"]
    return "\n".join([*lines, *_newest(said, limit - len("\n".join(lines)))])


def why(handoff: Handoff) -> str:
    """Say why it came to a person, with the customer's words or the rule that fired."""
    evidence = _one_line(handoff.evidence)
    if evidence and handoff.reason in _QUOTED:
        evidence = f"“{evidence}”"
    return WHY[handoff.reason] + (f" ({evidence})" if evidence else "")


def listed(found: Iterable[Fact]) -> str:
    """Write facts in a line, each after its kind."""
    return " · ".join(f"{fact.kind} {_one_line(fact.words, 80)}" for fact in found)


def _lines(handoff: Handoff, it: Briefing) -> list[str]:
    """Write the briefing; what others wrote is one line each, so that none of it can pass for a line of ours."""
    lines = [f"Wants: {_one_line(it.want)}"] if it.want else []
    if handoff.summary:
        lines.append(f"{SUMMARY[handoff.summary_by]}: {_one_line(handoff.summary, LONGEST_GIVEN)}")
    for answer in it.tried:
        sources = "; ".join(f"{c.title}{f' <{c.url}>' if c.url else ''}" for c in answer.citations)
        lines.append(f"Tried: {_one_line(answer.text)} — from {sources}")
    lines.append(f"Why it came to you: {why(handoff)}")
    lines += [f"In their words: “{_one_line(words)}”" for words in it.words]
    if it.facts:
        lines.append(f"Facts they gave: {listed(it.facts)}")
    lines.append(f"Next step: {it.next_step}")
    return lines


def what_led(handoff: Handoff, messages: Sequence[Message]) -> list[Message]:
    """Give what was said since people last had the conversation; a request that goes on has all of it."""
    if handoff.reason is Reason.FOLLOW_UP:
        return list(messages)
    over = [at for at, m in enumerate(messages) if m.notice in _OVER]
    led = list(messages[over[-1] + 1 :]) if over else []
    return led if any(m.role is Role.CUSTOMER for m in led) else list(messages)


def _tried(led: Sequence[Message]) -> tuple[Message, ...]:
    """Give the last answers with their sources, the first from each: what only points to it again is none."""
    first: dict[tuple[str, ...], Message] = {}
    for message in led:
        if message.role is Role.ASSISTANT and message.citations:
            first.setdefault(tuple(c.source_id for c in message.citations), message)
    return tuple(first.values())[-MOST_TRIED:]


def _is_in_why(handoff: Handoff, message: Message) -> bool:
    """Say whether a message stands where it is told why it came to a person: little is left beside the evidence."""
    if handoff.reason not in _QUOTED:
        return False
    pieces = [piece for piece in handoff.evidence.split(_THEN) if piece and piece in message.text]
    left = message.text
    for piece in pieces:
        left = left.replace(piece, " ")
    return bool(pieces) and not message.attachments and len(_WORD.findall(left)) < SHORTEST_LINE


def _next_step(handoff: Handoff, tried: Sequence[Message], *, known: bool) -> str:
    """Say what to do; where nobody has said what it is about, and no question led here, that is to be asked."""
    if not known and handoff.reason in _ASKED:
        return ASK_WHAT
    return NEXT.get(handoff.reason) or (FURTHER if tried else ANSWER_IT)


def _newest(lines: list[str], room: int) -> list[str]:
    """Keep the last lines that there is room for; what is wanted is at the end."""
    kept, left = len(lines), room
    while kept and (left := left - len(lines[kept - 1]) - 1) >= 0:
        kept -= 1
    if not kept:
        return lines
    # One line that is too long by itself: its end.
    shown = lines[kept:] or [f"…{lines[-1][-max(room, 1) :]}"]
    return [EARLIER.format(count=kept), *shown]


def _one_line(text: str, limit: int = LONGEST_LINE) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
