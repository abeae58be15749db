"""Talk to a provider's language model through pydantic-ai, which costs a hundred megabytes and seconds to import.

So it is an extra (`escalade[models]`), imported when first needed: nothing here may be imported at the start of a
product without a model.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import structlog

from escalade.assistant.language_model import TOOLS, Call, ModelFailed, Piece, Talk, Tool

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelRequest
    from pydantic_ai.models import Model
    from pydantic_ai.providers import Provider
    from pydantic_ai.settings import ModelSettings

log = structlog.get_logger()

Aside = Callable[[Callable[[], object]], Awaitable[object]]  # runs beside the event loop what takes long

MOST_TOKENS = 1_200  # of one turn; an answer is a few hundred
RETRIES = 1  # of a request that failed before its answer began

OPENAI = frozenset({"openai", "openai-chat", "openai-responses"})


class ProvidersModel:
    """A model by its name, such as `openai:…`; `url` is where another server speaks the provider's protocol.

    OpenAI and Anthropic are handed `url` and `key`, or read their own environment variables like every other provider
    that pydantic-ai knows.
    """

    def __init__(self, name: str, aside: Aside, *, url: str = "", key: str = "", seconds: float = 30.0) -> None:
        self._name = name
        self._aside = aside
        self._url = url
        self._key = key
        self._seconds = seconds
        self._opened: Model[Any] | None = None
        self._opening = threading.Lock()

    async def open(self) -> None:
        """Import what is needed and make the model; takes seconds the first time."""
        try:
            await self._aside(self.opened)
        except Exception as error:
            log.warning("model_not_opened", model=self._name, why=f"{type(error).__name__}: {error}"[:300])
            raise ModelFailed(f"the model cannot be opened ({type(error).__name__})") from error

    async def close(self) -> None:
        """Close the connections that are kept open."""
        if self._opened is not None:
            async with self._opened:  # leaving it closes them
                pass

    def opened(self) -> Model[Any]:
        """Give the model, made at the first call. Safe from any thread."""
        with self._opening:
            if self._opened is None:
                self._opened = self._made()
            return self._opened

    def talk(self, instructions: str, tools: Sequence[Tool] = TOOLS) -> Talk:
        """Begin a talk in which these tools may be called for."""
        return _ProvidersTalk(self, instructions, tools, self._seconds)

    def _made(self) -> Model[Any]:
        from pydantic_ai.models import infer_model

        provider, _, model = self._name.partition(":")
        if self._url and provider in OPENAI and provider != "openai-responses":
            # Others who speak OpenAI's protocol speak its chat completions.
            from pydantic_ai.models.openai import OpenAIChatModel
            from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

            there = OpenAICompatibleProvider("elsewhere", base_url=self._url, api_key=self._key or "none")
            return OpenAIChatModel(model, provider=there)
        return infer_model(self._name, self._provider)

    def _provider(self, name: str) -> Provider[Any]:
        if name in OPENAI:
            from pydantic_ai.providers.openai import OpenAIProvider

            return OpenAIProvider(base_url=self._url or None, api_key=self._key or None)
        if name == "anthropic":
            from pydantic_ai.providers.anthropic import AnthropicProvider

            return AnthropicProvider(base_url=self._url or None, api_key=self._key or None)
        from pydantic_ai.providers import infer_provider

        return infer_provider(name)


class _ProvidersTalk:
    """A talk with what was said in it, in the provider's own parts: some of them must come back as they were."""

    def __init__(self, model: ProvidersModel, instructions: str, tools: Sequence[Tool], seconds: float) -> None:
        self._model = model
        self._instructions = instructions
        self._tools = tools
        self._seconds = seconds
        self._said: list[ModelMessage] = []

    async def ask(self, text: str) -> AsyncGenerator[Piece]:
        """Begin."""
        await self._model.open()
        from pydantic_ai.messages import ModelRequest, UserPromptPart

        request = ModelRequest(parts=[UserPromptPart(text)], instructions=self._instructions)
        async with aclosing(self._turn(request)) as pieces:
            async for piece in pieces:
                yield piece

    async def give(self, results: Sequence[tuple[Call, str]]) -> AsyncGenerator[Piece]:
        """Go on with what its calls came to."""
        from pydantic_ai.messages import ModelRequest, ToolReturnPart

        parts = [ToolReturnPart(tool_name=call.name, content=found, tool_call_id=call.id) for call, found in results]
        request = ModelRequest(parts=parts, instructions=self._instructions)
        async with aclosing(self._turn(request)) as pieces:
            async for piece in pieces:
                yield piece

    async def _turn(self, request: ModelRequest) -> AsyncGenerator[Piece]:
        from pydantic_ai import messages as parts
        from pydantic_ai.direct import model_request_stream
        from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError
        from pydantic_ai.models import ModelRequestParameters
        from pydantic_ai.tools import ToolDefinition

        tools = [
            ToolDefinition(name=tool.name, description=tool.description, parameters_json_schema=tool.parameters)
            for tool in self._tools
        ]
        settings: ModelSettings = {
            "max_tokens": MOST_TOKENS,
            "request_timeout": self._seconds,
            "max_retries": RETRIES,
        }
        self._said.append(request)
        try:
            async with model_request_stream(
                self._model.opened(),
                self._said,
                model_settings=settings,
                model_request_parameters=ModelRequestParameters(function_tools=tools),
            ) as stream:
                async for event in stream:
                    match event:
                        case parts.PartStartEvent(part=parts.TextPart(content=text)) if text:
                            yield text
                        case parts.PartDeltaEvent(delta=parts.TextPartDelta(content_delta=text)) if text:
                            yield text
                        case parts.PartEndEvent(part=parts.ToolCallPart() as call):
                            yield Call(id=call.tool_call_id, name=call.tool_name, arguments=call.args)
                self._said.append(stream.get())
        except ModelFailed:
            raise
        except ModelHTTPError as error:  # its body may repeat what we sent
            raise ModelFailed(f"the model's provider answered {error.status_code}") from error
        except ModelAPIError as error:
            raise ModelFailed(f"the model cannot be reached ({type(error).__name__})") from error
        except Exception as error:
            raise ModelFailed(f"the model's answer cannot be read ({type(error).__name__})") from error
