"""Judge history files: `python -m torture.judge FILES...`; exit code 1 if the promise is broken."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from torture.history import malformed, read
from torture.judge import judge


def main(arguments: list[str] | None = None) -> int:
    """Read, judge, print."""
    parser = argparse.ArgumentParser(prog="python -m torture.judge", description="Judge what processes wrote down.")
    parser.add_argument("files", nargs="+", type=Path, help="history files, or folders of them")
    given = parser.parse_args(arguments).files
    files = [file for path in given for file in (sorted(path.glob("*.jsonl")) if path.is_dir() else [path])]
    facts = list(read(files))
    if not facts:
        parser.error("there is nothing to judge in these files")
    strange = [f"{fact.get('p')}#{fact.get('n')}: {why}" for fact in facts if (why := malformed(fact))]
    if strange:
        parser.error("not the histories this judge reads: " + "; ".join(strange[:5]))
    verdict = judge(facts)
    print(verdict)
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
