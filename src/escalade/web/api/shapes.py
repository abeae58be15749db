"""What the developer API takes: shapes without unknown fields."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from escalade.domain.files import MOST as MOST_FILES
from escalade.domain.model import Feedback, Reason, Role, Wish

Number = Annotated[int, Field(ge=0, le=2**53)]


class Closed(BaseModel):
    """A shape without unknown fields."""

    model_config = ConfigDict(extra="forbid")


# What the description tells of the services' own checks, which say what is wrong better than a pattern does.
Id = Annotated[str, Field(json_schema_extra={"pattern": "^([A-Za-z0-9_.:~-]{1,128})?$"})]
Word = Annotated[str, Field(json_schema_extra={"pattern": r"^[^\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]{0,128}$"})]
Email = Annotated[
    str, Field(json_schema_extra={"pattern": r"^([a-z0-9._+-]{1,64}@([a-z0-9]{1,60}\.){1,3}[a-z]{2,20})?$"})
]
Locale = Annotated[str, Field(json_schema_extra={"pattern": r"^[A-Za-z0-9_.@-]{0,35}$"})]


class CustomerIn(Closed):
    """What is said of a customer; nothing of it is proof."""

    id: Id | None = None
    name: Word | None = None
    email: Email | None = None
    locale: Locale | None = None


class ConversationIn(Closed):
    """A conversation to open."""

    id: Id | None = None
    customer: CustomerIn = CustomerIn()
    context: dict[str, Any] = {}


class AttachmentIn(Closed):
    """A file of a message, uploaded before."""

    id: str = Field(max_length=128)


class DetailsIn(Closed):
    """What a customer says of themselves."""

    name: Word | None = None
    email: Email | None = None


class MessageIn(Closed):
    """A message to take."""

    id: Id | None = None
    author: Literal["customer", "assistant"] = "customer"
    text: str = ""
    attachments: list[AttachmentIn] = Field(default=[], max_length=MOST_FILES)


class FeedbackIn(Closed):
    """What the customer found of an answer; null takes it back."""

    feedback: Feedback | None


class EscalateIn(Closed):
    """A person asked for."""

    reason: Reason = Reason.API
    mode: Wish = Wish.AUTO
    summary: str = Field(default="", max_length=4000)
    note: str = Field(default="", max_length=8000)


class TurnIn(Closed):
    """One earlier turn."""

    role: Role
    text: str = Field(max_length=8000)


class AskIn(Closed):
    """A question to consider without doing anything."""

    text: str = Field(min_length=1, max_length=4000)
    history: list[TurnIn] = Field(default=[], max_length=50)
    locale: str | None = None
