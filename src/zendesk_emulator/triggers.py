"""Run business rules when a ticket is saved: match conditions, act, send webhooks with rendered bodies.

A rule fires at most once per update, and what it changes may make others fire.
The names of the messaging session conditions are a guess: read them from `/triggers/definitions`, as with Zendesk.
https://developer.zendesk.com/documentation/ticketing/reference-guides/conditions-reference/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zendesk_emulator import text
from zendesk_emulator.account import Account, Actor, Happened
from zendesk_emulator.delivery import Delivery
from zendesk_emulator.errors import invalid, not_found
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.tickets import Comment, Ticket
from zendesk_emulator.records.triggers import Trigger
from zendesk_emulator.records.webhooks import Webhook
from zendesk_emulator.tickets import PRIORITIES, STATUSES, TYPES, Tickets, read_tags
from zendesk_emulator.values import placeholder_values

SESSION_STATE = "messaging.session_state"  # guess
ENDED_REASON = "messaging.session_ended_reason"  # guess
CONDITIONAL = "conditional_ticket_events"
TRIGGER = Actor(type="trigger", id="-1", name="Trigger")

_CHANGES = {
    "status": "status",
    "priority": "priority",
    "type": "type",
    "group_id": "group_id",
    "assignee_id": "assignee_id",
    SESSION_STATE: "session",
    ENDED_REASON: "session_ended_reason",
}
_ORDERED = {"status": STATUSES, "priority": PRIORITIES}
_LABELS = {
    "is": "Is",
    "is_not": "Is not",
    "less_than": "Less than",
    "greater_than": "Greater than",
    "changed": "Changed",
    "value": "Changed to",
    "value_previous": "Changed from",
    "not_changed": "Not changed",
    "not_value": "Not changed to",
    "not_value_previous": "Not changed from",
    "includes": "Contains at least one of the following",
    "not_includes": "Contains none of the following",
}
_FIELD_OPERATORS = (
    "is",
    "is_not",
    "changed",
    "value",
    "value_previous",
    "not_changed",
    "not_value",
    "not_value_previous",
)


class Triggers:
    """The business rules of the account."""

    def __init__(self, account: Account, tickets: Tickets, delivery: Delivery) -> None:
        self._account = account
        self._tickets = tickets
        self._delivery = delivery
        self._fired: dict[int, set[int]] = {}  # by ticket, while one update is being worked through

    # Keeping rules

    def create(self, fields: Json) -> Trigger:
        """Create a rule; it needs a title, at least one condition and one action."""
        account = self._account
        now = account.now()
        categories = account.records.categories
        trigger = Trigger(
            id=account.ids.integer(),
            title="",
            category_id=str(fields.get("category_id") or next(iter(categories), "")),
            conditions={"all": [], "any": []},
            actions=[],
            position=len(account.records.triggers) + 1,
            created_at=now,
            updated_at=now,
        )
        self.change(trigger, {"conditions": {}, "actions": [], **fields})
        account.records.triggers[trigger.id] = trigger
        return trigger

    def change(self, trigger: Trigger, fields: Json) -> None:
        """Change a rule; conditions and actions are replaced together."""
        title = str(fields.get("title", trigger.title)).strip()
        conditions, actions = trigger.conditions, trigger.actions
        if {"conditions", "all", "any", "actions"} & fields.keys():
            given = fields.get("conditions") or fields
            conditions = {key: [dict(entry) for entry in given.get(key) or []] for key in ("all", "any")}
            actions = [dict(entry) for entry in fields.get("actions") or []]
        if not title:
            raise invalid("title", "Title: cannot be blank", "BlankValue")
        if not conditions["all"] and not conditions["any"]:
            raise invalid("base", "Conditions: at least one is required", "BlankValue")
        if not actions:
            raise invalid("base", "Actions: at least one is required", "BlankValue")
        category_id = str(fields.get("category_id") or trigger.category_id)
        if category_id not in self._account.records.categories:
            raise invalid("category_id", "Category: is invalid", "InvalidValue")
        for action in actions:
            self._check(action)
        trigger.title, trigger.conditions, trigger.actions = title, conditions, actions
        trigger.category_id = category_id
        trigger.description = fields.get("description", trigger.description)
        trigger.active = bool(fields.get("active", trigger.active))
        trigger.position = int(fields.get("position") or trigger.position)
        trigger.updated_at = self._account.now()
        self._account.bell.ring()

    def get(self, trigger_id: int) -> Trigger:
        """Find a rule, or refuse with 404."""
        trigger = self._account.records.triggers.get(trigger_id)
        if trigger is None:
            raise not_found()
        return trigger

    def _check(self, action: Json) -> None:
        if action.get("field") != "notification_webhook":
            return
        value = action.get("value")
        webhook = self._account.records.webhooks.get(str(value[0])) if isinstance(value, list) and value else None
        if webhook is None:
            raise invalid("base", "Actions: the webhook does not exist", "InvalidValue")
        if webhook.subscriptions != [CONDITIONAL]:
            raise invalid("base", "Actions: the webhook is subscribed to events", "InvalidValue")

    # Running rules

    def hear(self, happened: Happened) -> None:
        """Run the rules over a saved ticket."""
        ticket = happened.ticket
        if happened.kind != "ticket.saved" or ticket is None:
            return
        outermost = ticket.id not in self._fired
        fired = self._fired.setdefault(ticket.id, set())
        try:
            rules = sorted(self._account.records.triggers.values(), key=lambda rule: (rule.position, rule.id))
            for trigger in rules:
                if trigger.active and trigger.id not in fired and matches(trigger, happened):
                    fired.add(trigger.id)
                    self._act(trigger, ticket, happened.actor)
        finally:
            if outermost:
                del self._fired[ticket.id]

    def _act(self, trigger: Trigger, ticket: Ticket, actor: Actor) -> None:
        changes: dict[str, Any] = {}
        for action in trigger.actions:
            name, value = str(action.get("field")), action.get("value")
            match name:
                case "notification_webhook":
                    self._call(value, ticket, actor)
                case "status" | "priority" | "type":
                    changes[name] = value or None
                case "group_id" | "assignee_id":
                    changes[name] = int(str(value)) if str(value or "").isdigit() else None
                case "set_tags":
                    changes["tags"] = read_tags(value)
                case "current_tags":
                    changes["tags"] = list(dict.fromkeys([*ticket.tags, *read_tags(value)]))
                case "remove_tags":
                    changes["tags"] = [tag for tag in ticket.tags if tag not in read_tags(value)]
                case _:
                    continue
        if changes:
            self._tickets.set(ticket, TRIGGER, via="rule", **changes)

    def _call(self, value: Any, ticket: Ticket, actor: Actor) -> None:
        """Send a trigger webhook: placeholders are filled in, everything else goes out byte for byte."""
        webhook = self._account.records.webhooks.get(str(value[0]))
        if webhook is None or webhook.status != "active":
            return
        self._delivery.start(webhook, "trigger", self._body(webhook, value, ticket, actor))

    def _body(self, webhook: Webhook, value: Any, ticket: Ticket, actor: Actor) -> bytes:
        values = placeholder_values(self._account, ticket, actor)
        template = value[1] if len(value) > 1 else ""
        if isinstance(template, list):
            return "&".join(f"{key}={text.expand(str(part), values)}" for key, part in template).encode()
        return text.expand(str(template), values).encode()


def matches(trigger: Trigger, happened: Happened) -> bool:
    """Tell whether a rule's conditions hold for a saved ticket."""
    every, some = trigger.conditions["all"], trigger.conditions["any"]
    if not all(_holds(condition, happened) for condition in every):
        return False
    return not some or any(_holds(condition, happened) for condition in some)


