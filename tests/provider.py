"""A provider of language models for the tests: it speaks the documented protocols over real HTTP, and says its lines.

https://platform.openai.com/docs/api-reference/chat-streaming
https://platform.openai.com/docs/api-reference/responses-streaming
https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.serving import served

KEY = "the-key-of-these-tests"


@dataclass(frozen=True, slots=True)
class Wants:
    """A tool the model calls for; `arguments` goes over the wire as it is."""

    tool: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Line:
    """What the model does when it is asked next."""

    pieces: tuple[str | Wants, ...] = ()
    status: int = 200
    ends: str = "well"  # or `cut`: the connection is closed in the middle; `never`: nothing more comes; `error`
    holds: threading.Event | None = None  # waits for it before the last quarter


@dataclass(slots=True)
class Provider:
    """A provider under way; of `lines` one is said each time, the last for ever."""

    url: str = ""
    lines: list[Line] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)  # who left before we had ended

    def says(self, *pieces: str | Wants, **more: Any) -> None:
        """Let the model say this when it is asked next."""
        self.lines.append(Line(pieces, **more))

    def _next(self) -> Line:
        return self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]

    async def chat(self, request: Request) -> Response:
        """Answer as OpenAI's chat completions do."""
        body = await self._taken(request)
        _known([tool["function"]["name"] for tool in body.get("tools", [])])
        assert body["messages"][0]["role"] in {"system", "developer"}
        line = self._next()
        if line.status != 200:
            return JSONResponse({"error": {"message": f"no: {KEY}", "type": "error", "code": None}}, line.status)
        return self._stream(line, _chat(line))

    async def responses(self, request: Request) -> Response:
        """Answer as OpenAI's responses do."""
        body = await self._taken(request)
        _known([tool["name"] for tool in body.get("tools", [])])
        line = self._next()
        if line.status != 200:
            return JSONResponse({"error": {"message": f"no: {KEY}", "type": "error", "code": None}}, line.status)
        return self._stream(line, _responses(line))

    async def messages(self, request: Request) -> Response:
        """Answer as Anthropic's messages do."""
        body = await self._taken(request)
        _known([tool["name"] for tool in body.get("tools", [])])
        assert body["max_tokens"] > 0
        line = self._next()
        if line.status != 200:
            error = {"type": "error", "error": {"type": "api_error", "message": f"no: {KEY}"}}
            return JSONResponse(error, line.status)
        return self._stream(line, _messages(line))

    async def _taken(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = await request.json()
        assert body["stream"] is True
        self.asked.append(body)
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.keys.append(request.headers.get("x-api-key") or bearer)  # Anthropic takes either
        return body

    def _stream(self, line: Line, frames: Iterator[bytes]) -> Response:
        async def sent() -> AsyncIterator[bytes]:
            every = list(frames)
            for at, frame in enumerate(every):
                while line.holds is not None and at == len(every) * 3 // 4 and not line.holds.is_set():
                    await asyncio.sleep(0.01)
                if line.ends == "cut" and at == 3:
                    raise ConnectionResetError
                yield frame
                await asyncio.sleep(0)
            if line.ends == "never":
                try:
                    await asyncio.Event().wait()
                finally:
                    self.gone.append("left")

        return StreamingResponse(sent(), media_type="text/event-stream")


def _known(tools: list[str]) -> None:
    """Expect the two tools of an answer, or those of a summary, which has none."""
    assert tools in (["search_knowledge", "escalate"], []), tools


@contextmanager
def provider() -> Iterator[Provider]:
    """Serve one."""
    found = Provider()
    routes = [
        Route("/v1/chat/completions", found.chat, methods=["POST"]),
        Route("/v1/responses", found.responses, methods=["POST"]),
        Route("/v1/messages", found.messages, methods=["POST"]),
    ]
    with served(lambda _url: Starlette(routes=routes)) as url:
        found.url = url
        yield found


def _halves(text: str) -> Iterator[str]:
    """Cut a text as no reader would like it: in the middle of words."""
    for at in range(0, len(text), 7):
        yield text[at : at + 7]


def _event(document: dict[str, Any], *, named: bool = False) -> bytes:
    name = f"event: {document['type']}\n" if named else ""
    return f"{name}data: {json.dumps(document)}\n\n".encode()


def _chat(line: Line) -> Iterator[bytes]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _event({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    calls = [piece for piece in line.pieces if isinstance(piece, Wants)]
    for piece in line.pieces:
        if isinstance(piece, str):
            for part in _halves(piece):
                yield chunk({"content": part})
            continue
        at = calls.index(piece)
        head = {"index": at, "id": f"call_{at}", "type": "function"}
        yield chunk({"tool_calls": [head | {"function": {"name": piece.tool, "arguments": ""}}]})
        for part in _halves(piece.arguments):
            yield chunk({"tool_calls": [{"index": at, "function": {"arguments": part}}]})
    if line.ends == "never":
        return
    if line.ends == "error":
        yield b'data: {"error": {"message": "the server had an error", "type": "server_error"}}\n\n'
        return
    yield chunk({}, "tool_calls" if calls else "stop")
    yield b"data: [DONE]\n\n"


def _responses(line: Line) -> Iterator[bytes]:
    number = iter(range(10_000))
    output: list[dict[str, Any]] = []

    def event(kind: str, **more: Any) -> bytes:
        return _event({"type": kind, "sequence_number": next(number), **more}, named=True)

    def response(status: str) -> dict[str, Any]:
        return {
            "id": "resp_1", "object": "response", "created_at": 1, "status": status, "model": "m", "output": output,
            "error": None, "incomplete_details": None, "instructions": None, "metadata": {},
            "parallel_tool_calls": True, "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
            "usage": {
                "input_tokens": 1, "output_tokens": 1, "total_tokens": 2,
                "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0},
            },
        }  # fmt: skip

    yield event("response.created", response=response("in_progress"))
    for at, piece in enumerate(line.pieces):
        if isinstance(piece, str):
            item: dict[str, Any] = {"id": f"msg_{at}", "type": "message", "role": "assistant", "status": "in_progress"}
            yield event("response.output_item.added", output_index=at, item=item | {"content": []})
            part: dict[str, Any] = {"type": "output_text", "text": "", "annotations": []}
            place = {"item_id": f"msg_{at}", "output_index": at, "content_index": 0}
            yield event("response.content_part.added", part=part, **place)
            for some in _halves(piece):
                yield event("response.output_text.delta", delta=some, logprobs=[], **place)
            yield event("response.output_text.done", text=piece, logprobs=[], **place)
            part = part | {"text": piece}
            yield event("response.content_part.done", part=part, **place)
            item = item | {"status": "completed", "content": [part]}
        else:
            item = {"id": f"fc_{at}", "type": "function_call", "call_id": f"call_{at}", "name": piece.tool}
            item |= {"arguments": "", "status": "in_progress"}
            place = {"item_id": f"fc_{at}", "output_index": at}
            yield event("response.output_item.added", output_index=at, item=item)
            for some in _halves(piece.arguments):
                yield event("response.function_call_arguments.delta", delta=some, **place)
            done = {"arguments": piece.arguments, "name": piece.tool}
            yield event("response.function_call_arguments.done", **place, **done)
            item = item | {"arguments": piece.arguments, "status": "completed"}
        output.append(item)
        yield event("response.output_item.done", output_index=at, item=item)
    if line.ends == "never":
        return
    if line.ends == "error":
        yield event("error", code="server_error", message="the server had an error", param=None)
        return
    yield event("response.completed", response=response("completed"))


def _messages(line: Line) -> Iterator[bytes]:
    def event(kind: str, **more: Any) -> bytes:
        return _event({"type": kind, **more}, named=True)

    message: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m"}
    message["stop_reason"] = None
    usage = {"input_tokens": 1, "output_tokens": 1}
    yield event("message_start", message=message | {"stop_sequence": None, "usage": usage})
    yield event("ping")
    for at, piece in enumerate(line.pieces):
        if isinstance(piece, str):
            yield event("content_block_start", index=at, content_block={"type": "text", "text": ""})
            for some in _halves(piece):
                yield event("content_block_delta", index=at, delta={"type": "text_delta", "text": some})
        else:
            block = {"type": "tool_use", "id": f"toolu_{at}", "name": piece.tool, "input": {}}
            yield event("content_block_start", index=at, content_block=block)
            for some in _halves(piece.arguments):
                delta = {"type": "input_json_delta", "partial_json": some}
                yield event("content_block_delta", index=at, delta=delta)
        yield event("content_block_stop", index=at)
    if line.ends == "never":
        return
    if line.ends == "error":
        yield event("error", error={"type": "overloaded_error", "message": "Overloaded"})
        return
    stop = "tool_use" if any(isinstance(piece, Wants) for piece in line.pieces) else "end_turn"
    yield event("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage={"output_tokens": 1})
    yield event("message_stop")
