"""How an agent's browser goes on after Zendesk's signed request: a sealed pass in a cookie, for one organisation.

The signed request comes once, when the app opens, and does not say beside which ticket; that the page finds out in the
browser and then asks for. So the token is changed for a pass: good for an hour, readable by no script, in no address.
"""

from __future__ import annotations

from collections.abc import Callable

from escalade.domain.model import Millis, OrganisationId
from escalade.store.vault import NONCE_BYTES, Unreadable, Vault

NAME = "sidebar.pass"
LASTS_S = 3600


class Passes:
    """Seals and opens passes; nothing is kept."""

    def __init__(self, vault: Vault, random_bytes: Callable[[int], bytes], *, secure: bool) -> None:
        self._vault = vault
        self._random_bytes = random_bytes
        self._secure = secure
        self.cookie = "__Secure-escalade-sidebar" if secure else "escalade_sidebar"

    def made(self, organisation: OrganisationId, path: str, now: Millis) -> str:
        """Give the cookie's line for an organisation's pass.

        Our page stands in a frame of another site's: a cookie comes along there only if it says so, and is kept apart
        for each site that frames us.
        """
        sealed = self._vault.seal(
            str(now + LASTS_S * 1000), organisation=organisation, name=NAME, nonce=self._random_bytes(NONCE_BYTES)
        )
        where = "Secure; SameSite=None; Partitioned" if self._secure else "SameSite=Lax"
        return f"{self.cookie}={sealed}; Path={path}; Max-Age={LASTS_S}; HttpOnly; {where}"

    def is_good(self, sealed: str, organisation: OrganisationId, now: Millis) -> bool:
        """Say whether a pass is of this organisation and not over."""
        try:
            return int(self._vault.open(sealed, organisation=organisation, name=NAME)) > now
        except (Unreadable, ValueError):
            return False
