"""How the console names things: every state, effect and verdict in words an operator knows, with a tone."""

from __future__ import annotations

Toned = tuple[str, str]  # a tone of the stylesheet and the words

CONTROL: dict[str, Toned] = {
    "assistant": ("machine", "Assistant"),
    "pending": ("person", "Waiting for an agent"),
    "agent": ("person", "With an agent"),
    "nobody": ("quiet", "Nobody"),
}

STATUS: dict[str, Toned] = {"open": ("good", "Open"), "closed": ("quiet", "Closed")}

HANDOFF: dict[str, Toned] = {
    "requested": ("warn", "Requested"),
    "queued": ("person", "In the queue"),
    "with_agent": ("person", "With an agent"),
    "asynchronous": ("person", "Ticket"),
    "ended": ("quiet", "Ended"),
    "failed": ("bad", "Failed"),
}

MODE = {"live": "Live chat", "ticket": "Support ticket"}

REASON = {
    "asked_for_person": "The customer asked for a person",
    "no_answer": "The assistant had no answer",
    "unhelpful": "The answers did not help",
    "topic": "A topic that always goes to people",
    "frustration": "The customer has had enough",
    "loop": "The assistant could only repeat itself",
    "error": "The assistant failed",
    "api": "Asked for through the API",
    "follow_up": "An earlier request takes no more messages",
}

CHANGE: dict[str, Toned] = {
    "same": ("quiet", "As it was"),
    "now": ("person", "Would go to a person"),
    "no_longer": ("machine", "Would be answered"),
    "otherwise": ("warn", "Another point or reason"),
}

TICKET_FIELD = {
    "group_id": "Group",
    "assignee_id": "Assignee",
    "ticket_form_id": "Form",
    "brand_id": "Brand",
    "priority": "Priority",
}

DECISION: dict[str, Toned] = {"answer": ("machine", "Answered"), "escalate": ("person", "To a person")}

ENDING = {
    "by_agent": "An agent ended the session",
    "inactive": "The session went inactive",
    "by_customer": "The customer left",
    "closed": "The ticket was closed",
    "unknown": "Zendesk said it ended, not how",
}

FEEDBACK: dict[str, Toned] = {
    "helpful": ("good", "Found helpful"),
    "not_helpful": ("bad", "Found not helpful"),
}

FILE: dict[str, Toned] = {
    "arriving": ("quiet", "Arriving"),
    "kept": ("quiet", "Not scanned"),
    "awaited": ("warn", "Being fetched"),
    "lost": ("bad", "Could not be fetched"),
    "flagged": ("bad", "Held back: the scanner found something"),
}
ROLE = {"customer": "Customer", "assistant": "Assistant", "agent": "Agent", "system": "Notice"}

EFFECT = {
    "Answer": "Ask the assistant",
    "EnsureUser": "Make the customer known",
    "EnsureConversation": "Open the conversation",
    "TakeControl": "Take control",
    "PostContext": "Post the context for agents",
    "PassToAgents": "Pass control to agents",
    "ConfirmControl": "Confirm that agents have control",
    "OpenTicket": "Open the ticket",
    "AddNote": "Leave the internal note",
    "NameRequester": "Name the requester",
    "Post": "Post the customer's message",
    "ReleaseControl": "Release control",
    "RemoveDouble": "Remove a second copy",
    "MergeTicket": "Merge a second ticket",
}

DELIVERY: dict[str, Toned] = {
    "pending": ("warn", "Pending"),
    "sending": ("warn", "Sending"),
    "unsure": ("warn", "Unsure"),
    "delivered": ("good", "Delivered"),
    "covered": ("good", "Covered"),
    "refused": ("bad", "Refused"),
    "dropped": ("quiet", "Dropped"),
    "withdrawn": ("quiet", "Withdrawn"),
    "resent": ("quiet", "Sent again"),
    "skipped": ("quiet", "Skipped"),
}

RESENDABLE = frozenset({"refused", "skipped"})

VERDICT: dict[str, Toned] = {
    "under_way": ("warn", "Under way"),
    "delivered": ("good", "Delivered"),
    "found": ("good", "Found there already"),
    "absent": ("quiet", "Not there"),
    "retryable": ("warn", "Try later"),
    "uncertain": ("warn", "May have arrived"),
    "refused": ("bad", "Refused"),
    "gone": ("warn", "Takes nothing more"),
    "unaccepted": ("warn", "Credential not accepted"),
    "crowded": ("warn", "Asked too often"),
    "toolarge": ("warn", "Answer too large"),
    "cut_short": ("warn", "Cut short"),
}

ATTEMPT = {"send": "Send", "look": "Look before sending again"}

RECEIPT_STATE: dict[str, Toned] = {
    "waiting": ("warn", "Waiting"),
    "settled": ("good", "Applied"),
    "ignored": ("quiet", "Ignored"),
}

RECEIPT = {
    "message_added": "Message added",
    "comment_added": "Comment added",
    "status_changed": "Status changed",
    "assignment_changed": "Agent assignment changed",
    "session_end": "Session end",
    "control_left": "Agents left control",
    "other": "Other event",
}

OURS = {  # events we owe ourselves, kept as receipts so that a crash cannot lose them
    "CustomerSaid": "The customer wrote",
    "AssistantSaid": "The assistant answered",
    "HandoffAsked": "A person was asked for",
    "HandoffQueued": "Agents have control",
    "TicketOpened": "The ticket is open",
    "HandoffRefused": "Zendesk refused the handoff",
    "HandoffRetried": "The handoff is tried again",
    "PostRefused": "A message did not reach Zendesk",
    "PostDelayed": "A message has not reached Zendesk yet",
    "DeskSaid": "An agent wrote",
    "AgentAssigned": "An agent was assigned",
    "TicketStatusChanged": "The ticket's status changed",
    "SessionEnded": "The session ended",
    "NobodyAnswered": "Nobody answered in time",
    "CustomerIdentified": "The customer gave a name or address",
    "Released": "Back to the assistant",
    "Closed": "The conversation was closed",
}

SOURCE = {"zendesk": "Zendesk", "sunshine": "Sunshine Conversations"}

DOOR: dict[str, tuple[str, str, str]] = {  # a tone, a title, and what it means for the customers
    "failing": (
        "warn",
        "{channel} cannot be reached",
        "Nothing is lost: what is owed waits, and goes out by itself when it is back.",
    ),
    "paused": ("warn", "{channel} asked us to slow down", "What is owed waits until it may go on."),
    "locked": (
        "bad",
        "{channel} does not accept our credential",
        "Nothing is lost: what is owed waits, and is tried once a minute until the credential is mended.",
    ),
}

OPERATOR_ROLE = {
    "owner": "Owner: everything",
    "admin": "Admin: conversations and settings",
    "developer": "Developer: deliveries, webhook and API keys",
    "viewer": "Viewer: looks, changes nothing",
}


def skippable(state: str, tries: int) -> bool:
    """Say whether giving a delivery up is offered: once it was refused, or does not get through."""
    return state == "refused" or (state in {"pending", "unsure"} and tries >= 3)


def toned(table: dict[str, Toned], key: str) -> Toned:
    """Give tone and words; what the table does not know is shown as it is."""
    return table.get(key, ("quiet", key.replace("_", " ")))


def named(table: dict[str, str], key: str) -> str:
    """Give the words; what the table does not know is shown as it is."""
    return table.get(key, key.replace("_", " "))
