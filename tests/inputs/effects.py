"""What must also hold: a small vocabulary. An effect looks before the request, and again at what came of it.

Each is a generator: it runs up to `yield` before the request is sent, and on when the answer is in.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from tests.inputs.place import THEIRS, Place, Scene
from tests.world import eventually

Effect = Callable[[Place, Scene], Generator[None, None, None]]
EFFECTS: dict[str, Effect] = {}


def effect(name: str) -> Callable[[Effect], Effect]:
    """Put an effect into the vocabulary."""

    def kept(made: Effect) -> Effect:
        EFFECTS[name] = made
        return made

    return kept


def _state(place: Place, scene: Scene) -> dict[str, Any]:
    shown = place.conversation(scene.names["letter"], scene.names["conversation"])
    return {name: shown[name] for name in ("status", "control", "handoff")}


def _messages(place: Place, scene: Scene) -> list[dict[str, Any]]:
    page = place.page(scene.names["letter"], scene.names["conversation"])
    return [{name: one.get(name) for name in ("id", "seq", "text", "notice")} for one in page["messages"]]


def _notices(place: Place, scene: Scene) -> list[str]:
    return [one["notice"] for one in _messages(place, scene) if one["notice"]]


def _newest(place: Place, scene: Scene) -> int:
    found = place.receipts(scene.names["letter"])
    return int(found[0]["id"]) if found else 0


def _since(place: Place, scene: Scene, newest: int) -> list[dict[str, Any]]:
    return [one for one in place.receipts(scene.names["letter"]) if one["id"] > newest]


# sessions and what is shown


@effect("nothing closed")
def nothing_closed(place: Place, scene: Scene) -> Generator[None, None, None]:
    """The conversation is with whom it was, and nothing was said in it."""
    before = _state(place, scene), _messages(place, scene)
    yield
    assert (_state(place, scene), _messages(place, scene)) == before


@effect("session closed once")
def session_closed_once(place: Place, scene: Scene) -> Generator[None, None, None]:
    """The assistant has control again, and the customer was told once."""
    yield
    eventually(lambda: _state(place, scene)["control"] == "assistant", "the session has ended")
    ended = [one for one in _notices(place, scene) if one in {"ended", "inactive", "solved"}]
    assert len(ended) == 1, ended


@effect("nothing invented")
def nothing_invented(place: Place, scene: Scene) -> Generator[None, None, None]:
    """Nothing is shown that the desk's own list does not hold, not even after a look."""
    before = _messages(place, scene)
    yield
    name = scene.names["letter"]
    eventually(lambda: place.receipts(name)[0]["state"] != "waiting", "the list was looked at")
    assert _messages(place, scene) == before


@effect("nothing of B changed")
def nothing_of_b_changed(place: Place, scene: Scene) -> Generator[None, None, None]:
    """The other organisation's conversation and receipts are as they were."""
    before = place.page("B", place.theirs["conversation"]), place.receipts("B")
    yield
    assert (place.page("B", place.theirs["conversation"]), place.receipts("B")) == before


# receipts


@effect("receipt kept")
def receipt_kept(place: Place, scene: Scene) -> Generator[None, None, None]:
    """One more receipt is there."""
    newest = _newest(place, scene)
    yield
    assert len(_since(place, scene, newest)) == 1


@effect("no receipt")
def no_receipt(place: Place, scene: Scene) -> Generator[None, None, None]:
    """Nothing was kept of it."""
    newest = _newest(place, scene)
    yield
    assert _since(place, scene, newest) == []


@effect("one receipt of many")
def one_receipt_of_many(place: Place, scene: Scene) -> Generator[None, None, None]:
    """Sent several times, kept once; all but the first were told that it is known."""
    newest = _newest(place, scene)
    yield
    assert len(_since(place, scene, newest)) == 1
    assert [answer.json["status"] for answer in scene.sent][1:] == ["duplicate"] * (len(scene.sent) - 1)


# what is in the answer


@effect("no row of B")
def no_row_of_b(place: Place, scene: Scene) -> Generator[None, None, None]:
    """Nothing of the other organisation is in the answer."""
    yield
    for answer in scene.sent:
        whole = (str(answer.headers) + answer.body.decode("utf-8", "replace")).lower()
        for theirs in (THEIRS, place.keys["B"]["organisation_id"], place.keys["B"]["webhook_token"], "rivals"):
            assert theirs.lower() not in whole


@effect("no token in the answer")
def no_token_in_the_answer(place: Place, scene: Scene) -> Generator[None, None, None]:
    """No credential comes back."""
    yield
    for answer in scene.sent:
        whole = str(answer.headers) + answer.body.decode("utf-8", "replace")
        for keys in place.keys.values():
            assert keys["webhook_token"] not in whole
            assert keys["api_key"] not in whole


@effect("no token in the log")
def no_token_in_the_log(place: Place, scene: Scene) -> Generator[None, None, None]:
    """No credential is logged."""
    yield
    log = place.product.program.log()
    for keys in place.keys.values():
        assert keys["webhook_token"] not in log
        assert keys["api_key"] not in log


@effect("answered like a wrong token")
def answered_like_a_wrong_token(place: Place, scene: Scene) -> Generator[None, None, None]:
    """Byte for byte what a wrong token is answered."""
    yield
    named = f"fv-organisation-id: {place.keys['A']['organisation_id']}"
    wrong = place.speak(scene.names["hook"], {}, named, "Authorization: Bearer wrong")
    for answer in scene.sent:
        assert answer.body == wrong.body
        assert set(answer.headers) == set(wrong.headers)


@effect("answered like nothing there")
def answered_like_nothing_there(place: Place, scene: Scene) -> Generator[None, None, None]:
    """Byte for byte what is answered for a ticket that nobody has."""
    yield
    body = b'{"ticket_id":"99999999999999","type":"fv:conversation_closed"}'
    unknown = place.product.webhook(body)
    for answer in scene.sent:
        assert (answer.status, answer.body) == (unknown.status_code, unknown.content)


# the process


@effect("memory flat")
def memory_flat(place: Place, scene: Scene) -> Generator[None, None, None]:
    """The process has grown by less than five megabytes."""
    before = place.memory
    yield
    assert place.memory - before < 5_000_000


@effect("foreign account logged")
def foreign_account_logged(place: Place, scene: Scene) -> Generator[None, None, None]:
    """Whoever reads the log is told."""
    log = place.product.program.log
    before = log().count('"foreign_account"')
    yield
    eventually(lambda: log().count('"foreign_account"') > before, "the foreign account is logged")


@effect("comma counted")
def comma_counted(place: Place, scene: Scene) -> Generator[None, None, None]:
    """The tolerated comma is in the log, once for each sending."""
    log = place.product.program.log
    before = log().count('"tolerated_trailing_comma"')
    yield
    eventually(lambda: log().count('"tolerated_trailing_comma"') == before + len(scene.sent), "the comma is logged")
