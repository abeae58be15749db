"""Create and change tickets by Zendesk's rules, write the audits, and tell what changed.

Every update is one audit, one sequence of events, and one `ticket.saved` for the triggers.
https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from zendesk_emulator import text
from zendesk_emulator.account import SYSTEM, Account, Actor
from zendesk_emulator.errors import Refused, invalid, not_found
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.people import User
from zendesk_emulator.records.tickets import Attachment, Audit, Comment, Session, Ticket
from zendesk_emulator.values import placeholder_values

STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
PRIORITIES = ("low", "normal", "high", "urgent")
TYPES = ("problem", "incident", "question", "task")
COMMENT_LIMIT = 5000


def actor_of(user: User | None) -> Actor:
    """Name a Support user as events do."""
    if user is None:
        return SYSTEM
    return Actor(type="agent" if user.is_staff else "end_user", id=str(user.id), name=user.shown_name)


@dataclass(slots=True, kw_only=True)
class Saving:
    """One update in progress: its audit, what changed, and the events it will send."""

    ticket: Ticket
    audit: Audit
    actor: Actor
    created: bool = False
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)

    def change(self, name: str, value: Any) -> None:
        """Set a field and remember what it was."""
        previous = getattr(self.ticket, name)
        if previous == value:
            return
        setattr(self.ticket, name, value)
        self.changes[name] = (self.changes[name][0] if name in self.changes else previous, value)


class Tickets:
    """The rules of tickets."""

    def __init__(self, account: Account) -> None:
        self._account = account

    # Create and update

    def create(self, fields: Json, *, actor: User, via: str = "api") -> tuple[Ticket, Audit]:
        """Create a ticket from the body of `POST /api/v2/tickets`; only `comment` is required."""
        account = self._account
        comment = _comment_of(fields)
        if comment is None:
            raise invalid("base", "Description: cannot be blank", "BlankValue")
        requester = self._requester(fields, fallback=actor)
        submitter_id = int(fields.get("submitter_id") or requester.id)
        now = account.now()
        ticket = Ticket(
            id=account.ids.ticket(),
            subject="",
            requester_id=requester.id,
            submitter_id=submitter_id,
            created_at=now,
            updated_at=now,
            brand_id=int(fields.get("brand_id") or account.records.brand_id),
            form_id=int(fields.get("ticket_form_id") or account.records.form_id),
            via=via,
            external_id=_text_or_none(fields.get("external_id")),
            followup_source_id=fields.get("via_followup_source_id"),
            is_public=bool(comment.get("public", True)),
        )
        self._check(fields, ticket)
        saving = self._begin(ticket, actor_of(actor), fields, via=via, author_id=actor.id, created=True)
        self._apply(saving, fields)
        author = int(comment.get("author_id") or submitter_id)
        added = self._comment(saving, comment, author_id=author, public=ticket.is_public)
        ticket.subject = str(fields.get("subject") or added.body[:80])
        ticket.description = added.body
        account.records.tickets[ticket.id] = ticket
        for name in ("subject", "status", "requester_id", "assignee_id", "group_id", "priority", "tags"):
            self._note(saving, {"type": "Create", "field_name": name, "value": _auditable(getattr(ticket, name))})
        return ticket, self._finish(saving)

    def update(self, ticket_id: int, fields: Json, *, actor: User, via: str = "api") -> tuple[Ticket, Audit]:
        """Change a ticket from the body of `PUT /api/v2/tickets/{id}`."""
        ticket = self.get(ticket_id)
        if ticket.is_over:
            raise invalid("status", "Status: closed prevents ticket update", "InvalidValue")
        if fields.get("safe_update"):
            stamp = text.read_time(str(fields.get("updated_stamp", "")))
            if stamp is None or stamp < ticket.updated_at.replace(microsecond=0):
                raise Refused(409, {"error": "UpdateConflict", "description": "Safe Update prevented the update."})
        if fields.get("requester") or fields.get("requester_id"):
            fields = {**fields, "requester_id": self._requester(fields, fallback=actor).id}
        self._check(fields, ticket)
        comment = _comment_of(fields)
        if comment is not None and len(ticket.comments) >= COMMENT_LIMIT:
            raise invalid("base", f"Ticket has reached {COMMENT_LIMIT} comments", "CommentLimit")
        saving = self._begin(ticket, actor_of(actor), fields, via=via, author_id=actor.id)
        self._apply(saving, fields)
        if comment is not None:
            author = int(comment.get("author_id") or actor.id)
            public = bool(comment.get("public", ticket.is_public))
            self._comment(saving, comment, author_id=author, public=public)
        return ticket, self._finish(saving)

    def set(self, ticket: Ticket, actor: Actor, *, via: str = "web_service", **changes: Any) -> None:
        """Change fields directly, without the REST rules: for agents, triggers and the system."""
        saving = self._begin(ticket, actor, {}, via=via, author_id=actor.support_id)
        for name, value in changes.items():
            saving.change(name, value)
        if saving.changes:
            self._finish(saving)

    def comment(
        self,
        ticket: Ticket,
        author: User,
        body: str,
        *,
        public: bool,
        attachments: list[Attachment] | None = None,
        via: str = "web",
    ) -> Comment:
        """Add a comment or an internal note as this person, from the desk."""
        saving = self._begin(ticket, actor_of(author), {}, via=via, author_id=author.id)
        added = self._comment(saving, {"body": body}, author_id=author.id, public=public)
        added.attachments.extend(attachments or [])
        self._finish(saving)
        return added

    def open_for_messaging(
        self, ticket: Ticket, boilerplate: str, chat_started: Json, custom: Json | None = None
    ) -> Audit:
        """Register the ticket of a live chat: a private boilerplate comment, and where the chat is."""
        saving = self._begin(ticket, SYSTEM, {"metadata": custom or {}}, via=ticket.via, author_id=-1, created=True)
        self._account.records.tickets[ticket.id] = ticket
        self._comment(saving, {"body": boilerplate}, author_id=ticket.requester_id, public=False)
        self._note(saving, {"type": "ChatStartedEvent", "value": chat_started})
        ticket.is_public = False
        return self._finish(saving)

    def set_session(self, ticket: Ticket, state: Session, actor: Actor, reason: str | None = None) -> None:
        """Move the messaging session; triggers see it, ticket events do not."""
        if ticket.session == state:
            return
        saving = self._begin(ticket, actor, {}, via="web", author_id=actor.support_id)
        saving.change("session", state)
        if state is Session.ENDED:
            saving.change("session_ended_reason", reason or "other")
            # The event's real name is not documented.
            self._note(saving, {"type": "ChatEndedEvent", "value": {"conversation_id": ticket.conversation_id}})
        self._finish(saving)

    def merge(self, target_id: int, source_ids: list[int], fields: Json, *, actor: User) -> None:
        """Close the sources and write a comment on each side."""
        target = self.get(target_id)
        for source_id in source_ids:
            source = self.get(source_id)
            note = str(fields.get("source_comment") or f"This request was closed and merged into request #{target.id}.")
            self.comment(source, actor, note, public=bool(fields.get("source_comment_is_public", False)))
            source.merged_into = target.id
            self.set(source, actor_of(actor), status="closed", via="merge")
            self._account.emit("ticket.merged", ticket=source, actor=actor_of(actor), facts={"target": target.id})
            note = str(fields.get("target_comment") or f"Request #{source.id} was closed and merged into this request.")
            self.comment(target, actor, note, public=bool(fields.get("target_comment_is_public", False)))

    def delete(self, ticket: Ticket, actor: Actor) -> None:
        """Delete a ticket; it can be restored, but nothing shows it."""
        self.set(ticket, actor, status="deleted")
        self._account.emit("ticket.soft_deleted", ticket=ticket, actor=actor)

    def get(self, ticket_id: int) -> Ticket:
        """Find a ticket, or refuse with 404, as for one that was deleted."""
        ticket = self._account.records.tickets.get(ticket_id)
        if ticket is None or ticket.status == "deleted":
            raise not_found()
        return ticket

    # One save

    def _begin(
        self, ticket: Ticket, actor: Actor, fields: Json, *, via: str, author_id: int, created: bool = False
    ) -> Saving:
        account = self._account
        audit = Audit(
            id=account.ids.integer(),
            author_id=author_id,
            created_at=account.now(),
            via=via,
            custom=dict(fields.get("metadata") or {}),
        )
        return Saving(ticket=ticket, audit=audit, actor=actor, created=created)

    def _apply(self, saving: Saving, fields: Json) -> None:
        ticket = saving.ticket
        for name in ("subject", "priority", "type", "status", "external_id", "organization_id"):
            if name in fields and not (saving.created and name in ("subject", "external_id")):
                saving.change(name, fields[name])
        if "requester_id" in fields and not saving.created:
            saving.change("requester_id", int(fields["requester_id"]))
        self._route(saving, fields)
        tags = list(ticket.tags)
        if "tags" in fields:
            tags = read_tags(fields["tags"])
        tags += [tag for tag in read_tags(fields.get("additional_tags")) if tag not in tags]
        dropped = read_tags(fields.get("remove_tags"))
        saving.change("tags", [tag for tag in tags if tag not in dropped])
        for entry in fields.get("custom_fields") or []:
            values = {**ticket.custom_fields, int(entry["id"]): entry.get("value")}
            saving.change("custom_fields", values)

    def _route(self, saving: Saving, fields: Json) -> None:
        """Set group and assignee; an assigned new ticket is open, a solved one has an assignee."""
        ticket, account = saving.ticket, self._account
        if "group_id" in fields:
            saving.change("group_id", _int_or_none(fields["group_id"]))
            group = account.records.groups.get(ticket.group_id or 0)
            if group and ticket.assignee_id and ticket.assignee_id not in group.members:
                saving.change("assignee_id", None)
        if "assignee_id" in fields:
            saving.change("assignee_id", _int_or_none(fields["assignee_id"]))
        if ticket.status in ("solved", "closed") and not ticket.assignee_id:
            solver = account.records.users.get(saving.audit.author_id)
            if solver and solver.is_staff:
                saving.change("assignee_id", solver.id)
        if ticket.assignee_id and not ticket.group_id:
            groups = account.groups_of(ticket.assignee_id)
            saving.change("group_id", groups[0].id if groups else None)
        if ticket.assignee_id and ticket.status == "new":
            saving.change("status", "open")

    def _comment(self, saving: Saving, comment: Json, *, author_id: int, public: bool) -> Comment:
        account, ticket = self._account, saving.ticket
        values = placeholder_values(account, ticket, saving.actor)
        if comment.get("html_body"):
            markup = text.expand_comment(text.cut(str(comment["html_body"])), values)
            body = text.plain(markup)
            markup = f'<div class="zd-comment">{markup}</div>'
        else:
            body = text.clean(text.expand_comment(text.cut(str(comment.get("body", ""))), values))
            markup = text.as_html(body)
        added = Comment(
            id=account.ids.integer(),
            author_id=author_id,
            body=body,
            html_body=markup,
            public=public,
            created_at=account.now(),
            audit_id=saving.audit.id,
            via=saving.audit.via,
        )
        for token in comment.get("uploads") or []:
            added.attachments.extend(account.records.uploads.pop(str(token)).attachments)
        ticket.comments.append(added)
        ticket.is_public = ticket.is_public or public
        saving.comments.append(added)
        saving.audit.events.append({"id": added.id, "type": "Comment", "comment": added})
        return added

    def _note(self, saving: Saving, event: Json) -> None:
        saving.audit.events.append({"id": self._account.ids.integer(), **event})

    def _finish(self, saving: Saving) -> Audit:
        """Write the audit and tell everyone, in one sequence."""
        account, ticket = self._account, saving.ticket
        ticket.updated_at = account.now()
        if not saving.created:
            for name, (previous, current) in saving.changes.items():
                if name not in ("session", "session_ended_reason"):
                    self._note(
                        saving,
                        {
                            "type": "Change",
                            "field_name": name,
                            "value": _auditable(current),
                            "previous_value": _auditable(previous),
                        },
                    )
        ticket.audits.append(saving.audit)
        sequence = account.ids.hex_upper(16)
        for position, (kind, facts) in enumerate(_events_of(saving), start=1):
            account.emit(
                kind,
                ticket=ticket,
                actor=saving.actor,
                facts={**facts, "sequence": {"id": sequence, "position": position}},
            )
        account.emit(
            "ticket.saved",
            ticket=ticket,
            actor=saving.actor,
            facts={
                "created": saving.created,
                "changes": dict(saving.changes),
                "comments": list(saving.comments),
                "via": saving.audit.via,
            },
        )
        return saving.audit

    # Rules

    def _requester(self, fields: Json, *, fallback: User) -> User:
        account = self._account
        given = fields.get("requester")
        if isinstance(given, dict) and (given.get("email") or given.get("name")):
            email = str(given.get("email") or "").strip()
            user = account.user_by_email(email) if email else None
            if user is None:
                if email and not _looks_like_email(email):
                    raise invalid("requester", f"Requester: Email: {email} is not properly formatted", "InvalidFormat")
                if not given.get("name"):
                    raise invalid("requester", "Requester: Name: is too short (minimum one character)", "BlankValue")
                user = account.add_user(name=str(given["name"]), email=email or None)
        elif fields.get("requester_id"):
            found = account.records.users.get(int(fields["requester_id"]))
            if found is None:
                raise invalid("requester", "Requester: is invalid", "InvalidValue")
            user = found
        else:
            user = fallback
        if user.suspended:
            raise invalid("requester", f"Requester: {user.name} is suspended.", "UserSuspended")
        return user

    def _check(self, fields: Json, ticket: Ticket) -> None:
        """Refuse values Zendesk would refuse, before anything changes."""
        for name, allowed in (("status", STATUSES), ("priority", PRIORITIES), ("type", TYPES)):
            value = fields.get(name)
            if value is not None and value not in allowed:
                raise invalid(name, f"{name.capitalize()}: {value} is not valid", "InvalidValue")
        group_id = _int_or_none(fields["group_id"]) if "group_id" in fields else ticket.group_id
        group = self._account.records.groups.get(group_id) if group_id is not None else None
        if group_id is not None and group is None:
            raise invalid("group", "Group: is invalid", "InvalidValue")
        assignee_id = _int_or_none(fields.get("assignee_id"))
        if assignee_id is not None:
            assignee = self._account.records.users.get(assignee_id)
            if assignee is None or not assignee.is_staff:
                raise invalid("assignee", "Assignee: is not an agent", "InvalidValue")
            if group is not None and assignee_id not in group.members:
                raise invalid("assignee", f"Assignee: is not in the group {group.name}", "InvalidValue")
        for token in (_comment_of(fields) or {}).get("uploads") or []:
            upload = self._account.records.uploads.get(str(token))
            if upload is None or upload.expires_at <= self._account.now():
                raise invalid("base", f"Upload {token}: is not a valid token", "InvalidValue")
        submitter_id = _int_or_none(fields.get("submitter_id"))
        if submitter_id is not None and submitter_id not in self._account.records.users:
            raise invalid("submitter", "Submitter: is invalid", "InvalidValue")


def _events_of(saving: Saving) -> list[tuple[str, Json]]:
    """List the Zendesk events one save sends, in order."""
    events: list[tuple[str, Json]] = []
    if saving.created:
        events.append(("ticket.created", {}))
    else:
        for name, kind in (
            ("status", "ticket.status_changed"),
            ("assignee_id", "ticket.agent_assignment_changed"),
            ("group_id", "ticket.group_assignment_changed"),
            ("priority", "ticket.priority_changed"),
            ("tags", "ticket.tags_changed"),
        ):
            if name in saving.changes:
                previous, current = saving.changes[name]
                events.append((kind, {"previous": previous, "current": current}))
    events.extend(("ticket.comment_added", {"comment": comment}) for comment in saving.comments)
    return events


def read_tags(value: Any) -> list[str]:
    """Read tags from a list or from text separated by commas or blanks."""
    if not value:
        return []
    parts = value.replace(",", " ").split() if isinstance(value, str) else [str(part) for part in value]
    return list(dict.fromkeys(part.strip().lower().replace(" ", "_") for part in parts if part.strip()))


def _comment_of(fields: Json) -> Json | None:
    """Find the comment; `description` is an old way of giving the first one."""
    comment = fields.get("comment")
    if isinstance(comment, str):
        comment = {"body": comment}
    if comment is None and fields.get("description"):
        comment = {"body": fields["description"]}
    if not isinstance(comment, dict):
        return None
    has_text = str(comment.get("body") or comment.get("html_body") or "").strip()
    return comment if has_text or comment.get("uploads") else None


def _auditable(value: Any) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, (list, dict)):
        return value
    return str(value)


def _int_or_none(value: Any) -> int | None:
    return None if value in (None, "", 0, "0") else int(value)


def _text_or_none(value: Any) -> str | None:
    return None if value is None else str(value)


def _looks_like_email(address: str) -> bool:
    name, _, host = address.partition("@")
    return bool(name) and "." in host and " " not in address
