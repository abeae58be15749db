"""What a look starts from: a handoff, what is known of it, and the bells that wait, read in one snapshot."""

from __future__ import annotations

from dataclasses import dataclass

from escalade.channels.base import Account, ArrivalKind, ChannelName, LinkKind
from escalade.domain.model import Conversation, ConversationId, Handoff, HandoffId, Mode, OrganisationId
from escalade.domain.policy import Policy
from escalade.services.accounts import Accounts
from escalade.store import conversations, links, organisations, receipts
from escalade.store.database import Tx

BELLS = frozenset(kind.value for kind in ArrivalKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a look starts from."""

    conversation: Conversation
    handoff: Handoff
    account: Account
    policy: Policy
    links: dict[tuple[ChannelName, LinkKind], str]
    cursor: str | None
    bells: tuple[receipts.Receipt, ...]

    @property
    def list_at(self) -> ChannelName | None:
        """Say whose list is the truth for this handoff, if there is one to read."""
        if self.handoff.mode is Mode.LIVE:
            if (ChannelName.SUNSHINE, LinkKind.CONVERSATION) in self.links and self.account.sunshine:
                return ChannelName.SUNSHINE
            return None
        if (ChannelName.ZENDESK, LinkKind.TICKET) in self.links and self.account.zendesk:
            return ChannelName.ZENDESK
        return None


def scene_of(tx: Tx, handoff: HandoffId, accounts: Accounts) -> Scene | None:
    """Read what is known of a handoff, as it sees its conversation."""
    row = tx.everywhere().one("SELECT organisation, conversation, cursor FROM handoff WHERE id = :id", id=handoff)
    if row is None:
        return None
    organisation = organisations.load(tx, OrganisationId(row["organisation"]))
    conversation = conversations.load(
        tx, OrganisationId(row["organisation"]), ConversationId(row["conversation"]), handoff=handoff
    )
    if conversation is None or organisation is None or conversation.handoff is None:
        return None
    known = {
        (ChannelName(channel), LinkKind(kind)): theirs for (channel, kind), theirs in links.of(tx, handoff).items()
    }
    return Scene(
        conversation=conversation,
        handoff=conversation.handoff,
        account=accounts.account(tx, organisation),
        policy=Policy.of(organisation.settings),
        links=known,
        cursor=row["cursor"],
        bells=tuple(
            receipt
            for receipt in receipts.waiting(tx, conversation.organisation, conversation.id)
            if receipt.kind in BELLS and receipt.handoff == handoff
        ),
    )
