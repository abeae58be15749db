"""A change of settings is checked whole, kept whole, and never shows a secret again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from escalade.channels.base import Account
from escalade.domain.errors import Invalid, NotFound, Refused
from escalade.domain.model import OrganisationId
from escalade.domain.organisation import Settings
from escalade.services.accounts import LIVE_SECRET, SIGNING_SECRETS, ZENDESK_SECRET
from escalade.store import organisations
from tests.backstage import ORGANISATION, OTHER, Backstage, backstage

CREDENTIALS = {"app_id": "app", "key_id": "key", "secret": "a-live-secret-wxyz"}


@pytest_asyncio.fixture
async def bare(database_url: str) -> AsyncIterator[Backstage]:
    """Every service, with nothing connected, on a developer's machine."""
    async with backstage(database_url, settings=Settings(), development=True) as found:
        yield found


async def change(stage: Backstage, patch: Mapping[str, Any]) -> dict[str, Any]:
    return await stage.tuning.change(ORGANISATION, patch, "api")


async def refused(stage: Backstage, patch: Mapping[str, Any]) -> Invalid:
    before = await stage.tuning.read(ORGANISATION)
    with pytest.raises(Invalid) as error:
        await change(stage, patch)
    assert await stage.tuning.read(ORGANISATION) == before
    return error.value


async def account(stage: Backstage) -> Account:
    found = await stage.read(lambda tx: organisations.load(tx, ORGANISATION))
    assert found is not None
    return await stage.read(lambda tx: stage.accounts.account(tx, found))


async def secrets(stage: Backstage) -> dict[str, str]:
    return await stage.read(lambda tx: stage.accounts.secrets(tx, ORGANISATION))


async def test_the_tree_is_the_documented_one_with_its_defaults(bare: Backstage) -> None:
    tree = json.loads(json.dumps(await bare.tuning.read(ORGANISATION)))
    assert tree["tickets"] == {
        "assignee_id": None,
        "group_id": None,
        "tags": ["FullviewAI"],
        "form_id": None,
        "brand_id": None,
        "priority": None,
        "custom_fields": {},
    }
    assert tree["zendesk"]["auth"]["client_secret"] == {"set": False}
    assert (tree["live"]["enabled"], tree["live"]["answer_within_s"], tree["live"]["secret"]) == (
        False,
        180,
        {"set": False},
    )
    assert tree["webhooks"] == {"signing_secrets": []}
    assert tree["assistant"]["minimum_confidence"] == 90
    assert tree["rollout"] == {"mode": "everyone", "percent": 100, "emails": []}


async def test_a_patch_changes_what_it_names_and_nothing_else(bare: Backstage) -> None:
    before = await bare.tuning.read(ORGANISATION)
    after = await change(bare, {"tickets": {"priority": "high"}, "assistant": {"prompt": "Be kind."}})
    assert after["tickets"] == before["tickets"] | {"priority": "high"}
    assert after["assistant"] == before["assistant"] | {"prompt": "Be kind."}
    assert {key: after[key] for key in ("zendesk", "live", "webhooks", "rollout")} == {
        key: before[key] for key in ("zendesk", "live", "webhooks", "rollout")
    }
    assert await bare.tuning.read(ORGANISATION) == after
    assert await bare.tuning.read(OTHER) == before


async def test_ids_are_taken_as_numbers_or_digits_and_given_as_numbers(bare: Backstage) -> None:
    after = await change(bare, {"tickets": {"group_id": "9007199254740993", "form_id": 7}})
    assert (after["tickets"]["group_id"], after["tickets"]["form_id"]) == (9007199254740993, 7)


