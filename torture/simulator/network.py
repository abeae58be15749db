"""The two ways between product and desk, in this process, and everything that goes wrong on them.

A request that is under way belongs to the network: it reaches the other side even if whoever sent it has died. What
the caller is told follows the shipped sender's rule: trouble before the first byte is `Retryable`, after it `Uncertain`
unless nothing was to be changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from escalade.channels.http import Request, Response, shown_url
from escalade.domain.errors import Retryable, Uncertain
from torture.simulator import asgi
from torture.simulator.chaos import Chaos, never
from torture.simulator.loop import Owner, sleep
from torture.simulator.profile import Fault
from zendesk_emulator.ports import Outbound, Reply, SendFailed

HOP_S = 0.05  # the longest a packet takes when all is well
SLOW_S = 8.0
LAG_S = 2.5  # the product waits for three seconds before it takes a webhook at its word
STALE_S = 20.0
MANY_COPIES = 50
FARTHEST_DELAY_S = 150.0

# Retry-After as senders write it, sensible or not; nothing at all is among them.
ODD_WAITS = ("1", "", "5", "0", "-5", "soon", "Mon, 02 Mar 2026 12:00:30 GMT", "2.5", "30")
FOR_AGES = "1000000000"
LONGEST_BELIEVED_S = 1080.0  # how far such a wait is believed: a quarter of an hour, and a fifth more for the jitter
REFUSALS = ((404, b'{"errors":[{"code":"not_found","title":"Not found"}]}'), (422, b"{}"), (413, b""), (423, b"{}"))
BROKEN = (500, 502, 503, 504)
NONSENSE = (
    b"<!doctype html><html><title>Sign in</title></html>",
    b"[]",
    b"null",
    b'{"unexpected":true}',
    b"",
    b"\xff\xfe",
    b'{"messages":[{"id":7}],"ticket":{"id":"x"},"conversation":[]}',
)


class Network:
    """Both ways."""

    def __init__(self, chaos: Chaos, unsure_wait_s: float, now: Callable[[], datetime]) -> None:
        self.desks: dict[str, asgi.App] = {}  # by host
        self.spared: dict[str, Chaos] = {}  # by host: what befalls requests there, if not what befalls all others
        self._chaos = chaos
        self._zombie_s = unsure_wait_s
        self._now = now
        self.under_way = Owner("network")

    # towards the desk

    async def carry(self, request: Request) -> Response:
        """Carry a request of the product to the desk, as its `Transport`."""
        chaos = self._chaos
        await chaos.edge("before a request")
        response = await self._carried(request)
        await chaos.edge("after a request")
        return response

    def _chaos_of(self, request: Request) -> Chaos:
        return self.spared.get(urlsplit(request.url).netloc, self._chaos)

    async def _carried(self, request: Request) -> Response:
        chaos, tape = self._chaos_of(request), self._chaos.tape

        def failed(what: str) -> Retryable | Uncertain:
            detail = f"{what} ({request.method} {shown_url(request.url)})"
            return Retryable(detail) if request.is_safe else Uncertain(detail)

        if chaos.strikes(Fault.CONNECT_REFUSED) or self._is_out_of_reach(request):
            await sleep(tape.seconds(0.0, HOP_S))
            raise Retryable(f"nobody listens ({request.method} {shown_url(request.url)})")
        await sleep(tape.seconds(0.001, HOP_S))
        if chaos.strikes(Fault.TIMEOUT_BEFORE):
            await sleep(request.seconds)
            raise failed(f"no complete answer within {request.seconds:g} s")
        if chaos.strikes(Fault.RESET_BEFORE):
            raise failed("the connection was reset")
        if chaos.strikes(Fault.ZOMBIE):
            # It arrives long after we gave up, and before G has passed since the attempt started.
            arrives = tape.seconds(0.0, self._zombie_s * 0.75)
            return await self._zombie(request, arrives, failed)
        if chaos.strikes(Fault.LATE_ZOMBIE):
            arrives = self._zombie_s + tape.seconds(1.0, 20.0)
            return await self._zombie(request, arrives, failed)
        if (early := self._answered_early(request)) is not None:
            return early
        arrival = self.under_way.start(self._arrive(request), "request")
        async with asyncio.timeout(None) as limit:
            limit.reschedule(asyncio.get_running_loop().time() + request.seconds)
            try:
                await asyncio.wait({arrival})
            except asyncio.CancelledError:
                if limit.expired():
                    raise failed(f"no complete answer within {request.seconds:g} s") from None
                raise
        return await self._way_back(request, arrival.result(), failed)

    def _is_out_of_reach(self, request: Request) -> bool:
        """Say whether nobody listens: no such host, the desk or a half of it down, or whoever keeps its files."""
        path = urlsplit(request.url).path
        half = Fault.SUNSHINE_DOWN if path.startswith("/sc/") else Fault.SUPPORT_DOWN
        if urlsplit(request.url).netloc not in self.desks:
            return True
        chaos = self._chaos_of(request)
        files = "/attachments/" in path and chaos.lasts(Fault.FILES_DOWN)
        return files or chaos.lasts(half) or chaos.lasts(Fault.DESK_DOWN)

    def _answered_early(self, request: Request) -> Response | None:
        """Let the desk's front answer before anything happened."""
        chaos, tape = self._chaos_of(request), self._chaos.tape
        if chaos.lasts(Fault.BUSY_STORM) or chaos.strikes(Fault.BUSY):
            after = tape.one_of(ODD_WAITS)
            if tape.below(100) == 99:
                after, chaos.longest_told_s = FOR_AGES, LONGEST_BELIEVED_S
            headers = (("retry-after", after),) if after else ()
            return Response(status=429, headers=headers, body=b"Number of allowed API requests per minute exceeded")
        if chaos.lasts(Fault.KEY_REVOKED):
            return Response(status=tape.one_of((401, 403)), body=b'{"error":"Couldn\'t authenticate you"}')
        if chaos.strikes(Fault.ERROR_BEFORE):
            return Response(status=tape.one_of(BROKEN), body=b"Bad gateway")
        if chaos.strikes(Fault.SIGN_IN_PAGE):
            return Response(status=200, headers=(("content-type", "text/html"),), body=NONSENSE[0])
        if chaos.strikes(Fault.REDIRECT):
            return Response(status=302, headers=(("location", "https://elsewhere.example/"),))
        if not request.is_safe and chaos.strikes(Fault.REFUSED):  # to a question it would be a lie (A2)
            status, body = tape.one_of(REFUSALS)
            return Response(status=status, body=body)
        return None

    async def _way_back(self, request: Request, answer: Response, failed: Callable[[str], Exception]) -> Response:
        """Bring the answer, or what is left of it."""
        chaos, tape = self._chaos_of(request), self._chaos.tape
        if chaos.strikes(Fault.TIMEOUT_AFTER):
            await sleep(request.seconds)
            raise failed(f"no complete answer within {request.seconds:g} s")
        if chaos.strikes(Fault.RESET_AFTER):
            raise failed("the connection was reset")
        if chaos.strikes(Fault.ERROR_AFTER):
            return Response(status=tape.one_of(BROKEN), body=b"Bad gateway")
        if request.is_safe and _shows_a_list(answer) and chaos.strikes(Fault.LISTS_LAG):
            answer = _as_it_was(answer, self._now() - timedelta(seconds=tape.seconds(0.0, LAG_S)))
        if request.is_safe and _shows_a_list(answer) and chaos.strikes(Fault.LISTS_STALE):
            answer = _as_it_was(answer, self._now() - timedelta(seconds=tape.seconds(LAG_S, STALE_S)))
        if request.is_safe and chaos.lasts(Fault.MASKED):
            return replace(answer, status=200, body=tape.one_of(NONSENSE))
        if chaos.strikes(Fault.NONSENSE):
            return replace(answer, status=200, body=tape.one_of(NONSENSE))
        if chaos.strikes(Fault.HALF_JSON):
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        wait = tape.seconds(0.001, HOP_S)
        if chaos.strikes(Fault.SLOW):
            wait = tape.seconds(0.0, SLOW_S)
        await sleep(wait)
        if len(answer.body) > request.limit:
            raise failed(f"the answer is larger than {request.limit} bytes")
        return answer

    async def _zombie(self, request: Request, arrives_in: float, failed: Callable[[str], Exception]) -> Response:
        self.under_way.start(self._arrive_later(request, arrives_in), "zombie")
        if self._chaos.tape.happens(0.5):
            await sleep(request.seconds)
            raise failed(f"no complete answer within {request.seconds:g} s")
        raise failed("the connection was reset")

    async def _arrive_later(self, request: Request, seconds: float) -> None:
        await self._chaos.until_calm(seconds)
        await self._arrive(request)

    async def _arrive(self, request: Request) -> Response:
        """Let the desk act on a request and answer it."""
        body = request.body or b""
        scope = asgi.scope_of(request.method, request.url, request.headers.items(), body)
        answer = await asgi.call(self.desks[urlsplit(request.url).netloc], scope, body)
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers)
        return Response(status=answer.status, headers=headers, body=answer.body)


