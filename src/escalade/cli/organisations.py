"""Organisations from the command line: made, listed, removed."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from escalade.domain.organisation import Organisation
    from escalade.store.removal import Removal

org = typer.Typer(help="Organisations.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@org.command("create")
def org_create(
    name: str,
    id: Annotated[str | None, typer.Option("--id", help="Take over an organisation id that Zendesk sends.")] = None,
    webhook_token: Annotated[str | None, typer.Option(help="Take over a bearer token that Zendesk sends.")] = None,
    as_json: AsJson = False,
) -> None:
    """Create an organisation and print its keys, once."""
    from escalade.admin import create_organisation

    made = create_organisation(name, id=id, webhook_token=webhook_token)
    if as_json:
        print(json.dumps(made))
        return
    for key, value in made.items():
        print(f"{key:16} {value}")
    print("\nKeep these: the keys are not shown again.", file=sys.stderr)


@org.command("list")
def org_list(as_json: AsJson = False) -> None:
    """List the organisations, and the traces of those that were removed."""
    from escalade.admin import list_organisations

    there, removed = list_organisations()
    if as_json:
        print(
            json.dumps({"organisations": [_shown(one) for one in there], "removed": [_trace(one) for one in removed]})
        )
        return
    for one in there:
        print(f"{one.id}  {one.name}")
    for trace in removed:
        shown = _trace(trace)
        print(f"{trace.organisation}  {trace.name}  removed {shown['removed_at']} from the {trace.who}", end="")
        print(f", gave up: {trace.given_up}" if trace.given_up else "", f"(audit head {trace.audit_head})")


def _shown(one: Organisation) -> dict[str, Any]:
    return {"organisation_id": one.id, "name": one.name, "widget_key": one.widget_key}


def _trace(removal: Removal) -> dict[str, Any]:
    from escalade.web.views import moment

    return {
        "organisation_id": removal.organisation,
        "name": removal.name,
        "removed_at": moment(removal.removed_at),
        "who": removal.who,
        "given_up": asdict(removal.given_up),
        "audit_head": removal.audit_head,
    }


@org.command("remove")
def org_remove(
    organisation: Annotated[str, typer.Argument(metavar="ORG", help="The organisation's id or name.")],
    force: Annotated[
        bool, typer.Option("--force", help="Also while customers wait; what is owed is given up.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove an organisation with everything it has. There is no way back."""
    from escalade.admin import find_organisation, remove_organisation

    found = find_organisation(organisation)
    if not yes:
        typer.confirm(f"Remove {found.name} ({found.id}) with everything it has?", abort=True, err=True)
    given_up, rows = remove_organisation(found.id, force=force)
    if as_json:
        print(json.dumps(_shown(found) | {"given_up": asdict(given_up), "rows": rows}))
        return
    print(f"{found.name} ({found.id}) is removed")
    if given_up:
        print(f"given up: {given_up}; `escalade org list` keeps this", file=sys.stderr)
