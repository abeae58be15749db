"""A deployer hears of everything that is wrong at once, and production refuses what only a developer may do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from escalade.domain.errors import ConfigError
from escalade.settings import PREFIX, Settings, load

KEY = "a-key-of-more-than-thirty-two-characters"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Start from an environment that says nothing, in a folder without a `.env`."""
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def given(monkeypatch: pytest.MonkeyPatch, **settings: str) -> Settings:
    for name, value in settings.items():
        monkeypatch.setenv(PREFIX + name, value)
    return load()


def problems(monkeypatch: pytest.MonkeyPatch, **settings: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        given(monkeypatch, **settings)
    return str(error.value).split("\n")


def test_a_secret_key_is_all_that_production_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, SECRET_KEY=KEY)
    assert (settings.env, settings.is_development) == ("production", False)
    assert settings.database_url == "sqlite:///escalade.db"
    assert (settings.host, settings.port, settings.public_url) == ("127.0.0.1", 8700, "http://127.0.0.1:8700")
    assert (settings.region, settings.bell, settings.model) == ("eu1", "auto", "local")
    assert settings.webhook_url == "http://127.0.0.1:8700/ai-agent/escalation/webhooks/zendesk/all"


def test_everything_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = problems(
        monkeypatch,
        PORT="many",
        ENV="staging",
        LOG_FORMAT="xml",
        UNSURE_WAIT_S="0",
        BELL="nats://x",
        MODEL="gpt",
        DATABASE_URL="mysql://db/escalade",
        PUBLIC_URL="http://support.example.com",
        REGION_FILE=str(tmp_path / "missing"),
    )
    for name in (
        *("PORT", "ENV", "LOG_FORMAT", "UNSURE_WAIT_S", "BELL", "MODEL", "DATABASE_URL", "PUBLIC_URL", "SECRET_KEY"),
        "REGION_FILE",
    ):
        assert [line for line in found if line.startswith(PREFIX + name + ":")], (name, found)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SECRET_KEY": f"{KEY},short"}, "SECRET_KEY"),
        ({"SECRET_KEY": KEY, "PUBLIC_URL": "http://support.example.com"}, "PUBLIC_URL"),
        ({"SECRET_KEY": KEY, "PUBLIC_URL": "support.example.com"}, "PUBLIC_URL"),
        ({"SECRET_KEY": KEY, "PUBLIC_URL": "https://x.example/?a=1"}, "PUBLIC_URL"),
        ({"SECRET_KEY": KEY, "DATABASE_URL": "sqlite:///:memory:"}, "DATABASE_URL"),
        ({"SECRET_KEY": KEY, "DATABASE_URL": "mysql://db/escalade"}, "DATABASE_URL"),
        ({"SECRET_KEY": KEY, "DATABASE_URL": "no address"}, "DATABASE_URL"),
        ({"SECRET_KEY": KEY, "PORT": "70000"}, "PORT"),
        ({"SECRET_KEY": "change-me-" * 4}, "SECRET_KEY"),
        ({"SECRET_KEY": "a" * 64}, "SECRET_KEY"),
        ({"SECRET_KEY": f"{KEY},{'01' * 32}"}, "SECRET_KEY"),
        ({"SECRET_KEY": KEY, "HOST": "0.0.0.0"}, "HOST"),
        ({"SECRET_KEY": KEY, "TRUSTED_PROXIES": "*"}, "TRUSTED_PROXIES"),
        ({"SECRET_KEY": KEY, "TRUSTED_PROXIES": "10.0.0.1,proxy"}, "TRUSTED_PROXIES"),
        ({"SECRET_KEY": KEY, "UNSURE_WAIT_S": "5"}, "UNSURE_WAIT_S"),
        ({"SECRET_KEY": KEY, "MODEL": "openai:"}, "MODEL"),
        ({"SECRET_KEY": KEY, "MODEL": "openai:m"}, "MODEL_KEY"),
        ({"SECRET_KEY": KEY, "MODEL": "anthropic:m"}, "MODEL_KEY"),
        ({"SECRET_KEY": KEY, "MODEL": "groq:m", "MODEL_URL": "https://models.example.com"}, "MODEL_URL"),
        ({"SECRET_KEY": KEY, "MODEL_URL": "https://models.example.com"}, "MODEL_URL"),
        ({"SECRET_KEY": KEY, "MODEL": "openai:m", "MODEL_URL": "http://models.example.com/v1"}, "MODEL_URL"),
        ({"SECRET_KEY": KEY, "MODEL": "openai:m", "MODEL_KEY": "k", "MODEL_URL": "models"}, "MODEL_URL"),
        ({"SECRET_KEY": KEY, "MODEL_WAIT_S": "0"}, "MODEL_WAIT_S"),
    ],
)
def test_production_refuses_to_start_and_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], named: str
) -> None:
    (only,) = problems(monkeypatch, **settings)
    assert only.startswith(f"{PREFIX}{named}:")


