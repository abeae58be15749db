"""What the assistant asks of a language model, whoever makes it: a talk in turns, with two tools or none.

A model says words and calls for tools; it does nothing. Whether its words are shown and its calls are heard is decided
by `composer`, and by `summary`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

SEARCH, ESCALATE = "search_knowledge", "escalate"


class ModelFailed(Exception):
    """Say that a model gave no answer that can be used, in words that hold nothing of what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool a model may call for; `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A model's call for a tool, as it was written: nobody has checked the name or the arguments."""

    id: str
    name: str
    arguments: str | dict[str, Any] | None


Piece = str | Call
TOOLS = (
    Tool(
        name=SEARCH,
        description="Search the company's knowledge. Gives numbered passages that may be cited.",
        parameters={
            "type": "object",
            "properties": {"query": {"type": "string", "description": "what to look for, in a few words"}},
            "required": ["query"],
            "additionalProperties": False,
        },
    ),
    Tool(
        name=ESCALATE,
        description="Hand the conversation to a person, because the passages do not answer or the customer wants one.",
        parameters={
            "type": "object",
            "properties": {
                "reason": {"type": "string", "enum": ["no_answer", "asked_for_person", "unhelpful"]},
                "summary": {"type": "string", "description": "what the customer wants, in their own words"},
            },
            "required": ["reason", "summary"],
            "additionalProperties": False,
        },
    ),
)


class Talk(Protocol):
    """One talk with a model. A turn that is not read to its end is the last."""

    def ask(self, text: str) -> AsyncGenerator[Piece]:
        """Begin: give what it says and calls for, as it comes; raises `ModelFailed`."""
        ...

    def give(self, results: Sequence[tuple[Call, str]]) -> AsyncGenerator[Piece]:
        """Go on with what its calls came to."""
        ...


class LanguageModel(Protocol):
    """A model that can be talked to."""

    async def open(self) -> None:
        """Get ready, which may take seconds; who does not wait for it waits in the first talk. Raises `ModelFailed`."""
        ...

    async def close(self) -> None:
        """Give back what is held open."""
        ...

    def talk(self, instructions: str, tools: Sequence[Tool] = TOOLS) -> Talk:
        """Begin a talk in which these tools may be called for."""
        ...
