"""`escalade serve`, with the HTTP parser named: `python -m tests.inputs.serve h11`.

It looks at the desk sooner than a server does, since every case waits for that and none is about how long it takes.
`patient` as a second word, for who asks thousands of things and waits for none: the desk is looked at as a server does,
and wrong credentials are answered as often as they come.
"""

import sys
from typing import cast

from escalade.cli.serve import HttpParser, serve
from escalade.services import inquiry, numbers, watch
from escalade.web import limits

if __name__ == "__main__":
    if "patient" in sys.argv[2:]:
        limits.WRONG_CREDENTIALS = limits.Limit(name="wrong credentials", times=1_000_000, seconds=60)
    else:
        numbers.SEEK_AFTER_MS = 0
        watch.LIVE_EVERY_MS = inquiry.PATIENCE_MS = 1000
    serve("all", None, None, http=cast("HttpParser", sys.argv[1]))
