"""Write down what agents can see, one JSON object a line: the desk's side of the histories a proof is judged by.

It listens to the account and changes nothing. Texts are never written, only digests; a line has left the process when
`hear` returns. What the bridge under test marks its things with (`MESSAGE_MARK`, `CONVERSATION_MARK`, a ticket's
external id) tells which entry is whose. The format is `torture/history.py`'s, in the repository's root.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from zendesk_emulator.account import Account, Happened
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.messaging import Conversation, Message
from zendesk_emulator.records.tickets import Comment, Session, Ticket

MESSAGE_MARK = "bridge_msg"
LOST_MARK = "bridge_lost"  # on a line that stands in for a file: nobody's words
FILE_LINE = re.compile(
    r"\[(?:file: .*|The customer sent a file, .*)\]"
)  # on a comment, that says which files it is about
CONVERSATION_MARK = "bridge_session"
WORD_JOINER = "\u2060"  # invisible; bridges put it between braces so that they are no placeholder


class Entry(NamedTuple):
    """One entry of a list at the desk."""

    rid: str
    author: str
    mid: str | None
    h: str | None


class History:
    """The desk's own record: in memory, and in a file where one is given."""

    def __init__(self, account: Account, path: Path | None = None) -> None:
        self.facts: list[Json] = []  # kept here only where there is no file
        self._account = account
        self._file: TextIO | None = None if path is None else path.open("a", encoding="utf-8")
        self._count = 0 if path is None else len(path.read_text(encoding="utf-8").splitlines())
        self._parts: dict[tuple[str, str], dict[int, str]] = {}  # what has been said of a message sent in parts
        account.listen(self.hear)

    def hear(self, happened: Happened) -> None:
        """Write down what has just happened, if agents can see it."""
        match happened.kind:
            case "sunshine.conversation:message" if happened.conversation is not None:
                self._post(_chat(happened.conversation), self._said(happened.conversation, happened.facts["message"]))
            case "message.removed" if happened.conversation is not None:
                self._note("Z.removed", **_chat(happened.conversation), rid=happened.facts["message"].id)
            case "sunshine.conversation:remove" if happened.conversation is not None:
                self._gone(happened.conversation)
            case "conversation.full" if happened.conversation is not None:
                self._note("Z.close", **_chat(happened.conversation), ending="full")
            case "ticket.saved" if happened.ticket is not None:
                self._saved(happened.ticket, happened)

    def view(self, *, final: bool = True) -> None:
        """Write down every list as it stands; `final` says that everything has drained."""
        for conversation in self._account.records.conversations.values():
            self._view_chat(conversation, final=final)
        for ticket in self._account.records.tickets.values():
            if not ticket.is_messaging:
                entries = [self._commented(ticket, comment) for comment in ticket.comments]
                self._note("Z.view", **_ticket(ticket), final=final, entries=entries)

    def close(self) -> None:
        """Take the final views and close the file."""
        if self._file is not None:
            self.view()
            self._file.close()

    # Inside

    def _view_chat(self, conversation: Conversation, *, final: bool) -> None:
        entries = [self._said(conversation, message) for message in conversation.messages]
        self._note("Z.view", **_chat(conversation), final=final, entries=entries)

    def _gone(self, conversation: Conversation) -> None:
        """A chat was deleted: what it held until then is the last that can be seen of it."""
        self._view_chat(conversation, final=True)
        self._note("Z.close", **_chat(conversation), ending="deleted")

    def _saved(self, ticket: Ticket, happened: Happened) -> None:
        """A ticket changed: it is new, somebody wrote in it, or it came to an end."""
        where = self._where(ticket)
        if happened.facts["created"]:
            self._note("Z.ticket", handoff=where["handoff"], at=where["at"], ticket=str(ticket.id))
        if not ticket.is_messaging:
            for comment in happened.facts["comments"]:
                self._post(where, self._commented(ticket, comment))
        for ending in _endings(ticket, happened):
            merged = ending == "closed" and self._goes_on(ticket)
            self._note("Z.close", **where, ending="merged" if merged else ending)

    def _goes_on(self, ticket: Ticket) -> bool:
        """Say whether a ticket was merged into another of the same request."""
        target = self._account.records.tickets.get(ticket.merged_into or 0)
        return target is not None and ticket.external_id is not None and target.external_id == ticket.external_id

    def _where(self, ticket: Ticket) -> Json:
        """Name the list a ticket is about: its chat, or its own comments."""
        conversation = self._account.conversation_of(ticket)
        return _ticket(ticket) if conversation is None else _chat(conversation)

    def _said(self, conversation: Conversation, message: Message) -> Entry:
        mark = message.metadata.get(MESSAGE_MARK)
        author = _author(message)
        words = "" if message.metadata.get(LOST_MARK) else str(message.content.get("text") or "")
        if author == "customer" and isinstance(mark, str):
            words = self._so_far(conversation.id, mark, words)
        plain = (
            words and message.content.get("type") in {"text", "image", "file"} and not message.content.get("actions")
        )
        return Entry(message.id, author, mark if isinstance(mark, str) else None, digest(words) if plain else None)

    def _so_far(self, conversation: str, mark: str, words: str) -> str:
        """Give a part with all that came before it, and a whole text as it is."""
        base, _, part = mark.rpartition(":")
        if not base or not part.isdigit():
            return words
        parts = self._parts.setdefault((conversation, base), {})
        parts[int(part)] = words
        return "".join(parts[each] for each in sorted(parts) if each <= int(part))

    def _commented(self, ticket: Ticket, comment: Comment) -> Entry:
        audit = next((audit for audit in reversed(ticket.audits) if audit.id == comment.audit_id), None)
        mark = None if audit is None else audit.custom.get(MESSAGE_MARK)
        user = self._account.records.users.get(comment.author_id)
        if not comment.public:
            author = "note"
        elif mark is not None:
            author = "customer"
        elif user is None or (not user.is_staff and comment.via == "api"):
            author = "bot"  # words an integration put into the customer's mouth: the first ones of a ticket
        else:
            author = "agent" if user.is_staff else "customer"
        mid = mark if isinstance(mark, str) else None
        lines = comment.body.split("\n")
        words = comment.body if mid is None else "\n".join(line for line in lines if not FILE_LINE.fullmatch(line))
        return Entry(str(comment.id), author, mid, digest(words) if words else None)

    def _post(self, where: Json, entry: Entry) -> None:
        self._note("Z.post", **where, **entry._asdict())

    def _note(self, kind: str, **fields: Any) -> None:
        self._count += 1
        at = round(self._account.ports.now().timestamp() * 1000)
        name = self._account.subdomain
        fact = {"p": f"desk.{name}", "n": self._count, "k": kind, "t": at, "account": name, **fields}
        if self._file is None:
            self.facts.append(fact)
            return
        self._file.write(json.dumps(fact, separators=(",", ":")) + "\n")
        self._file.flush()


