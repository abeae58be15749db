"""Mint ids the way Zendesk's look: integers, ULIDs, 24 hex digits, UUIDs, secrets; all from injected time and dice."""

from __future__ import annotations

import base64
import random
from datetime import datetime

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Ids:
    """A source of ids that never repeats within one account."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._large = 36_000_000_000_000
        self._ticket = 100
        self._hex = dice.getrandbits(24)
        self._machine = f"{dice.getrandbits(40):010x}"

    def ticket(self) -> int:
        """Give the next ticket number."""
        self._ticket += 1
        return self._ticket

    def integer(self) -> int:
        """Give an id in the size Zendesk uses for users, groups and comments."""
        self._large += self._dice.randrange(3, 997)
        return self._large

    def hex24(self, now: datetime) -> str:
        """Give a Sunshine id; later ids sort after earlier ones."""
        self._hex = (self._hex + 1) % 2**24
        return f"{int(now.timestamp()):08x}{self._machine}{self._hex:06x}"

    def ulid(self, now: datetime) -> str:
        """Give a ULID for this instant."""
        number = int(now.timestamp() * 1000) << 80 | self._dice.getrandbits(80)
        return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))

    def uuid(self) -> str:
        """Give a random UUID in text."""
        text = f"{self._dice.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def hex_upper(self, digits: int) -> str:
        """Give hexadecimal in capitals, as in event sequence ids."""
        return f"{self._dice.getrandbits(4 * digits):0{digits}X}"

    def secret(self, length: int = 40) -> str:
        """Give a secret of letters and digits."""
        return "".join(self._dice.choice(_ALPHABET) for _ in range(length))

    def signing_secret(self) -> str:
        """Give 44 characters that look like base64; Zendesk uses them as text."""
        return base64.b64encode(self._dice.randbytes(32)).decode()
