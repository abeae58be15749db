"""Pain 16, "Files don't arrive": between real programs, both ways, live and by ticket, whatever breaks on the way."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests import pictures
from tests.stories.talk import start_live
from tests.world import Customer, World, a_world, eventually

pytestmark = pytest.mark.processes

POSTS = {"side": "api", "method": "POST", "path": r"/conversations/[^/]+/messages"}
UPLOADS = {"side": "api", "method": "POST", "path": r"/apps/[^/]+/attachments"}
FETCHES = {"side": "api", "method": "GET", "path": r"/attachments/"}
TENT, PAPER = ("torn tent.png", pictures.png(64, 48)), ("Rechnung März.pdf", pictures.pdf())


def at_desk(world: World, ticket: str) -> list[str]:
    """Say what the agent sees of the customer in the live chat: words, and files by name."""
    shown = []
    for entry in world.zendesk.ticket(ticket)["log"]:
        if entry["type"] == "Messaging::ConversationMessage" and entry["author"]["type"] == "user":
            content = entry["content"]
            shown.append(f"[{content['altText']}]" if content["type"] != "text" else content["text"])
    return shown


def comments(world: World, ticket: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.zendesk.support(f"/tickets/{ticket}/comments")["comments"]
    return found


def stored(world: World, url: str) -> bytes:
    """Fetch a file from Zendesk as its own people would."""
    seed = world.zendesk.seed
    return world.zendesk._http.get(url, auth=(seed["key_id"], seed["key_secret"])).content


def files(customer: Customer) -> list[dict[str, Any]]:
    """List the files in the customer's chat."""
    return [file for message in customer.page()["messages"] for file in message["attachments"]]


def downloaded(world: World, customer: Customer, file: dict[str, Any]) -> bytes:
    answer = world.product.http.get(
        f"/api/v1/conversations/{customer.id}/files/{file['id']}", headers=world.product.key
    )
    assert answer.status_code == 200, answer.text
    return answer.content


def wait_for_file(customer: Customer, name: str, state: str = "kept") -> dict[str, Any]:
    found = eventually(
        lambda: [file for file in files(customer) if file["name"] == name and file["state"] == state],
        f"{name} is {state}; it is {files(customer)}",
        40,
    )
    return found[0]


def agent_sends(world: World, ticket: str, name: str, content: bytes, kind: str = "image/png", body: str = "") -> None:
    data = base64.b64encode(content).decode()
    world.zendesk.agent("file", ticket=ticket, name=name, content_type=kind, data=data, body=body)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A company with live chat; its histories are judged at the end."""
    with a_world(tmp_path_factory.mktemp("files")) as world:
        world.connect(live=True, require_online_agent=False)
        yield world
        world.zendesk.heal()
        verdict = world.judge()
        assert verdict.holds, str(verdict)


@pytest.fixture
def world(company: World) -> Iterator[World]:
    company.zendesk.heal()
    yield company
    company.zendesk.heal()


# The customer's files


def test_16_files_dont_arrive(world: World) -> None:
    """A photograph and a paper reach the agent as files, not as bare addresses, and the agent's reach the customer."""
    customer, ticket = start_live(world)
    customer.wait_delivered(customer.sends(TENT, PAPER, text="Look at this"))
    assert at_desk(world, ticket)[1:] == ["Look at this", "[torn tent.png]", "[Rechnung März.pdf]"]
    shown = [e["content"] for e in world.zendesk.ticket(ticket)["log"] if e.get("content", {}).get("mediaUrl")]
    assert [content["type"] for content in shown] == ["image", "file"]
    assert pictures.opened(stored(world, shown[0]["mediaUrl"])).size == (64, 48)
    assert stored(world, shown[1]["mediaUrl"]) == PAPER[1]
    agent_sends(world, ticket, "repair plan.png", pictures.png(30, 20), body="This is how we mend it")
    customer.wait_for("agent", "This is how we mend it")
    plan = wait_for_file(customer, "repair plan.png")
    assert pictures.opened(downloaded(world, customer, plan)).size == (30, 20)


