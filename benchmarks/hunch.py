"""Learn the hunch that a customer asks for a person from `evaluation/persons/dev.csv`, and say what it is worth.

    python -m benchmarks.hunch [--write]

Logistic regression by stochastic gradient descent, the same each time. What it is worth is measured on messages that
are held out in turn. The bound lies where two in a hundred of the `hard` ones are misheard then, and one in a hundred
of the `other` ones, whichever is higher. `--write` puts all that where the product reads it (`make hunch`).
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from escalade.assistant.hunch import PLACES, RARITY_STEP, Model, Pieces, pieces, ship

DEV = Path(__file__).parents[1] / "evaluation/persons/dev.csv"
ROUNDS = 40
RATE, SLOWER = 4.0, 1e-4
HOLD = 7e-6  # how strongly weights are held to nothing
FEWEST = 2  # messages that a piece is in, before it says anything
FOLDS = 5
MISHEARD = {"hard": 0.02, "other": 0.01}

Row = tuple[str, str, str]  # language, kind, text


def rows() -> list[Row]:
    """Read the development set."""
    with DEV.open(encoding="utf-8", newline="") as file:
        return [(row["language"], row["kind"], row["text"]) for row in csv.DictReader(file)]


def learn(told: Sequence[Row]) -> Model:
    """Learn from messages; the bound is left at nothing."""
    seen = np.zeros(PLACES)
    for _, _, text in told:
        for sort in pieces(text):
            seen[np.unique([place for place, _ in sort]).astype(int)] += 1
    rarity = np.where(seen >= FEWEST, np.log((1 + len(told)) / (1 + seen)) + 1, 0)
    blank = Model(rarity=_steps(rarity, RARITY_STEP), weight=bytes(PLACES), step=0, base=0, bound=0)
    vectors = [_arrays(blank.vector(text)) for _, _, text in told]
    asks = [kind == "ask" for _, kind, _ in told]
    weight, base, scale, step = np.zeros(PLACES), 0.0, 1.0, 0
    dice = np.random.default_rng(1)
    for _ in range(ROUNDS):
        for n in dice.permutation(len(told)):
            place, value = vectors[n]
            rate = RATE / (1 + RATE * HOLD * step + SLOWER * step)
            step += 1
            wrong = asks[n] - 1 / (1 + np.exp(-(scale * float(weight[place] @ value) + base)))
            scale *= 1 - rate * HOLD
            np.add.at(weight, place, rate * wrong * value / scale)
            base += 0.1 * rate * wrong
    weight *= scale
    worth = float(np.abs(weight).max()) / 127
    return Model(rarity=blank.rarity, weight=_steps(weight, worth), step=worth, base=float(base), bound=0)


def _steps(values: NDArray[np.float64], step: float) -> list[int]:
    return [int(value) for value in np.round(values / step)]


def _arrays(spoken: Pieces) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    return np.array([place for place, _ in spoken], np.int64), np.array([loud for _, loud in spoken])


def held_out(told: Sequence[Row]) -> NDArray[np.float64]:
    """Score each message by what was learnt without its fifth of them."""
    part = np.random.default_rng(2).integers(0, FOLDS, len(told))
    scores = np.zeros(len(told))
    for fold in range(FOLDS):
        model = learn([told[int(n)] for n in np.flatnonzero(part != fold)])
        for n in np.flatnonzero(part == fold):
            scores[n] = model.score(told[int(n)][2])
    return scores


def main() -> None:
    """Measure, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    told = rows()
    kinds = np.array([kind for _, kind, _ in told])
    scores = held_out(told)
    bound = max(float(np.quantile(scores[kinds == kind], 1 - share)) for kind, share in MISHEARD.items())
    for kind in ("ask", "hard", "other", "ordinary"):
        its = scores[kinds == kind]
        print(f"{kind:10} {int((its > bound).sum()):5} of {len(its):5} by the hunch alone, held out in turn")
    print(f"bound {bound:.2f}")
    if chosen.write:
        model = learn(told)
        ship(replace(model, bound=bound))


if __name__ == "__main__":
    main()