# The lists that are read for what is new in them, and what tells how old an entry is.
AGES_IN = {"messages": "received", "comments": "created_at", "audits": "created_at", "tickets": "created_at"}


def _shows_a_list(answer: Response) -> bool:
    return any(f'"{name}":['.encode() in answer.body for name in AGES_IN)


def _as_it_was(answer: Response, instant: datetime) -> Response:
    """Give the answer of a desk that has not caught up with itself: what came after an instant is not in its lists."""
    page = json.loads(answer.body)
    for name, age in AGES_IN.items():
        if isinstance(page.get(name), list):
            page[name] = [entry for entry in page[name] if datetime.fromisoformat(entry[age]) <= instant]
    return replace(answer, body=json.dumps(page).encode())


class Wire:
    """The product's `Transport`."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def send(self, request: Request) -> Response:
        """Carry a request."""
        return await self._network.carry(request)

    async def close(self) -> None:
        """Nothing is held open."""


Knock = Callable[[Outbound], Awaitable[Reply]]


class Post:
    """The desk's sender of webhooks: loses, doubles, delays and so reorders them."""

    def __init__(self, chaos: Chaos, knock: Knock, courier: Owner) -> None:
        self._chaos = chaos
        self._knock = knock
        self._courier = courier

    async def send(self, webhook: Outbound) -> Reply:
        """Bring a webhook to the product and its answer back."""
        chaos, tape = self._chaos, self._chaos.tape
        if chaos.lasts(Fault.WEBHOOKS_DOWN) or chaos.strikes(Fault.WEBHOOK_LOST):
            # The sender counts it as delivered, or never sent it: it is gone either way.
            return Reply(status=200)
        if chaos.strikes(Fault.WEBHOOK_FOREIGN):
            self._courier.start(self._quietly(_foreign(webhook)), "foreign webhook")
        if chaos.strikes(Fault.WEBHOOK_DUPLICATED):
            for _ in range(1 + (MANY_COPIES if tape.below(8) == 7 else tape.below(4))):
                self._courier.start(self._quietly(webhook, tape.seconds(0.0, 5.0)), "copy of a webhook")
        if chaos.strikes(Fault.WEBHOOK_DELAYED):
            self._courier.start(self._quietly(webhook, tape.seconds(0.0, FARTHEST_DELAY_S)), "late webhook")
            return Reply(status=200)
        await sleep(tape.seconds(0.001, HOP_S))
        reply = await self._knock(webhook)
        if chaos.strikes(Fault.WEBHOOK_ANSWER_LOST):
            if tape.below(2):
                await never()  # until the sender's patience ends
            raise SendFailed("the connection was reset")
        return reply

    async def _quietly(self, webhook: Outbound, after: float = 0.0) -> None:
        await self._chaos.until_calm(after)
        with contextlib.suppress(SendFailed):
            await self._knock(webhook)


def _foreign(webhook: Outbound) -> Outbound:
    """Make a genuine call about a ticket nobody here knows, and a message that is none of ours."""
    try:
        document = json.loads(webhook.body)
    except ValueError:
        return webhook
    if isinstance(document, dict):
        document = {**document, "id": f"foreign-{document.get('id')}"}
        detail = document.get("detail")
        if isinstance(detail, dict):
            document["detail"] = {**detail, "id": "99999999"}
        event = document.get("event")
        if isinstance(event, dict):
            named = {name: value for name, value in event.items() if name != "conversation_id"}
            if isinstance(message := event.get("message"), dict):
                named["message"] = {**message, "id": f"foreign-{message.get('id')}"}
            document["event"] = named
    headers = {name: value for name, value in webhook.headers.items() if "invocation" not in name.lower()}
    return replace(webhook, body=json.dumps(document).encode(), headers=headers)