def digest(text: str) -> str:
    """Give the short digest that stands for a text: white space and word joiners do not count."""
    same = " ".join(text.replace(WORD_JOINER, "").split())
    return hashlib.sha256(same.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _chat(conversation: Conversation) -> Json:
    return {"handoff": conversation.metadata.get(CONVERSATION_MARK), "at": "chat", "list": conversation.id}


def _ticket(ticket: Ticket) -> Json:
    return {"handoff": ticket.external_id, "at": "ticket", "list": str(ticket.id)}


def _author(message: Message) -> str:
    """Say who speaks: the customer, a person of the help desk, or anything that is nobody."""
    if message.author.get("type") == "user":
        return "customer"
    by_hand = str(message.metadata.get("__zendesk_msg.agent.id") or "").isdigit()
    return "agent" if by_hand and message.source.get("type") == "zd:agentWorkspace" else "bot"


def _endings(ticket: Ticket, happened: Happened) -> Iterator[str]:
    """Say which ends a change of a ticket is: its session's, or its own."""
    changes = happened.facts["changes"]
    if "session" in changes and ticket.session is Session.INACTIVE:
        yield "inactive"
    if "session" in changes and ticket.session is Session.ENDED:
        yield "by_agent" if happened.actor.type == "agent" else "other"
    if "status" in changes and (ticket.status == "solved" or ticket.is_over):
        yield ticket.status
