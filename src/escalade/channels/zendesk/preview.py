"""Show a ticket before it is opened: what the request says, read back from the request itself. Pure."""

from __future__ import annotations

import html
from typing import Any

import msgspec

from escalade.channels.base import Account, Job, Preview
from escalade.channels.zendesk import wire
from escalade.domain import transcript
from escalade.domain.errors import Refused

SHOWN_APART = frozenset({"subject", "comment", "requester", "tags", "custom_fields", "external_id", "metadata"})


def preview(account: Account, job: Job) -> Preview:
    """Write the ticket of a handoff and its notes, as they would be sent."""
    handoff = job.conversation.handoff
    if handoff is None:
        raise Refused("there is no handoff")
    request = wire.ticket_body(job, handoff, account.settings.tickets)
    ticket: dict[str, Any] = msgspec.json.decode(request)["ticket"]
    requester = ticket["requester"]
    address = f" <{requester['email']}>" if "email" in requester else ""
    chosen = {name: value for name, value in ticket.items() if name not in SHOWN_APART}
    chosen |= {f"custom field {field['id']}": field["value"] for field in ticket.get("custom_fields", ())}
    return Preview(
        subject=wire.restored(ticket["subject"]),
        first=shown(ticket["comment"]["html_body"]),
        requester=wire.restored(requester["name"]) + address,
        tags=tuple(ticket.get("tags", ())),
        fields=tuple((name, str(value)) for name, value in chosen.items()),
        notes=tuple(shown(wire.as_html(text)) for _, text in wire.note_parts(job, handoff)),
        files=tuple(file.name for file in transcript.files(job.transcript)),
        request=request,
    )


def shown(markup: str) -> str:
    """Give the text that a comment of ours shows: what `as_html` wrote, read back."""
    return wire.restored(html.unescape(markup.replace("<br>", "\n")))