async def test_free_fields_are_replaced_as_a_whole(bare: Backstage) -> None:
    await change(bare, {"tickets": {"custom_fields": {"7": "a", "8": True}}})
    after = await change(bare, {"tickets": {"custom_fields": {"9": 1.5}}})
    assert after["tickets"]["custom_fields"] == {"9": 1.5}


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"moon": {}}, "/moon"),
        ({"tickets": {"colour": "red"}}, "/tickets/colour"),
        ({"zendesk": {"auth": {"password": "x"}}}, "/zendesk/auth/password"),
        ({"tickets": None}, "/tickets"),
        ({"tickets": []}, "/tickets"),
        ({"tickets": {"priority": "asap"}}, "/tickets/priority"),
        ({"tickets": {"group_id": "twelve"}}, "/tickets/group_id"),
        ({"tickets": {"tags": "one"}}, "/tickets/tags"),
        ({"assistant": {"minimum_confidence": 101}}, "/assistant/minimum_confidence"),
        ({"assistant": {"minimum_confidence": -1}}, "/assistant/minimum_confidence"),
        ({"rollout": {"percent": 101}}, "/rollout/percent"),
        ({"rollout": {"mode": "some"}}, "/rollout/mode"),
        ({"live": {"answer_within_s": 9}}, "/live/answer_within_s"),
        ({"live": {"answer_within_s": "soon"}}, "/live/answer_within_s"),
        ({"live": {"on_session_inactive": "maybe"}}, "/live/on_session_inactive"),
        ({"live": {"enabled": True}}, "/live/enabled"),
        ({"zendesk": {"auth": {"type": "password"}}}, "/zendesk/auth/type"),
        ({"zendesk": {"auth": {"client_secret": 7}}}, "/zendesk/auth/client_secret"),
        ({"webhooks": {"signing_secrets": "x"}}, "/webhooks/signing_secrets"),
        ({"webhooks": {"signing_secrets": ["with space"]}}, "/webhooks/signing_secrets"),
        ({"webhooks": {"signing_secrets": [""]}}, "/webhooks/signing_secrets"),
        ({"webhooks": {"signing_secrets": ["a"] * 5}}, "/webhooks/signing_secrets"),
        ({"webhooks": {"other": 1}}, "/webhooks"),
        ({"widget": {"allowed_origins": ["https://a.example; script-src *"]}}, "/widget/allowed_origins"),
        ({"widget": {"allowed_origins": ["https://a.example/"]}}, "/widget/allowed_origins"),
        ({"widget": {"allowed_origins": ["https://a.example\nx"]}}, "/widget/allowed_origins"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_kept(bare: Backstage, patch: dict[str, Any], pointer: str) -> None:
    error = await refused(bare, {"assistant": {"prompt": "kept?"}} | patch if "assistant" not in patch else patch)
    assert error.pointer.startswith(pointer)


@pytest.mark.parametrize(
    "subdomain",
    [
        "acme.evil.com", "acme/", "acme#", "acme@evil", "acme:8443", "acme%2eevil", "-acme", "a" * 64, "acme\n", "аcme",
        "zendes\u212a", "127.0.0.1", "acme.",
    ],
)  # fmt: skip
async def test_s01_a_subdomain_is_one_label(bare: Backstage, subdomain: str) -> None:
    assert (await refused(bare, {"zendesk": {"subdomain": subdomain}})).pointer == "/zendesk/subdomain"


@pytest.mark.parametrize("subdomain", ["acme", "a", "a-1", "xn--acme", "a" * 63, "ACME"])
async def test_s01_a_good_subdomain_leads_to_zendesk_and_nowhere_else(bare: Backstage, subdomain: str) -> None:
    await change(bare, {"zendesk": {"subdomain": subdomain}})
    zendesk = (await account(bare)).zendesk
    assert zendesk is not None
    assert zendesk.base_url == f"https://{subdomain.lower()}.zendesk.com"


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("http://127.0.0.1:8701", True),
        ("http://localhost:8701/", True),
        ("https://staging.example", True),
        ("http://staging.example", False),
        ("http://169.254.169.254", False),
        ("ftp://127.0.0.1", False),
        ("http://user:pw@127.0.0.1", False),
        ("http://127.0.0.1?x=1", False),
        ("127.0.0.1:8701", False),
        ("", False),
    ],
)
async def test_another_address_is_for_this_machine_or_encrypted(bare: Backstage, url: str, good: bool) -> None:
    patch = {"zendesk": {"base_url": url}}
    if good:
        assert (await change(bare, patch))["zendesk"]["base_url"] == url
    else:
        assert (await refused(bare, patch)).pointer == "/zendesk/base_url"


async def test_in_production_addresses_are_built_from_the_subdomain_alone(stage: Backstage) -> None:
    assert (await refused(stage, {"zendesk": {"base_url": "https://evil.example"}})).pointer == "/zendesk/base_url"
    assert (await refused(stage, {"live": {"base_url": "https://evil.example"}})).pointer == "/live/base_url"


# Secrets


async def test_a_secret_reads_back_as_set_and_its_last_four(bare: Backstage) -> None:
    after = await change(bare, {"zendesk": {"subdomain": "acme", "auth": {"client_secret": "correct-horse-wxyz"}}})
    assert after["zendesk"]["auth"]["client_secret"] == {"set": True, "last4": "wxyz"}
    assert "horse" not in str(await bare.tuning.read(ORGANISATION))
    assert (await secrets(bare))[ZENDESK_SECRET] == "correct-horse-wxyz"
    stored = await bare.read(lambda tx: organisations.secrets(tx, ORGANISATION))
    assert "horse" not in stored[ZENDESK_SECRET].sealed
    audit = await bare.read(lambda tx: tx.everywhere().all("SELECT * FROM audit"))
    assert "horse" not in str([tuple(row) for row in audit])
    assert [(row["who"], row["what"]) for row in audit] == [("api", "settings.changed")]


