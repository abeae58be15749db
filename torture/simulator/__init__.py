"""The product and the fake Zendesk in one process, on a virtual clock, from one seed.

What is shipped runs; only the world around it is made up, behind the ports both sides already have.

    tape.py        every decision of chance, in order: recorded, replayed, shrunk
    loop.py        an event loop whose time passes at once, and the tasks of a process that can die
    profile.py     the faults there are, and which of them a seed turns on
    database.py    the product's database, in memory, with latency and failures
    network.py     the two ways between product and desk, and everything that goes wrong on them
    process.py     the product as a process or two: booted, killed, stopped, its clock bent
    ownership.py   who of several processes sends for a conversation
    customers.py   people who write, in tabs that die and come back
    operator.py    whoever changes the settings meanwhile
    side.py        one company: its desk, its people, and whether all has arrived
    agents.py      people who answer, end, close, reassign
    world.py       one schedule: chaos, calm, final views
    schedules.py   the part of the proof: seeds, judged
    mutants/       the same with the protocol broken on purpose: each must be convicted
"""
