"""Master keys change while secrets stay: sealed anew, killed anywhere and gone on with (O03, E27, T03)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from escalade import admin
from escalade.domain.errors import ConfigError
from escalade.domain.model import OrganisationId
from escalade.domain.organisation import Organisation, Settings, ZendeskSettings
from escalade.services.accounts import LIVE_SECRET, SIGNING_SECRETS, ZENDESK_REFRESH, ZENDESK_SECRET, Accounts
from escalade.settings import load
from escalade.store import audit, organisations
from escalade.store.engines import make_engine, transaction
from escalade.store.vault import Unreadable, Vault
from tests.backstage import NOON

OLD, NEW = "an-older-master-key-of-32-characters", "a-newer-master-key-of-32-characters!"
NAMES = (ZENDESK_SECRET, ZENDESK_REFRESH, LIVE_SECRET, SIGNING_SECRETS)
ORGANISATIONS = [OrganisationId(f"org_{n:02}") for n in range(30)]


@pytest.fixture
def url(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with 120 secrets under the old key."""
    url = database_url
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ESCALADE_DATABASE_URL", url)
    engine, vault = make_engine(url), Vault(OLD)
    with transaction(engine) as tx:
        for id in ORGANISATIONS:
            organisations.create(tx, Organisation(id=id, name=id, widget_key=f"pk_{id}"), NOON)
            for name in NAMES:
                secret = f"{id} {name}"
                sealed = vault.seal(secret, organisation=id, name=name, nonce=os.urandom(12))
                organisations.save_secret(tx, id, name, sealed, secret[-4:], NOON)
    engine.dispose()
    return url