@pytest.mark.parametrize("rule", [UPLOADS, POSTS], ids=["upload", "message"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_file_whose_answer_was_lost_is_at_the_desk_once(world: World, rule: dict[str, Any], when: str) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(**rule, action="drop", when=when, times=1, skip=int(rule is POSTS))
    customer.sends(TENT, text="Look at this")
    customer.wait_delivered(customer.says("and what now?"))
    assert at_desk(world, ticket)[1:] == ["Look at this", "[torn tent.png]", "and what now?"]


@pytest.mark.parametrize("rule", [UPLOADS, POSTS], ids=["upload", "message"])
def test_a_process_killed_in_the_middle_of_a_file_shows_it_once(fresh_world: World, rule: dict[str, Any]) -> None:
    fresh_world.connect(live=True, require_online_agent=False)
    customer, ticket = start_live(fresh_world)
    fresh_world.zendesk.fault(**rule, action="delay", when="after", seconds=30, times=1, skip=int(rule is POSTS))
    customer.sends(TENT, text="Look at this")
    eventually(lambda: fresh_world.zendesk.get("/emulator/faults")["faults"][0]["acted"], "it hangs in the middle")
    fresh_world.product.program.kill()
    fresh_world.product.program.start()
    customer.wait_delivered(customer.says("and what now?"))
    assert at_desk(fresh_world, ticket)[1:] == ["Look at this", "[torn tent.png]", "and what now?"]


def test_a_file_zendesk_refuses_holds_nothing_back_and_both_sides_are_told(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(**UPLOADS, action="answer", status=400, body={"errors": [{"title": "No such type"}]}, times=1)
    customer.wait_delivered(customer.sends(TENT, PAPER, text="Look at this"))
    line = "[The customer sent a file, torn tent.png, that could not be delivered here.]"
    assert at_desk(world, ticket)[1:] == ["Look at this", line, "[Rechnung März.pdf]"]
    eventually(lambda: customer.notices()[-1] == "file_not_delivered", "the customer is told")
    assert "torn tent.png" in customer.transcript("system")[-1]


def test_what_was_sent_to_the_assistant_reaches_the_person(world: World) -> None:
    customer = world.customer()
    customer.sends(TENT)
    customer.wait_for("assistant", "I cannot look into files")
    customer.says("Let me talk to a human please")
    customer.wait_until(state="queued")
    ticket = world.ticket_of(customer)
    chat = [e["content"] for e in ticket["log"] if e["type"] == "Messaging::ConversationMessage"]
    assert "[file: torn tent.png]" in chat[0]["text"]
    assert (chat[1]["type"], chat[1]["altText"]) == ("image", "torn tent.png")


def test_on_a_ticket_files_are_on_the_note_and_on_the_comment(fresh_world: World) -> None:
    fresh_world.connect()
    customer = fresh_world.customer()
    customer.sends(TENT, text="My tent arrived torn")
    customer.escalate()
    customer.wait_until(state="asynchronous")
    fresh_world.zendesk.fault(side="api", method="POST", path="/uploads", action="drop", when="after", times=1)
    fresh_world.zendesk.fault(side="api", method="PUT", path="/tickets/", action="drop", when="after", times=1)
    customer.wait_delivered(customer.sends(PAPER, text="And the invoice"))
    ticket = str(fresh_world.ticket_of(customer)["id"])
    shown = [
        (comment["public"], [file["file_name"] for file in comment["attachments"]])
        for comment in comments(fresh_world, ticket)
    ]
    assert shown == [(True, []), (False, ["torn tent.png"]), (True, ["Rechnung März.pdf"])]


# The agents' files


def test_a_file_that_stalls_keeps_no_word_waiting(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(**FETCHES, action="zombie", hold=6, seconds=0, times=1)
    world.zendesk.fault(**FETCHES, action="answer", status=503, headers={"Retry-After": "1"})
    agent_sends(world, ticket, "plan.png", pictures.png(), body="Here it is")
    customer.wait_for("agent", "Here it is")
    world.zendesk.agent("reply", ticket=ticket, body="Do you see it?")
    customer.wait_for("agent", "Do you see it?")
    assert [file["state"] for file in files(customer)] == ["awaited"]
    world.zendesk.heal()
    wait_for_file(customer, "plan.png")


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "answer", "status": 404, "body": {}},
        {"action": "answer", "status": 200, "size": 21 * 1024 * 1024},
        {"action": "redirect", "status": 302, "location": "https://files.example/plan.png"},
    ],
    ids=["gone", "far too large", "sent elsewhere"],
)
def test_a_file_that_cannot_be_had_is_said_to_be_lost_and_can_be_asked_for_again(
    world: World, fault: dict[str, Any]
) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(**FETCHES, **fault, times=1)
    agent_sends(world, ticket, "plan.png", pictures.png(), body="Here it is")
    customer.wait_for("agent", "Here it is")
    lost = wait_for_file(customer, "plan.png", "lost")
    world.product.api("GET", f"/conversations/{customer.id}/files/{lost['id']}", expect=409)
    world.product.api("POST", f"/conversations/{customer.id}/files/{lost['id']}/fetch")
    wait_for_file(customer, "plan.png")


@pytest.mark.parametrize(
    "fault", [{"action": "truncate"}, {"action": "drop", "when": "before"}], ids=["cut", "dropped"]
)
def test_a_file_that_breaks_off_is_fetched_again_by_itself(world: World, fault: dict[str, Any]) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(**FETCHES, **fault, times=2)
    agent_sends(world, ticket, "plan.png", pictures.png(30, 20))
    plan = wait_for_file(customer, "plan.png")
    assert pictures.opened(downloaded(world, customer, plan)).size == (30, 20)


def test_a_process_killed_while_it_fetches_fetches_again(fresh_world: World) -> None:
    fresh_world.connect(live=True, require_online_agent=False)
    customer, ticket = start_live(fresh_world)
    fresh_world.zendesk.fault(**FETCHES, action="delay", when="before", seconds=30, times=1)
    agent_sends(fresh_world, ticket, "plan.png", pictures.png(30, 20), body="Here it is")
    customer.wait_for("agent", "Here it is")
    fresh_world.product.program.kill()
    fresh_world.product.program.start()
    wait_for_file(customer, "plan.png")
    assert customer.transcript("agent") == ["Here it is"]
    assert len(files(customer)) == 1


def test_files_on_comments_arrive_and_one_with_something_in_it_does_not(fresh_world: World) -> None:
    fresh_world.connect()
    customer = fresh_world.customer()
    customer.says("My tent arrived torn")
    customer.escalate()
    customer.wait_until(state="asynchronous")
    ticket = str(fresh_world.ticket_of(customer)["id"])
    sent = [
        {"name": "plan.pdf", "content_type": "application/pdf", "data": base64.b64encode(pictures.pdf()).decode()},
        {
            "name": "invoice.exe",
            "content_type": "a/b",
            "data": base64.b64encode(pictures.EICAR).decode(),
            "malware": True,
        },
    ]
    fresh_world.zendesk.agent("comment", ticket=ticket, body="Please read this", files=sent)
    customer.wait_for("agent", "Please read this")
    assert downloaded(fresh_world, customer, wait_for_file(customer, "plan.pdf")) == pictures.pdf()
    flagged = wait_for_file(customer, "invoice.exe", "flagged")
    refused = fresh_world.product.api("GET", f"/conversations/{customer.id}/files/{flagged['id']}", expect=409)
    assert refused["code"] == "file_flagged"
