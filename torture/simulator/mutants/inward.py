"""Rules of the way from the desk, broken."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from escalade.channels.base import Account, ArrivalKind, Page
from escalade.channels.sunshine.channel import SunshineChannel
from escalade.channels.zendesk import wire as zendesk_wire
from escalade.channels.zendesk.channel import ZendeskChannel
from escalade.domain.errors import DeliveryError, Retryable
from escalade.domain.events import DeskSaid
from escalade.domain.model import HandoffId, OrganisationId, Role
from escalade.services import arrivals as arrivals_module
from escalade.services.arrivals import Arrivals
from escalade.services.intake import Intake
from escalade.services.reconcile import Reconcile
from escalade.services.scene import scene_of
from escalade.services.watch import Watch
from escalade.store import conversations, handoffs, receipts
from escalade.store.database import Tx
from torture.simulator.mutants.mutant import Patches, mutant
from torture.simulator.profile import Fault

__all__: list[str] = []  # what is here is counted, and not imported


@mutant(Fault.WEBHOOK_DELAYED)
def believes_the_webhook_and_not_the_list() -> Patches:
    right = Arrivals._plain

    def plain(self: Arrivals, own: Any, arrival: Any) -> Any:
        if arrival.kind is ArrivalKind.MESSAGE_ADDED and arrival.actor_type == "agent" and arrival.text:
            return arrivals_module.said_by(own.id, arrival)
        return right(self, own, arrival)

    return [(Arrivals, "_plain", plain)]


@mutant(Fault.WEBHOOK_DUPLICATED)
def keeps_every_copy_of_a_webhook() -> Patches:
    right = receipts.accept

    def accept(tx: Tx, organisation: OrganisationId, *, key: str, **named: Any) -> int | None:
        kept = right(tx, organisation, key=key, **named)
        if kept is not None:
            return kept
        copies = tx.value("SELECT count(*) FROM receipt WHERE key = :key OR key LIKE :key || ' again %'", key=key)
        notes, tx.notes = tx.notes, None
        kept = right(tx, organisation, key=f"{key} again {copies}", **named)
        tx.notes = notes
        tx.note("B.recv", o=organisation, rid=key, src=named["source"])
        return kept

    return [(receipts, "accept", accept)]


@mutant(Fault.WEBHOOK_LOST)
def never_looks_by_itself() -> Patches:
    async def run(_self: Watch) -> None:
        await asyncio.Event().wait()

    return [(Watch, "run", run)]


@mutant(Fault.CRASH)
def moves_the_cursor_before_the_words_are_kept() -> Patches:
    right = Reconcile._write_down

    async def look(self: Reconcile, handoff: HandoffId, *, session: bool) -> float | None:
        scene = await self._database.read(lambda tx: scene_of(tx, handoff, self._accounts))
        channel = None if scene is None or scene.list_at is None else self._channels[scene.list_at]
        asked_at = self._ports.now()
        if scene is not None and channel is not None:
            try:
                page = await channel.heard_since(scene.account, scene.links, scene.cursor)
            except DeliveryError:
                return 1.0
            await self._database.write(lambda tx: handoffs.looked(tx, handoff, page.cursor, self._ports.now()))
            again = await self._database.read(lambda tx: scene_of(tx, handoff, self._accounts))
            assert again is not None
            facts = await self._inquiry.ask(again, session=session, reached=True)
            return await self._database.write(
                lambda tx: right(self, tx, again, channel, page, page.heard, facts, asked_at, reached=True)
            )
        return None

    return [(Reconcile, "look", look)]


@mutant()
def says_again_what_is_known() -> Patches:
    right = Intake._message
    right_sunshine, right_zendesk = SunshineChannel.heard_since, ZendeskChannel.heard_since

    def message(self: Intake, tx: Tx, conversation: Any, id: Any) -> Any:
        return None if str(id).startswith(("sunshine:", "zendesk:")) else right(self, tx, conversation, id)

    # A list read from its beginning each time is harmless as long as what is known is recognised.
    async def sunshine(self: SunshineChannel, account: Account, links: Any, _cursor: str | None) -> Page:
        return await right_sunshine(self, account, links, None)

    async def zendesk(self: ZendeskChannel, account: Account, links: Any, _cursor: str | None) -> Page:
        return await right_zendesk(self, account, links, None)

    return [
        (Intake, "_message", message),
        (SunshineChannel, "heard_since", sunshine),
        (ZendeskChannel, "heard_since", zendesk),
    ]


@mutant()
def reads_the_list_backwards() -> Patches:
    right_sunshine, right_zendesk = SunshineChannel.heard_since, ZendeskChannel.heard_since

    async def sunshine(self: SunshineChannel, *asked: Any) -> Page:
        page = await right_sunshine(self, *asked)
        return replace(page, heard=page.heard[::-1])

    async def zendesk(self: ZendeskChannel, *asked: Any) -> Page:
        page = await right_zendesk(self, *asked)
        return replace(page, heard=page.heard[::-1])

    return [(SunshineChannel, "heard_since", sunshine), (ZendeskChannel, "heard_since", zendesk)]


@mutant()
def shows_what_was_meant_for_colleagues() -> Patches:
    right = zendesk_wire.hear

    def hear(comment: Any, requesters: Any, people: Any) -> Any:
        if isinstance(comment, dict) and comment.get("public") is False:
            heard = right({**comment, "public": True}, requesters, people)
            return None if heard is None else replace(heard, ours=False, role=Role.AGENT)
        return right(comment, requesters, people)

    return [(zendesk_wire, "hear", hear)]


@mutant(Fault.NONSENSE)
def takes_a_user_it_cannot_read_for_nobody() -> Patches:
    right = ZendeskChannel.person

    async def person(self: ZendeskChannel, account: Account, id: str) -> Any:
        try:
            return await right(self, account, id)
        except Retryable as error:
            if "shows no user" not in error.detail:
                raise
            return None

    return [(ZendeskChannel, "person", person)]


@mutant(Fault.WEBHOOK_DELAYED)
def lets_an_old_end_end_a_new_session() -> Patches:
    right = Reconcile._apply

    def apply(self: Reconcile, tx: Tx, scene: Any, event: Any, bell: Any = None) -> None:
        current = conversations.load(tx, scene.conversation.organisation, scene.conversation.id)
        if bell is not None and current is not None and current.handoff is not None:
            event = replace(event, handoff=current.handoff.id) if not isinstance(event, DeskSaid) else event
        right(self, tx, scene, event, bell)

    right_act = Arrivals._act

    def act(self: Arrivals, tx: Tx, organisation: Any, place: Any, receipt: int, arrival: Any, policy: Any) -> Any:
        current = conversations.load(tx, organisation, place.conversation)
        if current is not None and current.handoff is not None:
            place = replace(place, handoff=current.handoff.id)
        return right_act(self, tx, organisation, place, receipt, replace(arrival, sent_at=None), policy)

    return [(Reconcile, "_apply", apply), (Arrivals, "_act", act)]
