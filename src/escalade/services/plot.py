"""Draw a measured curve: as SVG for a page or a file of its own, and with characters for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from escalade.services.evaluation import Level

LINES = ("precision", "coverage", "refusal")
MEANINGS = {
    "precision": "of the answers, those that are right",
    "coverage": "of the questions the knowledge answers, those that are answered",
    "refusal": "of the others, those that are left to people",
}

WIDTH, HEIGHT = 400, 220
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 8, 24  # around the field
ALONE = """<style>
svg { font: 11px system-ui, sans-serif; color-scheme: light dark; background: light-dark(#fff, #171d1a); }
text { fill: light-dark(#55625d, #a1aeaa); } .grid { stroke: light-dark(#e0e7e3, #2b3430); fill: none; }
.mark { stroke: light-dark(#17201d, #e8eeeb); }
.precision, .coverage, .refusal { fill: none; stroke-width: 2; stroke-linejoin: round; }
.precision { stroke: light-dark(#0b6b57, #63d2b3); } .refusal { stroke-dasharray: 2 3; }
.coverage { stroke: light-dark(#8a3f0d, #f5c594); stroke-dasharray: 7 3; }
.refusal { stroke: light-dark(#23527e, #9cc7f0); }
</style>"""

ROWS, COLUMNS = 13, 61  # of a terminal's field
SIGNS = {"precision": "●", "coverage": "○", "refusal": "·"}


def x_of(confidence: float) -> float:
    """Give where a confidence in percent stands."""
    return round(LEFT + confidence / 100 * (WIDTH - LEFT - RIGHT), 1)


def y_of(share: float) -> float:
    """Give how high a share stands."""
    return round(TOP + (1 - share) * (HEIGHT - TOP - BOTTOM), 1)


def svg(levels: Sequence[Level], at: int | None = None, *, title: str = "") -> str:
    """Draw precision, coverage and refusal over confidence, a mark at one; with a title it can stand as a file."""
    below = 18 * (1 + len(LINES)) if title else 0
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="curve" viewBox="0 0 {WIDTH} {HEIGHT + below}" role="img"'
        f' aria-label="{_escaped(title or "Precision, coverage and refusal at each confidence")}">'
    ]
    if title:
        parts.append(ALONE)
    for percent in (0, 25, 50, 75, 100):
        high, along = y_of(percent / 100), x_of(percent)
        parts.append(f'<path class="grid" d="M{LEFT} {high}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{high + 4}" text-anchor="end">{percent / 100:g}</text>')
        anchor = "end" if percent == 100 else "middle"
        parts.append(f'<text x="{along}" y="{HEIGHT - 8}" text-anchor="{anchor}">{percent} %</text>')
    if at is not None:
        parts.append(f'<path class="mark" transform="translate({x_of(at)} 0)" d="M0 {TOP}V{HEIGHT - BOTTOM}"/>')
    for name in reversed(LINES):
        points = " ".join(f"{x_of(level.confidence)},{y_of(getattr(level, name))}" for level in levels)
        parts.append(f'<polyline class="{name}" points="{points}"/>')
    if title:
        parts.append(f'<text x="{LEFT}" y="{HEIGHT + 14}">{_escaped(title)}</text>')
        for n, name in enumerate(LINES, 1):
            y = HEIGHT + 14 + 18 * n
            parts.append(f'<path class="{name}" d="M{LEFT} {y - 4}h24"/>')
            parts.append(f'<text x="{LEFT + 32}" y="{y}">{name}: {MEANINGS[name]}</text>')
    return "".join([*parts, "</svg>"])


def characters(levels: Sequence[Level]) -> list[str]:
    """Draw the same as lines of a terminal, confidence from left to right."""
    field = [[" "] * COLUMNS for _ in range(ROWS)]
    for name in reversed(LINES):
        for column in range(COLUMNS):
            level = levels[round(column / (COLUMNS - 1) * (len(levels) - 1))]
            row = round((1 - getattr(level, name)) * (ROWS - 1))
            field[row][column] = SIGNS[name]
    shown = [f"{1 - row / (ROWS - 1):4.2f} │{''.join(line)}" for row, line in enumerate(field)]
    ticks = "".join(f"{percent:<{(COLUMNS - 1) // 4}}" for percent in (0, 25, 50, 75)) + "100"
    legend = "   ".join(f"{SIGNS[name]} {name}" for name in LINES)
    return [*shown, "     └" + "─" * COLUMNS, "      " + ticks, f"      {legend}, over confidence"]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
