"""What an agent does at the desk, as methods a page, a test or a simulator can call.

Each method is one click. What the workspace would not allow raises `DeskRefused` with a sentence for the person.
"""

from __future__ import annotations

from urllib.parse import quote

from zendesk_emulator.account import SYSTEM, Account
from zendesk_emulator.conversations import Conversations
from zendesk_emulator.errors import DeskRefused
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.messaging import Conversation, Message, SunAttachment
from zendesk_emulator.records.people import User
from zendesk_emulator.records.tickets import Attachment, Comment, Session, Ticket
from zendesk_emulator.switchboard import AGENTS, Switchboard
from zendesk_emulator.tickets import STATUSES, Tickets, actor_of, read_tags

MESSAGING_STATES = ("online", "away", "transfers_only", "offline")


class Desk:
    """The actions of an agent."""

    def __init__(
        self, account: Account, tickets: Tickets, conversations: Conversations, switchboard: Switchboard
    ) -> None:
        self._account = account
        self._tickets = tickets
        self._conversations = conversations
        self._switchboard = switchboard

    # Finding

    def agent(self, name: str | int | None = None) -> User:
        """Find an agent by id, address or name; without one, the first agent who is online."""
        agents = self._account.agents()
        if name is None:
            agents.sort(key=lambda agent: (agent.messaging != "online", agent.role != "agent"))
            return agents[0]
        wanted = str(name).lower()
        for agent in agents:
            if wanted in (
                str(agent.id),
                (agent.email or "").lower(),
                agent.name.lower(),
                agent.name.lower().split()[0],
            ):
                return agent
        raise DeskRefused(f"There is no agent {name!r}.")

    def ticket(self, ticket_id: int) -> Ticket:
        """Find a ticket."""
        ticket = self._account.records.tickets.get(ticket_id)
        if ticket is None:
            raise DeskRefused(f"There is no ticket {ticket_id}.")
        return ticket

    def latest(self) -> Ticket:
        """Find the newest ticket."""
        if not self._account.records.tickets:
            raise DeskRefused("There is no ticket yet.")
        return self._account.records.tickets[max(self._account.records.tickets)]

    def can_reply(self, ticket: Ticket) -> bool:
        """Tell whether the messaging composer is enabled."""
        conversation = self._account.conversation_of(ticket)
        return (
            conversation is not None
            and ticket.session is not Session.ENDED
            and not ticket.is_over
            and conversation.ticket_id == ticket.id
            and self._switchboard.is_with_agents(conversation)
        )

    def read(self, ticket: Ticket) -> None:
        """Look at a ticket, so that its unread marks vanish."""
        if ticket.unread:
            ticket.unread = 0
            self._account.bell.ring()

    # Live chat

    def accept(self, ticket: Ticket, agent: User) -> None:
        """Take a waiting chat: the ticket becomes yours, and open."""
        groups = self._account.groups_of(agent.id)
        group_id = ticket.group_id or (groups[0].id if groups else None)
        status = "open" if ticket.status == "new" else ticket.status
        ticket.unread = 0
        self._tickets.set(ticket, actor_of(agent), group_id=group_id, assignee_id=agent.id, status=status)

    def reply(self, ticket: Ticket, agent: User, body: str) -> Message:
        """Say something in the live chat."""
        conversation = self._live(ticket, agent)
        return self._said(ticket, self._conversations.say_as_agent(conversation, agent, {"type": "text", "text": body}))

    def send_file(
        self, ticket: Ticket, agent: User, *, name: str, content_type: str, data: bytes, body: str = ""
    ) -> Message:
        """Send a file or an image in the live chat; its address asks for the API key."""
        conversation = self._live(ticket, agent)
        account = self._account
        stored = SunAttachment(
            key=f"{account.ids.ulid(account.now())}/{name}",
            content_type=content_type,
            data=data,
            conversation_id=conversation.id,
        )
        account.records.sun_attachments[stored.key] = stored
        content: Json = {
            "type": "image" if content_type.startswith("image/") else "file",
            "mediaUrl": f"{account.base_url}/sc/attachments/v2/{quote(stored.key)}",
            "mediaType": content_type,
            "mediaSize": len(data),
            "altText": name,
        }
        if body:
            content["text"] = body
        return self._said(ticket, self._conversations.say_as_agent(conversation, agent, content))

    def typing(self, ticket: Ticket, agent: User, *, started: bool = True) -> None:
        """Type; whether Zendesk tells anyone is not documented, so a setting decides."""
        conversation = self._account.conversation_of(ticket)
        if conversation is not None and self._account.settings.agent_typing_events:
            author = {"type": "business", "displayName": agent.shown_name}
            kind = "typing:start" if started else "typing:stop"
            self._conversations.activity(conversation, {"author": author, "type": kind})

    def end_session(self, ticket: Ticket, agent: User) -> None:
        """End the messaging session: no more chat here, the status stays, the customer is not told."""
        if not self._account.settings.end_session:
            raise DeskRefused("Ending sessions is turned off for this account.")
        conversation = self._account.conversation_of(ticket)
        if conversation is None or ticket.session in (None, Session.ENDED):
            raise DeskRefused("There is no live session on this ticket.")
        self._tickets.set_session(ticket, Session.ENDED, actor_of(agent), reason="agent")
        if conversation.ticket_id == ticket.id and self._switchboard.is_with_agents(conversation):
            self._switchboard.release_control(conversation)

    def transfer_to_email(self, ticket: Ticket, agent: User) -> None:
        """Go on by mail: the session ends, and control is released with a reason and an activity."""
        conversation = self._conversation(ticket)
        if not self.can_reply(ticket):
            raise DeskRefused("There is no live session on this ticket.")
        self._tickets.set_session(ticket, Session.ENDED, actor_of(agent), reason="other")
        say_activity(self._account, self._conversations, conversation, "ticket:transfer:email", "Goes on by mail.")
        self._switchboard.release_control(conversation, reason="transferToEmail")

    def go_inactive(self, ticket: Ticket) -> None:
        """Let the session rest, as after about ten idle minutes; control stays with the agents."""
        if ticket.session is not Session.ACTIVE:
            raise DeskRefused("The session is not active.")
        self._tickets.set_session(ticket, Session.INACTIVE, SYSTEM)

    def become_active(self, ticket: Ticket) -> None:
        """Let a resting session live again."""
        if ticket.session is not Session.INACTIVE:
            raise DeskRefused("The session is not inactive.")
        self._tickets.set_session(ticket, Session.ACTIVE, SYSTEM)

    def trigger_says(self, ticket: Ticket, body: str) -> Message:
        """Post an automated response into the chat, as a messaging trigger would."""
        return self._conversations.say_as_trigger(self._conversation(ticket), body)

    def system_says(self, ticket: Ticket, body: str, metadata: Json | None = None) -> Message:
        """Post a system message into the chat, for example a survey with `{"type": "csat"}`."""
        return self._conversations.say_as_system(self._conversation(ticket), body, metadata)

    # Every ticket

    def comment(self, ticket: Ticket, agent: User, body: str, files: list[Attachment] | None = None) -> Comment:
        """Write a public comment; on a live chat it goes out by mail, not into the chat."""
        return self._write(ticket, agent, body, public=True, files=files)

    def note(self, ticket: Ticket, agent: User, body: str, files: list[Attachment] | None = None) -> Comment:
        """Write an internal note."""
        return self._write(ticket, agent, body, public=False, files=files)

    def assign(self, ticket: Ticket, agent: User, *, group_id: int | None = None, to: User | None = None) -> None:
        """Move a ticket to a group, to an agent, or (with neither) to nobody."""
        self._still_open(ticket)
        group = self._account.records.groups.get(group_id or 0)
        if group_id is not None and group is None:
            raise DeskRefused(f"There is no group {group_id}.")
        if to is not None and group is None:
            groups = self._account.groups_of(to.id)
            group = next((known for known in groups if known.id == ticket.group_id), groups[0] if groups else None)
        if to is not None and group is not None and to.id not in group.members:
            raise DeskRefused(f"{to.name} is not in {group.name}.")
        changes: Json = {"group_id": group.id if group else ticket.group_id, "assignee_id": to.id if to else None}
        if to is not None and ticket.status == "new":
            self._tickets.set(ticket, actor_of(agent), **changes, status="open")
        else:
            self._tickets.set(ticket, actor_of(agent), **changes)

    def set_status(self, ticket: Ticket, agent: User, status: str) -> None:
        """Submit as open, pending, hold, solved or closed; closing ends the session and gives control away."""
        self._still_open(ticket)
        if status not in STATUSES or status == "new":
            raise DeskRefused(f"A ticket cannot be submitted as {status!r}.")
        changes: Json = {"status": status}
        if status in ("solved", "closed") and ticket.assignee_id is None:
            changes["assignee_id"] = agent.id
        self._tickets.set(ticket, actor_of(agent), **changes)

    def delete(self, ticket: Ticket, agent: User) -> None:
        """Delete a ticket: its address is gone, and so is the chat behind it for the agents."""
        if ticket.status == "deleted":
            raise DeskRefused("The ticket is deleted.")
        self._tickets.delete(ticket, actor_of(agent))

    def merge(self, ticket: Ticket, agent: User, *, into: Ticket) -> None:
        """Close a ticket and go on in another."""
        self._still_open(ticket)
        self._still_open(into)
        self._tickets.merge(into.id, [ticket.id], {}, actor=agent)

    def fill(self, ticket: Ticket) -> None:
        """Let a live chat hold all the messages it may."""
        self._conversations.fill(self._conversation(ticket))

    def forget_customer(self, ticket: Ticket) -> None:
        """Delete the messaging user behind a live chat, as a request for erasure would, and the chat with them."""
        self._conversations.delete_user(self._conversations.user(self._conversation(ticket).user_id))

    def set_tags(self, ticket: Ticket, agent: User, tags: str) -> None:
        """Replace the tags."""
        self._still_open(ticket)
        self._tickets.set(ticket, actor_of(agent), tags=read_tags(tags))

    def set_priority(self, ticket: Ticket, agent: User, priority: str | None) -> None:
        """Set the priority, or none."""
        self._still_open(ticket)
        self._tickets.set(ticket, actor_of(agent), priority=priority)

    def set_messaging(self, agent: User, state: str) -> None:
        """Go online, away, transfers only, or offline for messaging."""
        if state not in MESSAGING_STATES:
            raise DeskRefused(f"There is no state {state!r}.")
        agent.messaging, agent.updated_at = state, self._account.now()
        self._account.emit("agent.availability", actor=actor_of(agent), facts={"state": state})

    # Inside

    def _live(self, ticket: Ticket, agent: User) -> Conversation:
        """Give the conversation if the composer is enabled, and make the writer its agent."""
        conversation = self._conversation(ticket)
        if not self.can_reply(ticket):
            raise DeskRefused("The messaging session has ended; the composer is disabled.")
        if ticket.assignee_id is None or ticket.status == "new":
            self.accept(ticket, agent)
        return conversation

    def _said(self, ticket: Ticket, message: Message) -> Message:
        ticket.unread = 0
        if ticket.session is Session.INACTIVE:
            self._tickets.set_session(ticket, Session.ACTIVE, SYSTEM)
        return message

    def _conversation(self, ticket: Ticket) -> Conversation:
        conversation = self._account.conversation_of(ticket)
        if conversation is None:
            raise DeskRefused("This ticket is not a live chat.")
        return conversation

    def _write(
        self, ticket: Ticket, agent: User, body: str, *, public: bool, files: list[Attachment] | None
    ) -> Comment:
        self._still_open(ticket)
        if not body.strip() and not files:
            raise DeskRefused("Write something first.")
        for file in files or []:
            self._account.records.attachments[file.id] = file
        if ticket.status == "new":
            self.accept(ticket, agent)
        return self._tickets.comment(ticket, agent, body, public=public, attachments=files)

    def _still_open(self, ticket: Ticket) -> None:
        if ticket.is_over:
            raise DeskRefused(f"The ticket is {ticket.status}.")


def close_conversation_with_ticket(
    account: Account, conversations: Conversations, switchboard: Switchboard, ticket: Ticket
) -> None:
    """Give control away when a messaging ticket is closed, the way the account's setting says."""
    conversation = account.conversation_of(ticket)
    if conversation is None or conversation.ticket_id != ticket.id or not switchboard.is_with_agents(conversation):
        return
    say_activity(account, conversations, conversation, "ticket:closed", "The ticket was closed.")
    agents = account.seat_of_type(AGENTS)
    if account.settings.conversation_control == "pass" and agents.next_id:
        switchboard.pass_control(conversation, agents.next_id, reason="ticketClosed")
    else:
        switchboard.release_control(conversation, reason="ticketClosed")


def say_activity(
    account: Account, conversations: Conversations, conversation: Conversation, activity: str, text: str
) -> None:
    """Leave a notice of the system's own doing in the conversation."""
    conversations.add(
        conversation,
        {"type": "business", "displayName": account.subdomain, "subtypes": ["activity"]},
        {"type": "text", "text": text},
        {},
        {"type": AGENTS},
        activity={"type": activity},
    )
