"""Break things on purpose: rules that match API calls or webhooks, and say what goes wrong.

A rule names a side, what it matches, how often it acts, and one action. The first rule that matches acts.

API actions
    answer     give `status`, `headers` and `body` (text or JSON), `body_base64`, or `size` blanks;
               `when` "before" (nothing happens) or "after" (it happened all the same)
    delay      wait `seconds` `when` "before" or "after" the effect
    drop       hang up `when` "before" or "after" the effect
    zombie     hang up after `hold` seconds, and apply the call `seconds` later anyway
    redirect   answer `status` 302 to `location`
    html       answer 200 with a login page
    truncate   announce the whole answer, send half, hang up

Webhook actions
    drop       never send it
    duplicate  send it `copies` more times, at once
    delay      send it `seconds` later
    hold       keep it until `release`
    reorder    keep `count` of them, then send them last first
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from zendesk_emulator.ports import Ports
from zendesk_emulator.records.json import Json

Work = Callable[[], Coroutine[Any, Any, None]]

API_ACTIONS = ("answer", "delay", "drop", "zombie", "redirect", "html", "truncate")
WEBHOOK_ACTIONS = ("drop", "duplicate", "delay", "hold", "reorder")


class BadRule(ValueError):
    """A fault rule makes no sense."""


@dataclass(slots=True, kw_only=True)
class Rule:
    """One thing that goes wrong."""

    id: int
    side: str
    action: str
    method: str | None = None
    path: str | None = None  # searched in the path with its query, or in a webhook's address
    kind: str | None = None  # searched in a webhook's kind
    times: int | None = None  # None: for ever
    skip: int = 0
    probability: float = 1.0
    options: Json = field(default_factory=dict)
    acted: int = 0

    def shown(self) -> Json:
        """Show the rule as the control API does."""
        named = ("id", "side", "action", "method", "path", "kind", "times", "skip", "probability", "acted")
        return {**self.options, **{name: getattr(self, name) for name in named}}


class Faults:
    """The rules in force, and the webhooks they hold back."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._last = 0
        self.rules: list[Rule] = []
        self.held: list[Work] = []
        self._reordering: dict[int, list[Work]] = {}

    def add(self, fields: Json) -> Rule:
        """Put a rule in force."""
        rule_fields = dict(fields)
        side = str(rule_fields.pop("side", "webhook" if "kind" in fields else "api"))
        action = str(rule_fields.pop("action", ""))
        if action not in {"api": API_ACTIONS, "webhook": WEBHOOK_ACTIONS}.get(side, ()):
            raise BadRule(f"no action {action!r} on side {side!r}")
        patterns = {name: rule_fields.pop(name, None) for name in ("path", "kind")}
        for pattern in patterns.values():
            try:
                re.compile(pattern or "")
            except re.error as error:
                raise BadRule(f"{pattern!r} is not a pattern: {error}") from error
        method, times = rule_fields.pop("method", None), rule_fields.pop("times", None)
        self._last += 1
        rule = Rule(
            id=self._last,
            side=side,
            action=action,
            method=str(method).upper() if method else None,
            times=int(times) if times is not None else None,
            skip=int(rule_fields.pop("skip", 0)),
            probability=float(rule_fields.pop("probability", 1.0)),
            options=rule_fields,
            **patterns,
        )
        self.rules.append(rule)
        return rule

    def clear(self, rule_id: int | None = None) -> None:
        """Lift one rule, or all; what is held stays held."""
        self.rules = [rule for rule in self.rules if rule_id is not None and rule.id != rule_id]

    def for_call(self, method: str, path: str) -> Rule | None:
        """Choose the rule that acts on an API call."""
        return self._choose("api", lambda rule: rule.method in (None, method) and _found(rule.path, path))

    def around_webhook(self, kind: str, target: str, work: Work) -> Coroutine[Any, Any, None] | None:
        """Give the work of sending a webhook, bent by the rule that acts on it; nothing if it is not sent now."""
        rule = self._choose("webhook", lambda rule: _found(rule.kind, kind) and _found(rule.path, target))
        if rule is None:
            return work()
        match rule.action:
            case "duplicate":
                return _together([work] * (1 + int(rule.options.get("copies", 1))))
            case "delay":
                return self._later(work, float(rule.options.get("seconds", 1)))
            case "hold":
                self.held.append(work)
                return None
            case "reorder":
                waiting = self._reordering.setdefault(rule.id, [])
                waiting.append(work)
                if len(waiting) < int(rule.options.get("count", 2)):
                    return None
                del self._reordering[rule.id]
                return _in_turn(waiting[::-1])
            case _:
                return None

    def release(self, order: str = "first") -> int:
        """Send what is held: first come first, `last` first, or `shuffled`; one after the other."""
        held, self.held = self.held, []
        for waiting in self._reordering.values():
            held += waiting
        self._reordering.clear()
        if order == "last":
            held.reverse()
        elif order == "shuffled":
            self._ports.dice.shuffle(held)
        if held:
            self._ports.spawn(_in_turn(held))
        return len(held)

    def forget(self) -> None:
        """Drop every rule and everything held."""
        self.rules, self.held = [], []
        self._reordering.clear()

    def _choose(self, side: str, fits: Callable[[Rule], bool]) -> Rule | None:
        for rule in self.rules:
            if rule.side != side or rule.times == 0 or not fits(rule):
                continue
            if rule.skip:
                rule.skip -= 1
                continue
            if rule.probability < 1 and self._ports.dice.random() >= rule.probability:
                continue
            rule.acted += 1
            if rule.times is not None:
                rule.times -= 1
            return rule
        return None

    async def _later(self, work: Work, seconds: float) -> None:
        await self._ports.sleep(seconds)
        await work()


async def _together(works: list[Work]) -> None:
    await asyncio.gather(*(work() for work in works))


async def _in_turn(works: list[Work]) -> None:
    for work in works:
        await work()


def _found(pattern: str | None, text: str) -> bool:
    return pattern is None or re.search(pattern, text) is not None
