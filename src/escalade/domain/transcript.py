"""The rendering of past messages for the person who takes over: nothing must be asked twice."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator

from escalade.domain.model import Attachment, Conversation, Handoff, Message, Reason, Role

# Sunshine cuts nothing: it refuses a text over 4,096 characters.
# https://developer.zendesk.com/api-reference/conversations/#operation/PostMessage
LIVE_LIMIT = 4096
MOST_FILES = 10  # that are passed on with what was said before
FILE = "[file: {name}]"
EARLIER = "… {count} earlier messages are in Escalade."
LOST_FILE = "[The customer sent a file, {name}, that could not be delivered here.]"
LIVE_NOTE_LIMIT = 60_000  # characters of context in a live chat, where somebody is to read it now
TICKET_NOTE_LIMIT = 600_000  # and on a ticket, in as many notes as that takes

VIRAMA = 9  # the combining class of what ties two Indic consonants together

SPEAKER = {Role.CUSTOMER: "Customer", Role.ASSISTANT: "Assistant (AI)", Role.AGENT: "Agent", Role.SYSTEM: "Notice"}

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

INVISIBLE = {"Cf", "Cc", "Zs", "Zl", "Zp"}


def says_something(text: str) -> bool:
    """Say whether there is anything to see."""
    return any(unicodedata.category(char) not in INVISIBLE for char in text)


def subject(conversation: Conversation, handoff: Handoff, messages: Iterable[Message]) -> str:
    """Name the ticket by what the customer wanted, in one line of at most 140 characters."""
    wanted = want(handoff, messages) or "Chat with a customer"
    line = " ".join(wanted.split())
    return line if len(line) <= 140 else line[:139].rstrip() + "…"


def want(handoff: Handoff, messages: Iterable[Message]) -> str:
    """Give the customer's own words for what they want: the last question before they asked for a person."""
    said = [m for m in messages if m.role is Role.CUSTOMER]
    if not said:
        return ""
    if handoff.reason is Reason.ASKED_FOR_PERSON and len(said) > 1 and said[-1].id == handoff.about:
        return words_of(said[-2])
    return words_of(said[-1])


def words_of(message: Message) -> str:
    """Give what a message says; files are named, so that a message of files alone says something."""
    return "\n".join(
        (*((message.text,) if message.text else ()), *(FILE.format(name=f.name) for f in message.attachments))
    )


def files(messages: Iterable[Message]) -> list[Attachment]:
    """List the files the customer has sent, the last ones where there are many."""
    sent = [file for m in messages if m.role is Role.CUSTOMER for file in m.attachments if file.id is not None]
    return sent[-MOST_FILES:]


def note(conversation: Conversation, handoff: Handoff, messages: list[Message], limit: int = LIVE_NOTE_LIMIT) -> str:
    """Write the internal note: want, tried, why, facts on one screen, and the transcript below.

    Where nothing was said before, nothing is said about it: in a live chat the message that led there comes next.
    Where all of it is too long, the oldest lines of the transcript are left out, and it says how many.
    """
    tried = [m for m in messages if m.role is Role.ASSISTANT and m.citations]
    lines = ["Escalated by the AI assistant", ""]
    if wanted := want(handoff, messages):
        lines.append(f"Wants: {_one_line(wanted)}")
    if handoff.summary:
        lines.append(f"Summary: {handoff.summary}")
    lines.append(
        f"Why it came to you: {WHY[handoff.reason]}" + (f" (“{handoff.evidence}”)" if handoff.evidence else "")
    )
    for answer in tried[-3:]:
        sources = "; ".join(f"{c.title}{f' <{c.url}>' if c.url else ''}" for c in answer.citations)
        lines.append(f"Tried: {_one_line(answer.text)} — from {sources}")
    customer = conversation.customer
    proof = "verified" if customer.verified else "not verified"
    lines.append(f"Customer: {customer.name or 'no name given'}, {customer.email or 'no address given'} ({proof})")
    lines.extend(f"{key}: {value}" for key, value in sorted(conversation.context.items()))
    if handoff.note:
        lines += ["", handoff.note]
    said = list(spoken(messages))
    if said:
        lines += ["", "Transcript"]
    return "\n".join([*lines, *_newest(said, limit - len("\n".join(lines)))])


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


def spoken(messages: Iterable[Message]) -> Iterator[str]:
    """Render each message as a line that says who spoke."""
    for message in messages:
        if message.role is not Role.SYSTEM:
            who = SPEAKER[message.role] if message.role is not Role.AGENT else f"Agent {message.name or ''}".rstrip()
            yield f"{who}: {words_of(message)}"


def _one_line(text: str, limit: int = 280) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _units(char: str) -> int:
    return 2 if ord(char) > 0xFFFF else 1


def parts(text: str, limit: int = LIVE_LIMIT, weigh: Callable[[str], int] = _units) -> list[str]:
    """Split a text into parts of at most `limit`, at lines or words, never inside a character.

    A character weighs its UTF-16 units unless told otherwise. Joined together again the parts are the text: nothing is
    lost, nothing is added.
    """
    done: list[str] = []
    rest = text
    while (cut := _cut(rest, limit, weigh)) < len(rest):
        done.append(rest[:cut])
        rest = rest[cut:]
    return [*done, rest] if rest or not done else done


def _cut(text: str, limit: int, weigh: Callable[[str], int]) -> int:
    """Say where a part ends: at the end of the text, if it is light enough."""
    weight = 0
    end = len(text)
    for index, char in enumerate(text):
        weight += weigh(char)
        if weight > limit:
            end = max(1, index)
            break
    else:
        return end
    for mark in ("\n", " "):
        at = text.rfind(mark, end // 2, end)
        if at > 0 and not _joins(text, at + 1):
            return at + 1
    # No line or word to cut at: step back until no joined character (a family emoji, a flag, an accent) is torn.
    back = end
    while back > 1 and _joins(text, back):
        back -= 1
    return end if _joins(text, back) else back


def _joins(text: str, at: int) -> bool:
    """Say whether a cut here would tear what a person sees as one character."""
    if at >= len(text):
        return False
    following, before = text[at], text[at - 1]
    if _is_flag_half(following):  # flags are pairs: two halves belong together, the next two do not belong to them
        halves = 0
        while halves < at and _is_flag_half(text[at - 1 - halves]):
            halves += 1
        return halves % 2 == 1
    return (
        unicodedata.category(following).startswith("M")
        or following in "\u200c\u200d"
        or before == "\u200d"
        or "\U0001f3fb" <= following <= "\U0001f3ff"
        or "\U000e0020" <= following <= "\U000e007f"
        or before + following == "\r\n"
        or "\u1160" <= following <= "\u11ff"  # Korean written letter by letter
        or (unicodedata.combining(before) == VIRAMA and unicodedata.category(following) == "Lo")
    )


def _is_flag_half(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