async def test_what_was_read_can_be_sent_back_and_changes_nothing(bare: Backstage) -> None:
    await change(bare, {"zendesk": {"subdomain": "acme", "auth": {"client_secret": "correct-horse-wxyz"}}})
    await change(bare, {"live": CREDENTIALS, "webhooks": {"signing_secrets": ["first-1111", "second-2222"]}})
    read, kept = await bare.tuning.read(ORGANISATION), await secrets(bare)
    assert await change(bare, read) == read
    assert await secrets(bare) == kept


async def test_a_secret_is_forgotten_by_null_or_nothing(bare: Backstage) -> None:
    for nothing in (None, ""):
        await change(bare, {"live": CREDENTIALS})
        assert (await secrets(bare))[LIVE_SECRET] == CREDENTIALS["secret"]
        after = await change(bare, {"live": {"secret": nothing}})
        assert after["live"]["secret"] == {"set": False}
        assert LIVE_SECRET not in await secrets(bare)


async def test_several_signing_secrets_are_each_shown_by_their_last_four(bare: Backstage) -> None:
    after = await change(bare, {"webhooks": {"signing_secrets": ["first-1111", "second-2222"]}})
    assert after["webhooks"]["signing_secrets"] == [{"set": True, "last4": "1111"}, {"set": True, "last4": "2222"}]
    assert (await secrets(bare))[SIGNING_SECRETS].split() == ["first-1111", "second-2222"]
    assert (await change(bare, {"webhooks": {"signing_secrets": []}}))["webhooks"]["signing_secrets"] == []


async def test_one_organisations_secrets_are_not_anothers(bare: Backstage) -> None:
    await change(bare, {"live": CREDENTIALS})
    assert (await bare.tuning.read(OTHER))["live"]["secret"] == {"set": False}

    def copied(tx: Any) -> None:
        tx.everywhere().run("UPDATE secret SET organisation = :other", other=OTHER)

    await bare.write(copied)
    assert await bare.read(lambda tx: bare.accounts.secrets(tx, OTHER)) == {}
    assert await bare.read(lambda tx: bare.accounts.unreadable(tx, OTHER)) == ("live.secret",)


# Live


async def test_live_is_turned_on_only_after_zendesk_accepted_the_credentials(bare: Backstage) -> None:
    await change(bare, {"zendesk": {"subdomain": "acme"}})
    assert (await refused(bare, {"live": {"enabled": True}})).pointer == "/live/enabled"
    bare.sunshine.always = Refused("wrong key", status=401, answer='{"title":"Unauthorized"}')
    error = await refused(bare, {"live": {"enabled": True} | CREDENTIALS})
    assert error.pointer == "/live"
    assert "Unauthorized" in error.detail
    bare.sunshine.always = None
    after = await change(bare, {"live": {"enabled": True} | CREDENTIALS})
    assert after["live"]["enabled"] is True
    checked = bare.checked[-1].sunshine
    assert checked is not None
    assert (checked.secret, checked.base_url) == (CREDENTIALS["secret"], "https://acme.zendesk.com/sc")


async def test_credentials_are_not_asked_about_again_for_a_change_elsewhere(bare: Backstage) -> None:
    await change(bare, {"zendesk": {"subdomain": "acme"}, "live": {"enabled": True} | CREDENTIALS})
    checks = len(bare.checked)
    bare.sunshine.always = Refused("down")
    await change(bare, {"tickets": {"priority": "low"}})
    assert len(bare.checked) == checks


async def test_another_account_may_speak_after_the_connection_changed(bare: Backstage) -> None:
    await bare.write(lambda tx: organisations.learn_account(tx, ORGANISATION, "123"))
    await change(bare, {"tickets": {"priority": "low"}})
    found = await bare.read(lambda tx: organisations.load(tx, ORGANISATION))
    assert found is not None
    assert found.zendesk_account_id == "123"
    await change(bare, {"zendesk": {"subdomain": "other"}})
    found = await bare.read(lambda tx: organisations.load(tx, ORGANISATION))
    assert found is not None
    assert found.zendesk_account_id is None


async def test_changes_made_at_the_same_time_are_both_kept(bare: Backstage) -> None:
    await asyncio.gather(
        change(bare, {"tickets": {"priority": "low"}}),
        change(bare, {"tickets": {"group_id": 7}}),
        change(bare, {"assistant": {"prompt": "Be kind."}}),
    )
    tree = await bare.tuning.read(ORGANISATION)
    assert (tree["tickets"]["priority"], tree["tickets"]["group_id"], tree["assistant"]["prompt"]) == (
        "low",
        7,
        "Be kind.",
    )


async def test_the_settings_of_nobody_are_not_found(bare: Backstage) -> None:
    with pytest.raises(NotFound):
        await bare.tuning.read(OrganisationId("org_of_nobody"))
    with pytest.raises(NotFound):
        await bare.tuning.change(OrganisationId("org_of_nobody"), {}, "api")
