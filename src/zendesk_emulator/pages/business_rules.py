"""Admin › Objects and rules › Business rules › Triggers: what must hold, and what then happens.

The JSON body of a webhook action is kept byte for byte, a comma too many included.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from zendesk_emulator.errors import Refused
from zendesk_emulator.pages import words
from zendesk_emulator.pages.shell import Form, Pages, Visit
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.triggers import Trigger
from zendesk_emulator.triggers import CONDITIONAL, definitions

LIST = "/admin/triggers"
ONE = f"{LIST}/{{trigger_id:int}}"
HOOK = "notification_webhook"
VALUELESS = ("changed", "not_changed")


def routes(pages: Pages) -> Sequence[BaseRoute]:
    """Give the routes of triggers."""
    return [
        pages.get(LIST, _list),
        pages.post(LIST, _create, back=f"{LIST}/new"),
        pages.get(f"{LIST}/new", _new),
        pages.get(ONE, _edit),
        pages.post(ONE, _save, back=f"{LIST}/{{trigger_id}}"),
        pages.post(f"{ONE}/active", _active, back=LIST),
        pages.post(f"{ONE}/delete", _delete, back=LIST),
    ]


async def _list(visit: Visit) -> Response:
    triggers = sorted(visit.account.records.triggers.values(), key=lambda trigger: (trigger.position, trigger.id))
    return visit.show("admin/triggers.html", triggers=[(trigger, *_sentences(visit, trigger)) for trigger in triggers])


def _sentences(visit: Visit, trigger: Trigger) -> tuple[list[str], list[str]]:
    """Write conditions and actions as the list shows them."""
    known = definitions(visit.account)
    fields = {entry["subject"]: entry for entry in known["conditions_all"]}
    conditions = []
    for mode, joint in (("all", "ALL"), ("any", "ANY")):
        for condition in trigger.conditions[mode]:
            entry = fields.get(str(condition.get("field")), {})
            field = str(entry.get("title", condition.get("field")))
            operator = _title(entry.get("operators", []), condition.get("operator"))
            wanted = _title(entry.get("values", []), condition.get("value"))
            conditions.append(f"{joint}: {field} · {operator}{f' · {wanted}' if wanted else ''}")
    actions = []
    for action in trigger.actions:
        value = action.get("value")
        if action.get("field") == HOOK and isinstance(value, list):
            webhook = visit.account.records.webhooks.get(str(value[0]))
            actions.append(f"Notify active webhook: {webhook.name if webhook else 'deleted'}")
        else:
            actions.append(f"{action.get('field')}: {value}")
    return conditions, actions


def _title(entries: list[Json], value: Any) -> str:
    return next((str(entry["title"]) for entry in entries if entry["value"] == value), str(value or ""))


def _form(visit: Visit, fields: Json, trigger: Trigger | None, trouble: str = "") -> Response:
    hooks = [hook for hook in visit.account.records.webhooks.values() if hook.subscriptions == [CONDITIONAL]]
    return visit.show(
        "admin/trigger_form.html",
        status=422 if trouble else 200,
        fields=fields,
        trigger=trigger,
        trouble=trouble,
        definitions=definitions(visit.account),
        hooks=hooks,
        categories=list(visit.account.records.categories.values()),
    )


async def _new(visit: Visit) -> Response:
    category = next(
        (known.id for known in visit.account.records.categories.values() if known.name == "Notifications"), ""
    )
    return _form(
        visit, {"title": "", "description": "", "category_id": category, "all": [], "any": [], "actions": []}, None
    )


async def _create(visit: Visit) -> Response:
    fields = read(visit.form)
    try:
        trigger = visit.emulator.triggers.create(fields)
    except Refused as error:
        return _form(visit, fields, None, words.sentence(error))
    return visit.go(LIST, said=f"Trigger {trigger.title} created.")


async def _edit(visit: Visit) -> Response:
    trigger = visit.emulator.triggers.get(visit.number("trigger_id"))
    return _form(
        visit,
        {
            "title": trigger.title,
            "description": trigger.description or "",
            "category_id": trigger.category_id,
            "all": trigger.conditions["all"],
            "any": trigger.conditions["any"],
            "actions": trigger.actions,
        },
        trigger,
    )


async def _save(visit: Visit) -> Response:
    trigger = visit.emulator.triggers.get(visit.number("trigger_id"))
    fields = read(visit.form)
    try:
        visit.emulator.triggers.change(trigger, fields)
    except Refused as error:
        return _form(visit, fields, trigger, words.sentence(error))
    return visit.go(LIST, said=f"Trigger {trigger.title} saved.")


async def _active(visit: Visit) -> Response:
    trigger = visit.emulator.triggers.get(visit.number("trigger_id"))
    visit.emulator.triggers.change(trigger, {"active": not trigger.active})
    return visit.go(LIST, said=f"Trigger {trigger.title} is {'active' if trigger.active else 'inactive'}.")


async def _delete(visit: Visit) -> Response:
    trigger = visit.emulator.triggers.get(visit.number("trigger_id"))
    del visit.account.records.triggers[trigger.id]
    visit.account.bell.ring()
    return visit.go(LIST, said=f"Trigger {trigger.title} deleted.")


def read(form: Form) -> Json:
    """Read the form as the API's fields; rows without a field are not rows."""
    return {
        "title": form.text("title").strip(),
        "description": form.text("description").strip() or None,
        "category_id": form.text("category_id"),
        "all": _conditions(form, "all"),
        "any": _conditions(form, "any"),
        "actions": _actions(form),
    }


def _conditions(form: Form, mode: str) -> list[Json]:
    rows = zip(
        form.all(f"{mode}_field"),
        form.all(f"{mode}_operator"),
        form.all(f"{mode}_value"),
        form.all(f"{mode}_text"),
        strict=False,
    )
    conditions: list[Json] = []
    for field, operator, value, text in rows:
        if field:
            wanted = "" if operator in VALUELESS else text.strip() if field == "current_tags" else value
            conditions.append({"field": field, "operator": operator, "value": wanted})
    return conditions


def _actions(form: Form) -> list[Json]:
    rows = zip(
        form.all("action_field"),
        form.all("action_webhook"),
        form.all("action_body"),
        form.all("action_value"),
        form.all("action_text"),
        strict=False,
    )
    actions: list[Json] = []
    for field, webhook, body, value, text in rows:
        if field == HOOK:
            actions.append({"field": HOOK, "value": [webhook, body]})
        elif field:
            actions.append({"field": field, "value": text.strip() if field == "current_tags" else value})
    return actions
