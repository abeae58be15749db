"""Commands that change the database directly, in one transaction each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy
from sqlalchemy.engine import Engine

from escalade.domain.errors import Invalid, NotFound
from escalade.domain.model import OrganisationId
from escalade.domain.organisation import Organisation
from escalade.services.desk import EMAIL, check_id
from escalade.services.ports import Ports
from escalade.settings import Settings, load
from escalade.store import operators, organisations, schema
from escalade.store.database import make_engine, sqlite_path, transaction

TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]{20,512}=*\Z")
LINK_MS = 24 * 3600 * 1000
ROLES = ("owner", "admin", "developer", "viewer")


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    engine = make_engine(settings.database_url, checkpoint=False)
    try:
        schema.migrate(engine)
        yield engine
    finally:
        engine.dispose()


def create_organisation(name: str, *, id: str | None = None, webhook_token: str | None = None) -> dict[str, str]:
    """Create an organisation with its keys; they are shown here and kept as digests only.

    An id and a webhook token that Zendesk already sends can be taken over: then only the host name changes there.
    """
    settings, ports = load(), Ports()
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100:
        raise Invalid("give the organisation a name of 1 to 100 characters")
    chosen = OrganisationId(check_id(id, "--id") if id is not None else f"org_{ports.new_id()}")
    organisation = Organisation(id=chosen, name=name, widget_key=f"pk_{ports.new_id()}")
    if webhook_token is not None and not TOKEN.match(webhook_token):
        raise Invalid("--webhook-token: 20 to 512 characters of the kind a bearer token has")
    api_key, webhook_token = f"ek_{ports.new_token()}", webhook_token or f"wt_{ports.new_token()}"
    with _engine(settings) as engine, transaction(engine) as tx:
        now = ports.wall()
        if organisations.load(tx, chosen) is not None:
            raise Invalid(f"--id {chosen}: there is such an organisation already")
        organisations.create(tx, organisation, now)
        organisations.add_token(tx, organisation.id, "api", api_key, now)
        organisations.add_token(tx, organisation.id, "webhook", webhook_token, now)
        organisations.audit(tx, organisation.id, "command line", "organisation.created", {"name": name}, now)
    return {
        "organisation_id": organisation.id,
        "api_key": api_key,
        "widget_key": organisation.widget_key,
        "webhook_token": webhook_token,
        "webhook_url": settings.webhook_url,
    }


def add_operator(email: str, organisation: str, role: str) -> str:
    """Add a console account, or a new link for one that exists; give the link."""
    settings, ports = load(), Ports()
    if not EMAIL.match(email):
        raise Invalid(f"{email!r} is not an address such as name@example.com")
    if role not in ROLES:
        raise Invalid(f"--role {role}: use one of {', '.join(ROLES)}")
    token = ports.new_token()
    with _engine(settings) as engine, transaction(engine) as tx:
        found = organisations.named(tx, organisation)
        if found is None:
            raise NotFound(
                f"--org {organisation}: no organisation of that id or name; create one with `escalade org create`"
            )
        now = ports.wall()
        person = operators.Operator(id=f"op_{ports.new_id()}", organisation=found.id, email=email, role=role)
        person = operators.add(tx, person, now)
        operators.add_link(tx, person.id, token, now + LINK_MS)
        organisations.audit(tx, found.id, "command line", "operator.added", {"email": email, "role": role}, now)
    return f"{settings.public_url}/console/sign-in?token={token}"


def migrate() -> str:
    """Bring the database to this version's tables."""
    engine = make_engine(load().database_url, checkpoint=False)
    try:
        changed = schema.migrate(engine)
        return f"at version {schema.version(engine)}" + ("" if changed else ", nothing to do")
    finally:
        engine.dispose()


def check() -> tuple[bool, str]:
    """Say whether the database is whole and of this version."""
    settings = load()
    if not sqlite_path(settings.database_url).exists():
        return False, f"there is no database at {sqlite_path(settings.database_url)}; `escalade db migrate` makes one"
    engine = make_engine(settings.database_url, checkpoint=False)
    try:
        if not schema.is_current(engine):
            return False, "the tables are of another version; run `escalade db migrate`"
        with engine.connect() as connection:
            found = connection.execute(sqlalchemy.text("PRAGMA integrity_check")).scalar()
        return found == "ok", "the database is whole" if found == "ok" else f"the database is damaged: {found}"
    finally:
        engine.dispose()
