"""Serve tickets, comments, audits, uploads and search.

https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from zendesk_emulator import conversation_log, support_json
from zendesk_emulator.access import Call, identify, route
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.errors import Refused, not_found, unauthenticated
from zendesk_emulator.paging import paged
from zendesk_emulator.records.answers import KeptAnswer
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.tickets import Attachment, Ticket, Upload
from zendesk_emulator.search import find
from zendesk_emulator.text import rest_time
from zendesk_emulator.tickets import actor_of, read_tags

KEYS_LIVE = timedelta(hours=2)
UPLOADS_LIVE = timedelta(minutes=60)
READ, WRITE = "tickets:read", "tickets:write"


def routes(emulator: Emulator) -> Sequence[BaseRoute]:
    """Give the routes of tickets."""
    ticket = "/api/v2/tickets/{ticket_id:int}"

    async def download(request: Request) -> Response:
        if emulator.account.settings.private_ticket_files and not identify(
            emulator.account, request.headers.get("authorization")
        ):
            raise unauthenticated()
        file = emulator.account.records.attachments.get(int(request.path_params["attachment_id"]))
        if file is None:
            raise not_found()
        return Response(file.data, media_type=file.content_type)

    return [
        route(emulator, "POST", "/api/v2/tickets", _create, WRITE),
        route(emulator, "GET", "/api/v2/tickets", _list, READ),
        route(emulator, "GET", "/api/v2/tickets/show_many", _show_many, READ),
        route(emulator, "GET", ticket, _show, READ),
        route(emulator, "PUT", ticket, _update, WRITE),
        route(emulator, "DELETE", ticket, _delete, WRITE),
        route(emulator, "GET", f"{ticket}/comments", _comments, READ),
        # Integrators report that audits and search need the global `read`.
        route(emulator, "GET", f"{ticket}/audits", _audits, "read"),
        route(emulator, "GET", f"{ticket}/conversation_log", _conversation_log, READ),
        route(emulator, "POST", f"{ticket}/merge", _merge, WRITE),
        *[
            route(emulator, method, f"{ticket}/tags", _tags, READ if method == "GET" else WRITE)
            for method in ("GET", "POST", "PUT", "DELETE")
        ],
        route(emulator, "GET", "/api/v2/tags", _all_tags, READ),
        route(emulator, "GET", "/api/v2/job_statuses/{job}", _job, "read"),
        route(emulator, "GET", "/api/v2/search", _search, "read"),
        route(emulator, "POST", "/api/v2/uploads", _upload, WRITE),
        route(emulator, "DELETE", "/api/v2/uploads/{token}", _discard, WRITE),
        Route("/attachments/token/{attachment_id:int}/", download),
    ]


def _create(call: Call) -> Response:
    """Create a ticket once per idempotency key: miss, hit, or 400 for another body."""
    key, records = call.request.headers.get("idempotency-key"), call.account.records
    digest = sha256(call.raw).digest()
    if key is not None:
        kept = records.kept_answers.get(key)
        if kept is not None and kept.expires_at > call.account.now():
            if kept.request != digest:
                description = "Request parameters don't match the given idempotency key"
                raise Refused(400, {"error": "IdempotentRequestError", "description": description})
            return JSONResponse(kept.body, kept.status, headers=kept.headers | {"x-idempotency-lookup": "hit"})
    ticket, audit = call.emulator.tickets.create(call.json("ticket"), actor=call.user)
    body = _with_audit(call, ticket, support_json.audit(call.account, audit, ticket.id))
    headers = {"Location": str(body["ticket"]["url"])}
    if key is not None:
        records.kept_answers[key] = KeptAnswer(
            request=digest, status=201, headers=dict(headers), body=body, expires_at=call.account.now() + KEYS_LIVE
        )
        headers["x-idempotency-lookup"] = "miss"
    return JSONResponse(body, 201, headers=headers)


def _with_audit(call: Call, ticket: Ticket, audit: Json) -> Json:
    return {"ticket": support_json.ticket(call.account, ticket), "audit": audit}


def _list(call: Call) -> Json:
    tickets = _shown(call)
    external_id = call.query("external_id")
    if external_id:
        tickets = [ticket for ticket in tickets if ticket.external_id == external_id]
    # https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/#list-tickets
    if call.query("sort") == "-id":
        tickets.sort(key=lambda ticket: ticket.id, reverse=True)
    show = support_json.ticket
    return paged(call.request, call.account.base_url, "tickets", tickets, lambda ticket: show(call.account, ticket))


def _shown(call: Call) -> list[Ticket]:
    return [ticket for ticket in call.account.records.tickets.values() if ticket.status != "deleted"]


def _show_many(call: Call) -> Json:
    wanted = call.query("ids").split(",")
    tickets = [ticket for ticket in _shown(call) if str(ticket.id) in wanted]
    show = support_json.ticket
    return paged(call.request, call.account.base_url, "tickets", tickets, lambda ticket: show(call.account, ticket))


def _show(call: Call) -> Json:
    return {"ticket": support_json.ticket(call.account, call.emulator.tickets.get(call.number("ticket_id")))}


def _update(call: Call) -> Json:
    ticket, audit = call.emulator.tickets.update(call.number("ticket_id"), call.json("ticket"), actor=call.user)
    return _with_audit(call, ticket, support_json.audit(call.account, audit, ticket.id))


def _delete(call: Call) -> Response:
    call.emulator.tickets.delete(call.emulator.tickets.get(call.number("ticket_id")), actor_of(call.user))
    return Response(status_code=204)


def _comments(call: Call) -> Json:
    ticket = call.emulator.tickets.get(call.number("ticket_id"))
    newest_first = call.query("sort") == "-created_at" or call.query("sort_order") == "desc"
    comments = ticket.comments[::-1] if newest_first else ticket.comments
    show = support_json.comment
    return paged(call.request, call.account.base_url, "comments", comments, lambda comment: show(call.account, comment))


def _audits(call: Call) -> Json:
    ticket = call.emulator.tickets.get(call.number("ticket_id"))
    newest_first = call.query("sort") == "-created_at" or call.query("sort_order") == "desc"
    audits = ticket.audits[::-1] if newest_first else ticket.audits
    show = support_json.audit
    return paged(
        call.request, call.account.base_url, "audits", audits, lambda audit: show(call.account, audit, ticket.id)
    )


def _conversation_log(call: Call) -> Json:
    ticket = call.emulator.tickets.get(call.number("ticket_id"))
    events = conversation_log.events_of(call.account, ticket)
    return paged(call.request, call.account.base_url, "events", events, lambda event: event)


def _merge(call: Call) -> Json:
    fields = call.json()
    sources = [int(number) for number in fields.get("ids") or []]
    call.emulator.tickets.merge(call.number("ticket_id"), sources, fields, actor=call.user)
    return _job_status(call, call.account.ids.hex_upper(32).lower())


def _job(call: Call) -> Json:
    return _job_status(call, call.word("job"))


def _job_status(call: Call, job: str) -> Json:
    return {
        "job_status": {
            "id": job,
            "url": f"{call.account.base_url}/api/v2/job_statuses/{job}.json",
            "total": 1,
            "progress": 1,
            "status": "completed",
            "message": "Completed",
            "results": [],
        }
    }


def _tags(call: Call) -> Json:
    ticket = call.emulator.tickets.get(call.number("ticket_id"))
    method = call.request.method
    if method != "GET":
        given = read_tags(call.json().get("tags"))
        fields = {"PUT": {"additional_tags": given}, "POST": {"tags": given}, "DELETE": {"remove_tags": given}}[method]
        call.emulator.tickets.update(ticket.id, fields, actor=call.user)
    return {"tags": ticket.tags}


def _all_tags(call: Call) -> Json:
    """Count the tags in use, most used first."""
    counted = Counter(tag for ticket in call.account.records.tickets.values() for tag in ticket.tags)
    tags = [{"name": name, "count": count} for name, count in counted.most_common()]
    return paged(call.request, call.account.base_url, "tags", tags, lambda tag: tag)


def _search(call: Call) -> Json:
    results = find(call.account, call.query("query"))
    return {**paged(call.request, call.account.base_url, "results", results, lambda result: result), "facets": None}


def _upload(call: Call) -> Response:
    """Keep a file for a comment; a second file with the same token joins the first."""
    account, now = call.account, call.account.now()
    name = call.query("filename")
    if not name:
        raise Refused(400, {"error": "RecordInvalid", "description": "filename is required"})
    kind = call.request.headers.get("content-type", "application/octet-stream")
    file = Attachment(id=account.ids.integer(), file_name=name, content_type=kind, data=call.raw)
    upload = account.records.uploads.get(call.query("token"))
    if upload is None:
        upload = Upload(token=account.ids.secret(24), expires_at=now + UPLOADS_LIVE)
        account.records.uploads[upload.token] = upload
    upload.attachments.append(file)
    account.records.attachments[file.id] = file
    shown = [support_json.attachment(account, known) for known in upload.attachments]
    expires_at = rest_time(upload.expires_at)
    body = {"token": upload.token, "expires_at": expires_at, "attachment": shown[-1], "attachments": shown}
    return JSONResponse({"upload": body}, 201)


def _discard(call: Call) -> Response:
    if call.account.records.uploads.pop(call.word("token"), None) is None:
        raise not_found()
    return Response(status_code=204)
