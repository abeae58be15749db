"""What a deployer sets: environment variables, read once, each problem named in one error.

`NAME` or `NAME_FILE` for each, also from a `.env` in the working directory.
"""

from __future__ import annotations

import os
import secrets
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from escalade.domain.errors import ConfigError
from escalade.store.database import dialect_of
from escalade.store.sql import Dialect
from escalade.store.sqlite import sqlite_path

PREFIX = "ESCALADE_"
DIFFERENT_CHARACTERS = 10  # a key made by chance has more
LEAST_UNSURE_WAIT_S = 20.0
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# Providers that take a key and an address from our settings, and where else they look for the key.
PROVIDER_KEYS = {
    "openai": "OPENAI_API_KEY",
    "openai-chat": "OPENAI_API_KEY",
    "openai-responses": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
}


class Settings(BaseSettings):
    """The deployment's settings."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)

    env: Literal["production", "development"] = "production"
    database_url: str = "sqlite:///escalade.db"
    secret_key: SecretStr = SecretStr("")
    public_url: str = "http://127.0.0.1:8700"
    region: str = "eu1"
    host: str = "127.0.0.1"
    port: int = Field(default=8700, ge=0, le=65535)
    bell: str = "auto"
    model: str = "local"
    model_url: str = ""
    model_key: SecretStr = SecretStr("")
    model_questions_per_hour: int = Field(default=500, ge=1, le=1_000_000)
    model_wait_s: float = Field(default=30.0, ge=1.0, le=300.0)
    embeddings_dir: Path | None = None
    trusted_proxies: str = ""
    log_format: Literal["auto", "json", "text"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    history: Path | None = None
    unsure_wait_s: float = Field(default=60.0, ge=0.5, le=600.0)
    sync_hours: float = Field(default=24.0, ge=0.0, le=24.0 * 365)  # 0: knowledge is read again when asked only

    @field_validator("public_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("give an address such as https://support.example.com")
        return value.rstrip("/")

    @field_validator("bell")
    @classmethod
    def _a_bell(cls, value: str) -> str:
        if value not in {"auto", "memory", "postgres"}:
            raise ValueError("use auto, memory or postgres")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: str) -> str:
        for one in filter(None, (part.strip() for part in value.split(","))):
            if one != "*":
                try:
                    ip_network(one)
                except ValueError as error:
                    raise ValueError(f"{one!r} is neither an address nor a network such as 10.0.0.0/8") from error
        return value

    @field_validator("model")
    @classmethod
    def _a_model(cls, value: str) -> str:
        provider, _, name = value.partition(":")
        if value != "local" and not (provider and name):
            raise ValueError("use local, or a provider and its model, such as anthropic:claude-haiku-4-5")
        if value != "local" and find_spec("pydantic_ai") is None:
            raise ValueError("answering with a model needs an extra: pip install 'escalade[models]'")
        return value

    @field_validator("model_url")
    @classmethod
    def _a_model_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.username):
            raise ValueError("give an address such as http://127.0.0.1:11434/v1")
        return value.rstrip("/")

    @property
    def is_development(self) -> bool:
        """Say whether this is a developer's machine."""
        return self.env == "development"

    @property
    def embeddings_folder(self) -> Path:
        """Give the folder of the local embedding weights, whether there are any or not."""
        shared = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
        return self.embeddings_dir or shared / "escalade"

    @property
    def webhook_url(self) -> str:
        """Give the address Zendesk's webhook posts to."""
        return f"{self.public_url}/ai-agent/escalation/webhooks/zendesk/all"

    def master_keys(self) -> str:
        """Give the master keys; in development one is made and kept, beside the database where that is a file."""
        given = self.secret_key.get_secret_value()
        if given or not self.is_development:
            return given
        path = Path("escalade.key")
        if dialect_of(self.database_url) is Dialect.SQLITE:
            path = sqlite_path(self.database_url).with_suffix(".key")
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32))
        return path.read_text().strip()


