"""Serve what surrounds tickets: users, groups, brands, forms, fields, schedules, availability, settings, triggers.

https://developer.zendesk.com/api-reference/
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from zendesk_emulator import availability, support_json, triggers
from zendesk_emulator.access import Call, route
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.errors import Refused, invalid, not_found
from zendesk_emulator.paging import by_cursor, paged
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.people import User
from zendesk_emulator.records.triggers import Trigger, TriggerCategory
from zendesk_emulator.text import rest_time


def routes(emulator: Emulator) -> Sequence[BaseRoute]:
    """Give the routes of everything but tickets and webhooks."""
    return [*_people(emulator), *_catalogue(emulator), *_rules(emulator)]


# People


def _people(emulator: Emulator) -> Sequence[BaseRoute]:
    read, write = "users:read", "users:write"
    return [
        route(emulator, "GET", "/api/v2/users/me", lambda call: _user(call, call.user), read),
        route(emulator, "GET", "/api/v2/users/search", _search_users, read),
        route(emulator, "GET", "/api/v2/users/show_many", _show_many, read),
        route(emulator, "POST", "/api/v2/users/create_or_update", _create_or_update, write),
        route(emulator, "GET", "/api/v2/users", _list_users, read),
        route(emulator, "POST", "/api/v2/users", _create_user, write),
        route(emulator, "GET", "/api/v2/users/{user_id:int}", lambda call: _user(call, _found(call)), read),
        route(emulator, "PUT", "/api/v2/users/{user_id:int}", _update_user, write),
        route(emulator, "GET", "/api/v2/users/{user_id:int}/identities", _identities, read),
        route(emulator, "GET", "/api/v2/groups", _groups, "read"),
        route(emulator, "GET", "/api/v2/groups/assignable", _groups, "read"),
        route(emulator, "POST", "/api/v2/groups", _create_group, "write", admin=True, status=201),
        route(emulator, "GET", "/api/v2/groups/{group_id:int}", _group, "read"),
        route(emulator, "GET", "/api/v2/groups/{group_id:int}/users", _group_users, read),
        route(emulator, "GET", "/api/v2/groups/{group_id:int}/memberships", _memberships, "read"),
        route(emulator, "GET", "/api/v2/group_memberships", _memberships, "read"),
        route(emulator, "GET", "/api/v2/group_memberships/assignable", _memberships, "read"),
    ]


def _user(call: Call, user: User) -> Json:
    return {"user": support_json.user(call.account, user)}


def _found(call: Call) -> User:
    user = call.account.records.users.get(call.number("user_id"))
    if user is None:
        raise not_found()
    return user


def _users(call: Call, users: list[User]) -> Json:
    show = support_json.user
    return paged(call.request, call.account.base_url, "users", users, lambda user: show(call.account, user))


def _list_users(call: Call) -> Json:
    roles = [*call.request.query_params.getlist("role[]"), *call.request.query_params.getlist("role")]
    return _users(call, [user for user in call.account.records.users.values() if not roles or user.role in roles])


def _show_many(call: Call) -> Json:
    wanted = call.query("ids").split(",")
    return _users(call, [user for user in call.account.records.users.values() if str(user.id) in wanted])


def _search_users(call: Call) -> Json:
    external_id, query = call.query("external_id"), call.query("query").lower()
    if external_id:
        user = call.account.user_by_external_id(external_id)
        return _users(call, [user] if user else [])
    words = [word.removeprefix("email:").strip('"') for word in query.split() if not word.startswith("type:")]
    users = call.account.records.users.values()
    return _users(call, [user for user in users if all(word in f"{user.name} {user.email}".lower() for word in words)])


def _create_user(call: Call) -> Response:
    fields = call.json("user")
    if _matching(call, fields) is not None:
        raise invalid("email", f"Email: {fields.get('email')} is already being used by another user", "DuplicateValue")
    return JSONResponse(_user(call, _change(call, _new(call, fields), fields)), 201)


def _create_or_update(call: Call) -> Response:
    fields = call.json("user")
    known = _matching(call, fields)
    user = known or _new(call, fields)
    return JSONResponse(_user(call, _change(call, user, fields)), 200 if known else 201)


def _update_user(call: Call) -> Json:
    return _user(call, _change(call, _found(call), call.json("user")))


def _matching(call: Call, fields: Json) -> User | None:
    account = call.account
    by_id = account.user_by_external_id(str(fields["external_id"])) if fields.get("external_id") else None
    return by_id or (account.user_by_email(str(fields["email"])) if fields.get("email") else None)


def _new(call: Call, fields: Json) -> User:
    if not fields.get("name"):
        raise invalid("name", "Name: is too short (minimum one character)", "BlankValue")
    return call.account.add_user(name=str(fields["name"]), email=fields.get("email"))


def _change(call: Call, user: User, fields: Json) -> User:
    for name in ("name", "external_id", "phone", "alias", "locale", "suspended", "verified", "tags", "user_fields"):
        if name in fields:
            setattr(user, name, fields[name])
    if fields.get("role") in ("end-user", "agent", "admin"):
        user.role = fields["role"]
    user.updated_at = call.account.now()
    return user


def _identities(call: Call) -> Json:
    user = _found(call)
    base = {"user_id": user.id, "verified": True, "created_at": rest_time(user.created_at)}
    return paged(
        call.request, call.account.base_url, "identities", user.identities, lambda identity: {**base, **identity}
    )


def _groups(call: Call) -> Json:
    groups = list(call.account.records.groups.values())
    show = support_json.group
    return paged(call.request, call.account.base_url, "groups", groups, lambda group: show(call.account, group))


def _create_group(call: Call) -> Json:
    name = str(call.json("group").get("name") or "")
    if not name:
        raise invalid("name", "Name: cannot be blank", "BlankValue")
    return {"group": support_json.group(call.account, call.account.add_group(name, []))}


def _group(call: Call) -> Json:
    group = call.account.records.groups.get(call.number("group_id"))
    if group is None:
        raise not_found()
    return {"group": support_json.group(call.account, group)}


def _group_users(call: Call) -> Json:
    group = call.account.records.groups.get(call.number("group_id"))
    if group is None:
        raise not_found()
    return _users(call, [user for user in call.account.records.users.values() if user.id in group.members])


def _memberships(call: Call) -> Json:
    shown = support_json.memberships(call.account)
    group_id = call.request.path_params.get("group_id")
    if group_id is not None:
        shown = [entry for entry in shown if entry["group_id"] == group_id]
    return paged(call.request, call.account.base_url, "group_memberships", shown, lambda entry: entry)


# Catalogue


def _catalogue(emulator: Emulator) -> Sequence[BaseRoute]:
    return [
        route(emulator, "GET", "/api/v2/brands", _brands, "read"),
        route(emulator, "GET", "/api/v2/ticket_forms", _forms, "read"),
        route(emulator, "GET", "/api/v2/ticket_fields", _fields, "read"),
        route(emulator, "POST", "/api/v2/ticket_fields", _create_field, "write", admin=True, status=201),
        route(emulator, "GET", "/api/v2/account/settings", _settings, "read"),
        route(emulator, "GET", "/api/v2/business_hours/schedules", _schedules, "read", admin=True),
        route(emulator, "GET", "/api/v2/business_hours/schedules/{schedule_id:int}", _schedule, "read"),
        route(emulator, "GET", "/api/v2/business_hours/schedules/{schedule_id:int}/holidays", _holidays, "read"),
        *availability.routes(emulator),
    ]


def _brands(call: Call) -> Json:
    account = call.account
    brand = {
        "id": account.records.brand_id,
        "url": f"{account.base_url}/api/v2/brands/{account.records.brand_id}.json",
        "name": account.subdomain.capitalize(),
        "brand_url": account.base_url,
        "subdomain": account.subdomain,
        "has_help_center": True,
        "help_center_state": "enabled",
        "active": True,
        "default": True,
        "is_deleted": False,
        "ticket_form_ids": [account.records.form_id],
    }
    return paged(call.request, account.base_url, "brands", [brand], lambda shown: shown)


def _forms(call: Call) -> Json:
    account = call.account
    form = {
        "id": account.records.form_id,
        "url": f"{account.base_url}/api/v2/ticket_forms/{account.records.form_id}.json",
        "name": "Default Ticket Form",
        "display_name": "Default Ticket Form",
        "active": True,
        "default": True,
        "end_user_visible": True,
        "position": 0,
        "ticket_field_ids": list(account.records.ticket_fields),
        "in_all_brands": True,
        "restricted_brand_ids": [],
    }
    return paged(call.request, account.base_url, "ticket_forms", [form], lambda shown: shown)


def _field(call: Call, field: Json) -> Json:
    return {
        "url": f"{call.account.base_url}/api/v2/ticket_fields/{field['id']}.json",
        "raw_title": field["title"],
        "description": "",
        "active": True,
        "required": False,
        "removable": field["type"] not in ("subject", "description"),
        "visible_in_portal": True,
        "editable_in_portal": True,
        **field,
    }


def _fields(call: Call) -> Json:
    fields = list(call.account.records.ticket_fields.values())
    return paged(call.request, call.account.base_url, "ticket_fields", fields, lambda field: _field(call, field))


def _create_field(call: Call) -> Json:
    given = call.json("ticket_field")
    if not given.get("title") or not given.get("type"):
        raise invalid("title", "Title: cannot be blank", "BlankValue")
    number = call.account.ids.integer()
    call.account.records.ticket_fields[number] = {**given, "id": number}
    return {"ticket_field": _field(call, call.account.records.ticket_fields[number])}


def _settings(call: Call) -> Json:
    settings = call.account.settings
    return {
        "settings": {
            "active_features": {"messaging": True, "multi_conversations": settings.multi_conversations},
            "agents": {"agent_workspace": True},
            "routing": {"max_messaging_capacity": 3, "reassignment_messaging_timeout": 0},
            "messaging_inactivity": {
                "enabled": settings.inactive_after_minutes is not None,
                "timeout": settings.inactive_after_minutes or 10,
            },
            "brands": {"default_brand_id": call.account.records.brand_id},
        }
    }


def _schedules(call: Call) -> Json:
    return {
        "schedules": [_shown_schedule(call, schedule) for schedule in call.account.records.schedules.values()],
        "url": f"{call.account.base_url}/api/v2/business_hours/schedules.json",
    }


def _schedule(call: Call) -> Json:
    schedule = call.account.records.schedules.get(call.number("schedule_id"))
    if schedule is None:
        raise not_found()
    return {"schedule": _shown_schedule(call, schedule)}


def _shown_schedule(call: Call, schedule: Json) -> Json:
    created = rest_time(call.account.now())
    return {"created_at": created, "updated_at": created, **schedule}


def _holidays(call: Call) -> Json:
    if call.number("schedule_id") not in call.account.records.schedules:
        raise not_found()
    return {"holidays": call.account.records.holidays.get(call.number("schedule_id"), [])}


# Triggers


def _rules(emulator: Emulator) -> Sequence[BaseRoute]:
    read, write = "triggers:read", "triggers:write"
    one, category = "/api/v2/triggers/{trigger_id:int}", "/api/v2/trigger_categories/{category_id}"
    return [
        route(emulator, "GET", "/api/v2/triggers/definitions", _definitions, read, admin=True),
        route(emulator, "GET", "/api/v2/triggers", _list_triggers, read),
        route(emulator, "GET", "/api/v2/triggers/active", _list_triggers, read),
        route(emulator, "GET", "/api/v2/triggers/search", _list_triggers, read),
        route(emulator, "POST", "/api/v2/triggers", _create_trigger, write, admin=True, status=201),
        route(emulator, "GET", one, lambda call: _trigger(call, _found_trigger(call)), read),
        route(emulator, "PUT", one, _update_trigger, write, admin=True),
        route(emulator, "DELETE", one, _delete_trigger, write, admin=True),
        route(emulator, "GET", "/api/v2/trigger_categories", _categories, read),
        route(emulator, "POST", "/api/v2/trigger_categories", _create_category, write, admin=True),
        route(emulator, "GET", category, lambda call: _category(_found_category(call)), read),
        route(emulator, "PATCH", category, _rename_category, write, admin=True),
        route(emulator, "DELETE", category, _delete_category, write, admin=True),
    ]


def _definitions(call: Call) -> Json:
    return {"definitions": triggers.definitions(call.account)}


def _shown_trigger(call: Call, trigger: Trigger) -> Json:
    return {
        "url": f"{call.account.base_url}/api/v2/triggers/{trigger.id}.json",
        "id": trigger.id,
        "title": trigger.title,
        "active": trigger.active,
        "default": False,
        "position": trigger.position,
        "description": trigger.description,
        "category_id": trigger.category_id,
        "conditions": trigger.conditions,
        "actions": trigger.actions,
        "raw_title": trigger.title,
        "created_at": rest_time(trigger.created_at),
        "updated_at": rest_time(trigger.updated_at),
    }


def _trigger(call: Call, trigger: Trigger) -> Json:
    return {"trigger": _shown_trigger(call, trigger)}


def _found_trigger(call: Call) -> Trigger:
    return call.emulator.triggers.get(call.number("trigger_id"))


def _list_triggers(call: Call) -> Json:
    rules = sorted(call.account.records.triggers.values(), key=lambda rule: (rule.position, rule.id))
    if call.request.url.path.endswith("/active") or call.query("active") == "true":
        rules = [rule for rule in rules if rule.active]
    query = call.query("query").lower()
    rules = [rule for rule in rules if query in rule.title.lower()]
    return paged(call.request, call.account.base_url, "triggers", rules, lambda rule: _shown_trigger(call, rule))


def _create_trigger(call: Call) -> Json:
    return _trigger(call, call.emulator.triggers.create(call.json("trigger")))


def _update_trigger(call: Call) -> Json:
    trigger = _found_trigger(call)
    call.emulator.triggers.change(trigger, call.json("trigger"))
    return _trigger(call, trigger)


def _delete_trigger(call: Call) -> Response:
    del call.account.records.triggers[_found_trigger(call).id]
    return Response(status_code=204)


def _category(category: TriggerCategory) -> Json:
    created = rest_time(category.created_at)
    return {
        "trigger_category": {
            "id": category.id,
            "name": category.name,
            "position": category.position,
            "created_at": created,
            "updated_at": created,
        }
    }


def _found_category(call: Call) -> TriggerCategory:
    category = call.account.records.categories.get(call.word("category_id"))
    if category is None:
        raise Refused(404, {"errors": [{"code": "RecordNotFound", "title": "Not found"}]})
    return category


def _categories(call: Call) -> Json:
    categories = list(call.account.records.categories.values())
    return by_cursor(
        call.request,
        call.account.base_url,
        "trigger_categories",
        categories,
        lambda category: _category(category)["trigger_category"],
    )


def _create_category(call: Call) -> Json:
    name = str(call.json("trigger_category").get("name") or "")
    if not name:
        raise Refused(400, {"errors": [{"code": "InvalidValue", "title": "name cannot be blank"}]})
    return _category(call.account.add_category(name))


def _rename_category(call: Call) -> Json:
    category, fields = _found_category(call), call.json("trigger_category")
    category.name = str(fields.get("name") or category.name)
    category.position = int(fields.get("position", category.position))
    return _category(category)


def _delete_category(call: Call) -> Response:
    category = _found_category(call)
    if any(trigger.category_id == category.id for trigger in call.account.records.triggers.values()):
        raise Refused(400, {"errors": [{"code": "InvalidValue", "title": "The category still holds triggers"}]})
    del call.account.records.categories[category.id]
    return Response(status_code=204)