def _holds(condition: Json, happened: Happened) -> bool:
    ticket = happened.ticket
    assert ticket is not None
    name = str(condition.get("field"))
    operator, wanted = str(condition.get("operator", "is")), condition.get("value")
    if name in ("current_tags", "tags"):
        present = any(tag in ticket.tags for tag in read_tags(wanted))
        return present != operator.startswith("not")
    if name in _CHANGES:
        return _field_holds(name, operator, wanted, ticket, happened.facts)
    actual = _special(name, ticket, happened)
    return actual is not None and (actual == str(wanted).lower()) != (operator in ("is_not", "not_is"))


def _field_holds(name: str, operator: str, wanted: Any, ticket: Ticket, facts: Mapping[str, Any]) -> bool:
    current = _word(getattr(ticket, _CHANGES[name]))
    change = facts["changes"].get(_CHANGES[name])
    previous = _word(change[0]) if change else None
    changed, value = change is not None, _word(wanted)
    match operator:
        case "is":
            return current == value
        case "is_not":
            return current != value
        case "changed":
            return changed
        case "not_changed":
            return not changed
        case "value":
            return current == value and (changed or bool(facts["created"]))
        case "not_value":
            return not (changed and current == value)
        case "value_previous":
            return changed and previous == value
        case "not_value_previous":
            return not (changed and previous == value)
        case "less_than" | "greater_than":
            order = _ORDERED.get(name, ())
            if current not in order or value not in order:
                return False
            difference = order.index(current) - order.index(value)
            return difference < 0 if operator == "less_than" else difference > 0
        case _:
            return False