def keys(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("ESCALADE_SECRET_KEY", given)


def opened(url: str, given: str) -> dict[str, dict[str, str]]:
    engine = make_engine(url)
    with transaction(engine) as tx:
        found = {id: Accounts(Vault(given)).secrets(tx, id) for id in ORGANISATIONS}
    engine.dispose()
    return {id: secrets for id, secrets in found.items() if secrets}


WHOLE = {id: {name: f"{id} {name}" for name in NAMES} for id in ORGANISATIONS}


def test_everything_is_sealed_with_the_newest_key(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keys(monkeypatch, f"{NEW},{OLD}")
    assert admin.reseal() == (True, "120 sealed anew, 0 were already; older master keys may be removed from "
                                    "ESCALADE_SECRET_KEY")  # fmt: skip
    assert opened(url, NEW) == WHOLE
    assert opened(url, OLD) == {}
    assert admin.reseal()[1].startswith("0 sealed anew, 120 were already")


def test_what_does_not_open_is_named_and_the_rest_is_done(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make_engine(url)
    with transaction(engine) as tx:
        tx.everywhere().run(
            "UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE organisation = 'org_00' AND name = :name)"
            " WHERE organisation = 'org_01' AND name = :name",
            name=LIVE_SECRET,
        )
    engine.dispose()
    keys(monkeypatch, f"{NEW},{OLD}")
    whole, told = admin.reseal()
    assert not whole
    assert "119 sealed anew" in told
    assert "org_01 live.secret" in told
    assert LIVE_SECRET not in opened(url, NEW)["org_01"]
    assert opened(url, NEW)["org_02"] == WHOLE[OrganisationId("org_02")]
    whole, told = admin.check()
    assert not whole
    assert "a stored secret of org_01 does not open: live.secret" in told


def test_o03_a_missing_master_key_is_refused_by_name(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keys(monkeypatch, NEW)
    with pytest.raises(ConfigError, match=r"ESCALADE_SECRET_KEY: stored secrets are sealed with a key that is not"):
        admin.check_stored(load())
    keys(monkeypatch, f"{NEW},{OLD}")
    admin.check_stored(load())


def test_o03_serve_ends_with_one_sentence(url: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "escalade", "serve", "--port", "0"],
        env=os.environ | {"ESCALADE_SECRET_KEY": NEW, "ESCALADE_DATABASE_URL": url},
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("escalade: ESCALADE_SECRET_KEY: stored secrets are sealed with a key")
    assert "Traceback" not in done.stderr
    assert NEW not in done.stderr


KILLER = """
import json, os, signal, sys
from escalade import admin
from escalade.store import organisations, vault, database
from pathlib import Path

admin.RESEAL_BATCH = 7
files = {Path(module.__file__).as_posix() for module in (admin, organisations, vault, database)}
kills, step = int(sys.argv[1]), int(sys.argv[2])

def child(after):
    seen = 0
    def line(frame, event, _argument):
        nonlocal seen
        if event == "line":
            seen += 1
            if seen == after:
                os.kill(os.getpid(), signal.SIGKILL)
        return line
    def call(frame, event, _argument):
        return line if frame.f_code.co_filename in files else None
    sys.settrace(call)
    admin.reseal()
    os._exit(0)

ends = []
for n in range(kills):
    pid = os.fork()
    if pid == 0:
        child(40 + n * step)
    ends.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print(json.dumps(ends))
"""


def test_killed_fifty_times_every_secret_still_opens(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment = os.environ | {"ESCALADE_SECRET_KEY": f"{NEW},{OLD}", "ESCALADE_DATABASE_URL": url}
    done = subprocess.run(
        [sys.executable, "-c", KILLER, "56", "20"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ends = json.loads(done.stdout)
    assert ends.count(-9) >= 50, ends
    assert opened(url, f"{NEW},{OLD}") == WHOLE
    keys(monkeypatch, f"{NEW},{OLD}")
    whole, told = admin.reseal()
    assert whole, told
    assert opened(url, NEW) == WHOLE


def test_t03_a_copied_row_is_not_used_and_signatures_fail_closed(url: str) -> None:
    engine = make_engine(url)
    with transaction(engine) as tx:
        tx.everywhere().run(
            "UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE organisation = 'org_00' AND name = :name)"
            " WHERE organisation = 'org_01' AND name = :name",
            name=SIGNING_SECRETS,
        )
        accounts = Accounts(Vault(OLD))
        mine = OrganisationId("org_01")
        assert SIGNING_SECRETS not in accounts.secrets(tx, mine)
        assert accounts.unreadable(tx, mine) == (SIGNING_SECRETS,)
        with pytest.raises(Unreadable):
            accounts.signing_secrets(tx, mine)
        assert accounts.signing_secrets(tx, OrganisationId("org_00")) == ("org_00", SIGNING_SECRETS)
    engine.dispose()


def test_t13_a_touched_audit_row_is_found_by_the_check(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keys(monkeypatch, OLD)
    engine = make_engine(url)
    with transaction(engine) as tx:
        for n in range(3):
            audit.record(tx, OrganisationId("org_05"), "olga@example.com", "settings.changed", [n], NOON)
    assert admin.check()[0]
    with transaction(engine) as tx:
        tx.everywhere().run("UPDATE audit SET who = 'nobody@example.com' WHERE organisation = 'org_05' AND number = 2")
    engine.dispose()
    whole, told = admin.check()
    assert not whole
    assert "the audit log of org_05 does not hold: row 2 was changed" in told


def test_e01_production_refuses_the_addresses_of_a_developer(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make_engine(url)
    with transaction(engine) as tx:
        tree = Settings(zendesk=ZendeskSettings(subdomain="acme", base_url="http://127.0.0.1:8701"))
        organisations.save_settings(tx, OrganisationId("org_07"), tree)
    engine.dispose()
    keys(monkeypatch, NEW)
    with pytest.raises(ConfigError) as refused:
        admin.check_stored(load())
    missing, address = str(refused.value).splitlines()
    assert missing.startswith("ESCALADE_SECRET_KEY:")
    assert address.startswith("ESCALADE_ENV: org_07 has zendesk.base_url http://127.0.0.1:8701")
    keys(monkeypatch, OLD)
    monkeypatch.setenv("ESCALADE_ENV", "development")
    admin.check_stored(load())
