"""The rendering of past messages for the person who takes over: nothing must be asked twice."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from escalade.domain.model import Conversation, Handoff, Message, Reason, Role

# Sunshine cuts nothing: it refuses a text over 4,096 characters.
# https://developer.zendesk.com/api-reference/conversations/#operation/PostMessage
LIVE_LIMIT = 4096
NOTE_LIMIT = 60_000  # Zendesk cuts a comment over 64 kB without a word

SPEAKER = {Role.CUSTOMER: "Customer", Role.ASSISTANT: "Assistant (AI)", Role.AGENT: "Agent", Role.SYSTEM: "Notice"}

WHY = {
    Reason.ASKED_FOR_PERSON: "the customer asked for a person",
    Reason.NO_ANSWER: "the assistant had no answer",
    Reason.UNHELPFUL: "the answers did not help",
    Reason.TOPIC: "the topic always goes to a person",
    Reason.ERROR: "the assistant failed",
    Reason.API: "requested through the API",
}


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
        return said[-2].text
    return said[-1].text


def note(conversation: Conversation, handoff: Handoff, messages: list[Message]) -> str:
    """Write the one-screen internal note: want, tried, why, facts, and the transcript below."""
    tried = [m for m in messages if m.role is Role.ASSISTANT and m.citations]
    lines = ["Escalated by the AI assistant", ""]
    lines.append(f"Wants: {_one_line(want(handoff, messages)) or 'not said'}")
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
    lines += ["", "Transcript", *spoken(messages)]
    text = "\n".join(lines)
    return text if len(text) <= NOTE_LIMIT else text[: NOTE_LIMIT - 40] + "\n… the transcript goes on in Escalade."


def spoken(messages: Iterable[Message]) -> Iterator[str]:
    """Render each message as a line that says who spoke."""
    for message in messages:
        if message.role is not Role.SYSTEM:
            who = SPEAKER[message.role] if message.role is not Role.AGENT else f"Agent {message.name or ''}".rstrip()
            yield f"{who}: {message.text}"


def _one_line(text: str, limit: int = 280) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def parts(text: str, limit: int = LIVE_LIMIT) -> list[str]:
    """Split a text into parts of at most `limit` UTF-16 units, at lines or words, never inside a character.

    Joined together again the parts are the text: nothing is lost, nothing is added.
    """
    if _units(text) <= limit:
        return [text]
    done: list[str] = []
    rest = text
    while _units(rest) > limit:
        cut = _cut(rest, limit)
        done.append(rest[:cut])
        rest = rest[cut:]
    if rest:
        done.append(rest)
    return done


def _units(text: str) -> int:
    return sum(2 if ord(char) > 0xFFFF else 1 for char in text)


def _cut(text: str, limit: int) -> int:
    units = 0
    end = 0
    for index, char in enumerate(text):
        units += 2 if ord(char) > 0xFFFF else 1
        if units > limit:
            break
        end = index + 1
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
    )


def _is_flag_half(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