def load(**overrides: object) -> Settings:
    """Read the settings, or say everything that is wrong with them at once."""
    found, problems = _from_files()
    given = {**found, **{key: value for key, value in overrides.items() if value is not None}}
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        # Where a value cannot be read, the rest is looked at all the same, with the default in its place.
        defaults: dict[str, object] = {}
        for one in error.errors():
            name = "_".join(str(part) for part in one["loc"])
            problems.append(f"{PREFIX}{name.upper()}: {one['msg'].removeprefix('Value error, ')}")
            defaults[name.lower()] = Settings.model_fields[name.lower()].get_default()
        settings = Settings(**(given | defaults))  # type: ignore[arg-type]
    problems += _refusals(settings)
    if problems:
        raise ConfigError("\n".join(problems))
    return settings


def _from_files() -> tuple[dict[str, object], list[str]]:
    """Read every `NAME_FILE`; a file that is missing is a problem, not an empty value."""
    found: dict[str, object] = {}
    problems: list[str] = []
    for name, path in os.environ.items():
        if name.startswith(PREFIX) and name.endswith("_FILE"):
            try:
                found[name.removeprefix(PREFIX).removesuffix("_FILE").lower()] = Path(path).read_text().strip()
            except OSError as error:
                problems.append(f"{name}: {path} cannot be read ({error.strerror})")
    return found, problems


def _refusals(settings: Settings) -> list[str]:
    """List what must not be so, above all in production."""
    problems: list[str] = []
    try:
        if dialect_of(settings.database_url) is Dialect.SQLITE and settings.bell == "postgres":
            problems.append("ESCALADE_BELL: postgres rings over a PostgreSQL database; use auto with a SQLite file")
    except ConfigError as error:
        problems.append(str(error))
    key = settings.secret_key.get_secret_value()
    if not key and not settings.is_development:
        problems.append(
            "ESCALADE_SECRET_KEY: not set; make one with `openssl rand -base64 32` and keep it safe,"
            " or set ESCALADE_ENV=development to try things out"
        )
    elif key and any(len(part.strip()) < 32 for part in key.split(",")):
        problems.append("ESCALADE_SECRET_KEY: each key needs at least 32 characters")
    problems += _without_a_key(settings)
    return problems + ([] if settings.is_development else _unsafe(settings))


def _without_a_key(settings: Settings) -> list[str]:
    """List what keeps a model from being asked."""
    provider = settings.model.partition(":")[0]
    if settings.model_url and provider not in PROVIDER_KEYS:
        return [f"ESCALADE_MODEL_URL: only for {', '.join(PROVIDER_KEYS)}; ESCALADE_MODEL is {settings.model}"]
    name = PROVIDER_KEYS.get(provider)
    if name and not (settings.model_url or settings.model_key.get_secret_value() or os.environ.get(name)):
        return [f"ESCALADE_MODEL_KEY: not set; {settings.model} needs your provider's key here or in {name}"]
    return []


def _unsafe(settings: Settings) -> list[str]:
    """List what only a developer may do."""
    problems: list[str] = []
    keys = [part.strip() for part in settings.secret_key.get_secret_value().split(",")]
    if any(len(key) >= 32 and len(set(key)) < DIFFERENT_CHARACTERS for key in keys):
        problems.append("ESCALADE_SECRET_KEY: this can be guessed; make one with `openssl rand -base64 32`")
    public = urlsplit(settings.public_url)
    if public.scheme != "https" and public.hostname not in LOOPBACK:
        problems.append("ESCALADE_PUBLIC_URL: use https:// in production")
    elif public.scheme != "https" and settings.host not in LOOPBACK:
        problems.append(
            f"ESCALADE_HOST: {settings.host} can be reached by others, and ESCALADE_PUBLIC_URL says that nothing in"
            " front speaks https; give the https:// address, or listen on 127.0.0.1"
        )
    model = urlsplit(settings.model_url)
    if model.scheme == "http" and not _is_near(model.hostname or ""):
        problems.append("ESCALADE_MODEL_URL: customers' words would cross the internet in clear; use https://")
    if "*" in settings.trusted_proxies:
        problems.append(
            "ESCALADE_TRUSTED_PROXIES: `*` lets every caller choose an address; name your proxy, such as 10.0.0.0/8"
        )
    if settings.unsure_wait_s < LEAST_UNSURE_WAIT_S:
        problems.append(
            f"ESCALADE_UNSURE_WAIT_S: below {LEAST_UNSURE_WAIT_S:g} s a slow request may arrive after it was repeated"
        )
    return problems


def _is_near(host: str) -> bool:
    """Say whether a host is on this machine or in its own network, by its name or address alone."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".internal", ".local"))
