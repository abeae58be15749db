"""A sealed secret opens in its own place under a known key, and nowhere else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalade.domain.errors import ConfigError
from escalade.store.vault import Vault

OLD, NEW = "an-older-master-key-of-32-characters", "a-newer-master-key-of-32-characters!"
NONCE = bytes(range(12))


def seal(vault: Vault, secret: str = "s3cret", organisation: str = "org_1", name: str = "live.secret") -> str:
    return vault.seal(secret, organisation=organisation, name=name, nonce=NONCE)


@given(secret=st.text(), organisation=st.text(), name=st.text(), nonce=st.binary(min_size=12, max_size=12))
def test_what_is_sealed_opens_in_its_own_place(secret: str, organisation: str, name: str, nonce: bytes) -> None:
    vault = Vault(NEW)
    sealed = vault.seal(secret, organisation=organisation, name=name, nonce=nonce)
    assert vault.open(sealed, organisation=organisation, name=name) == secret


def test_the_secret_is_not_in_what_is_stored() -> None:
    sealed = seal(Vault(NEW), "correct horse battery staple")
    assert b"horse" not in base64.b64decode(sealed.partition(".")[2])
    assert NEW not in sealed


@pytest.mark.parametrize(
    ("organisation", "name"), [("org_2", "live.secret"), ("org_1", "zendesk.auth.token"), ("", "org_1live.secret")]
)
def test_a_row_copied_elsewhere_does_not_open(organisation: str, name: str) -> None:
    vault = Vault(NEW)
    with pytest.raises(ConfigError, match="does not belong here"):
        vault.open(seal(vault), organisation=organisation, name=name)


@pytest.mark.parametrize("at", [0, 11, 12, -1])
def test_a_changed_row_does_not_open(at: int) -> None:
    vault = Vault(NEW)
    key_id, _, encoded = seal(vault).partition(".")
    raw = bytearray(base64.b64decode(encoded))
    raw[at] ^= 1
    with pytest.raises(ConfigError, match="was changed"):
        vault.open(f"{key_id}.{base64.b64encode(raw).decode()}", organisation="org_1", name="live.secret")


@pytest.mark.parametrize("rest", ["", "AAAA", "not base64!", "AAAAAAAAAAAAAAAA"])
def test_a_damaged_row_is_told_in_a_sentence(rest: str) -> None:
    vault = Vault(NEW)
    key_id = seal(vault).partition(".")[0]
    with pytest.raises(ConfigError, match=r"live\.secret"):
        vault.open(f"{key_id}.{rest}", organisation="org_1", name="live.secret")


def test_the_newest_key_seals_and_every_key_opens() -> None:
    before, during, after = Vault(OLD), Vault(f"{NEW}, {OLD}"), Vault(NEW)
    old, new = seal(before), seal(during)
    assert during.open(old, organisation="org_1", name="live.secret") == "s3cret"
    assert after.open(new, organisation="org_1", name="live.secret") == "s3cret"
    with pytest.raises(ConfigError, match="is missing"):
        after.open(old, organisation="org_1", name="live.secret")
    with pytest.raises(ConfigError, match="is missing"):
        before.open(new, organisation="org_1", name="live.secret")


def test_another_installations_key_opens_nothing() -> None:
    with pytest.raises(ConfigError, match="ESCALADE_SECRET_KEY"):
        Vault(OLD).open(seal(Vault(NEW)), organisation="org_1", name="live.secret")


@pytest.mark.parametrize("keys", ["", " , ", "short", f"{NEW},short"])
def test_a_weak_key_is_refused(keys: str) -> None:
    with pytest.raises(ConfigError, match="at least 32"):
        Vault(keys)
