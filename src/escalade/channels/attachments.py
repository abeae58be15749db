"""Fetch what an agent sent, from the account's own addresses only; our credentials go nowhere else.

Zendesk keeps files on hosts of its own and sends us there from the account's address: that one step is followed, and
the credentials stay behind. What lies anywhere else is a link like any other, passed on as text and never followed.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from escalade.channels import verdicts
from escalade.channels.base import Heard
from escalade.channels.http import Oversized, Request, Response, Transport, shown_url
from escalade.domain.errors import Refused, Retryable
from escalade.domain.files import LARGEST
from escalade.domain.model import Attachment

SECONDS = 30.0
FILE_HOSTS = ".zdusercontent.com"  # where Zendesk keeps the files of tickets
REDIRECTS = frozenset({301, 302, 303, 307, 308})


async def fetch(transport: Transport, url: str, authorization: str, *, credential: str) -> bytes:
    """Fetch a file from an address of the account's."""
    request = _request(url, {"Authorization": authorization})
    response = await _send(transport, request)
    if response.status in REDIRECTS:
        request = _request(_onward(response), {})
        response = await _send(transport, request)
        if response.status in REDIRECTS:
            raise Refused("the file's address leads on and on", status=response.status)
    if response.status != 200:
        raise verdicts.verdict(request, response, credential=credential)
    if not response.body:
        raise Refused("the file is empty", status=response.status)
    return response.body


def _request(url: str, headers: dict[str, str]) -> Request:
    return Request(method="GET", url=url, headers={"Accept": "*/*"} | headers, limit=LARGEST, seconds=SECONDS)


async def _send(transport: Transport, request: Request) -> Response:
    try:
        return await transport.send(request)
    except Retryable as error:
        if isinstance(error.__cause__, Oversized):
            raise Refused("the file is larger than we take") from error
        raise


def _onward(response: Response) -> str:
    """Give where Zendesk keeps the file, or refuse to go anywhere else."""
    location = response.header("location") or ""
    try:
        parts = urlsplit(location)
        host = (parts.hostname or "").lower()
    except ValueError:
        host = ""
        parts = urlsplit("")
    if parts.scheme != "https" or not host.endswith(FILE_HOSTS) or parts.username is not None:
        raise Refused(f"the file's address leads elsewhere: {shown_url(location)}", status=response.status)
    return location


def with_links(heard: Heard, own: str) -> Heard:
    """Keep the files that lie at the account's own address `own`; pass the others on as links."""
    ours = tuple(file for file in heard.attachments if file.url.startswith(own))
    links = [_link(file) for file in heard.attachments if file not in ours]
    if not links:
        return heard
    return replace(heard, attachments=ours, text="\n".join([heard.text, *links] if heard.text else links))


def _link(file: Attachment) -> str:
    return f"{file.name}: {file.url}" if file.url.startswith(("https://", "http://")) else file.name
