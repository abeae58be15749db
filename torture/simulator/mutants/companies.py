"""What keeps companies apart, broken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from escalade.channels.base import ChannelName, LinkKind
from escalade.services import reconcile as reconcile_module
from escalade.services.arrivals import Arrivals
from escalade.services.courier import Courier
from escalade.services.scene import scene_of
from escalade.store import doors, organisations
from escalade.store.database import Tx
from torture.simulator.mutants.mutant import Patches, mutant
from torture.simulator.profile import Fault

__all__: list[str] = []  # what is here is counted, and not imported


@mutant(neighbour=True, live=False)
def asks_a_webhook_for_its_ticket_and_not_for_its_company() -> Patches:
    right = Arrivals.arrive

    def arrive(self: Arrivals, tx: Tx, organisation: Any, source: str, arrival: Any, *rest: Any) -> Any:
        owner = tx.everywhere().value(
            "SELECT organisation FROM link WHERE channel = :channel AND kind = :kind AND theirs = :theirs"
            " ORDER BY rowid DESC LIMIT 1",
            channel=ChannelName.ZENDESK.value,
            kind=LinkKind.TICKET.value,
            theirs=arrival.ticket_id,
        )
        return right(self, tx, owner or organisation, source, arrival, *rest)

    return [(Arrivals, "arrive", arrive)]


@mutant(neighbour=True)
def reads_the_list_at_another_companys_desk() -> Patches:
    def scene_at_another(tx: Tx, handoff: Any, accounts: Any) -> Any:
        found = scene_of(tx, handoff, accounts)
        if found is None:
            return None
        others = [one for one in organisations.everyone(tx) if one.id != found.conversation.organisation]
        return replace(found, account=accounts.account(tx, others[0]))

    return [(reconcile_module, "scene_of", scene_at_another)]


@mutant(Fault.DESK_DOWN, neighbour=True, spared=True)
def shuts_one_door_for_every_company() -> Patches:
    def of(tx: Tx, organisation: Any) -> dict[str, Any]:
        rows = tx.everywhere().all("SELECT * FROM door")
        return {row["channel"]: replace(doors._door(row), organisation=organisation) for row in rows}

    return [(doors, "of", of)]


@mutant(Fault.TIMEOUT_BEFORE, neighbour=True, spared=True)
def drains_one_lane_at_a_time() -> Patches:
    return [(Courier, "_has_room", lambda self, _lane: not self._busy)]