def test_e01_every_unsafe_setting_of_a_developer_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    unsafe = {
        "SECRET_KEY": "a" * 32,
        "PUBLIC_URL": "http://support.example.com",
        "TRUSTED_PROXIES": "*",
        "UNSURE_WAIT_S": "1",
    }
    found = problems(monkeypatch, **unsafe)
    assert sorted(line.partition(":")[0] for line in found) == sorted(PREFIX + name for name in unsafe)
    assert given(monkeypatch, ENV="development", **unsafe).unsure_wait_s == 1


@pytest.mark.parametrize("proxies", ["", "127.0.0.1", "10.0.0.0/8, 192.168.1.7", "fd00::/8,::1"])
def test_proxies_are_addresses_and_networks(monkeypatch: pytest.MonkeyPatch, proxies: str) -> None:
    assert given(monkeypatch, SECRET_KEY=KEY, TRUSTED_PROXIES=proxies).trusted_proxies == proxies


def test_a_problem_does_not_repeat_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hunter2" not in "\n".join(problems(monkeypatch, SECRET_KEY="hunter2"))
    assert KEY not in repr(given(monkeypatch, SECRET_KEY=KEY, MODEL="openai:m", MODEL_KEY=KEY))


@pytest.mark.parametrize(
    "settings",
    [
        {"MODEL": "openai:m", "MODEL_KEY": "k"},
        {"MODEL": "anthropic:m", "MODEL_KEY": "k", "MODEL_URL": "https://gateway.example.com"},
        {"MODEL": "openai:llama", "MODEL_URL": "http://127.0.0.1:11434/v1/"},
        {"MODEL": "openai:llama", "MODEL_URL": "http://10.0.0.7:11434/v1"},
        {"MODEL": "openai:llama", "MODEL_URL": "http://ollama:11434/v1"},
        {"MODEL": "groq:m"},  # reads its own variables
    ],
)
def test_a_model_is_a_provider_and_a_name_and_where_needed_a_key_or_an_address(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    found = given(monkeypatch, SECRET_KEY=KEY, **settings)
    assert found.model == settings["MODEL"]
    assert found.model_url == settings.get("MODEL_URL", "").rstrip("/")


def test_a_providers_own_variable_may_hold_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert given(monkeypatch, SECRET_KEY=KEY, MODEL="openai:m").model == "openai:m"


@pytest.mark.parametrize("url", ["https://support.example.com/", "http://localhost:8700", "https://x.example/escalade"])
def test_an_address_that_is_fine_loses_its_last_slash(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert given(monkeypatch, SECRET_KEY=KEY, PUBLIC_URL=url).public_url == url.rstrip("/")


def test_a_developer_needs_nothing_and_the_key_is_made_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = given(monkeypatch, ENV="development", DATABASE_URL=f"sqlite:///{tmp_path / 'deep' / 'dev.db'}")
    key = settings.master_keys()
    assert len(key) >= 32
    assert settings.master_keys() == key == load().master_keys()
    kept = tmp_path / "deep" / "dev.key"
    assert kept.read_text() == key
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_given_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = given(monkeypatch, ENV="development", SECRET_KEY=KEY, DATABASE_URL=f"sqlite:///{tmp_path / 'dev.db'}")
    assert settings.master_keys() == KEY
    assert not (tmp_path / "dev.key").exists()


def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    assert given(monkeypatch, SECRET_KEY_FILE=str(tmp_path / "key")).master_keys() == KEY
    (tmp_path / "port").write_text("9000")
    assert given(monkeypatch, PORT_FILE=str(tmp_path / "port")).port == 9000


def test_a_file_that_is_missing_is_an_error_and_not_an_empty_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = problems(monkeypatch, ENV="development", SECRET_KEY_FILE=str(tmp_path / "gone"))
    assert [line for line in found if line.startswith("ESCALADE_SECRET_KEY_FILE:") and "cannot be read" in line]


def test_a_dotenv_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"ESCALADE_SECRET_KEY={KEY}\nESCALADE_PORT=9001\nESCALADE_REGION=us1\nOTHER=1\n")
    settings = given(monkeypatch, PORT="9002")
    assert (settings.port, settings.region, settings.master_keys()) == (9002, "us1", KEY)


def test_a_flag_of_the_command_line_wins_over_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESCALADE_SECRET_KEY", KEY)
    monkeypatch.setenv("ESCALADE_PORT", "9001")
    assert load(port=9002, host=None).port == 9002


def test_settings_do_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, SECRET_KEY=KEY)
    with pytest.raises(ValueError, match="frozen"):
        setattr(settings, "port", 1)  # noqa: B010 - the type checker would not let us
