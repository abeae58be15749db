"""Turn control calls into clicks at the agent desk.

Every body may name `ticket` (else the newest) and `agent` by id, address or name (else the first who is online).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping

from zendesk_emulator import state
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.people import User
from zendesk_emulator.records.tickets import Attachment, Ticket

Action = Callable[[Emulator, Ticket, User, Json], object]


def act(emulator: Emulator, action: str, body: Json) -> Json:
    """Do one action and show the ticket after it."""
    desk = emulator.desk
    agent = desk.agent(body.get("agent"))
    if action == "availability":
        desk.set_messaging(agent, str(body["state"]))
        return {"agent": agent.id, "messaging": agent.messaging}
    todo = ACTIONS.get(action)
    if todo is None:
        raise ValueError(f"no action {action!r}; there are {', '.join(ACTIONS)} and availability")
    ticket = desk.ticket(int(body["ticket"])) if body.get("ticket") else desk.latest()
    todo(emulator, ticket, agent, body)
    return {"ticket": state.ticket(emulator.account, ticket)}


def _text(body: Json) -> str:
    return str(body["body"])


def _file(emulator: Emulator, ticket: Ticket, agent: User, body: Json) -> None:
    emulator.desk.send_file(
        ticket,
        agent,
        name=str(body.get("name", "file.txt")),
        content_type=str(body.get("content_type", "text/plain")),
        data=base64.b64decode(body["data"]),
        body=str(body.get("body", "")),
    )


def _files(emulator: Emulator, body: Json) -> list[Attachment]:
    return [
        Attachment(
            id=emulator.account.ids.integer(),
            file_name=str(given.get("name", "file.txt")),
            content_type=str(given.get("content_type", "text/plain")),
            data=base64.b64decode(given["data"]),
            malware=given.get("malware") is True,
        )
        for given in body.get("files") or []
    ]


def _assign(emulator: Emulator, ticket: Ticket, agent: User, body: Json) -> None:
    to = emulator.desk.agent(body["to"]) if body.get("to") else None
    group = int(body["group_id"]) if body.get("group_id") else None
    emulator.desk.assign(ticket, agent, group_id=group, to=to)


ACTIONS: Mapping[str, Action] = {
    "accept": lambda emulator, ticket, agent, _: emulator.desk.accept(ticket, agent),
    "reply": lambda emulator, ticket, agent, body: emulator.desk.reply(ticket, agent, _text(body)),
    "file": _file,
    "comment": lambda emulator, ticket, agent, body: emulator.desk.comment(
        ticket, agent, _text(body), _files(emulator, body)
    ),
    "note": lambda emulator, ticket, agent, body: emulator.desk.note(
        ticket, agent, _text(body), _files(emulator, body)
    ),
    "assign": _assign,
    "status": lambda emulator, ticket, agent, body: emulator.desk.set_status(ticket, agent, str(body["status"])),
    "tags": lambda emulator, ticket, agent, body: emulator.desk.set_tags(ticket, agent, str(body["tags"])),
    "priority": lambda emulator, ticket, agent, body: emulator.desk.set_priority(ticket, agent, body.get("priority")),
    "delete": lambda emulator, ticket, agent, _: emulator.desk.delete(ticket, agent),
    "merge": lambda emulator, ticket, agent, body: emulator.desk.merge(
        ticket, agent, into=emulator.desk.ticket(int(body["into"]))
    ),
    "fill": lambda emulator, ticket, _, __: emulator.desk.fill(ticket),
    "forget-customer": lambda emulator, ticket, _, __: emulator.desk.forget_customer(ticket),
    "end-session": lambda emulator, ticket, agent, _: emulator.desk.end_session(ticket, agent),
    "transfer-to-email": lambda emulator, ticket, agent, _: emulator.desk.transfer_to_email(ticket, agent),
    "inactive": lambda emulator, ticket, _, __: emulator.desk.go_inactive(ticket),
    "active": lambda emulator, ticket, _, __: emulator.desk.become_active(ticket),
    "typing": lambda emulator, ticket, agent, body: emulator.desk.typing(
        ticket, agent, started=bool(body.get("started", True))
    ),
    "trigger-message": lambda emulator, ticket, _, body: emulator.desk.trigger_says(ticket, _text(body)),
    "system-message": lambda emulator, ticket, _, body: emulator.desk.system_says(
        ticket, _text(body), body.get("metadata")
    ),
}
