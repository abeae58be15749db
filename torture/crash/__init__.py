"""Real processes, really killed: the product runs as it is, its death comes from outside, and the ends are compared.

A warm parent holds everything imported and a fake Zendesk at the start of a story; the product and the fake Zendesk run
in processes forked from it, each with its own sockets, threads and files. What the customer was told is what the parent
read from a socket, so nothing counts as acknowledged that had not left the process that died.

    haste.py      a process whose seconds are shorter, so that a minute's wait is worth a second
    life.py       one process: forked, killed, paused
    stage.py      the warm parent: product and fake Zendesk, ready
    caller.py     an HTTP line to a process that may die
    scene.py      one customer, told from outside
    setup.py      product and Zendesk connected the way the guide says
    play.py       one run of a story, and its verdict
    stories.py    what happens in a conversation
    line.py       a kill point: the n-th time a line of ours runs
    crowd.py      several customers in the same story, who know nothing of deaths
    chain.py      a world of many deaths in a row
    lines.py      L1, killed at every line
    call.py       a kill point: the n-th call by which something leaves the process
    calls.py      L2, killed between lines
    durable.py    what a disk keeps when the power goes
    power.py      L5, the power cut
    load.py       customers and agents who talk without a pause
    company.py    a company at work, for many faults in a row
    debts.py      what the product still owes by its own books
    ordeal.py     one trouble after the other, and what came of it
    kills.py      L3, the whole program killed at random times
    pauses.py     L6, stopped and let go on
    stores.py     SQLite's files, or a PostgreSQL server of our own
    databases.py  L4, the database server killed, stopped, cut off
    disk.py       L7, out of disk, of files, of patience
"""
