"""How often one caller may come, door by door (H09, H16, P16, P17), and that good credentials always open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from escalade.web.limits import (
    API_CALLS,
    HANDOFFS,
    MESSAGES,
    OPENED,
    SESSIONS,
    STREAMS_OF_ADDRESS,
    STREAMS_OF_SESSION,
    WRONG_CREDENTIALS,
    Limit,
    Limits,
    address,
)
from escalade.web.wire import Problem
from tests.web.counter import HOOK, Answer, Counter, counter

THREE = Limit(name="tries", times=3, seconds=10)
END = {"ticket_id": "4711", "type": "fv:conversation_closed"}


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Counter]:
    async with counter(tmp_path) as opened:
        yield opened


class Watch:
    """The running loop's clock, turned by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)


@pytest.fixture
async def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(monkeypatch)


def later(limits: Limits, limit: Limit, *caller: str) -> int:
    """Say after how many seconds a refused caller may come again."""
    with pytest.raises(Problem) as refused:
        limits.take(limit, *caller)
    assert refused.value.status == 429
    return int(dict(refused.value.headers)[b"retry-after"])


async def test_no_stretch_of_time_holds_more_than_the_limit(watch: Watch) -> None:
    limits, taken = Limits(), []
    for step in range(600):
        watch.now = 1_000 + step / 10
        try:
            limits.take(THREE, "a")
        except Problem:
            continue
        taken.append(watch.now)
    assert all(later - first >= 10 for first, later in zip(taken, taken[3:], strict=False))
    assert len(taken) == 18


async def test_who_is_refused_is_told_when_to_come_again(watch: Watch) -> None:
    limits = Limits()
    for _ in range(3):
        limits.take(THREE, "a")
        watch.now += 1
    wait = later(limits, THREE, "a")
    assert wait == 7
    watch.now += wait
    limits.take(THREE, "a")


async def test_t05_two_callers_and_two_limits_never_share_a_place(watch: Watch) -> None:
    limits, other = Limits(), Limit(name="others", times=3, seconds=10)
    for caller in (("a:b", "c"), ("a", "b:c"), ("a:b:c",), ("a", "b", "c")):
        for limit in (THREE, other):
            for _ in range(3):
                limits.take(limit, *caller)
            assert later(limits, limit, *caller)


