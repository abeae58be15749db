"""The proof: break everything that can be broken, write down what both ends saw, and let a judge read only that.

`python -m torture` runs it and prints one table. Nothing here is shipped; nothing here knows what is right but the
judge, and the judge knows nothing of the product.

    history.py    what is written down, one line a fact
    judge/        reads histories alone and convicts or acquits, with the smallest witness
    simulator/    the product and the fake Zendesk on a virtual clock, from one seed
    crash/        real processes, killed, paused, cut off from power and from disk
    part.py       one part of the proof: a name, an aim, units that can be run again
    parts.py      all of them by name
    __main__.py   chooses parts, goes on where it stopped, prints the table
"""
