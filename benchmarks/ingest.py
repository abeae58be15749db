"""Authenticated `message_added` webhooks through the full path to durable rows, beside two baselines.

    python -m benchmarks.ingest [--seconds 4] [--rounds 5]

Two kinds of news about a conversation we know: the echo of a customer's message (one receipt), and an agent's message
on a ticket (receipt, decision, message, state). On SQLite (`synchronous=FULL`) and on a PostgreSQL that shares the
machine (`fsync`, `synchronous_commit` on): every 200 is on disk. Beside them an ASGI application that only echoes the
body, and the same endpoint with all its checks but no database behind it. The rounds are interleaved and the medians
printed; the ratios are the figures to trust.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.engines import ENGINES, a_database
from tests.world import Escalade

from benchmarks.load import Round, free_port, megabytes, own_core, press, server
from escalade.domain.model import (
    Control,
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    Handoff,
    HandoffId,
    HandoffState,
    Mode,
    OrganisationId,
    Reason,
    Status,
    TicketId,
)
from escalade.store import conversations, customers, handoffs, links
from escalade.store.engines import commands, transaction

CONVERSATIONS = 200
BODY = (
    '{{"account_id":2222096,"id":"evt-{n}","type":"zen:event-type:messaging_ticket.message_added",'
    '"zendesk_event_version":"2022-11-06","subject":"zen:ticket:{ticket}","time":"2026-06-10T07:18:24.265Z",'
    '"detail":{{"id":"{ticket}"}},"event":{{"actor":{{"id":"57608919901337","name":"Ada","type":"{actor}"}},'
    '"conversation_id":"conv{ticket}","message":{{"id":"msg-{n}","body":"{text}"}}}}}}'
)
TEXT = "I have looked into it: the parcel left our warehouse on Tuesday and should be with you tomorrow. " * 6


def seed(product: Escalade) -> None:
    """Put conversations with open tickets into the database."""
    organisation = OrganisationId(product.keys["organisation_id"])
    with commands(product.environment["ESCALADE_DATABASE_URL"]) as engine, transaction(engine) as tx:
        for n in range(CONVERSATIONS):
            ticket = str(1000 + n)
            handoff = Handoff(
                id=HandoffId(f"handoff-{n}"),
                mode=Mode.TICKET,
                state=HandoffState.ASYNCHRONOUS,
                reason=Reason.API,
                asked_at=0,
                ticket_id=TicketId(ticket),
            )
            customer = Customer(id=CustomerId(f"customer-{n}"))
            before = Conversation(
                id=ConversationId(f"conversation-{n}"),
                organisation=organisation,
                customer=customer,
                status=Status.OPEN,
                control=Control.PENDING,
                created_at=0,
                updated_at=0,
            )
            customers.save(tx, organisation, customer, 0)
            conversations.create(tx, before, request="benchmark")
            handoffs.save(tx, before, handoff)
            tx.everywhere().run("UPDATE conversation SET handoff = :h WHERE id = :c", h=handoff.id, c=before.id)
            for channel, kind, theirs in (("zendesk", "ticket", ticket), ("sunshine", "conversation", f"conv{ticket}")):
                links.tie(tx, organisation, handoff.id, channel=channel, kind=kind, theirs=theirs, ours=handoff.id)


class Requests:
    """Makes requests, each with an id of its own."""

    def __init__(self, product: Escalade, actor: str) -> None:
        self._numbers = itertools.count()
        self._actor = actor
        self._head = (
            "POST /ai-agent/escalation/webhooks/zendesk/all HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {product.keys['webhook_token']}\r\n"
            f"fv-organisation-id: {product.keys['organisation_id']}\r\n"
            "User-Agent: Zendesk Webhook\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: "
        )

    def __call__(self) -> bytes:
        n = next(self._numbers)
        body = BODY.format(n=f"{self._actor}-{n}", ticket=1000 + n % CONVERSATIONS, actor=self._actor, text=TEXT)
        named = f"X-Zendesk-Webhook-Invocation-Id: 01HANA2B{n}"
        return f"{self._head}{len(body)}\r\n{named}\r\n\r\n{body}".encode()


def company(engine: str, url: str) -> Escalade:
    """Make a product with an organisation and conversations on a database."""
    more = {"ESCALADE_DATABASE_URL": url, "ESCALADE_SECRET_KEY": "a-key-of-more-than-thirty-two-characters"}
    product = Escalade(Path(tempfile.mkdtemp(prefix=f"escalade-ingest-{engine}-")), **more)
    product.create_organisation()
    seed(product)
    return product


async def measure(seconds: float, rounds: int) -> None:
    """Run the rounds and print the table."""
    bare_port = free_port()
    checks_port = free_port()
    other = Escalade(Path(tempfile.mkdtemp(prefix="escalade-checks-")))
    other.create_organisation()
    kinds = {"customer's echo": "end_user", "agent's message": "agent"}
    results: dict[str, list[Round]] = {"bare echo": [], "checks only": []}
    results |= {f"{kind}, {engine}": [] for engine in ENGINES for kind in kinds}
    memory, acknowledged, rows = {}, {}, {}
    with ExitStack() as stack:
        products = {engine: company(engine, stack.enter_context(a_database(engine))) for engine in ENGINES}
        own_core(1)
        bare = stack.enter_context(server(["-m", "benchmarks.bare", str(bare_port), "echo"], bare_port, {}, "/"))
        checks = stack.enter_context(
            server(
                ["-m", "benchmarks.bare", str(checks_port), "checks"], checks_port, other.environment, "/api/v1/health"
            )
        )
        served = {
            engine: stack.enter_context(
                server(["-m", "escalade", "serve"], product.port, product.environment, "/api/v1/ready")
            )
            for engine, product in products.items()
        }
        checked = Requests(other, "end_user")
        asked = {
            (engine, kind): Requests(product, actor)
            for engine, product in products.items()
            for kind, actor in kinds.items()
        }
        for _ in range(rounds):
            results["bare echo"].append(await press(bare_port, checked, bare, seconds=seconds))
            results["checks only"].append(await press(checks_port, checked, checks, seconds=seconds))
            for (engine, kind), requests in asked.items():
                pressed = await press(products[engine].port, requests, served[engine], seconds=seconds)
                results[f"{kind}, {engine}"].append(pressed)
        for engine, product in products.items():
            memory[engine] = megabytes(served[engine])
            acknowledged[engine] = sum(
                one.statuses.get(200, 0) for kind in kinds for one in results[f"{kind}, {engine}"]
            )
            with commands(product.environment["ESCALADE_DATABASE_URL"]) as opened, transaction(opened) as tx:
                rows[engine] = tx.everywhere().value("SELECT count(*) FROM receipt")
    alone = statistics.median(one.rate for one in results["checks only"])
    base = statistics.median(one.rate for one in results["bare echo"])
    print(f"{'':26} {'requests/s':>11} {'of bare':>8} {'of checks':>10} {'server CPU µs':>14}   answers")
    for name, found in results.items():
        rate = statistics.median(one.rate for one in found)
        cpu = statistics.median(one.server_cpu_us for one in found)
        statuses: dict[int, int] = {}
        for one in found:
            for status, count in one.statuses.items():
                statuses[status] = statuses.get(status, 0) + count
        print(f"{name:26} {rate:11.0f} {rate / base:8.2f} {rate / alone:10.2f} {cpu:14.0f}   {statuses}")
    for engine in ENGINES:
        print(
            f"{engine}: {acknowledged[engine]} acknowledged, {rows[engine]} receipts in the database;"
            f" {memory[engine]:.0f} MiB resident"
        )
    print("aim: an acknowledged webhook at 0.40 of the bare echo or better")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    asyncio.run(measure(chosen.seconds, chosen.rounds))
