"""Zendesk's signed token for the page beside a ticket opens with one installation's key, and in no other way."""

from __future__ import annotations

import pytest

from escalade.channels.zendesk import app_token
from escalade.domain.errors import Unverified
from tests import signed

NOW = 1_790_000_000


def verify(token: str, now: float = NOW) -> str:
    return app_token.verify(
        token, public_key=signed.public(), subdomain="acme", installation_id=signed.INSTALLATION, now=int(now * 1000)
    )


def test_a_good_token_names_the_agent() -> None:
    assert verify(signed.token(now=NOW)) == "77"


@pytest.mark.parametrize(
    "aud",
    [
        f"https://{signed.HOST}/api/v2/apps/installations/{signed.INSTALLATION}",
        [f"https://{signed.HOST}/api/v2/apps/installations/{signed.INSTALLATION}.json"],
    ],
)
def test_the_audience_is_the_installation_however_it_is_written(aud: object) -> None:
    assert verify(signed.token(now=NOW, aud=aud)) == "77"


@pytest.mark.parametrize("name", signed.wrong(NOW))
def test_z01_every_way_of_being_wrong_is_refused_alike(name: str) -> None:
    with pytest.raises(Unverified) as refused:
        verify(signed.wrong(NOW)[name])
    assert refused.value.detail == "the token is missing or wrong"


@pytest.mark.parametrize(("seconds", "good"), [(-29, True), (-31, False), (0, True), (329, True), (331, False)])
def test_clocks_may_differ_a_little(seconds: int, good: bool) -> None:
    token = signed.token(now=NOW)
    if good:
        assert verify(token, NOW + seconds) == "77"
    else:
        with pytest.raises(Unverified):
            verify(token, NOW + seconds)


def test_a_key_that_is_none_opens_nothing() -> None:
    with pytest.raises(Unverified):
        app_token.verify(
            signed.token(now=NOW),
            public_key="-----BEGIN PUBLIC KEY-----",
            subdomain="acme",
            installation_id=signed.INSTALLATION,
            now=NOW * 1000,
        )
