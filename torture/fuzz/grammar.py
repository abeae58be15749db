"""Webhook bodies from a seed: documents as Zendesk sends them, odd ones, and what may happen to their bytes.

Half of the bodies are documents whose every field may be missing or odd; the other half are such bytes cut, doubled,
swapped and salted with what has broken parsers before.
"""

from __future__ import annotations

import json
from copy import deepcopy
from random import Random
from typing import Any

KINDS = (
    "fv:conversation_closed",
    "zen:event-type:messaging_ticket.message_added",
    "zen:event-type:ticket.status_changed",
    "zen:event-type:ticket.agent_assignment_changed",
    "zen:event-type:ticket.comment_added",
    "zen:event-type:ticket.moon_rose",
)
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**53 + 1, 10**19, 10**20, 10**25, 1.5, -0.0, 1e300),
    *("", " ", "0", "-1", "1e3", "1_000", "agent", "end_user", "system", "AGENT", "NaN", "__proto__"),
    *("١٢٣", "１２", " 12\n", "12", "../12", "{{ticket.id}}", "{{ ticket.id }}", "zen:ticket:7", "zen:ticket:"),
    *("\u0000", "\u2028", "\u202e", "😀", "\ufeff", "é", '",}', ",]", [], {}, [1], {"id": 1}, [[]]),
    *(["x"] * 5, {"": ""}, "x" * 300, "2026-01-15T12:00:00Z", "9999-12-31T23:59:60Z"),
)  # fmt: skip
SALT = (
    *(b",", b",}", b",]", b"}", b"{", b"[", b"]", b":", b'"', b"\\", b"\\u", b"\\ud800", b"\\u0000"),
    *(b"\0", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"NaN", b"Infinity", b"-", b"1e999", b"\x1f\x8b"),
    *(b"9" * 40, b"9" * 5000, b"[" * 2000, b'{"a":' * 40, b'"type":', b'"ticket_id":"7",'),
    *(b"//", b"/*", b"'", b"null", b"true", b"tru", b"\r", b"\n", b"\t", b"\x0b"),
)  # fmt: skip


class Bodies:
    """Makes bodies from a seed."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(seed)
        self._corpus = [self.text(self.document()) for _ in range(40)]

    def document(self) -> Any:
        """Make a document as Zendesk sends one, of which a few things are odd."""
        dice = self._dice
        kind = dice.choice(KINDS)
        if kind == KINDS[0]:
            found: dict[str, Any] = {"ticket_id": dice.choice(("7", 7, "{{ticket.id}}")), "type": kind}
        else:
            id = dice.randrange(10**6)
            found = {
                "account_id": 900,
                "detail": {"id": str(id), "subject": "x", "via": {"channel": "web"}},
                "event": self._event(kind),
                "id": f"e-{id}",
                "subject": f"zen:ticket:{id}",
                "time": "2026-01-15T12:00:00.123456789Z",
                "type": kind,
                "zendesk_event_version": "2022-11-06",
            }
        for _ in range(dice.choice((0, 0, 1, 1, 2, 4))):
            self._spoil(found)
        return found if dice.random() < 0.97 else dice.choice(ODD)

    def _event(self, kind: str) -> dict[str, Any]:
        if "message_added" in kind:
            return {
                "actor": {"id": "7", "name": "Inès", "type": self._dice.choice(("agent", "end_user", "system"))},
                "conversation_id": "sun-1",
                "message": {"body": "On my way", "id": "m-1"},
            }
        if "comment_added" in kind:
            author = {"id": 7, "is_staff": True, "name": "Inès"}
            return {"comment": {"author": author, "body": "Done", "id": 5, "is_public": self._dice.random() < 0.5}}
        return {"current": self._dice.choice(("OPEN", "CLOSED", "7", None)), "previous": "NEW"}

    def _spoil(self, found: dict[str, Any]) -> None:
        """Leave a field out, make it odd, or add one, somewhere in a document."""
        dice = self._dice
        place = found
        while (inner := [value for value in place.values() if isinstance(value, dict)]) and dice.random() < 0.5:
            place = dice.choice(inner)
        name = dice.choice([*place, "more", "__proto__", "", "é"])
        if dice.random() < 0.3:
            place.pop(name, None)
        else:
            place[name] = deepcopy(dice.choice(ODD))  # a later oddity may land inside it

    def text(self, document: Any) -> bytes:
        """Write a document down, in one of the ways there are."""
        dice = self._dice
        text = json.dumps(document, ensure_ascii=dice.random() < 0.5, indent=dice.choice((None, None, 1)))
        if dice.random() < 0.2:  # the comma of the guide
            at = text.rfind("}")
            text = text[:at] + "," + text[at:] if at > 0 else text
        return text.encode("utf-8", "surrogatepass")

    def body(self) -> bytes:
        """Make a body."""
        if self._dice.random() < 0.5:
            return self.text(self.document())
        body = self._corpus[self._dice.randrange(len(self._corpus))]
        for _ in range(self._dice.choice((1, 1, 1, 2, 3, 8))):
            body = self._mutated(body)
        if self._dice.random() < 0.05 and len(body) < 20_000:
            self._corpus[self._dice.randrange(len(self._corpus))] = body
        return body

    def _mutated(self, body: bytes) -> bytes:
        dice = self._dice
        at = dice.randrange(len(body) + 1)
        end = min(len(body), at + dice.choice((1, 1, 2, 8, 64)))
        match dice.randrange(8):
            case 0:
                return body[:at] + bytes((dice.randrange(256),)) + body[at + 1 :]
            case 1:
                return body[:at] + body[end:]
            case 2:
                return body[:at] + body[at:end] * 2 + body[end:]
            case 3:
                return body[:at]
            case 4:
                other = dice.choice(self._corpus)
                return body[:at] + other[dice.randrange(len(other) + 1) :]
            case 5:
                return body.decode("utf-8", "replace").encode(dice.choice(("utf-16", "utf-32", "utf-8-sig", "utf-7")))
            case _:
                return body[:at] + dice.choice(SALT) + body[at:]
