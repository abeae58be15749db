"""Fetch the files that agents sent: the words are shown at once, each file when it is here.

A file that cannot be had holds nothing up. It is tried again for a while, and then said to be lost, with a way to ask
for it once more. What is fetched is looked into like an upload, and no picture is shown that was not written anew.
"""

from __future__ import annotations

import structlog

from escalade.channels.base import Account, Channel, ChannelName
from escalade.domain.errors import DeliveryError, Invalid, Refused, Unavailable
from escalade.domain.files import ANYTHING
from escalade.domain.model import FileState
from escalade.services.accounts import Accounts
from escalade.services.backoff import doubling
from escalade.services.bell import Bell
from escalade.services.busy import Busy
from escalade.services.files import keep
from escalade.services.inspection import Inspect
from escalade.services.owners import Alone, Owners
from escalade.services.ports import Ports
from escalade.services.scrutiny import Inspected
from escalade.store import conversations, files, organisations
from escalade.store.database import Database, Tx

log = structlog.get_logger()

AT_ONCE = 8
AT_ONCE_EACH = 3  # of them for one organisation
PATIENCE_MS = 30 * 60_000  # an outage of ten minutes must not cost a file
LONGEST_WAIT_S = 60.0
SWEEP_S = 1.0


class Porter:
    """Fetches a few files at a time."""

    def __init__(
        self,
        database: Database,
        bell: Bell,
        ports: Ports,
        accounts: Accounts,
        channels: dict[ChannelName, Channel],
        inspect: Inspect,
        owners: Owners | None = None,
    ) -> None:
        self._database = database
        self._bell = bell
        self._ports = ports
        self._accounts = accounts
        self._channels = channels
        self._inspect = inspect
        self._owners: Owners = owners or Alone()
        self._busy: Busy[tuple[str, str]] = Busy()

    async def run(self) -> None:
        """Fetch files as they fall due, until cancelled."""
        while not await self.recover():
            await self._ports.sleep(SWEEP_S)
        with self._bell.listen(("file", "due")) as listener:
            while True:
                pause = await self._start_due()
                await listener.wait(pause)

    async def recover(self) -> bool:
        """Begin every wait anew; say whether the store let us."""
        try:
            await self._database.write(lambda tx: files.recover(tx, self._ports.now()))
        except Unavailable as error:
            log.warning("files_wait_for_database", why=str(error))
            return False
        return True

    async def _start_due(self) -> float:
        now = self._ports.now()
        try:
            if not await self._owners.lead():
                return SWEEP_S  # another process fetches
            due = await self._database.read(lambda tx: files.due(tx, now))
            following = await self._database.read(files.next_due_at)
        except Unavailable as error:
            log.warning("files_unreadable", why=str(error))
            return SWEEP_S
        for file in due:
            key = (file.organisation, file.id)
            own = sum(organisation == file.organisation for organisation, _ in self._busy)
            if key not in self._busy and len(self._busy) < AT_ONCE and own < AT_ONCE_EACH:
                self._busy.start(key, self._bring(file), f"file {file.id}")
        if following is None or following <= now:
            return SWEEP_S
        return min(SWEEP_S, (following - now) / 1000)

    async def close(self) -> None:
        """Stop fetching; what is cut short is fetched again."""
        await self._busy.close()

    async def _bring(self, file: files.File) -> None:
        try:
            await self.bring(file)
        except Unavailable as error:
            log.warning("file_waits_for_database", file=file.id, why=str(error))
            await self._ports.sleep(SWEEP_S)
        except Exception:
            log.exception("file_stumbled", file=file.id)
            await self._ports.sleep(SWEEP_S)

    async def bring(self, file: files.File) -> None:
        """Fetch one file and keep it, or write down why not and when to try again."""
        account = await self._database.read(lambda tx: self._account(tx, file))
        try:
            if account is None or file.channel is None:
                raise Refused("nobody is there to ask for it")
            content = await self._channels[ChannelName(file.channel)].fetch(account, file.url)
        except DeliveryError as error:
            log.warning("file_not_fetched", file=file.id, verdict=type(error).__name__, why=error.detail[:200])
            missed = error
            await self._database.write(lambda tx: self._missed(tx, file, missed))
            return
        inspected = await self._looked_into(file.name, content)
        kept = await keep(self._database, self._ports, file.organisation, file.id, inspected, FileState.AWAITED)
        log.info("file_fetched", file=file.id, size=len(content), kept=kept)

    async def _looked_into(self, name: str, content: bytes) -> Inspected:
        """Say what an agent's file is; what is not on the list is something to save, never to show."""
        try:
            return await self._inspect(name, content)
        except Invalid:
            return Inspected(media_type=ANYTHING, content=content)

    def _account(self, tx: Tx, file: files.File) -> Account | None:
        organisation = organisations.load(tx, file.organisation)
        return None if organisation is None else self._accounts.account(tx, organisation)

    def _missed(self, tx: Tx, file: files.File, error: DeliveryError) -> None:
        now = self._ports.now()
        after = getattr(error, "after", None)
        pause = float(after) if after is not None else doubling(1.0, file.tries, LONGEST_WAIT_S)
        due_at = now + int(pause * self._ports.jitter() * 1000)
        over = isinstance(error, Refused) or due_at - (file.asked_at or now) > PATIENCE_MS
        files.missed(
            tx,
            file.organisation,
            file.id,
            state=FileState.LOST if over else FileState.AWAITED,
            why=error.detail[:500],
            due_at=None if over else due_at,
        )
        if over:
            tx.ring("conversation", conversations.topic(file.organisation, file.conversation))
