"""The numbers of all rows, by family."""

from __future__ import annotations

FAMILIES = {
    "W": ("webhook", 37),
    "H": ("credentials", 16),
    "P": ("widget", 22),
    "T": ("tenants", 14),
    "S": ("outbound", 13),
    "F": ("files", 10),
    "L": ("assistant", 13),
    "Z": ("desk_app", 4),
    "E": ("emulator", 3),
    "O": ("operations", 4),
}
ROWS = tuple(f"{letter}{number:02}" for letter, (_, count) in FAMILIES.items() for number in range(1, count + 1))
