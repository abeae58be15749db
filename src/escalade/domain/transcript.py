"""The rendering of past messages for the person who takes over: nothing must be asked twice."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator

from escalade.domain.model import Attachment, Message, Role

# Sunshine cuts nothing: it refuses a text over 4,096 characters.
# https://developer.zendesk.com/api-reference/conversations/#operation/PostMessage
LIVE_LIMIT = 4096
MOST_FILES = 10  # that are passed on with what was said before
FILE = "[file: {name}]"
EARLIER = "… {count} earlier messages are in Escalade."
LOST_FILE = "[The customer sent a file, {name}, that could not be delivered here.]"

VIRAMA = 9  # the combining class of what ties two Indic consonants together

SPEAKER = {Role.CUSTOMER: "Customer", Role.ASSISTANT: "Assistant (AI)", Role.AGENT: "Agent", Role.SYSTEM: "Notice"}

INVISIBLE = {"Cf", "Cc", "Zs", "Zl", "Zp"}


def says_something(text: str) -> bool:
    """Say whether there is anything to see."""
    return any(unicodedata.category(char) not in INVISIBLE for char in text)


def words_of(message: Message) -> str:
    """Give what a message says; files are named, so that a message of files alone says something."""
    return "\n".join(
        (*((message.text,) if message.text else ()), *(FILE.format(name=f.name) for f in message.attachments))
    )


def files(messages: Iterable[Message]) -> list[Attachment]:
    """List the files the customer has sent, the last ones where there are many."""
    sent = [file for m in messages if m.role is Role.CUSTOMER for file in m.attachments if file.id is not None]
    return sent[-MOST_FILES:]


def spoken(messages: Iterable[Message]) -> Iterator[str]:
    """Render each message as a line that says who spoke."""
    for message in messages:
        if message.role is not Role.SYSTEM:
            who = SPEAKER[message.role] if message.role is not Role.AGENT else f"Agent {message.name or ''}".rstrip()
            yield f"{who}: {words_of(message)}"


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
