"""How often a language model may be asked for one organisation: whoever pays for it is not at the mercy of a crowd.

Counted in this process and forgotten when it ends: what it holds off is a flood, not a bill to the cent.
"""

from __future__ import annotations

from collections.abc import Callable

from escalade.domain.model import Millis, OrganisationId

HOUR_MS = 3_600_000


class Budget:
    """A number of questions an hour, for each organisation; the hour begins with the first of them."""

    def __init__(self, an_hour: int, now: Callable[[], Millis]) -> None:
        self._most = an_hour
        self._now = now
        self._spent: dict[OrganisationId, tuple[Millis, int]] = {}

    def take(self, organisation: OrganisationId) -> bool:
        """Take one, if there is one left."""
        now = self._now()
        began, spent = self._spent.get(organisation, (now, 0))
        if now - began >= HOUR_MS:
            began, spent = now, 0
        if spent >= self._most:
            return False
        self._spent[organisation] = (began, spent + 1)
        return True
