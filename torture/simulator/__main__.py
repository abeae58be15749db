"""Run seeds by hand: `python -m torture.simulator 17 42` tells what each came to, `--shrink` its calmest bad form."""

from __future__ import annotations

import argparse
import sys

from torture.judge import judge
from torture.simulator import story
from torture.simulator.schedules import calmest, verdict_of
from torture.simulator.world import simulate


def main() -> int:
    """Run, judge, tell."""
    parser = argparse.ArgumentParser(prog="python -m torture.simulator", description=(__doc__ or "").strip())
    parser.add_argument("seeds", nargs="+", type=int, metavar="SEED")
    parser.add_argument("--shrink", action="store_true", help="look for a calmer schedule that goes wrong alike")
    given = parser.parse_args()
    bad = False
    for seed in given.seeds:
        told = simulate(seed)
        wrong = verdict_of(told)
        bad |= bool(wrong)
        if wrong and given.shrink:
            told = calmest(told, verdict_of)
        print(story.tell(told, judge(told.facts)))
        for said in wrong:
            print(f"  {said}")
        print("  violated" if wrong else "  holds")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
