"""Zendesk from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from escalade.domain.errors import Invalid

zendesk = typer.Typer(help="What Zendesk is to be given.", no_args_is_help=True)


@zendesk.callback()
def _zendesk() -> None:
    """Keep the group a group, although it has one command."""


@zendesk.command("app")
def zendesk_app(
    organisation: Annotated[str, typer.Option("--org", help="The organisation's id or name.")],
    output: Annotated[Path, typer.Option(help="Where the zip goes.")] = Path("escalade-zendesk-app.zip"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write the app for the ticket sidebar, as the zip to upload in Zendesk's Admin Center."""
    from escalade.admin import find_organisation
    from escalade.settings import load
    from escalade.zendesk_app import address, package

    found, public_url = find_organisation(organisation), load().public_url
    try:
        output.write_bytes(package(public_url, found.id))
    except OSError as error:
        raise Invalid(f"--output {output} cannot be written ({error.strerror})") from error
    url = address(public_url, found.id)
    print(json.dumps({"file": str(output), "url": url}) if as_json else f"{output}: opens {url} beside a ticket")
