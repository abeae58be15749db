"""One ticket at the desk: what was said, and every button an agent has."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response
from starlette.routing import BaseRoute

from zendesk_emulator.errors import DeskRefused
from zendesk_emulator.pages import apps, timeline, words
from zendesk_emulator.pages.shell import HEADERS, Pages, Visit
from zendesk_emulator.records.tickets import Attachment, Session, Ticket

PAGE = "/desk/tickets/{ticket_id:int}"
BACK = "/desk/tickets/{ticket_id}"


def routes(pages: Pages) -> Sequence[BaseRoute]:
    """Give the routes of a ticket."""
    actions = {
        "accept": _accept,
        "reply": _reply,
        "note": _note,
        "assign": _assign,
        "status": _status,
        "tags": _tags,
        "priority": _priority,
        "end-session": _end_session,
        "inactive": _inactive,
        "active": _active,
        "customer": _customer,
    }
    return [
        pages.get(PAGE, _show),
        *(pages.post(f"{PAGE}/{name}", handler, back=BACK) for name, handler in actions.items()),
        pages.get("/desk/files/{key:path}", _sun_file),
        pages.get("/desk/attachments/{attachment_id:int}", _attachment),
    ]


def _ticket(visit: Visit) -> Ticket:
    return visit.emulator.desk.ticket(visit.number("ticket_id"))


def _back(visit: Visit, said: str = "") -> Response:
    return visit.go(BACK.format(ticket_id=visit.number("ticket_id")), said=said)


async def _show(visit: Visit) -> Response:
    account, ticket, me = visit.account, _ticket(visit), visit.agent
    if ticket.assignee_id == me.id:
        visit.emulator.desk.read(ticket)
    conversation = account.conversation_of(ticket)
    people = account.records.users
    requester = people.get(ticket.requester_id)
    sun_user = account.records.sun_users.get(conversation.user_id) if conversation else None
    fields = account.records.ticket_fields
    frames = apps.frames(visit, ticket)
    page = visit.show(
        "ticket.html",
        frames=frames,
        ticket=ticket,
        entries=timeline.of(account, ticket),
        can_reply=visit.emulator.desk.can_reply(ticket),
        can_end=account.settings.end_session and ticket.session in (Session.ACTIVE, Session.INACTIVE),
        requester=requester,
        sun_user=sun_user,
        conversation=conversation,
        custom_fields=[
            (fields.get(number, {}).get("title", "Custom field"), number, value)
            for number, value in ticket.custom_fields.items()
        ],
        audits=[_audit(visit, ticket, number) for number in range(len(ticket.audits))][::-1],
        others=[agent for agent in account.agents() if agent.id != me.id],
    )
    page.headers["Content-Security-Policy"] = apps.policy(frames)
    return page


def _audit(visit: Visit, ticket: Ticket, number: int) -> tuple[str, str, str, list[str]]:
    audit = ticket.audits[number]
    lines = []
    for event in audit.events:
        match event["type"]:
            case "Change" | "Create":
                before = f"{event['previous_value']} → " if "previous_value" in event else ""
                lines.append(f"{event['type']} {event['field_name']}: {before}{event['value']}")
            case "Comment":
                comment = event["comment"]
                lines.append(f"Comment {comment.id} ({'public' if comment.public else 'internal'})")
            case name:
                lines.append(str(name))
    author = words.person(visit.account, audit.author_id, "System")
    return words.moment(audit.created_at), author, audit.via, lines


async def _accept(visit: Visit) -> Response:
    visit.emulator.desk.accept(_ticket(visit), visit.agent)
    return _back(visit)


async def _reply(visit: Visit) -> Response:
    """Answer in the live chat, or in public on the ticket."""
    desk, ticket, body = visit.emulator.desk, _ticket(visit), visit.form.text("body")
    channel = visit.form.text("channel") or ("messaging" if ticket.is_messaging else "public")
    files = await _files(visit)
    if channel != "messaging":
        desk.comment(ticket, visit.agent, body, files)
    elif files:
        for file in files:
            desk.send_file(
                ticket,
                visit.agent,
                name=file.file_name,
                content_type=file.content_type,
                data=file.data,
                body=body if file is files[0] else "",
            )
    elif body.strip():
        desk.reply(ticket, visit.agent, body)
    else:
        raise DeskRefused("Write something first.")
    return _back(visit)


async def _note(visit: Visit) -> Response:
    visit.emulator.desk.note(_ticket(visit), visit.agent, visit.form.text("body"), await _files(visit))
    return _back(visit)


async def _files(visit: Visit) -> list[Attachment]:
    return [
        Attachment(
            id=visit.account.ids.integer(),
            file_name=file.filename or "file",
            content_type=file.content_type or "application/octet-stream",
            data=await file.read(),
        )
        for file in visit.form.files
    ]


async def _assign(visit: Visit) -> Response:
    """Assign to `me`, to an agent, or (empty) to nobody; a group alone moves the ticket there."""
    desk, form, ticket = visit.emulator.desk, visit.form, _ticket(visit)
    if form.text("to") == "me":
        desk.accept(ticket, visit.agent)
        return _back(visit, f"Ticket #{ticket.id} is yours.")
    to = desk.agent(form.text("to")) if form.text("to") else None
    group_id = form.number("group")
    group = visit.account.records.groups.get(group_id or 0)
    if to is not None and group is not None and to.id not in group.members and group_id == ticket.group_id:
        group_id = None  # the agent was changed, the group was not: let it follow
    desk.assign(ticket, visit.agent, group_id=group_id, to=to)
    return _back(visit, "Assignment saved.")


async def _status(visit: Visit) -> Response:
    ticket, status = _ticket(visit), visit.form.text("status")
    visit.emulator.desk.set_status(ticket, visit.agent, status)
    return _back(visit, f"Submitted as {ticket.status.capitalize()}.")


async def _tags(visit: Visit) -> Response:
    visit.emulator.desk.set_tags(_ticket(visit), visit.agent, visit.form.text("tags"))
    return _back(visit, "Tags saved.")


async def _priority(visit: Visit) -> Response:
    visit.emulator.desk.set_priority(_ticket(visit), visit.agent, visit.form.text("priority") or None)
    return _back(visit, "Priority saved.")


async def _end_session(visit: Visit) -> Response:
    visit.emulator.desk.end_session(_ticket(visit), visit.agent)
    return _back(visit, "The messaging session has ended. The status stays as it was.")


async def _inactive(visit: Visit) -> Response:
    visit.emulator.desk.go_inactive(_ticket(visit))
    return _back(visit, "The session is inactive, as after about ten idle minutes.")


async def _active(visit: Visit) -> Response:
    visit.emulator.desk.become_active(_ticket(visit))
    return _back(visit, "The session is active again.")


async def _customer(visit: Visit) -> Response:
    """Write as the customer, the way a Sunshine client would post it."""
    ticket, form = _ticket(visit), visit.form
    conversation = visit.account.conversation_of(ticket)
    if conversation is None:
        raise DeskRefused("This ticket is not a live chat.")
    author = {"type": "user", "userId": conversation.user_id}
    content = {"type": "text", "text": form.text("body").strip()}
    visit.emulator.conversations.post(conversation, {"author": author, "content": content})
    if conversation.ticket_id not in (None, ticket.id):
        return visit.go(f"/desk/tickets/{conversation.ticket_id}", said="That opened a new ticket.")
    return _back(visit)


async def _sun_file(visit: Visit) -> Response:
    stored = visit.account.records.sun_attachments.get(visit.word("key"))
    if stored is None:
        raise DeskRefused("There is no such file.")
    return _download(stored.key.rpartition("/")[2], stored.data)


async def _attachment(visit: Visit) -> Response:
    stored = visit.account.records.attachments.get(visit.number("attachment_id"))
    if stored is None:
        raise DeskRefused("There is no such file.")
    return _download(stored.file_name, stored.data)


def _download(name: str, data: bytes) -> Response:
    """Hand a file over as a download, whatever it claims to be."""
    plain = "".join(char if char.isascii() and char not in '"\\\r\n' else "_" for char in name)
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{plain}"'}
    return Response(data, media_type="application/octet-stream", headers=headers)
