"""The app for Zendesk's agent workspace, as files; `package` puts them into the zip that is uploaded there.

It holds no code and no secret: only where our page is. Zendesk signs the request that opens it.
"""

from __future__ import annotations

import io
import json
import zipfile
from importlib.resources import files
from urllib.parse import quote, urlsplit

from escalade.domain.errors import ConfigError

FILES = ("translations/en.json", "assets/logo.png", "assets/logo-small.png")
EPOCH = (2026, 1, 1, 0, 0, 0)  # the same settings give the same bytes


def package(public_url: str, organisation: str) -> bytes:
    """Give the zip for one organisation of the deployment at an address."""
    parts = urlsplit(public_url)
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost"}:
        raise ConfigError("ESCALADE_PUBLIC_URL: Zendesk frames https:// pages only")
    folder = files(__package__)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["location"]["support"]["ticket_sidebar"]["url"] = address(public_url, organisation)
    manifest["domainWhitelist"] = [parts.hostname]
    content = {"manifest.json": json.dumps(manifest, indent=2).encode()}
    content |= {name: (folder / name).read_bytes() for name in FILES}
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def address(public_url: str, organisation: str) -> str:
    """Say where an organisation's page for the ticket sidebar is."""
    return f"{public_url.rstrip('/')}/zendesk/app/{quote(organisation, safe='')}"
