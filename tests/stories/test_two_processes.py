"""The same stories on PostgreSQL, with one process that answers and another that sends, and with two that do both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import a_database
from tests.stories.talk import same_transcript, start_live
from tests.stories.test_faults import (  # noqa: F401 - run here once more
    test_a_message_that_arrived_although_its_answer_was_lost_is_there_once,
    test_a_message_that_was_lost_before_it_arrived_is_sent_again,
    test_a_ticket_whose_answer_was_lost_is_opened_once,
    test_webhooks_delivered_five_times_change_nothing,
    test_webhooks_out_of_order_change_nothing,
    test_webhooks_that_never_come_are_read_from_the_list,
)
from tests.stories.test_live_chat import (  # noqa: F401
    test_end_session_closes_the_chat_and_leaves_the_ticket_open,
    test_internal_notes_never_reach_the_customer,
    test_the_agent_gets_the_context_first_and_then_the_words_in_order,
    test_the_agents_reply_appears_in_the_chat_with_the_agents_name,
    test_the_customer_can_go_back_to_the_assistant,
)
from tests.world import Program, World, free_port

pytestmark = pytest.mark.processes

KEY = "a-key-of-more-than-thirty-two-characters"
QUIET = ("lane_stumbled", "attempt_broke", "look_failed", "upkeep_stumbled", "Traceback")


def another(world: World, folder: Path, role: str) -> Program:
    """Make a second process on the world's database."""
    port = free_port()
    environment = world.product.environment | {"ESCALADE_PORT": str(port)}
    if "ESCALADE_HISTORY" in environment:
        environment["ESCALADE_HISTORY"] = str(folder / f"{role}.jsonl")
    return Program(
        ["-m", "escalade", "serve", "--role", role],
        environment,
        folder / f"{role}.log",
        f"http://127.0.0.1:{port}/api/v1/ready",
    )


@pytest.fixture(scope="module")
def live_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A company whose customers talk to one process, while another sends."""
    folder = tmp_path_factory.mktemp("live")
    with a_database("postgres") as url:
        world = World(folder, ESCALADE_DATABASE_URL=url, ESCALADE_SECRET_KEY=KEY)
        world.product.program._arguments += ["--role", "web"]
        courier = another(world, folder, "courier")
        try:
            world.start()
            courier.start()
            world.connect(live=True, require_online_agent=False)
            yield world
            for program in (world.product.program, courier):
                assert [word for word in QUIET if word in program.log()] == [], program.tail()
        finally:
            courier.stop()
            world.close()


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_where_one_sender_ends_the_other_goes_on(tmp_path: Path, how: str) -> None:
    """Two processes that do everything: whichever owned the conversation, nothing is lost, repeated or overtaken."""
    with a_database("postgres") as url:
        world = World(tmp_path, ESCALADE_DATABASE_URL=url, ESCALADE_SECRET_KEY=KEY)
        other = another(world, tmp_path, "all")
        try:
            world.start()
            other.start()
            world.connect(live=True, require_online_agent=False)
            customer, ticket = start_live(world)
            lines = [f"line {n}" for n in range(12)]
            for n, line in enumerate(lines):
                customer.says(line)
                if n == 5:
                    other.kill() if how == "killed" else other.stop()
            world.zendesk.agent("reply", ticket=ticket, body="I have read all of it.")
            expected = ["My tent arrived torn", *lines]
            same_transcript(world, customer, ticket, customers=expected, agents=["I have read all of it."])
        finally:
            other.stop()
            world.close()
