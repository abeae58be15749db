"""The 136 bad inputs: what anyone may send, byte by byte over a socket, and what must come of it.

    rows.py         the numbers of all rows
    cases.py        reads the data files: each case is a request, its answer and its effects
    wire.py         sends bytes as they are, in the pieces and at the pace a case says, and reads what comes back
    place.py        the running product the requests go to, and what a case may name in it
    furnish.py      its organisations and their articles
    serve.py        the product, with the HTTP parser named
    effects.py      what must also hold, in a small vocabulary
    *.toml          the cases, one file for each family of rows
    test_rows.py    sends them, on both databases and through both HTTP parsers
    test_whole.py   no row is missing

A row that is not a request names the test that shows it; a row nobody can answer yet says why, and is counted.
"""
