"""What an organisation has chosen: the settings tree of the developer API, without its secrets.

Zendesk's ids are integers, as Zendesk sends them; our own are opaque strings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from escalade.domain.model import OrganisationId


class AuthType(StrEnum):
    """Tell how we sign in to Zendesk Support."""

    CLIENT_CREDENTIALS = "client_credentials"
    AUTHORIZATION_CODE = "authorization_code"
    API_TOKEN = "api_token"  # noqa: S105 - the name of a method, not a secret


class OnInactive(StrEnum):
    """Tell what a session that went inactive does to the customer's chat."""

    CLOSE = "close"
    KEEP = "keep"


class RolloutMode(StrEnum):
    """Tell who is offered a person."""

    EVERYONE = "everyone"
    TICKETS_ONLY = "tickets_only"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZendeskAuth:
    """How to sign in; the secret half is sealed elsewhere."""

    type: AuthType = AuthType.CLIENT_CREDENTIALS
    client_id: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZendeskSettings:
    """Which Zendesk account is ours to use."""

    subdomain: str = ""
    auth: ZendeskAuth = ZendeskAuth()
    base_url: str | None = None  # everything before /api/v2; development only

    @property
    def is_connected(self) -> bool:
        """Say whether an account is named."""
        return bool(self.subdomain or self.base_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketSettings:
    """What every ticket carries."""

    assignee_id: int | None = None
    group_id: int | None = None
    tags: tuple[str, ...] = ("FullviewAI",)
    form_id: int | None = None
    brand_id: int | None = None
    priority: str | None = None
    custom_fields: dict[str, str | int | float | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """Whether and how conversations reach agents live."""

    enabled: bool = False
    app_id: str = ""
    key_id: str = ""
    base_url: str | None = None  # everything before /v2/apps, with /sc; development only
    answer_within_s: int = 180
    require_online_agent: bool = True
    on_session_inactive: OnInactive = OnInactive.CLOSE


@dataclass(frozen=True, slots=True, kw_only=True)
class BotSettings:
    """A bot of one's own, asked in the place of the knowledge; no address, no bot. Its secret is sealed elsewhere."""

    url: str = ""
    wait_s: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantSettings:
    """How far the assistant may go alone. `minimum_confidence` is in percent."""

    enabled: bool = True
    minimum_confidence: int = 90
    prompt: str = ""
    always_escalate_topics: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en",)
    bot: BotSettings = BotSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutSettings:
    """Who is offered a person while the roll-out is under way."""

    mode: RolloutMode = RolloutMode.EVERYONE
    percent: int = 100
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WidgetSettings:
    """Which web sites may show the widget (none named means every site may), and how many may begin to talk."""

    allowed_origins: tuple[str, ...] = ()
    conversations_per_hour: int = 2_000  # beyond that it is no crowd but a machine, and agents are spared it


@dataclass(frozen=True, slots=True, kw_only=True)
class SidebarSettings:
    """Which installation of the app in Zendesk may show a ticket's page, and the key it signs with; no secrets."""

    installation_id: int | None = None
    public_key: str = ""  # PEM, as Zendesk gives it

    @property
    def is_set_up(self) -> bool:
        """Say whether somebody can be let in."""
        return bool(self.installation_id and self.public_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole settings tree."""

    zendesk: ZendeskSettings = ZendeskSettings()
    tickets: TicketSettings = TicketSettings()
    live: LiveSettings = LiveSettings()
    assistant: AssistantSettings = AssistantSettings()
    rollout: RolloutSettings = RolloutSettings()
    widget: WidgetSettings = WidgetSettings()
    sidebar: SidebarSettings = SidebarSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A tenant: its name and its choices."""

    id: OrganisationId
    name: str
    widget_key: str
    settings: Settings = Settings()
    zendesk_account_id: str | None = None  # learnt from the first genuine webhook
