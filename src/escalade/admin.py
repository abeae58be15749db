"""Commands that change the database directly, in one transaction each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from escalade.domain.errors import ConfigError, Conflict, Invalid, NotFound
from escalade.domain.model import OrganisationId
from escalade.domain.organisation import Organisation
from escalade.services.accounts import Accounts
from escalade.services.desk import EMAIL, check_id
from escalade.services.ports import Ports
from escalade.settings import Settings, load
from escalade.store import audit, operators, organisations, removal, schema
from escalade.store.database import Tx, dialect_of
from escalade.store.engines import check_server, commands, damage, transaction
from escalade.store.sql import Dialect
from escalade.store.sqlite import sqlite_path
from escalade.store.vault import NONCE_BYTES, Unreadable, Vault

TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]{20,512}=*\Z")
LINK_MS = 24 * 3600 * 1000
RESEAL_BATCH = 50
ROLES = ("owner", "admin", "developer", "viewer")


@contextmanager
def _current(settings: Settings) -> Iterator[Tx]:
    """Run one transaction on a database of this version."""
    with commands(settings.database_url) as engine:
        schema.migrate(engine)
        with transaction(engine) as tx:
            yield tx


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
    with _current(settings) as tx:
        now = ports.wall()
        if organisations.load(tx, chosen) is not None:
            raise Invalid(f"--id {chosen}: there is such an organisation already")
        removal.clear(tx, chosen, now)  # whoever had this id before leaves nothing to whoever has it now
        organisations.create(tx, organisation, now)
        organisations.add_token(tx, organisation.id, "api", api_key, now)
        organisations.add_token(tx, organisation.id, "webhook", webhook_token, now)
        audit.record(tx, organisation.id, "command line", "organisation.created", {"name": name}, now)
    return {
        "organisation_id": organisation.id,
        "api_key": api_key,
        "widget_key": organisation.widget_key,
        "webhook_token": webhook_token,
        "webhook_url": settings.webhook_url,
    }


def find_organisation(named: str) -> Organisation:
    """Give the organisation a command names."""
    with _current(load()) as tx:
        return _named(tx, named)


def _named(tx: Tx, named: str) -> Organisation:
    found = organisations.named(tx, named)
    if found is None:
        raise NotFound(f"{named}: no organisation of that id or name; `escalade org list` shows those there are")
    return found


def remove_organisation(id: str, *, force: bool) -> tuple[removal.Waiting, int]:
    """Take an organisation away with everything it has; killed after the first commit, upkeep goes on with it.

    While customers wait or something is owed it is not done, unless by force: then what is given up is told, with how
    many rows went, and kept with the trace.
    """
    settings, ports = load(), Ports()
    with _current(settings) as tx:
        found = _named(tx, id)
        waiting = removal.waiting(tx, found.id)
        if waiting and not force:
            raise Conflict(
                f"{found.name} is not finished: {waiting}; end those conversations first, or give them up with --force"
            )
        removal.take_away(tx, found, waiting, "command line", ports.wall())
    rows = 0
    with commands(settings.database_url) as engine:
        while True:
            with transaction(engine) as tx:
                swept = removal.sweep(tx, ports.wall())
            if not swept:
                return waiting, rows
            rows += swept


def list_organisations() -> tuple[list[Organisation], list[removal.Removal]]:
    """Give the organisations of this deployment, and the traces of those that were removed."""
    with _current(load()) as tx:
        return organisations.everyone(tx), removal.removals(tx)


def add_operator(email: str, organisation: str, role: str) -> str:
    """Add a console account, or a new link for one that exists; give the link."""
    settings, ports = load(), Ports()
    if not EMAIL.match(email):
        raise Invalid(f"{email!r} is not an address such as name@example.com")
    if role not in ROLES:
        raise Invalid(f"--role {role}: use one of {', '.join(ROLES)}")
    token = ports.new_token()
    with _current(settings) as tx:
        found = organisations.named(tx, organisation)
        if found is None:
            raise NotFound(
                f"--org {organisation}: no organisation of that id or name; create one with `escalade org create`"
            )
        now = ports.wall()
        person = operators.Operator(id=f"op_{ports.new_id()}", organisation=found.id, email=email, role=role)
        person = operators.add(tx, person, now)
        operators.add_link(tx, person.id, token, now + LINK_MS)
        audit.record(tx, found.id, "command line", "operator.added", {"email": email, "role": role}, now)
    return f"{settings.public_url}/console/sign-in?token={token}"


def check_stored(settings: Settings) -> None:
    """Refuse to serve a database that these settings do not go with; every reason is named at once."""
    problems: list[str] = []
    with _current(settings) as tx:
        try:
            Vault(settings.master_keys()).check(organisations.sealing_keys(tx))
        except ConfigError as error:
            problems.append(str(error))
        for organisation in () if settings.is_development else organisations.everyone(tx):
            for name, url in (
                ("zendesk.base_url", organisation.settings.zendesk.base_url),
                ("live.base_url", organisation.settings.live.base_url),
            ):
                if url is not None:
                    problems.append(
                        f"ESCALADE_ENV: {organisation.id} has {name} {url}, which is for development; start once with"
                        " ESCALADE_ENV=development and remove it, or begin with a database of your own"
                    )
    if problems:
        raise ConfigError("\n".join(problems))


def reseal() -> tuple[bool, str]:
    """Seal every stored secret with the newest master key; killed anywhere, it goes on where it was.

    Each batch is a transaction, and what is sealed anew already is passed over.
    """
    settings, ports = load(), Ports()
    vault = Vault(settings.master_keys())
    place, anew, kept, shut = ("", ""), 0, 0, []
    with commands(settings.database_url) as engine:
        schema.migrate(engine)
        while True:
            with transaction(engine) as tx:
                batch = organisations.sealed_after(tx, *place, limit=RESEAL_BATCH)
                for row in batch:
                    place = (row["organisation"], row["name"])
                    if vault.is_newest(row["sealed"]):
                        kept += 1
                        continue
                    try:
                        secret = vault.open(row["sealed"], organisation=place[0], name=place[1])
                    except Unreadable:
                        shut.append(" ".join(place))
                        continue
                    nonce = ports.random_bytes(NONCE_BYTES)
                    after = vault.seal(secret, organisation=place[0], name=place[1], nonce=nonce)
                    organisations.seal_anew(tx, *place, row["sealed"], after)
                    anew += 1
            if len(batch) < RESEAL_BATCH:
                break
    told = f"{anew} sealed anew, {kept} were already"
    if shut:
        return False, f"{told}; these do not open, enter them again: {'; '.join(shut)}"
    return True, f"{told}; older master keys may be removed from ESCALADE_SECRET_KEY"


def _judge(tx: Tx, vault: Vault) -> tuple[bool, str]:
    """Look at what nobody but us writes: the audit log's chain, and every sealed secret."""
    problems, heads = [], []
    accounts = Accounts(vault)
    for organisation in organisations.everyone(tx):
        heads.append(f"{organisation.id} {audit.head(tx, organisation.id)}")
        gap = audit.broken(tx, organisation.id)
        if gap is not None:
            problems.append(f"the audit log of {organisation.id} does not hold: {gap}")
        problems += [
            f"a stored secret of {organisation.id} does not open: {name}"
            for name in accounts.unreadable(tx, organisation.id)
        ]
    if problems:
        return False, "\n".join(problems)
    return True, "\n".join(("the database is whole; audit heads:", *heads)) if heads else "the database is whole"


def migrate() -> str:
    """Bring the database to this version's tables."""
    with commands(load().database_url) as engine:
        changed = schema.migrate(engine)
        return f"at version {schema.version(engine)}" + ("" if changed else ", nothing to do")


def check() -> tuple[bool, str]:
    """Say whether the database is whole, durable and of this version."""
    settings = load()
    url = settings.database_url
    if dialect_of(url) is Dialect.SQLITE and not sqlite_path(url).exists():
        return False, f"there is no database at {sqlite_path(url)}; `escalade db migrate` makes one"
    try:
        check_server(url, development=settings.is_development)
    except ConfigError as error:
        return False, str(error)
    with commands(url) as engine:
        if not schema.is_current(engine):
            return False, "the tables are of another version; run `escalade db migrate`"
        wrong = damage(engine)
        if wrong is not None:
            return False, wrong
        with transaction(engine) as tx:
            return _judge(tx, Vault(settings.master_keys()))
