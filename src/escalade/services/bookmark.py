"""Where the reading of a help centre goes on: in the middle of one that was cut short, or after the last change."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from escalade.domain.model import Millis

STALE_MS = 24 * 3600_000  # a reading that was cut short longer ago begins anew; the list has changed too much
MARGIN_S = 3600  # their clock may be behind ours, and a change may show late; what comes twice is only counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """What is remembered from one reading to the next. The clock is the wall's: it is compared with Zendesk's."""

    began_at: Millis | None = None  # of a whole reading that is not at its end
    onward: str = ""  # from where that one goes on
    whole_at: Millis | None = None  # when the last whole reading began
    since_s: int | None = None  # from when on to ask for changes

    @classmethod
    def read(cls, text: str) -> Bookmark:
        """Read what `write` wrote; anything else is a fresh start."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return cls()

    def write(self) -> str:
        """Write it down."""
        return json.dumps(asdict(self))

    def begin(self, now: Millis) -> Bookmark:
        """Go on with a whole reading that was cut short lately, or begin one."""
        if self.began_at is not None and 0 <= now - self.began_at < STALE_MS:
            return self
        return replace(self, began_at=now, onward="")

    def turn(self, onward: str) -> Bookmark:
        """Go on after another page of a whole reading."""
        return replace(self, onward=onward)

    def close(self) -> Bookmark:
        """End a whole reading: what changes after its beginning shows in the list of changes."""
        assert self.began_at is not None
        return Bookmark(whole_at=self.began_at, since_s=self.began_at // 1000 - MARGIN_S)