def _special(name: str, ticket: Ticket, happened: Happened) -> str | None:
    """Give the value of a condition that is not a plain field."""
    facts = happened.facts
    comments: list[Comment] = facts["comments"]
    match name:
        case "update_type":
            return "create" if facts["created"] else "change"
        case "comment_is_public":
            return str(any(comment.public for comment in comments)).lower() if comments else "not_relevant"
        case "ticket_is_public":
            return "public" if ticket.is_public else "private"
        case "current_via_id":
            return "5" if facts["via"] == "api" else "0"
        case "via_id":
            return "5" if ticket.via == "api" else "0"
        case "role":
            return "agent" if happened.actor.type == "agent" else "end_user"
        case "brand_id":
            return str(ticket.brand_id)
        case "ticket_form_id":
            return str(ticket.form_id)
        case "requester_id":
            return str(ticket.requester_id)
        case _ if name.startswith("custom_fields_"):
            return str(ticket.custom_fields.get(int(name.removeprefix("custom_fields_")), "")).lower()
        case _:
            return None


def _word(value: Any) -> str:
    return "" if value is None else str(value).lower()


def definitions(account: Account) -> Json:
    """List what conditions and actions exist, the way installers discover them."""
    groups = [(str(group.id), group.name) for group in account.records.groups.values()]
    agents = [(str(agent.id), agent.name) for agent in account.agents()]
    statuses = [(status, status.capitalize()) for status in STATUSES]
    conditions = [
        _definition("Status", "status", statuses, (*_FIELD_OPERATORS, "less_than", "greater_than")),
        _definition("Priority", "priority", [(name, name.capitalize()) for name in PRIORITIES]),
        _definition("Type", "type", [(name, name.capitalize()) for name in TYPES]),
        _definition("Group", "group_id", groups),
        _definition("Assignee", "assignee_id", agents),
        _definition("Tags", "current_tags", [], ("includes", "not_includes"), kind="text"),
        _definition("Ticket", "update_type", [("Create", "Created"), ("Change", "Updated")], ("is",)),
        _definition(
            "Privacy", "ticket_is_public", [("public", "Has public comments"), ("private", "Private")], ("is",)
        ),
        _definition(
            "Messaging session state",
            SESSION_STATE,
            [("active", "Active"), ("inactive", "Inactive"), ("ended", "Ended")],
        ),
        _definition(
            "Messaging session ended reason",
            ENDED_REASON,
            [("agent", "Ended by agent"), ("end_user", "Ended by end user"), ("other", "Other")],
        ),
    ]
    hooks = [(hook.id, hook.name) for hook in account.records.webhooks.values() if hook.subscriptions == [CONDITIONAL]]
    actions = [
        _definition("Status", "status", statuses, ("is",)),
        _definition("Group", "group_id", groups, ("is",)),
        _definition("Assignee", "assignee_id", agents, ("is",)),
        _definition("Add tags", "current_tags", [], ("is",), kind="text"),
        _definition("Notify active webhook", "notification_webhook", hooks, ("is",)),
    ]
    return {"conditions_all": conditions, "conditions_any": conditions, "actions": actions}


def _definition(
    title: str,
    subject: str,
    values: list[tuple[str, str]],
    operators: tuple[str, ...] = _FIELD_OPERATORS,
    *,
    kind: str = "list",
) -> Json:
    return {
        "title": title,
        "subject": subject,
        "type": kind,
        "group": "ticket",
        "nullable": False,
        "repeatable": False,
        "operators": [
            {"value": name, "title": _LABELS[name], "terminal": name in ("changed", "not_changed")}
            for name in operators
        ],
        "values": [{"value": value, "title": label, "enabled": True} for value, label in values],
    }
