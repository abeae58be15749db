"""Serve messaging users, conversations, messages, files and control.

https://developer.zendesk.com/api-reference/conversations/
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, unquote

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from zendesk_emulator import sunshine_json
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.errors import SunRefused
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.messaging import Message, SunAttachment
from zendesk_emulator.sunshine_access import BASE, SunCall, authenticate, sun_page, sun_route

MESSAGES_PER_PAGE = 100
FILE_LIMIT = 50 * 1024 * 1024
FILES = "/sc/attachments/v2/"


def routes(emulator: Emulator) -> Sequence[BaseRoute]:
    """Give the routes of messaging."""
    user, one = "/users/{user_id:path}", "/conversations/{conversation_id}"

    async def upload(request: Request) -> Response:
        authenticate(emulator.account, request)
        return await _upload(emulator, request)

    async def download(request: Request) -> Response:
        return _download(emulator, request)

    return [
        sun_route(emulator, "GET", "", lambda call: {"app": sunshine_json.app(call.account)}),
        sun_route(emulator, "POST", "/users", _create_user, status=201),
        sun_route(emulator, "DELETE", "/users/{user_id:path}/personalinformation", _forget_profile),
        sun_route(emulator, "GET", user, _show_user),
        sun_route(emulator, "PATCH", user, _change_user),
        sun_route(emulator, "DELETE", user, _delete_user),
        sun_route(emulator, "POST", "/conversations", _create, status=201),
        sun_route(emulator, "GET", "/conversations", _list),
        sun_route(emulator, "GET", one, _show),
        sun_route(emulator, "PATCH", one, _change),
        sun_route(emulator, "DELETE", one, _delete),
        sun_route(emulator, "POST", f"{one}/messages", _post, status=201),
        sun_route(emulator, "GET", f"{one}/messages", _messages),
        sun_route(emulator, "DELETE", f"{one}/messages", _clear),
        sun_route(emulator, "DELETE", f"{one}/messages/{{message_id}}", _delete_message),
        sun_route(emulator, "POST", f"{one}/activity", _activity),
        sun_route(emulator, "POST", f"{one}/passControl", _pass_control),
        sun_route(emulator, "POST", f"{one}/releaseControl", _release_control),
        sun_route(emulator, "POST", f"{one}/offerControl", _offer_control),
        sun_route(emulator, "POST", f"{one}/acceptControl", _accept_control),
        sun_route(emulator, "POST", "/attachments/remove", _remove_file),
        Route(f"{BASE}/attachments", upload, methods=["POST"]),
        Route(FILES + "{key:path}", download),
    ]


# Users


def _create_user(call: SunCall) -> Json:
    return {"user": sunshine_json.user(call.emulator.conversations.create_user(call.json()))}


def _show_user(call: SunCall) -> Json:
    return {"user": sunshine_json.user(call.emulator.conversations.user(call.word("user_id")))}


def _change_user(call: SunCall) -> Json:
    user = call.emulator.conversations.user(call.word("user_id"))
    call.emulator.conversations.change_user(user, call.json())
    return {"user": sunshine_json.user(user)}


def _delete_user(call: SunCall) -> None:
    call.emulator.conversations.delete_user(call.emulator.conversations.user(call.word("user_id")))


def _forget_profile(call: SunCall) -> Json:
    user = call.emulator.conversations.user(call.word("user_id"))
    user.profile, user.metadata = {}, {}
    return {"user": sunshine_json.user(user)}


# Conversations


def _create(call: SunCall) -> Json:
    return {"conversation": sunshine_json.conversation(call.account, call.emulator.conversations.create(call.json()))}


def _list(call: SunCall) -> Json:
    wanted = call.query("filter[userId]") or call.query("filter[userExternalId]")
    if not wanted:
        raise SunRefused(400, "bad_request", "filter[userId] or filter[userExternalId] is required")
    user = call.emulator.conversations.user(wanted)
    found = [known for known in call.account.records.conversations.values() if known.user_id == user.id]
    return sun_page(call, "conversations", found, lambda item: sunshine_json.conversation(call.account, item))


def _show(call: SunCall) -> Json:
    return {"conversation": sunshine_json.conversation(call.account, call.conversation())}


def _change(call: SunCall) -> Json:
    conversation = call.conversation()
    call.emulator.conversations.change(conversation, call.json())
    return {"conversation": sunshine_json.conversation(call.account, conversation)}


def _delete(call: SunCall) -> None:
    call.emulator.conversations.delete(call.conversation())


# Messages


def _post(call: SunCall) -> Json:
    message = call.emulator.conversations.post(call.conversation(), call.json())
    return {"messages": [sunshine_json.message(message)]}


def _messages(call: SunCall) -> Json:
    """List a hundred messages: the newest page unless a cursor says which, each page oldest first."""
    messages = call.conversation().messages
    before, after = call.query("page[before]"), call.query("page[after]")
    if before and after:
        raise SunRefused(400, "bad_request", "page[before] and page[after] cannot be combined")
    if after:
        start = _place(messages, after) + 1
        end = min(len(messages), start + MESSAGES_PER_PAGE)
        more = end < len(messages)
    else:
        end = _place(messages, before) if before else len(messages)
        start = max(0, end - MESSAGES_PER_PAGE)
        more = start > 0
    page = messages[start:end]
    meta: Json = {"hasMore": more}
    links: Json = {}
    if page:
        meta |= {"beforeCursor": page[0].id, "afterCursor": page[-1].id}
        address = f"{call.account.base_url}{call.request.url.path}?"
        if start > 0:
            links["prev"] = f"{address}{quote('page[before]')}={page[0].id}"
        if end < len(messages):
            links["next"] = f"{address}{quote('page[after]')}={page[-1].id}"
    return {"messages": [sunshine_json.message(message) for message in page], "meta": meta, "links": links}


def _place(messages: list[Message], message_id: str) -> int:
    for place, message in enumerate(messages):
        if message.id == message_id:
            return place
    raise SunRefused(400, "bad_request", "The cursor is not a message of this conversation")


def _clear(call: SunCall) -> None:
    conversation = call.conversation()
    conversation.messages.clear()
    conversation.is_full = False


def _delete_message(call: SunCall) -> None:
    conversation = call.conversation()
    messages = conversation.messages
    known = next((message for message in messages if message.id == call.word("message_id")), None)
    if known is None:
        raise SunRefused(404, "not_found", "Message not found")
    messages.remove(known)
    call.emulator.account.emit("message.removed", conversation=conversation, facts={"message": known})


def _activity(call: SunCall) -> None:
    call.emulator.conversations.activity(call.conversation(), call.json())


# Control


def _target(call: SunCall) -> tuple[str, Json]:
    fields = call.json()
    target = fields.get("switchboardIntegration")
    if not target or not isinstance(target, str):
        raise SunRefused(400, "bad_request", "switchboardIntegration is required")
    return target, _metadata(fields)


def _metadata(fields: Json) -> Json:
    metadata = fields.get("metadata") or {}
    if not isinstance(metadata, dict) or sum(len(f"{key}{value}".encode()) for key, value in metadata.items()) > 4096:
        raise SunRefused(400, "bad_request", "metadata must be an object of at most 4 KB")
    return metadata


def _pass_control(call: SunCall) -> None:
    target, metadata = _target(call)
    call.emulator.switchboard.pass_control(call.conversation(), target, metadata)


def _offer_control(call: SunCall) -> None:
    target, metadata = _target(call)
    call.emulator.switchboard.offer_control(call.conversation(), target, metadata)


def _release_control(call: SunCall) -> None:
    call.emulator.switchboard.release_control(call.conversation(), _metadata(call.json()))


def _accept_control(call: SunCall) -> None:
    call.emulator.switchboard.accept_control(call.conversation(), _metadata(call.json()))


# Files


async def _upload(emulator: Emulator, request: Request) -> Response:
    if request.query_params.get("access") != "public":
        raise SunRefused(400, "bad_request", "access must be public")
    async with request.form() as form:
        source = form.get("source")
        if not isinstance(source, UploadFile):
            raise SunRefused(400, "bad_request", "source is required")
        data, name, kind = await source.read(), source.filename or "file", source.content_type
    if len(data) > FILE_LIMIT:
        raise SunRefused(413, "payload_too_large", "The file is over 50 MB")
    account = emulator.account
    file = SunAttachment(
        key=f"{account.ids.ulid(account.now())}/{name}",
        content_type=kind or "application/octet-stream",
        data=data,
        conversation_id=request.query_params.get("conversationId"),
    )
    account.records.sun_attachments[file.key] = file
    address = f"{account.base_url}{FILES}{quote(file.key)}"
    return JSONResponse({"attachment": {"mediaUrl": address, "mediaType": file.content_type}}, 201)


def _download(emulator: Emulator, request: Request) -> Response:
    """Give a file; with private attachments on, only to a key."""
    if emulator.account.settings.private_attachments:
        authenticate(emulator.account, request)
    file = emulator.account.records.sun_attachments.get(str(request.path_params["key"]))
    if file is None:
        raise SunRefused(404, "not_found", "Attachment not found")
    return Response(file.data, media_type=file.content_type)


def _remove_file(call: SunCall) -> None:
    address = str(call.json().get("mediaUrl") or "")
    call.account.records.sun_attachments.pop(unquote(address.rpartition(FILES)[2]), None)
