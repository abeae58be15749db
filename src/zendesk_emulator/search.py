"""Search tickets and users by `key:value` words and plain words; real search is richer and lags behind."""

from __future__ import annotations

import re

from zendesk_emulator import support_json
from zendesk_emulator.account import Account
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.people import User
from zendesk_emulator.records.tickets import Ticket
from zendesk_emulator.text import rest_time

_WORD = re.compile(r'([\w.]+)(:|<=|>=|<|>)("[^"]*"|\S+)|"([^"]*)"|(\S+)')


def find(account: Account, query: str) -> list[Json]:
    """List what matches, each with its `result_type`."""
    words = [match.groups() for match in _WORD.finditer(query)]
    terms = [(name, sign, value.strip('"').lower()) for name, sign, value, _, _ in words if name]
    plain = [(quoted or bare).lower() for name, _, _, quoted, bare in words if not name]
    kinds = [value for name, _, value in terms if name == "type"]
    results: list[Json] = []
    if "user" not in kinds:
        results += [
            {**support_json.ticket(account, ticket), "result_type": "ticket"}
            for ticket in account.records.tickets.values()
            if ticket.status != "deleted"
            and all(_ticket_has(account, ticket, *term) for term in terms)
            and all(word in f"{ticket.subject} {ticket.description}".lower() for word in plain)
        ]
    if "ticket" not in kinds:
        results += [
            {**support_json.user(account, user), "result_type": "user"}
            for user in account.records.users.values()
            if all(_user_has(user, name, value) for name, _, value in terms)
            and all(word in f"{user.name} {user.email} {user.external_id}".lower() for word in plain)
        ]
    return results


def _ticket_has(account: Account, ticket: Ticket, name: str, sign: str, value: str) -> bool:
    requester = account.records.users.get(ticket.requester_id)
    match name:
        case "type":
            return value == "ticket"
        case "external_id":
            return (ticket.external_id or "").lower() == value
        case "status":
            return ticket.status == value
        case "tags":
            return value in ticket.tags
        case "requester":
            return requester is not None and value in ((requester.email or "").lower(), str(requester.id))
        case "created" | "updated":
            instant = rest_time(ticket.created_at if name == "created" else ticket.updated_at).lower()
            return {":": instant.startswith(value), ">": instant > value, ">=": instant >= value}.get(
                sign, instant < value if sign == "<" else instant <= value
            )
        case _ if name.startswith("custom_field_") and name.removeprefix("custom_field_").isdigit():
            return str(ticket.custom_fields.get(int(name.removeprefix("custom_field_")), "")).lower() == value
        case _:
            return False


def _user_has(user: User, name: str, value: str) -> bool:
    match name:
        case "type":
            return value == "user"
        case "email":
            return (user.email or "").lower() == value
        case "external_id":
            return (user.external_id or "").lower() == value
        case "role":
            return user.role == value
        case _:
            return False
