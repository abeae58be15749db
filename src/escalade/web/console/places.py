"""The widget and the organisation's settings."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.responses import Response

from escalade.domain.errors import Invalid
from escalade.store import organisations, overview
from escalade.store.database import Row, Tx
from escalade.web.console.conversations import A_PAGE, Pager
from escalade.web.console.gate import Note, Visit

WIDGET = "/console/widget"
SETTINGS = "/console/settings"
AUDIT = "/console/settings/audit"
MOST_ORIGINS = 50


async def widget(visit: Visit) -> Response:
    """Show the snippet and where it may run."""
    return await _widget(visit, "\n".join(visit.organisation.settings.widget.allowed_origins))


async def save_widget(visit: Visit) -> Response:
    """Save where the widget may run."""
    try:
        allowed = list(dict.fromkeys(origin(line) for line in visit.form.lines("allowed_origins")))
        if len(allowed) > MOST_ORIGINS:
            raise Invalid(f"at most {MOST_ORIGINS} sites", pointer="/widget/allowed_origins")
        await visit.parts.tuning.change(
            visit.organisation.id, {"widget": {"allowed_origins": allowed}}, visit.operator.email
        )
    except Invalid as error:
        typed = visit.form.values.get("allowed_origins", "")
        return await _widget(visit, typed, {error.pointer: error.detail}, status=422)
    return visit.back(WIDGET, Note(tone="good", title="Saved"))


async def _widget(visit: Visit, typed: str, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    base, key = visit.parts.settings.public_url, visit.organisation.widget_key
    opened_at = await visit.parts.database.read(lambda tx: overview.widget_opened_at(tx, visit.organisation.id))
    return visit.show(
        "widget.html",
        status=status,
        errors=errors or {},
        typed=typed,
        snippet=f'<script async src="{base}/widget/loader.js" data-key="{key}"></script>',
        policy=f"script-src {base}; frame-src {base}",
        opened_at=opened_at,
    )


def origin(typed: str) -> str:
    """Take a site's origin out of an address; a path or a bare name is not one."""
    text = typed.lower()
    parts = urlsplit(text if "://" in text else f"https://{text}")
    host_and_port = re.fullmatch(r"[a-z0-9.-]+(:[0-9]{1,5})?|\[[0-9a-f:]+\](:[0-9]{1,5})?", parts.netloc)
    if parts.scheme not in {"http", "https"} or not host_and_port or parts.path not in {"", "/"} or parts.query:
        raise Invalid(
            f"“{typed[:80]}” is not a site such as https://shop.example.com", pointer="/widget/allowed_origins"
        )
    return f"{parts.scheme}://{parts.netloc}"


async def settings(visit: Visit) -> Response:
    """Show the organisation, its API keys and its operators."""
    id = visit.organisation.id

    def read(tx: Tx) -> tuple[list[Row], list[Row]]:
        return organisations.tokens(tx, id, "api"), overview.operators_of(tx, id)

    tokens, people = await visit.parts.database.read(read)
    good = [row for row in tokens if row["expires_at"] is None or row["expires_at"] > visit.now]
    return visit.show("settings.html", tokens=good, people=people)


async def rotate_key(visit: Visit) -> Response:
    """Make a new API key; the old one works for another day."""
    key = f"ek_{visit.parts.ports.new_token()}"

    def written(tx: Tx) -> None:
        organisations.rotate_token(tx, visit.organisation.id, "api", key, visit.now)
        visit.audit(tx, "api_key.rotated")

    await visit.parts.database.write(written)
    text = "Copy it now: it is kept as a digest and cannot be shown again. The old key works for 24 more hours."
    return visit.back(SETTINGS, Note(tone="good", title="Your new API key", text=text, secret=key))


async def audit(visit: Visit) -> Response:
    """List who changed what."""
    page = max(1, visit.number("page"))
    total, rows = await visit.parts.database.read(
        lambda tx: overview.changes(tx, visit.organisation.id, offset=(page - 1) * A_PAGE, limit=A_PAGE)
    )
    return visit.show("audit.html", rows=rows, pager=Pager(page=page, total=total, size=A_PAGE, path=AUDIT, query={}))
