"""What the product still owes by its own books, so that nobody looks before it could be there.

After a trouble it waits as it should: for a door to be tried again, for a doubt to be decided, for a ticket's turn. No
fixed time is right for all of that. This says how long to wait and nothing else; what is right says the judge, who
does not see it.
"""

from __future__ import annotations

from collections import defaultdict

from torture.crash.stores import Store, Unreadable

BOOKS = {
    "lanes": "SELECT conversation, name, head, tail, due_at FROM lane WHERE head < tail OR due_at IS NOT NULL",
    "deliveries under way": "SELECT id, state FROM delivery WHERE state IN ('pending', 'sending', 'unsure')",
    "webhooks nobody has followed": "SELECT id, kind FROM receipt WHERE state = 'waiting'",
}
LOOKED = "SELECT id, looked_at FROM handoff WHERE state IN ('queued', 'with_agent', 'asynchronous')"
LOOKS = 2  # the second began when the first had been written down, and so after everybody had fallen silent


class Debts:
    """The books, read again and again from when everybody has fallen silent."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looked: defaultdict[str, set[int | None]] = defaultdict(set)  # when, by handoff

    def owed(self) -> str:
        """Say what is owed, or nothing."""
        try:
            books = {name: self._store.ask(sql) for name, sql in BOOKS.items()}
            for id, at in self._store.ask(LOOKED):
                self._looked[id].add(at)
        except Unreadable as error:
            return f"the database does not answer: {error}"
        unread = [id for id, instants in self._looked.items() if len(instants) <= LOOKS]
        owed = [f"{name}: {rows}" for name, rows in books.items() if rows]
        return "; ".join([*owed, *([f"not looked at since: {unread}"] if unread else [])])
