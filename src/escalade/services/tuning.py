"""Change an organisation's settings: merge a patch, check every value, seal what is secret, prove what is claimed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from escalade.channels.base import Account
from escalade.domain.errors import DeliveryError, Invalid, NotFound
from escalade.domain.model import OrganisationId
from escalade.domain.organisation import BotSettings, Organisation, Settings
from escalade.services.accounts import (
    BOT_SECRET,
    LIVE_SECRET,
    SIGNING_SECRETS,
    SUNSHINE_WEBHOOK,
    ZENDESK_REFRESH,
    ZENDESK_SECRET,
    ZENDESK_TOKEN,
    Accounts,
    put_together,
)
from escalade.services.ports import Ports
from escalade.store import audit, doors, lanes, organisations
from escalade.store.database import Database, Tx
from escalade.store.vault import NONCE_BYTES, Vault

SECRETS = (ZENDESK_SECRET, ZENDESK_TOKEN, ZENDESK_REFRESH, LIVE_SECRET, SUNSHINE_WEBHOOK, BOT_SECRET)
SHOWN = (ZENDESK_SECRET, ZENDESK_TOKEN, LIVE_SECRET, SUNSHINE_WEBHOOK, BOT_SECRET)  # that they are set
SUBDOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
ORIGIN = re.compile(r"https?://[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?\Z")
IDS = frozenset({"assignee_id", "group_id", "form_id", "brand_id", "installation_id"})  # Zendesk's numbers
DIGITS = re.compile(r"[0-9]{1,19}\Z")
PRIORITIES = {None, "low", "normal", "high", "urgent"}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
MOST_SIGNING_SECRETS = 4
LONGEST_ADDRESS = 1_000

Check = Callable[[Account], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """A checked change, before it is written."""

    organisation: Organisation
    secrets: dict[str, str | None]  # none: forget it
    opened: dict[str, str]  # every secret as it would be


class Tuning:
    """Reads and changes settings."""

    def __init__(
        self,
        database: Database,
        ports: Ports,
        accounts: Accounts,
        vault: Vault,
        *,
        development: bool,
        check_live: Check,
    ) -> None:
        self._database = database
        self._ports = ports
        self._accounts = accounts
        self._vault = vault
        self._development = development
        self._check_live = check_live

    async def read(self, organisation: OrganisationId) -> dict[str, Any]:
        """Give the settings tree; a secret reads back as whether it is set and its last four characters."""
        return await self._database.read(lambda tx: self._view(tx, organisation))

    async def settings(self, organisation: OrganisationId) -> Settings:
        """Give the settings as they are kept; no secret stands in them."""
        return (await self.tried(organisation, {})).settings

    async def tried(self, organisation: OrganisationId, patch: Mapping[str, Any]) -> Organisation:
        """Give the organisation as a patch would make it, checked like a change, and keep nothing."""
        change = await self._database.read(lambda tx: self._prepare(tx, organisation, patch))
        return change.organisation

    async def change(self, organisation: OrganisationId, patch: Mapping[str, Any], who: str) -> dict[str, Any]:
        """Apply a patch whole or not at all; live is proved to work before it is turned on."""
        change = await self._database.read(lambda tx: self._prepare(tx, organisation, patch))
        live = change.organisation.settings.live
        if live.enabled and "live" in patch:
            await self._prove_live(change)
        sealed = {
            name: None
            if secret is None
            else self._vault.seal(
                secret, organisation=organisation, name=name, nonce=self._ports.random_bytes(NONCE_BYTES)
            )
            for name, secret in change.secrets.items()
        }
        changed = sorted(_paths(patch))

        def written(tx: Tx) -> dict[str, Any]:
            now = self._ports.now()
            organisations.lock(tx, organisation)
            # Prepared again on what is there now, so that a change made meanwhile is kept.
            current = self._prepare(tx, organisation, patch)
            organisations.save_settings(tx, organisation, current.organisation.settings)
            if "zendesk" in patch:  # another account may speak from now on
                organisations.forget_account(tx, organisation)
            for name, kept in sealed.items():
                secret = change.secrets[name]
                if kept is None or secret is None:
                    organisations.forget_secret(tx, organisation, name)
                else:
                    organisations.save_secret(tx, organisation, name, kept, _last4(name, secret), now)
            audit.record(tx, organisation, who, "settings.changed", changed, self._ports.wall())
            if {"zendesk", "live"} & patch.keys():  # what was turned away may be let in now
                doors.open_up(tx, organisation)
                lanes.hurry(tx, organisation, now)
                tx.ring("door", organisation)
            tx.ring("settings", organisation)
            return self._view(tx, organisation)

        return await self._database.write(written)

    def _view(self, tx: Tx, id: OrganisationId) -> dict[str, Any]:
        found = organisations.load(tx, id)
        if found is None:
            raise NotFound("no such organisation")
        tree: dict[str, Any] = msgspec.to_builtins(found.settings)
        kept = organisations.secrets(tx, id)

        def shown(name: str) -> dict[str, Any]:
            secret = kept.get(name)
            return {"set": False} if secret is None else {"set": True, "last4": secret.last4}

        for name in SHOWN:
            holder = tree
            *path, last = name.split(".")
            for step in path:
                holder = holder[step]
            holder[last] = shown(name)
        signing = kept.get(SIGNING_SECRETS)
        several = [] if signing is None else signing.last4.split(" ")
        tree["webhooks"] = {"signing_secrets": [{"set": True, "last4": last4} for last4 in several]}
        return tree

    def _prepare(self, tx: Tx, id: OrganisationId, patch: Mapping[str, Any]) -> _Change:
        found = organisations.load(tx, id)
        if found is None:
            raise NotFound("no such organisation")
        plain, secrets = _split(patch)
        tree = _merge(asdict(found.settings), plain, "")
        try:
            settings = msgspec.convert(tree, Settings)
        except msgspec.ValidationError as error:
            raise _as_invalid(error) from error
        settings = _lowered(settings)
        self._check(settings, secrets)
        opened = self._accounts.secrets(tx, id)
        for name, secret in secrets.items():
            if secret is None:
                opened.pop(name, None)
            else:
                opened[name] = secret
        if settings.assistant.bot.url and BOT_SECRET not in opened:
            raise Invalid("give the secret your bot knows us by", pointer="/assistant/bot/secret")
        return _Change(organisation=replace(found, settings=settings), secrets=secrets, opened=opened)

    def _check(self, settings: Settings, secrets: Mapping[str, str | None]) -> None:
        zendesk, live = settings.zendesk, settings.live
        if zendesk.subdomain and not SUBDOMAIN.match(zendesk.subdomain):
            raise Invalid("the subdomain is the part before .zendesk.com, such as acme", pointer="/zendesk/subdomain")
        for pointer, url in (("/zendesk/base_url", zendesk.base_url), ("/live/base_url", live.base_url)):
            if url is not None:
                self._check_base_url(url, pointer)
        if settings.tickets.priority not in PRIORITIES:
            raise Invalid("one of low, normal, high, urgent", pointer="/tickets/priority")
        if not 0 <= settings.assistant.minimum_confidence <= 100:
            raise Invalid("a percentage from 0 to 100", pointer="/assistant/minimum_confidence")
        self._check_bot(settings.assistant.bot, secrets.get(BOT_SECRET))
        if not 0 <= settings.rollout.percent <= 100:
            raise Invalid("a percentage from 0 to 100", pointer="/rollout/percent")
        for origin in settings.widget.allowed_origins:
            if not ORIGIN.match(origin):
                raise Invalid("an origin such as https://shop.example.com", pointer="/widget/allowed_origins")
        if not 1 <= settings.widget.conversations_per_hour <= 1_000_000:
            raise Invalid("between 1 and 1,000,000", pointer="/widget/conversations_per_hour")
        if settings.sidebar.public_key and not _is_rsa_key(settings.sidebar.public_key):
            raise Invalid(
                "an RSA public key of 2,048 bits or more as PEM, as Zendesk shows it", pointer="/sidebar/public_key"
            )
        if not 10 <= live.answer_within_s <= 86_400:
            raise Invalid("between 10 seconds and a day", pointer="/live/answer_within_s")
        if live.enabled and not zendesk.is_connected:
            raise Invalid("connect Zendesk before turning live chat on", pointer="/live/enabled")

    def _check_bot(self, bot: BotSettings, secret: str | None) -> None:
        """Hold a bot to https, in development also to http here; where its name leads is judged when it is asked."""
        try:
            parts = urlsplit(bot.url)
            near = self._development and parts.scheme == "http" and parts.hostname in LOOPBACK
            fine = not bot.url or ((parts.scheme == "https" or near) and parts.hostname and not parts.username)
        except ValueError:
            fine = False
        if not fine or len(bot.url) > LONGEST_ADDRESS or re.search(r"[\s#]", bot.url):
            raise Invalid("an address such as https://bot.example.com/escalade", pointer="/assistant/bot/url")
        if not 1 <= bot.wait_s <= 60:
            raise Invalid("between 1 and 60 seconds", pointer="/assistant/bot/wait_s")
        if secret is not None and not re.fullmatch(r"[!-~]{24,256}", secret):
            raise Invalid("24 to 256 characters without spaces", pointer="/assistant/bot/secret")

    def _check_base_url(self, url: str, pointer: str) -> None:
        """Let an address be overridden in development only, and http only to this machine."""
        parts = urlsplit(url)
        if not self._development:
            raise Invalid("addresses are built from the subdomain in production", pointer=pointer)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
            raise Invalid("an address such as http://127.0.0.1:8701", pointer=pointer)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise Invalid("http:// only to this machine; use https://", pointer=pointer)

    async def _prove_live(self, change: _Change) -> None:
        account = put_together(change.organisation, change.opened)
        if account.sunshine is None:
            raise Invalid("give app_id, key_id and secret before turning live chat on", pointer="/live/enabled")
        try:
            await self._check_live(account)
        except DeliveryError as error:
            answer = f": {error.answer}" if error.answer else ""
            raise Invalid(
                f"Zendesk did not accept these credentials ({error.detail}{answer})"[:500], pointer="/live"
            ) from error


def _is_rsa_key(pem: str) -> bool:
    """Say whether a text is a public key that is long enough; a private one is none of ours."""
    if len(pem) > 8 * 1024:
        return False
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return False
    return isinstance(key, RSAPublicKey) and 2048 <= key.key_size <= 8192


def _lowered(settings: Settings) -> Settings:
    """Write a subdomain the way Zendesk does; only plain letters have a small form that is the same name."""
    typed = settings.zendesk.subdomain
    if not typed.isascii():
        return settings
    return replace(settings, zendesk=replace(settings.zendesk, subdomain=typed.lower()))


def _split(patch: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str | None]]:
    """Take the secrets out of a patch; what was read back from us changes nothing."""
    if not isinstance(patch, Mapping):
        raise Invalid("expected an object")
    plain = _copied(patch)
    secrets: dict[str, str | None] = {}
    for name in (*SECRETS, SIGNING_SECRETS):
        holder: Any = plain
        *path, last = name.split(".")
        for step in path:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if not isinstance(holder, dict) or last not in holder:
            continue
        value = holder.pop(last)
        if name == SIGNING_SECRETS:
            secrets.update(_signing_secrets(value))
        elif isinstance(value, str) and value.strip():
            secrets[name] = value.strip()
        elif value is None or value == "":
            secrets[name] = None
        elif not _is_read_back(value):
            raise Invalid("expected a string", pointer="/" + name.replace(".", "/"))
    if plain.get("webhooks") == {}:
        del plain["webhooks"]
    return plain, secrets


def _last4(name: str, secret: str) -> str:
    """Give what is shown of a secret; of several, of each."""
    return " ".join(one[-4:] for one in secret.split(" ")) if name == SIGNING_SECRETS else secret[-4:]


def _is_read_back(value: Any) -> bool:
    """Say whether this is what we say of a secret, in its place: whoever sends it back has not touched it."""
    match value:
        case {"set": bool(), **rest}:
            return all(name == "last4" and isinstance(end, str) for name, end in rest.items())
        case _:
            return False


def _signing_secrets(value: Any) -> dict[str, str | None]:
    if not isinstance(value, list) or len(value) > MOST_SIGNING_SECRETS:
        raise Invalid(f"a list of at most {MOST_SIGNING_SECRETS} secrets", pointer="/webhooks/signing_secrets")
    if value and all(_is_read_back(item) for item in value):
        return {}
    if not all(isinstance(item, str) and re.fullmatch(r"[!-~]{1,256}", item) for item in value):
        raise Invalid("each secret is a string without spaces", pointer="/webhooks/signing_secrets")
    return {SIGNING_SECRETS: " ".join(value) if value else None}


def _copied(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) if isinstance(value, Mapping) else value for key, value in tree.items()}


def _merge(tree: dict[str, Any], patch: Mapping[str, Any], pointer: str) -> dict[str, Any]:
    """Lay a patch over a tree; a key the tree does not have is an error, free-form leaves are replaced."""
    for key, value in patch.items():
        here = f"{pointer}/{key}"
        if key not in tree:
            raise Invalid("there is no such setting", pointer=here)
        if isinstance(tree[key], dict) and key != "custom_fields":
            if not isinstance(value, Mapping):
                raise Invalid("expected an object", pointer=here)
            tree[key] = _merge(tree[key], value, here)
        else:
            tree[key] = int(value) if key in IDS and isinstance(value, str) and DIGITS.match(value) else value
    return tree


def _paths(patch: Mapping[str, Any], before: str = "") -> list[str]:
    found: list[str] = []
    for key, value in patch.items():
        found.extend(_paths(value, f"{before}{key}.") if isinstance(value, Mapping) else [f"{before}{key}"])
    return found


def _as_invalid(error: msgspec.ValidationError) -> Invalid:
    text, _, path = str(error).partition(" - at `$")
    return Invalid(text, pointer=path.rstrip("`").replace(".", "/"))
