"""Start the fake Zendesk from the command line."""

from __future__ import annotations

import ipaddress
import logging
import sys
from pathlib import Path
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import Annotated

import structlog
import typer
import uvicorn

from zendesk_emulator.app import build
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.ports import production

app = typer.Typer(add_completion=False, no_args_is_help=True, help="A fake Zendesk anyone can run.")


@app.callback()
def _program() -> None:
    """A fake Zendesk anyone can run."""


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 for any free one.")] = 8701,
    token: Annotated[str | None, typer.Option(help="Control token; made up if not given.")] = None,
    allow_remote: Annotated[bool, typer.Option(help="Allow an address others can reach.")] = False,
    public_url: Annotated[str | None, typer.Option(help="Address to put into links.")] = None,
    history: Annotated[Path | None, typer.Option(help="File to write what agents can see into, as digests.")] = None,
) -> None:
    """Serve the emulator until interrupted; everything is in memory."""
    if not allow_remote and not _is_loopback(host):
        typer.echo(f"{host} can be reached by others; say --allow-remote if you mean it.", err=True)
        raise typer.Exit(2)
    _log_to_stderr()
    config = uvicorn.Config(lambda: None, host=host, port=port, log_level="warning")
    socket = config.bind_socket()
    # Uvicorn's own socket lacks the protocol number, so asyncio leaves Nagle's algorithm on: 40 ms a call.
    socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
    actual = socket.getsockname()[1]
    shown_host = f"[{host}]" if ":" in host else host
    base_url = public_url or f"http://{shown_host}:{actual}"
    emulator = Emulator(production(), base_url=base_url, control_token=token)
    if history is not None:
        emulator.write_history(history)
    _announce(emulator)
    server = uvicorn.Server(
        uvicorn.Config(build(emulator), log_level="warning", lifespan="on", timeout_graceful_shutdown=1)
    )
    server.run(sockets=[socket])


def _announce(emulator: Emulator) -> None:
    seed, base = emulator.seed, emulator.account.base_url
    lines = {
        "Support API": f"{base}/api/v2",
        "Conversations API": f"{base}/sc/v2/apps/{seed.app_id}",
        "Control API": f"{base}/emulator/state",
        "Subdomain": emulator.account.subdomain,
        "Account id": emulator.account.id,
        "Admin address": seed.admin_email,
        "OAuth client id": seed.oauth_client_id,
        "OAuth client secret": seed.oauth_client_secret,
        "API token": seed.api_token,
        "Conversations app id": seed.app_id,
        "Conversations key id": seed.key_id,
        "Conversations secret": seed.key_secret,
        "Control token": seed.control_token,
    }
    typer.echo("Emulator - not Zendesk. Everything is in memory and made up.")
    for name, value in lines.items():
        typer.echo(f"  {name:<22}{value}")
    sys.stdout.flush()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _log_to_stderr() -> None:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def main() -> None:
    """Run the command line."""
    app()
