"""The page beside a ticket: who is let in, what is shown, and nothing of anybody else's."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from escalade.domain.model import Citation, ConversationId, MessageId, Role, SummaryBy, Utterance
from escalade.domain.organisation import SidebarSettings
from escalade.store import conversations, handoffs, messages, operators, organisations
from escalade.store.database import Tx
from escalade.web.sidebar.passes import LASTS_S
from tests import signed
from tests.backstage import NOON, ORGANISATION
from tests.web.counter import OTHER, Answer, Counter, counter

PAGE = "/zendesk/app/org_1"
FORM = ("content-type", "application/x-www-form-urlencoded")
COOKIE = "__Secure-escalade-sidebar"


@pytest.fixture
async def front(database_url: str, tmp_path: Path) -> AsyncIterator[Counter]:
    async with counter(tmp_path, url=database_url) as found:

        def installed(tx: Tx) -> None:
            for id, number, key in (
                (ORGANISATION, signed.INSTALLATION, "ours"),
                (OTHER, signed.OTHER_INSTALLATION, "theirs"),
            ):
                known = organisations.load(tx, id)
                assert known is not None
                chosen = SidebarSettings(installation_id=number, public_key=signed.public(key))
                organisations.save_settings(tx, id, replace(known.settings, sidebar=chosen))

        await found.write(installed)
        yield found


async def opened(front: Counter, token: str, path: str = PAGE, *lines: tuple[str, str]) -> Answer:
    front.move()
    return await front.send("POST", path, [FORM, *lines], urlencode({"token": token}).encode())


async def a_pass(front: Counter) -> str:
    answer = await opened(front, signed.token(now=NOON / 1000))
    assert answer.status == 200, answer.body
    found = re.match(rf"{COOKIE}=([^;]+); Path=/zendesk/app/org_1; ", answer.headers["set-cookie"])
    assert found is not None
    return found[1]


async def ticket(
    front: Counter, number: str, sealed: str, organisation: str = "org_1", *lines: tuple[str, str]
) -> Answer:
    front.move()
    path = f"/zendesk/app/{organisation}/tickets/{number}"
    return await front.send("GET", path, [("cookie", f"{COOKIE}={sealed}"), *lines])


def text(answer: Answer) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", answer.body.decode()))


# Z01: who is let in


async def test_a_signed_request_gets_a_page_and_a_pass_no_script_can_read(front: Counter) -> None:
    answer = await opened(front, signed.token(now=NOON / 1000))
    assert answer.status == 200
    line = answer.headers["set-cookie"]
    assert line.endswith(f"Path=/zendesk/app/org_1; Max-Age={LASTS_S}; HttpOnly; Secure; SameSite=None; Partitioned")
    assert "eyJ" not in answer.body.decode(), "the token is not handed back"
    assert line.split("=", 1)[1].split(";")[0] not in answer.body.decode(), "nor is the pass"


async def test_z01_a_wrong_token_opens_nothing_whatever_is_wrong(front: Counter) -> None:
    for name, wrong in signed.wrong(NOON / 1000).items():
        answer = await opened(front, wrong)
        assert (answer.status, answer.problem) == (401, "unauthorized"), name
        assert "set-cookie" not in answer.headers, name
        assert answer.body == (await opened(front, "")).body, "every way of being wrong looks alike"


async def test_z01_an_installation_opens_its_own_organisation_only(front: Counter) -> None:
    theirs = signed.token(
        "theirs", NOON / 1000, aud=f"https://{signed.HOST}/api/v2/apps/installations/{signed.OTHER_INSTALLATION}.json"
    )
    assert (await opened(front, theirs, "/zendesk/app/org_2")).status == 200
    assert (await opened(front, theirs)).status == 401
    assert (await opened(front, signed.token(now=NOON / 1000), "/zendesk/app/org_2")).status == 401
    assert (await opened(front, signed.token(now=NOON / 1000), "/zendesk/app/org_none")).status == 401


async def test_z02_another_account_that_frames_it_is_refused_although_the_token_is_good(front: Counter) -> None:
    good = signed.token(now=NOON / 1000)
    assert (await opened(front, good, f"{PAGE}?origin=https%3A%2F%2Facme.zendesk.com&app_guid=x")).status == 200
    assert (await opened(front, good, f"{PAGE}?origin=https%3A%2F%2Fevil.zendesk.com&app_guid=x")).status == 401


async def test_an_organisation_without_the_app_lets_nobody_in(front: Counter) -> None:
    await front.api("PATCH", "/settings", {"sidebar": {"installation_id": None}})
    assert (await opened(front, signed.token(now=NOON / 1000))).status == 401


async def test_a_pass_is_one_organisations_and_ends(front: Counter) -> None:
    sealed = await a_pass(front)
    assert (await ticket(front, "1", sealed)).status == 404
    assert (await ticket(front, "1", sealed, "org_2")).status == 401
    assert (await ticket(front, "1", sealed[:-4] + "AAAA")).status == 401
    assert (await ticket(front, "1", "")).status == 401
    front.clock.passes(LASTS_S + 1)
    assert (await ticket(front, "1", sealed)).status == 401


async def test_an_agent_is_told_in_a_sentence(front: Counter) -> None:
    answer = await opened(front, "", PAGE, ("accept", "text/html,*/*"))
    assert answer.status == 401
    assert "Reload the ticket" in text(answer)
    assert answer.headers["content-type"].startswith("text/html")


# Z03: nothing of anybody else's


async def test_z03_a_ticket_of_another_account_is_as_little_there_as_none(front: Counter) -> None:
    await front.handed_over("theirs", ticket="90210", organisation=OTHER)
    sealed = await a_pass(front)
    found = await ticket(front, "90210", sealed)
    assert (found.status, found.problem) == (404, "not-found")
    for number in ("90211", "0", "-1", "1e3", "90210%00", "%D9%A1", "9" * 19, "org_2", "..", "'%20OR%20'1'='1"):
        answer = await ticket(front, number, sealed)
        assert answer.status == 404, number
        if answer.headers["content-type"].startswith("application/problem"):
            assert answer.body == found.body, number


# what is shown


async def told(front: Counter) -> Answer:
    """Hand a conversation over after a talk with the assistant, and look at it beside its ticket."""
    desk = front.product.desk
    customer = {"id": "noor", "name": "Noor <b>", "email": "noor@example.com"}
    opening: dict[str, Any] = {"customer": customer, "context": {"order": "4711"}}
    await desk.open_conversation(ORGANISATION, id="c-1", **opening)
    await desk.say(ORGANISATION, ConversationId("c-1"), role=Role.CUSTOMER, text="How long <script>alert(1)</script>?")

    def answered(tx: Tx) -> None:
        current = conversations.load(tx, ORGANISATION, ConversationId("c-1"))
        assert current is not None
        sources = (
            Citation(n=1, title="Delivery times", url="https://help.example/1", source_id="a"),
            Citation(n=2, title="Costs", url="javascript:alert(1)", source_id="b"),
        )
        said = Utterance(role=Role.ASSISTANT, text="Three days [1], free [2]", citations=sources)
        messages.append(tx, current, said, MessageId("answer"), NOON, said_at=NOON)

    await front.write(answered)
    await front.handed_over("c-1", ticket="101", **opening)
    await desk.say(ORGANISATION, ConversationId("c-1"), role=Role.CUSTOMER, text="Anybody?")
    return await ticket(front, "101", await a_pass(front))


async def test_the_page_tells_what_was_said_and_how_each_message_stands(front: Counter) -> None:
    answer = await told(front)
    assert answer.status == 200
    shown = text(answer)
    before, since = shown.index("Before the handoff"), shown.index("Since then")
    assert (
        before
        < shown.index("How long <script>")
        < shown.index("Three days [1]")
        < shown.index("My stove", before)
        < since
    )
    assert since < shown.index("Anybody?")
    assert "On its way to Zendesk" in shown[since:]
    assert "Asked for through the API" in shown
    assert shown.index("Wants") < shown.index("My stove") < shown.index("Next step") < before
    assert "noor@example.com" in shown
    assert "4711" in shown
    page = answer.body.decode()
    assert 'href="https://help.example/1" target="_blank" rel="noopener noreferrer"' in page
    assert "javascript:" not in page
    assert "<script>alert" not in page
    assert 'href="https://support.example/console/conversations/c-1"' in page


async def test_a_summary_says_whose_it_is(front: Counter) -> None:
    await told(front)

    def summed_up(tx: Tx) -> None:
        current = conversations.load(tx, ORGANISATION, ConversationId("c-1"))
        assert current is not None
        assert current.handoff is not None
        summary = "The customer says: my stove."
        handoffs.save(tx, current, replace(current.handoff, summary=summary, summary_by=SummaryBy.MODEL))

    await front.write(summed_up)
    shown = " ".join(text(await ticket(front, "101", await a_pass(front))).split())
    assert "Summary by a language model: The customer says: my stove." in shown


async def test_z02_the_page_is_framed_by_its_own_zendesk_alone(front: Counter) -> None:
    answer = await told(front)
    policy = answer.headers["content-security-policy"]
    assert policy.endswith("; frame-ancestors https://acme.zendesk.com")
    assert "default-src 'none'" in policy
    assert "form-action 'none'" in policy
    assert "x-frame-options" not in answer.headers, "older browsers would not frame it at all"


async def test_z04_nothing_secret_is_in_page_address_or_cookie_and_no_referrer_goes_out(front: Counter) -> None:
    answer = await told(front)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    page = answer.body.decode()
    for secret in ("ek_1", "wt_1", "live-secret", "eyJ", "BEGIN", COOKIE):
        assert secret not in page
    assert not re.search(r"(?:src|href)=\"[^\"]*(?:token|key|pass)=", page)


async def test_an_erased_customers_ticket_shows_nothing(front: Counter) -> None:
    await told(front)
    await front.api("DELETE", "/customers/noor")
    assert (await ticket(front, "101", await a_pass(front))).status == 404


# settings


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    "pem",
    [
        "no key",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        _pem(rsa.generate_private_key(65537, 1024)),
        signed.key().as_pem(private=True).decode(),
        _pem(ec.generate_private_key(ec.SECP256R1())),
        signed.public() + "x" * 9000,
    ],
    ids=["words", "empty", "short", "private", "another kind", "long"],
)
async def test_only_a_public_key_that_is_long_enough_is_taken(front: Counter, pem: str) -> None:
    answer = await front.api("PATCH", "/settings", {"sidebar": {"public_key": pem}})
    assert (answer.status, answer.pointer) == (422, "/sidebar/public_key")


async def test_the_settings_say_which_installation_and_key(front: Counter) -> None:
    chosen = {"installation_id": 7, "public_key": signed.public("another")}
    assert (await front.api("PATCH", "/settings", {"sidebar": chosen})).json["sidebar"] == chosen
    assert (await front.api("GET", "/settings")).json["sidebar"] == chosen


async def test_an_administrator_sets_it_up_in_the_console(front: Counter) -> None:
    def signed_in(tx: Tx) -> None:
        person = operators.Operator(id="op-1", organisation=ORGANISATION, email="olga@example.com", role="owner")
        operators.add(tx, person, NOON)
        operators.open_session(tx, "op-1", "session", "csrf", NOON, NOON + 10**12)

    await front.write(signed_in)
    cookie = ("cookie", "__Host-escalade=session")
    package = await front.send("GET", "/console/escalate/app/package.zip", [cookie])
    assert package.headers["content-type"] == "application/zip"
    assert package.body.startswith(b"PK")
    for key, status in ((signed.public("another"), 303), ("no key", 422), ("", 303)):
        form = {"csrf": "csrf", "installation_id": "7", "public_key": key}
        sent = urlencode(form).replace("%0A", "%0D%0A").encode()  # as browsers write line breaks
        answer = await front.send("POST", "/console/escalate/app", [cookie, FORM], sent)
        assert answer.status == status, key
        if status == 303:
            kept = (await front.api("GET", "/settings")).json["sidebar"]
            assert (kept["installation_id"], kept["public_key"].replace("\r\n", "\n")) == (7, key.strip())
    shown = (await front.send("GET", "/console/escalate/app", [cookie])).body.decode()
    assert "https://support.example/zendesk/app/org_1" in shown
