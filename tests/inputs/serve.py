"""`escalade serve`, with the HTTP parser named: `python -m tests.inputs.serve h11`."""

import sys
from typing import cast

from escalade.cli.serve import HttpParser, serve

if __name__ == "__main__":
    serve("all", None, None, http=cast("HttpParser", sys.argv[1]))