async def test_memory_is_bounded_whoever_calls(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("escalade.web.limits.MOST_KEPT", 100)
    limits = Limits()
    for n in range(5_000):
        watch.now += 0.001
        limits.take(THREE, str(n))
        assert len(limits._calls) <= 101
        assert len(limits._calls) == len(limits._horizons)


async def test_a_place_that_was_held_is_given_back(watch: Watch) -> None:
    limits = Limits()
    with limits.hold(1, "streams", "a"):
        with pytest.raises(Problem), limits.hold(1, "streams", "a"):
            raise AssertionError("never entered")
        with limits.hold(1, "streams", "b"):
            pass
    with limits.hold(1, "streams", "a"):
        pass
    assert limits._held == {}


def test_an_address_is_a_site() -> None:
    def of(host: Any) -> str:
        return address({"client": None if host is None else (host, 1)})

    assert of("192.0.2.7") == of("::ffff:192.0.2.7") == "192.0.2.7"
    assert of("2001:db8:1:2:3::4") == of("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert of("2001:db8:1:3::4") != of("2001:db8:1:2::4")
    assert (of(None), of("somewhere" * 50)) == ("unknown", ("somewhere" * 50)[:64])


# H09: wrong credentials


def hook_head(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "fv-organisation-id": "org_1"}


async def knock(front: Counter, door: str, token: str) -> Answer:
    match door:
        case "webhook":
            return await front.call("POST", HOOK, END, hook_head(token))
        case "sunshine":
            return await front.call("POST", "/hooks/sunshine/org_1", {}, {"x-api-key": token})
        case "api":
            return await front.api("GET", "/settings", key=token)
        case "stream":
            head = {"authorization": f"Bearer {token}"}
            return await front.call("GET", "/api/v1/conversations/c-1/events", headers=head)
        case _:
            return await front.call("GET", "/widget/v1/conversations", headers={"authorization": f"Bearer {token}"})


@pytest.mark.parametrize("door", ["webhook", "sunshine", "api", "stream", "widget"])
async def test_h09_wrong_credentials_are_answered_twenty_times_a_minute(front: Counter, door: str) -> None:
    answers = [await knock(front, door, f"guess-{n}") for n in range(WRONG_CREDENTIALS.times + 5)]
    assert [answer.status for answer in answers] == [401] * 20 + [429] * 5
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].problem == "rate-limited"


async def test_h09_good_credentials_open_all_the_same(front: Counter) -> None:
    for n in range(30):
        await knock(front, "webhook", f"guess-{n}")
        await knock(front, "api", f"guess-{n}")
    assert (await knock(front, "webhook", "wt_1")).status == 200
    assert (await knock(front, "api", "ek_1")).status == 200


async def test_h09_another_address_is_another_caller(front: Counter) -> None:
    for n in range(25):
        await knock(front, "webhook", f"guess-{n}")
    front.address = "198.51.100.9"
    assert (await knock(front, "webhook", "guess")).status == 401


async def test_t08_guessing_at_links_is_slowed_down(front: Counter) -> None:
    form = [("origin", "https://support.example"), ("content-type", "application/x-www-form-urlencoded")]
    statuses = [(await front.send("POST", "/console/sign-in", form, b"token=guess")).status for _ in range(25)]
    assert statuses == [410] * 20 + [429] * 5
    looked = [(await front.send("GET", f"/console/sign-in?token=guess-{n}")).status for n in range(3)]
    assert looked == [429] * 3
    front.address = "198.51.100.9"
    assert (await front.send("POST", "/console/sign-in", form, b"token=guess")).status == 410


@pytest.mark.parametrize("name", ["x-forwarded-for", "x-real-ip", "forwarded"])
async def test_h16_an_address_that_is_only_claimed_counts_for_nothing(front: Counter, name: str) -> None:
    statuses = []
    for n in range(25):
        claimed = f"for=192.0.2.{n}" if name == "forwarded" else f"192.0.2.{n}"
        statuses.append((await front.call("POST", HOOK, END, hook_head("guess") | {name: claimed})).status)
    assert statuses == [401] * 20 + [429] * 5


# P16, P17: the widget


async def begin(front: Counter) -> dict[str, str]:
    begun = await front.call("POST", "/widget/v1/sessions", {"key": "pk_1"})
    assert begun.status == 201, begun.body
    return {"authorization": f"Bearer {begun.json['token']}"}


async def chat(front: Counter, head: dict[str, str], n: int = 0) -> str:
    opened = await front.call("POST", "/widget/v1/conversations", {"id": f"conversation-{n:04}"}, head)
    assert opened.status == 201, opened.body
    return str(opened.json["id"])


async def test_p17_the_eleventh_message_within_ten_seconds_waits(front: Counter) -> None:
    head = await begin(front)
    path = f"/widget/v1/conversations/{await chat(front, head)}/messages"
    said = [
        await front.call("POST", path, {"id": f"message-of-mine-{n:02}", "text": f"{n}"}, head)
        for n in range(MESSAGES.times + 1)
    ]
    assert [answer.status for answer in said] == [201] * 10 + [429]
    assert 1 <= int(said[-1].headers["retry-after"]) <= 10
    other = await begin(front)
    assert (await front.call("GET", path, headers=other)).status == 404  # somebody else is not refused for it


async def test_p17_sessions_without_end_are_refused_by_address(front: Counter) -> None:
    for _ in range(SESSIONS.times):
        await begin(front)
    refused = await front.call("POST", "/widget/v1/sessions", {"key": "pk_1"})
    assert (refused.status, refused.problem) == (429, "rate-limited")
    front.address = "198.51.100.9"
    await begin(front)


async def test_p17_many_addresses_cannot_flood_the_agents(front: Counter) -> None:
    patched = await front.api("PATCH", "/settings", {"widget": {"conversations_per_hour": 30}})
    assert patched.status == 200
    statuses = []
    for n in range(50):
        front.address = f"198.51.{n // 250}.{n % 250}"
        head = await begin(front)
        opened = await front.call("POST", "/widget/v1/conversations", {"id": f"conversation-{n:04}"}, head)
        statuses.append(opened.status)
    assert statuses == [201] * 30 + [429] * 20
    assert (await front.api("POST", "/conversations", {})).status == 201  # a key is nobody's machine but its owner's


async def test_p17_one_visitor_opens_and_asks_so_many_times_an_hour(front: Counter) -> None:
    head = await begin(front)
    ids = [await chat(front, head, n) for n in range(OPENED.times)]
    refused = await front.call("POST", "/widget/v1/conversations", {"id": "conversation-more"}, head)
    assert refused.status == 429
    asked = []
    for _ in range(HANDOFFS.times):
        asked.append(await front.call("POST", f"/widget/v1/conversations/{ids[0]}/escalate", {}, head))
        asked.append(await front.call("POST", f"/widget/v1/conversations/{ids[0]}/release", None, head))
    assert {answer.status for answer in asked[: HANDOFFS.times]} <= {200, 202}
    assert {answer.status for answer in asked[HANDOFFS.times :]} == {429}


async def test_asking_again_for_the_same_person_is_never_refused(front: Counter) -> None:
    head = await begin(front)
    path = f"/widget/v1/conversations/{await chat(front, head)}/escalate"
    answers = [await front.call("POST", path, {}, head) for _ in range(60)]
    assert {answer.status for answer in answers} == {202}
    assert len({answer.json["handoff"]["id"] for answer in answers}) == 1


async def test_p16_a_visitor_keeps_five_streams_open(front: Counter) -> None:
    head = await begin(front)
    path = f"/widget/v1/conversations/{await chat(front, head)}/events"
    async with AsyncExitStack() as open_:
        for _ in range(STREAMS_OF_SESSION):
            assert (await open_.enter_async_context(front.stream(path, head.items()))).status == 200
        refused = await front.call("GET", path, headers=head)
        assert (refused.status, refused.problem) == (429, "rate-limited")
    async with front.stream(path, head.items()) as again:
        assert again.status == 200


async def test_p16_an_address_keeps_fifty_streams_open(front: Counter) -> None:
    async with AsyncExitStack() as open_:
        for _ in range(STREAMS_OF_ADDRESS // STREAMS_OF_SESSION):
            head = await begin(front)
            path = f"/widget/v1/conversations/{await chat(front, head, len(head['authorization']) + _)}/events"
            for _ in range(STREAMS_OF_SESSION):
                assert (await open_.enter_async_context(front.stream(path, head.items()))).status == 200
        head = await begin(front)
        path = f"/widget/v1/conversations/{await chat(front, head, 999)}/events"
        assert (await front.call("GET", path, headers=head)).status == 429
        front.address = "198.51.100.9"
        assert (await open_.enter_async_context(front.stream(path, head.items()))).status == 200


# The developer API


async def test_a_key_may_call_a_hundred_times_a_second_at_least(front: Counter) -> None:
    assert API_CALLS.times / API_CALLS.seconds >= 100
    answers = await asyncio.gather(*(front.api("GET", "/conversations/none") for _ in range(100)))
    assert {answer.status for answer in answers} == {404}


async def test_beyond_that_a_key_is_asked_to_wait(front: Counter, watch: Watch) -> None:
    for _ in range(API_CALLS.times):
        await front.product.access.api({"headers": [(b"authorization", b"Bearer ek_1")]})
    with pytest.raises(Problem) as refused:
        await front.product.access.api({"headers": [(b"authorization", b"Bearer ek_1")]})
    assert (refused.value.status, dict(refused.value.headers)[b"retry-after"]) == (429, b"1")
    await front.product.access.api({"headers": [(b"authorization", b"Bearer ek_2")]})
    watch.now += 1
    await front.product.access.api({"headers": [(b"authorization", b"Bearer ek_1")]})
