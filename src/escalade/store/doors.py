"""The doors to each organisation's Zendesk that are shut at the moment, and why; a door without a row is open.

They are kept in the database because every courier of a deployment has to keep to them, and because people read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from escalade.domain.model import Millis, OrganisationId
from escalade.store.database import Row, Tx


class DoorState(StrEnum):
    """Tell why a door is shut."""

    FAILING = "failing"  # too much of what was tried lately failed
    PAUSED = "paused"  # they asked us to slow down
    LOCKED = "locked"  # they do not accept our credential; an operator must mend it


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One way to one organisation's Zendesk, shut."""

    organisation: OrganisationId
    channel: str
    state: DoorState
    until: Millis  # nothing goes through before; from then on, one probe at a time
    since: Millis
    why: str
    probes: int  # that failed since it was shut


def of(tx: Tx, organisation: OrganisationId) -> dict[str, Door]:
    """Give an organisation's shut doors by channel."""
    rows = tx.all("SELECT * FROM door WHERE organisation = :organisation", organisation=organisation)
    return {row["channel"]: _door(row) for row in rows}


def _door(row: Row) -> Door:
    return Door(
        organisation=OrganisationId(row["organisation"]),
        channel=row["channel"],
        state=DoorState(row["state"]),
        until=row["until"],
        since=row["since"],
        why=row["why"],
        probes=row["probes"],
    )


def shut(tx: Tx, door: Door) -> None:
    """Shut a door, or keep it shut for another while."""
    tx.run(
        "INSERT INTO door (organisation, channel, state, until, since, why, probes)"
        " VALUES (:organisation, :channel, :state, :until, :since, :why, :probes)"
        " ON CONFLICT (organisation, channel) DO UPDATE SET state = excluded.state, until = excluded.until,"
        " why = excluded.why, probes = excluded.probes,"
        " since = CASE WHEN door.state = excluded.state THEN door.since ELSE excluded.since END",
        organisation=door.organisation,
        channel=door.channel,
        state=door.state.value,
        until=door.until,
        since=door.since,
        why=door.why[:500],
        probes=door.probes,
    )


def claim_probe(tx: Tx, door: Door, now: Millis, until: Millis) -> bool:
    """Let one caller try a shut door whose time has come; say whether it is this one."""
    claimed = tx.run(
        "UPDATE door SET until = :until WHERE organisation = :organisation AND channel = :channel AND until <= :now",
        organisation=door.organisation,
        channel=door.channel,
        now=now,
        until=until,
    )
    return claimed == 1


def open_up(tx: Tx, organisation: OrganisationId, channel: str | None = None) -> bool:
    """Open a door, or all of an organisation's; say whether any was shut."""
    where = "organisation = :organisation" + (" AND channel = :channel" if channel is not None else "")
    return tx.run("DELETE FROM door WHERE " + where, organisation=organisation, channel=channel) > 0


def knock(tx: Tx, organisation: OrganisationId, now: Millis) -> None:
    """Let a failing door be tried at once: the other side has just spoken to us."""
    tx.run(
        "UPDATE door SET until = :now WHERE organisation = :organisation AND state = 'failing' AND until > :now",
        organisation=organisation,
        now=now,
    )


def recover(tx: Tx, now: Millis, longest: Millis) -> None:
    """After a start: try every door anew but those we were told to keep away from, and those within reason."""
    tx.everywhere().run(
        "DELETE FROM door WHERE state <> 'paused' OR until > :latest OR until <= :now", now=now, latest=now + longest
    )
