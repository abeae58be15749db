"""Secrets at rest: AES-256-GCM, each bound to its organisation and name, so that a copied row does not open.

Several master keys may be given, newest first: the newest seals, all of them open, and a key's id is stored with
what it sealed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from escalade.domain.errors import ConfigError

NONCE_BYTES = 12


class Unreadable(ConfigError):
    """Say that a stored secret does not open: it is of another place, was changed, or its key is missing."""


class Vault:
    """Seal and open secrets under the deployment's master keys."""

    def __init__(self, master_keys: str) -> None:
        keys = [part.strip() for part in master_keys.split(",") if part.strip()]
        if not keys or any(len(key) < 32 for key in keys):
            raise ConfigError("ESCALADE_SECRET_KEY: give at least 32 random characters (openssl rand -base64 32)")
        self._keys = {_key_id(key): AESGCM(hashlib.sha256(key.encode()).digest()) for key in keys}
        self._newest = _key_id(keys[0])

    def check(self, key_ids: Iterable[str]) -> None:
        """Refuse to work without a key that something is sealed with."""
        missing = [key_id for key_id in key_ids if key_id not in self._keys]
        if missing:
            raise ConfigError(
                "ESCALADE_SECRET_KEY: stored secrets are sealed with a key that is not given"
                f" (id {', '.join(missing)}); add it at the end, with a comma, until `escalade db reseal` has run"
            )

    def is_newest(self, sealed: str) -> bool:
        """Say whether something is sealed with the newest key."""
        return sealed.startswith(self._newest + ".")

    def seal(self, secret: str, *, organisation: str, name: str, nonce: bytes) -> str:
        """Seal a secret for one place; `nonce` is 12 random bytes, never used twice."""
        assert len(nonce) == NONCE_BYTES
        sealed = self._keys[self._newest].encrypt(nonce, secret.encode(), _bound(organisation, name))
        return f"{self._newest}.{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, organisation: str, name: str) -> str:
        """Open what was sealed for this very place."""
        key_id, _, encoded = sealed.partition(".")
        key = self._keys.get(key_id)
        if key is None:
            raise Unreadable(f"ESCALADE_SECRET_KEY: the key {key_id} that sealed {name} is missing; add it at the end")
        try:
            raw = base64.b64decode(encoded, validate=True)
            return key.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(organisation, name)).decode()
        except (InvalidTag, ValueError) as error:
            raise Unreadable(f"the stored secret {name} does not belong here, or was changed") from error


def _key_id(key: str) -> str:
    return hashlib.sha256(b"id:" + key.encode()).hexdigest()[:8]


def _bound(organisation: str, name: str) -> bytes:
    return b"\x00".join((organisation.encode(), b"secret", b"sealed", name.encode()))
