"""Say which behaviours are documented by Zendesk and which are guesses; shown at `/emulator/fidelity`.

*documented* covers official pages, the official API description, recorded traffic and careful secondary sources;
*guess* covers what public code or inference suggests and nobody has confirmed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from zendesk_emulator.records.json import Json


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One thing the emulator does, and how sure it is."""

    area: str
    what: str
    grade: str  # "documented" or "guess"
    note: str = ""


def as_json() -> list[Json]:
    """List every behaviour."""
    return [asdict(behaviour) for behaviour in BEHAVIOURS]


def _known(area: str, what: str, note: str = "") -> Behaviour:
    return Behaviour(area, what, "documented", note)


def _guess(area: str, what: str, note: str = "") -> Behaviour:
    return Behaviour(area, what, "guess", note)


BEHAVIOURS: tuple[Behaviour, ...] = (
    _known("auth", "Basic email/token:apitoken; passwords do not work"),
    _known("auth", "OAuth client credentials, refresh with rotation, codes for 120 s with PKCE; 1,800 s by default"),
    _known("auth", "401 body Couldn't authenticate you"),
    _guess("auth", "401 body invalid_token for a wrong or expired OAuth token", "wording unknown"),
    _guess("auth", "403 body when a scope is missing", "shapes vary"),
    _guess("auth", "groups, settings, availability and search need the scope read; audits too", "from integrators"),
    _known("tickets", "create, update, audits, comments; 201 with Location; keys in recorded order"),
    _known("tickets", "Idempotency-Key: miss, hit, 400 for another body, two hours"),
    _known("tickets", "body over 64 kB is cut silently", "counted in bytes here"),
    _known("tickets", "placeholders in comments are expanded; unknown ones vanish"),
    _guess("tickets", "Liquid tags in comments vanish; runs of blanks and empty lines collapse", "how exactly is open"),
    _known("tickets", "suspended requester is 422 UserSuspended; closed tickets refuse updates with 422"),
    _guess("tickets", "error words of other 422 details"),
    _known("tickets", "safe_update with an old updated_stamp is 409"),
    _guess("tickets", "a new ticket with an assignee is open; solving without one assigns the solver"),
    _known("tickets", "first comment private makes the ticket private"),
    _known("tickets", "a deleted ticket is 404, and in no list"),
    _guess("tickets", "deleting a live chat's ticket gives control away as closing does; webhooks hear of both"),
    _guess("tickets", "merge happens at once; its job is already completed"),
    _guess("search", "a small subset, and immediate", "real search lags by minutes"),
    _known("uploads", "POST raw bytes gives a token; a second file may join it"),
    _known("limits", "X-Rate-Limit and ratelimit-* headers; 429 with Retry-After when enforced"),
    _guess("limits", "one fixed window a minute; of endpoint budgets only that of changed articles is counted"),
    _known("webhooks api", "secrets blacked out on read; PUT and PATCH answer 204; a new secret answers 201"),
    _known("webhooks api", "PUT clears what it omits except subscriptions"),
    _known("webhooks api", "events or triggers, never both, never switched"),
    _guess("webhooks api", "error bodies of refused webhooks; custom headers are sent over http too"),
    _known("delivery", "signature over timestamp and raw body with the secret as text; static secret for tests"),
    _known(
        "delivery", "12 s; 409 three retries; 429 and 503 with Retry-After under 60 s three; timeouts five; else none"
    ),
    _guess("delivery", "pauses between retries; every try is signed anew"),
    _guess("delivery", "failed connections are not retried and count as errors for the breaker"),
    _known("delivery", "breaker: 70 % or 1,000 errors in 5 min from 100 calls; 5 s; events in between are lost"),
    _known("delivery", "trial accounts: 60 a minute, the rest throttled and sent later"),
    _known("events", "envelope, upper-case enums, ids as text, three blanks of indent, line break at the end"),
    _known("events", "timestamps with none to nine fractional digits; conversation_id present or not (setting)"),
    _known("events", "message_added for end users, agents, triggers and system"),
    _guess("events", "our own business messages appear with actor type system and id api:conversations"),
    _guess("events", "unassigned is null; the body of a file message is its alt text"),
    _guess("events", "a new ticket sends comment_added for its first comment too"),
    _known("triggers", "definitions, categories, operators, notification_webhook; body sent byte for byte"),
    _guess("triggers", "placeholders in bodies are not escaped"),
    _guess(
        "triggers", "names messaging.session_state and messaging.session_ended_reason", "read them from definitions"
    ),
    _known("session", "active, inactive, ended; changed-from-Active fires on idle too"),
    _known("session", "ending keeps the status, disables the composer, and tells the customer nothing"),
    _guess("session", "ending releases control without a reason; the audit event is ChatEndedEvent"),
    _guess("session", "control leaving the agents any other way ends the session with reason other"),
    _guess("session", "an agent's reply makes a resting session active"),
    _known("session", "a customer's message reopens a solved ticket"),
    _guess("session", "a customer's message opens pending and on-hold tickets too"),
    _known("sunshine", "Basic key; users 409 on a taken externalId; 4,096 characters; 4 KB metadata; 423 when full"),
    _guess("sunshine", "metadata given in PATCH is added to what is there"),
    _guess("sunshine", "a second conversation without multi-conversations is 400 bad_request"),
    _known("sunshine", "100 messages a page, newest page first, ids as cursors"),
    _guess("sunshine", "a page is oldest first"),
    _known("sunshine", "X-API-Key; 20 s; five tries in fifteen minutes; 400, 401, 403, 404, 406 are final"),
    _guess("sunshine", "pauses of 2, 8, 32 and 128 s; one event a request"),
    _known("switchboard", "targets by id, then name, then type; failures only as events; next is not idempotent"),
    _guess("switchboard", "passing to whoever has control does nothing and tells nobody"),
    _guess("switchboard", "a new API conversation is with zd-answerBot, which answers user messages"),
    _known("switchboard", "who hears: outside everything; inside when active, pending, or on standby if asked"),
    _known(
        "messaging ticket", "passing control to Agent Workspace opens it; last ten messages or from first_message_id"
    ),
    _guess("messaging ticket", "no user message is needed for it to open"),
    _guess(
        "messaging ticket", "dataCapture.* and zen:* set requester, tags, fields, group, priority", "from public code"
    ),
    _guess("messaging ticket", "dataCapture.* is lost when a user wrote while a bot had control"),
    _guess("messaging ticket", "private boilerplate comment; ChatStartedEvent in the audit"),
    _known(
        "messaging ticket", "closing releases or passes control by setting, with reason ticketClosed and an activity"
    ),
    _guess(
        "messaging ticket",
        "agents' messages carry __zendesk_msg.agent.id; source zd:agentWorkspace",
        "undocumented keys",
    ),
    _known("messaging ticket", "agents' messages carry the subtype agent"),
    _known("messaging ticket", "transfer to e-mail releases control with reason transferToEmail and an activity"),
    _known("apps", "a package with manifest.json; the first request is a POST with an RS256 token, good for minutes"),
    _guess("apps", "the claims' exact spelling; the app's script is a stand-in for ticket.id and resize"),
    _guess("availability", "filter[group_ids]; agent_statuses", "spelling unknown"),
    _known("availability", "JSON:API shape; filter[channel_status]=messaging:online; admins only"),
    _known("help centre", "public without a key; drafts and segments for agents; cursor, offset and incremental lists"),
    _guess("help centre", "415 without .json", "seen live by one SDK author"),
)
