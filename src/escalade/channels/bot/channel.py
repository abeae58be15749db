"""Ask an organisation's own bot, through the one outbound door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from escalade.channels.base import BotAccount, BotReply
from escalade.channels.bot import wire
from escalade.channels.http import Request, Transport
from escalade.domain.errors import Retryable
from escalade.domain.model import Citation, Millis

ANSWER_LIMIT = 64 * 1024
KINDS = ("application/x-ndjson", "application/jsonl", "application/json")


class BotChannel:
    """The way to every bot."""

    def __init__(self, outbound: Transport, wall: Callable[[], Millis]) -> None:
        self._outbound = outbound
        self._wall = wall

    async def ask(
        self,
        bot: BotAccount,
        id: str,
        question: Mapping[str, Any],
        aloud: Callable[[str, tuple[Citation, ...]], None] | None = None,
    ) -> BotReply:
        """Ask once, and hear the answer grow; raises a `DeliveryError` where there is none that can be used."""
        body, reading = wire.body(question), wire.Reading()
        trouble: list[Retryable] = []

        def hear(piece: bytes) -> None:
            try:
                if not trouble and reading.hear(piece) and aloud is not None and reading.escalation is None:
                    aloud(reading.text, reading.citations)
            except Retryable as error:
                trouble.append(error)

        headers = {"Content-Type": "application/json", "Accept": ", ".join(KINDS)}
        request = Request(
            method="POST",
            url=bot.url,
            headers=headers | wire.headers(bot, id, self._wall(), body),
            body=body,
            limit=ANSWER_LIMIT,
            seconds=bot.wait_s,
            kinds=KINDS,
            hear=hear,
        )
        response = await self._outbound.send(request)
        if response.status != 200:
            raise Retryable(f"the bot answered {response.status}", status=response.status)
        if trouble:
            raise trouble[0]
        return reading.end()
