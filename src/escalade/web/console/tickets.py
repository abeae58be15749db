"""What every ticket carries: chosen by name from Zendesk's own lists, or by id where a list cannot be read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from escalade.domain.errors import Invalid
from escalade.domain.organisation import Organisation
from escalade.web.console.checks import account_of
from escalade.web.console.forms import Form
from escalade.web.console.gate import Note, Right, Visit
from escalade.web.console.names import Catalogue

PATH = "/console/escalate/tickets"
PICKED = {"assignee_id": "agents", "group_id": "groups", "form_id": "forms", "brand_id": "brands"}
PRIORITIES = ("low", "normal", "high", "urgent")
MOST_TAGS = 50


class Tickets:
    """The page."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def show(self, visit: Visit) -> Response:
        """Show what tickets carry now."""
        return await self._draw(visit, typed_from(visit))

    async def save(self, visit: Visit) -> Response:
        """Save the form."""
        try:
            await visit.parts.tuning.change(
                visit.organisation.id, {"tickets": _patch(visit.form)}, visit.operator.email
            )
        except Invalid as error:
            return await self._draw(visit, visit.form.values, {error.pointer: error.detail}, status=422)
        return visit.back(PATH, Note(tone="good", title="Saved", text="The next ticket is opened with these values."))

    async def preview(self, visit: Visit) -> Response:
        """Show the ticket the form would make; nothing is saved, and Zendesk is asked for names alone."""
        try:
            organisation = await visit.parts.tuning.tried(visit.organisation.id, {"tickets": _patch(visit.form)})
        except Invalid as error:
            return await self._draw(visit, visit.form.values, {error.pointer: error.detail}, status=422)
        return await self._draw(visit, visit.form.values, organisation=organisation)

    async def refresh(self, visit: Visit) -> Response:
        """Ask Zendesk for its lists again."""
        self._catalogue.forget()
        return visit.back(PATH)

    async def _draw(
        self,
        visit: Visit,
        typed: Mapping[str, str],
        errors: dict[str, str] | None = None,
        status: int = 200,
        organisation: Organisation | None = None,
    ) -> Response:
        names = await self._catalogue.names(await account_of(visit))
        chosen = organisation or visit.organisation
        ticket, is_example = await visit.parts.hindsight.preview(chosen, of_a_customer=visit.may(Right.READ))
        return visit.show(
            "escalate/tickets.html",
            status=status,
            section="tickets",
            typed=typed,
            errors=errors or {},
            names=names,
            priorities=PRIORITIES,
            tickets=visit.organisation.settings.tickets,
            unsaved=organisation is not None,
            ticket=ticket,
            ticket_is_example=is_example,
        )


def typed_from(visit: Visit) -> dict[str, str]:
    """Fill the form from the settings."""
    tickets = visit.organisation.settings.tickets
    typed = {name: "" if (id := getattr(tickets, name)) is None else str(id) for name in PICKED}
    return typed | {
        "tags": " ".join(tickets.tags),
        "priority": tickets.priority or "",
        "custom_fields": "\n".join(f"{id} = {_shown(value)}" for id, value in tickets.custom_fields.items()),
    }


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _patch(form: Form) -> dict[str, Any]:
    found: dict[str, Any] = {name: _picked(form, name) for name in PICKED}
    found["tags"] = _tags(form.text("tags"))
    found["priority"] = form.text("priority") or None
    found["custom_fields"] = _custom_fields(form)
    return found


def _picked(form: Form, name: str) -> int | None:
    """Take the id that was typed, else the one that was picked."""
    pointer = f"/tickets/{name}"
    typed = form.whole(f"{name}_typed", pointer)
    return form.whole(name, pointer) if typed is None else typed


def _tags(typed: str) -> list[str]:
    tags = list(dict.fromkeys(re.split(r"[\s,]+", typed))) if typed else []
    tags = [tag for tag in tags if tag]
    if len(tags) > MOST_TAGS or any(len(tag) > 100 for tag in tags):
        raise Invalid(f"at most {MOST_TAGS} tags of at most 100 characters", pointer="/tickets/tags")
    return tags


def _custom_fields(form: Form) -> dict[str, str | bool]:
    found: dict[str, str | bool] = {}
    for line in form.lines("custom_fields"):
        id, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not id.isascii() or not id.isdigit():
            raise Invalid("one field a line: its id, =, its value", pointer="/tickets/custom_fields")
        found[id] = {"true": True, "false": False}.get(value, value)
    return found
