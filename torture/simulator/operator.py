"""An operator who changes a company's settings while people talk, and puts everything right in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from escalade.domain.organisation import Settings
from escalade.services.accounts import LIVE_SECRET, ZENDESK_SECRET
from escalade.store import doors, organisations
from escalade.store.database import Tx
from torture.simulator.chaos import Chaos
from torture.simulator.company import Company, keep_secrets
from torture.simulator.database import Disk
from torture.simulator.loop import sleep
from torture.simulator.process import NOON_MS
from torture.simulator.profile import Fault
from zendesk_emulator.emulator import Emulator

NOWHERE = "https://nowhere.example"
LONGEST_WRONG_S = 30.0


class Operator:
    """Whoever has the settings page open."""

    def __init__(self, company: Company, disk: Disk, emulator: Emulator, chaos: Chaos) -> None:
        self._company = company
        self._disk = disk
        self._emulator = emulator
        self._chaos = chaos
        self._right = disk.look(self._settings)
        self._tokens = 0
        self._secrets: dict[str, str] = {}  # that have changed since the founding

    async def live(self, until: Callable[[], bool]) -> None:
        """Change one thing after the other."""
        tape, faults = self._chaos.tape, (Fault.SETTINGS_CHANGE, Fault.KEY_ROTATION)
        does = [fault for fault in faults if fault in self._chaos.profile.rates]
        while not until():
            await sleep(tape.seconds(1.0, 20.0))
            if until():
                return
            fault = tape.one_of(does)
            self._chaos.meets(fault)
            match tape.below(4):
                case _ if fault is Fault.KEY_ROTATION:
                    await self._rotate_a_key()
                case 0:
                    self._switch_live(tape.below(2) == 0)
                case 1:
                    self._mistype(zendesk=True)
                    await self._wait()
                    self.put_right()
                case 2:
                    self._mistype(zendesk=False)
                    await self._wait()
                    self.put_right()
                case _:
                    self._rotate_the_webhooks_token()

    def put_right(self) -> None:
        """Set everything as it should be."""
        self._save(self._right)

    def _switch_live(self, on: bool) -> None:
        """Let requests from now on be tickets, or live again."""
        self._save(replace(self._right, live=replace(self._right.live, enabled=on and self._right.live.enabled)))

    def _mistype(self, *, zendesk: bool) -> None:
        """Give an address where nobody listens, for tickets or for live chat."""
        if zendesk:
            self._save(replace(self._right, zendesk=replace(self._right.zendesk, base_url=NOWHERE)))
        else:
            self._save(replace(self._right, live=replace(self._right.live, base_url=f"{NOWHERE}/sc")))

    def _rotate_the_webhooks_token(self) -> None:
        """Let the desk show another token; the one before stays good for a day."""
        self._tokens += 1
        token = f"{self._company.webhook_token}-{self._tokens}"
        company = self._company.organisation
        self._disk.write(lambda tx: organisations.rotate_token(tx, company, "webhook", token, NOON_MS))
        for webhook in self._emulator.account.records.webhooks.values():
            webhook.authentication = {**(webhook.authentication or {}), "data": {"token": token}}

    async def _rotate_a_key(self) -> None:
        """Have another key for the desk: that of live chat, or the secret of the OAuth client."""
        tape, records = self._chaos.tape, self._emulator.account.records
        if self._right.live.enabled and tape.below(2) == 0:
            key = self._emulator.account.add_conversations_key()
            old = self._right.live.key_id
            self._right = replace(self._right, live=replace(self._right.live, key_id=key.id))
            self._secrets[LIVE_SECRET] = key.secret
            if tape.below(2) == 0:
                self.put_right()
                await self._wait()
                records.conversations_keys.pop(old)
            else:
                records.conversations_keys.pop(old)
                await self._wait()
                self.put_right()
            return
        (client,) = records.oauth_clients.values()
        client.secret = self._secrets[ZENDESK_SECRET] = self._emulator.account.ids.secret(40)
        if tape.below(2):
            records.oauth_tokens.clear()
        await self._wait()
        self.put_right()

    async def _wait(self) -> None:
        await self._chaos.until_calm(self._chaos.tape.seconds(0.5, LONGEST_WRONG_S))

    def _settings(self, tx: Tx) -> Settings:
        found = organisations.load(tx, self._company.organisation)
        assert found is not None
        return found.settings

    def _save(self, settings: Settings) -> None:
        """Save as the settings page does: what was turned away may be let in now."""
        company = self._company.organisation

        def saved(tx: Tx) -> None:
            organisations.save_settings(tx, company, settings)
            keep_secrets(tx, self._company, self._secrets)
            doors.open_up(tx, company)

        self._disk.write(saved)
