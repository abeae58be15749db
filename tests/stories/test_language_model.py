"""The served product answers with a language model: its answer grows, and its trouble is a person's matter."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.knowledge import ARTICLE
from tests.provider import KEY, Provider, Wants, provider
from tests.world import Customer, World, a_world, eventually

pytestmark = pytest.mark.processes

FIRST = "You can cancel an order yourself while it is new. [1]"
SECOND = "The money is back after three to five working days. [1]"


@pytest.fixture(scope="module")
def model() -> Iterator[Provider]:
    with provider() as found:
        yield found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, model: Provider) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "articles").mkdir()
    (folder / "articles" / "cancel.md").write_text(ARTICLE)
    environment = {
        "ESCALADE_MODEL": "openai:a-model",
        "ESCALADE_MODEL_URL": f"{model.url}/v1",
        "ESCALADE_MODEL_KEY": KEY,
        "ESCALADE_MODEL_WAIT_S": "20",
    }
    with a_world(folder, **environment) as found:
        found.connect()
        organisation = found.product.keys["organisation_id"]
        found.product.command("knowledge", "add", str(folder / "articles"), "--org", organisation)
        found.product.api("PATCH", "/settings", assistant={"minimum_confidence": 0, "prompt": "Be brief."})
        yield found


def follow(world: World, customer: Customer, events: list[tuple[str, Any]]) -> None:
    """Read a conversation's stream into a list until its answer is there."""
    with world.product.http.stream(
        "GET", f"/api/v1/conversations/{customer.id}/events", headers=world.product.key
    ) as stream:
        kind = ""
        for line in stream.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                events.append((kind, json.loads(line.removeprefix("data: "))))
                if kind == "message" and events[-1][1]["author"]["role"] == "assistant":
                    return


def test_an_answer_grows_in_the_stream_and_is_kept_once(world: World, model: Provider) -> None:
    model.lines.clear()
    goes_on = threading.Event()
    model.says(f"{FIRST} {SECOND}", holds=goes_on)
    customer = world.customer()
    events: list[tuple[str, Any]] = []
    reader = threading.Thread(target=follow, args=(world, customer, events))
    reader.start()
    eventually(lambda: events, "the stream has begun")
    customer.says("How do I cancel my order?")
    eventually(lambda: any(kind == "draft" for kind, _ in events), "the first sentence is shown")
    goes_on.set()
    reader.join(30)
    kinds = [kind for kind, _ in events]
    drafts = [data for kind, data in events if kind == "draft"]
    assert drafts[0]["text"].startswith(FIRST)
    assert kinds.index("draft") < len(kinds) - 1
    said = events[-1][1]
    assert (said["text"], said["id"]) == (f"{FIRST} {SECOND}", drafts[0]["id"])
    assert said["citations"] == drafts[-1]["citations"]
    assert customer.transcript("assistant") == [said["text"]]
    assert model.keys[-1] == KEY
    assert "Be brief." in json.dumps(model.asked[-1])


def test_a_models_call_for_a_person_opens_one_ticket_by_the_settings(world: World, model: Provider) -> None:
    world.product.api("PATCH", "/settings", tickets={"tags": ["chat"], "priority": "low"})
    model.lines.clear()
    summary = {"reason": "no_answer", "summary": "Refund approved", "tags": ["vip"], "priority": "urgent"}
    model.says("I am connecting you.", Wants("escalate", json.dumps(summary)), "Good bye.")
    before = len(world.zendesk.tickets())
    customer = world.customer(name="Noor", email="noor@example.com")
    customer.says("Can an order be cancelled in a storm?")
    customer.wait_until(state="asynchronous")
    (ticket,) = world.zendesk.tickets()[before:]
    assert (ticket["tags"], ticket["priority"]) == (["chat"], "low")
    assert customer.transcript("assistant") == []
    assert "Refund approved" not in json.dumps(ticket)


def test_who_asks_for_a_person_is_summed_up_for_the_agent(world: World, model: Provider) -> None:
    model.lines.clear()
    model.says(FIRST)
    customer = world.customer(name="Noor", email="noor@example.com")
    customer.says("How do I cancel my order 4711?")
    eventually(lambda: customer.transcript("assistant"), "the answer is there")
    model.lines.clear()
    model.says("The customer asks: cancel my order 4711. The assistant answers: cancel an order while it is new.")
    customer.says("I want to talk to a person")
    customer.wait_until(state="asynchronous")

    def notes() -> list[str]:
        return [comment["body"] for comment in world.ticket_of(customer)["comments"] if not comment["public"]]

    assert "Summary by a language model: The customer asks: cancel my order 4711." in eventually(notes, "the note")[0]


def test_a_provider_that_does_not_let_us_in_is_a_persons_matter(world: World, model: Provider) -> None:
    model.lines.clear()
    model.says(status=401)
    customer = world.customer(name="Noor", email="noor@example.com")
    customer.says("How do I cancel my order?")
    customer.wait_until(state="asynchronous")
    handoff = world.product.api("GET", f"/conversations/{customer.id}")["handoff"]
    assert handoff["reason"] == "error"
    assert KEY not in world.product.program.log()
