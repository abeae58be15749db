"""`escalade serve`, with the HTTP parser named: `python -m tests.inputs.serve h11`.

`patient` as a second word: wrong credentials are answered as often as they come.
"""

import sys
from typing import cast

from escalade.cli.serve import HttpParser, serve
from escalade.web import limits

if __name__ == "__main__":
    if "patient" in sys.argv[2:]:
        limits.WRONG_CREDENTIALS = limits.Limit(name="wrong credentials", times=1_000_000, seconds=60)
    serve("all", None, None, http=cast("HttpParser", sys.argv[1]))
