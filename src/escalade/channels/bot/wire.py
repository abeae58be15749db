"""How a bot is asked, and how its answer is read. Pure.

The request is signed as https://www.standardwebhooks.com describes. The answer is JSON, an object a line, so that it
can be shown while it comes: `say` adds words, `citations` names their sources, `escalate` asks for a person instead,
`done` says that it is whole. Keys we do not know are passed over.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from escalade.channels import strict_json
from escalade.channels.base import BotAccount, BotReply
from escalade.domain.errors import Malformed, Retryable
from escalade.domain.model import Citation, Millis, Reason

LONGEST_TEXT = 4_000  # code points, as for everybody who writes
LONGEST_SUMMARY = 2_000
MOST_CITATIONS = 20
PREFIX = "whsec_"
REASONS = {reason.value: reason for reason in (Reason.ASKED_FOR_PERSON, Reason.UNHELPFUL, Reason.TOPIC)}


def headers(bot: BotAccount, id: str, now: Millis, body: bytes) -> dict[str, str]:
    """Give the headers that prove who asks, and when."""
    at = str(now // 1000)
    signed = b".".join((id.encode(), at.encode(), body))
    signature = base64.b64encode(hmac.digest(_key(bot.secret), signed, hashlib.sha256)).decode()
    return {"webhook-id": id, "webhook-timestamp": at, "webhook-signature": f"v1,{signature}"}


def _key(secret: str) -> bytes:
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass  # it only looks like one
    return secret.encode()


def body(question: Mapping[str, Any]) -> bytes:
    """Write a question."""
    return json.dumps(question, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


class Reading:
    """A bot's answer as it comes, piece by piece."""

    def __init__(self) -> None:
        self._rest = b""
        self._done = False
        self.text = ""
        self.citations: tuple[Citation, ...] = ()
        self.escalation: tuple[Reason, str] | None = None

    def hear(self, piece: bytes) -> bool:
        """Take in a piece; say whether there are new words. Raises `Retryable` where it cannot be read."""
        before = self.text
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._take(line)
        return self.text != before

    def end(self) -> BotReply:
        """Take it that no more comes, and give the whole."""
        self._take(self._rest)
        self._rest = b""
        if self.escalation is not None:
            return BotReply(reason=self.escalation[0], summary=self.escalation[1])
        if not self._done:
            raise Retryable("the bot's answer is not whole: nothing says `done`")
        return BotReply(text=self.text, citations=self.citations)

    def _take(self, line: bytes) -> None:
        if not line.strip() or self._done or self.escalation is not None:
            return
        try:
            said = strict_json.parse(line)
        except Malformed as error:
            raise Retryable(f"the bot's answer cannot be read: {error}") from error
        if not isinstance(said, dict):
            raise Retryable("the bot's answer cannot be read: a line is no object")
        if "escalate" in said:
            self.escalation = _escalation(said["escalate"])
            return
        words = said.get("say", "")
        if not isinstance(words, str):
            raise Retryable("the bot's answer cannot be read: `say` is no text")
        self.text += words
        if len(self.text) > LONGEST_TEXT:
            raise Retryable(f"the bot's answer is longer than {LONGEST_TEXT} characters")
        if "citations" in said:
            self.citations = _citations(said["citations"])
        self._done = said.get("done") is True


def _escalation(given: object) -> tuple[Reason, str]:
    found = given if isinstance(given, dict) else {}
    summary = found.get("summary")
    reason = REASONS.get(str(found.get("reason")), Reason.NO_ANSWER)
    return reason, summary[:LONGEST_SUMMARY] if isinstance(summary, str) else ""


def _citations(given: object) -> tuple[Citation, ...]:
    if not isinstance(given, list) or len(given) > MOST_CITATIONS:
        raise Retryable(f"the bot's answer cannot be read: `citations` is no list of at most {MOST_CITATIONS}")
    return tuple(_citation(one) for one in given)


def _citation(given: object) -> Citation:
    found = given if isinstance(given, dict) else {}
    n, title, url = found.get("n"), found.get("title"), found.get("url")
    if type(n) is not int or not 0 < n < 1000 or not isinstance(title, str) or not title.strip():
        raise Retryable("the bot's answer cannot be read: a citation has a number `n` and a `title`")
    if url is not None and not (isinstance(url, str) and url.startswith(("https://", "http://")) and len(url) < 2_000):
        raise Retryable("the bot's answer cannot be read: a citation's `url` is an address, or missing")
    return Citation(n=n, title=title.strip()[:300], url=url, source_id=url or title.strip()[:300])
