"""The command line. Every command works beside a running `serve` on the same database.

Answers go to standard output, logs to standard error; a wrong setting is one sentence with the fix.
"""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from escalade import __version__
from escalade.cli.organisations import org
from escalade.cli.zendesk import zendesk
from escalade.domain.errors import ConfigError, EscaladeError

app = typer.Typer(
    name="escalade",
    help="A self-hosted support assistant that knows when to stop.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
operator = typer.Typer(help="Console accounts.", no_args_is_help=True)
db = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(org, name="org")
app.add_typer(operator, name="operator")
app.add_typer(zendesk, name="zendesk")
app.add_typer(db, name="db")


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit


@app.command()
def serve(
    role: Annotated[str, typer.Option(help="all, web or courier; on a SQLite file all.")] = "all",
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Run the product."""
    from escalade.cli.serve import serve as run

    run(role, host, port)


@app.command()
def demo(
    port: Annotated[
        int, typer.Option(help="The product's port; the fake Zendesk and the shop take the next two.")
    ] = 8700,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what earlier demos left.")] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
) -> None:
    """Run product, fake Zendesk and demo shop together, wired and seeded."""
    from escalade.demo.run import run

    run(port, fresh=fresh, browser=not no_browser)


@operator.command("add")
def operator_add(
    email: str,
    organisation: Annotated[str, typer.Option("--org", help="The organisation's id or name.")],
    role: Annotated[str, typer.Option(help="owner, admin, developer or viewer.")] = "owner",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Add a console account and print a one-time sign-in link."""
    from escalade.admin import add_operator

    link = add_operator(email, organisation, role)
    print(json.dumps({"email": email, "sign_in_url": link}) if as_json else link)


@db.command("migrate")
def db_migrate() -> None:
    """Bring the database to this version."""
    from escalade.admin import migrate

    print(migrate())


@db.command("check")
def db_check() -> None:
    """Say whether the database is whole and of this version."""
    from escalade.admin import check

    whole, sentence = check()
    print(sentence)
    raise typer.Exit(0 if whole else 1)


@db.command("reseal")
def db_reseal() -> None:
    """Seal every stored secret with the newest master key."""
    from escalade.admin import reseal

    whole, sentence = reseal()
    print(sentence)
    raise typer.Exit(0 if whole else 1)


def _add_knowledge() -> None:
    from escalade.cli.knowledge import knowledge

    app.add_typer(knowledge, name="knowledge")


def _add_eval() -> None:
    from escalade.cli.evaluate import evaluate

    app.command("eval")(evaluate)


def main() -> None:
    """Run the command line."""
    asked = "".join(sys.argv[1:2])
    for name, add in {"knowledge": _add_knowledge, "eval": _add_eval}.items():  # what they import takes a while
        if asked in ("", "--help", name):
            add()
    try:
        app()
    except ConfigError as error:
        for line in str(error).splitlines():
            print(f"escalade: {line}", file=sys.stderr)
        raise SystemExit(2) from error
    except EscaladeError as error:
        print(f"escalade: {getattr(error, 'detail', None) or error}", file=sys.stderr)
        raise SystemExit(1) from error
