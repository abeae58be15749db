"""How far the assistant goes alone: its switch, how sure it must be, and what always goes to people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from escalade.domain.errors import Invalid
from escalade.services import plot
from escalade.services.curves import shipped
from escalade.services.evaluation import Curve
from escalade.web.console.forms import Form
from escalade.web.console.gate import Note, Visit

PATH = "/console/assistant"
SHOWN = (50, 60, 70, 80, 85, 90, 95, 98, 100)  # in the table
MOST_TOPICS, LONGEST_TOPIC = 50, 100
MOST_LANGUAGES = 40
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,2}", re.IGNORECASE)


async def show(visit: Visit) -> Response:
    """Show how it is set now."""
    return await _draw(visit, typed_from(visit))


def typed_from(visit: Visit) -> dict[str, str]:
    """Fill the form from the settings."""
    chosen = visit.organisation.settings.assistant
    typed = {
        "minimum_confidence": str(chosen.minimum_confidence),
        "topics": "\n".join(chosen.always_escalate_topics),
        "languages": ", ".join(chosen.languages),
        "bot_url": chosen.bot.url,
        "bot_wait_s": str(chosen.bot.wait_s),
    }
    return typed | ({"enabled": "on"} if chosen.enabled else {})


async def save(visit: Visit) -> Response:
    """Save the form."""
    try:
        change = patch(visit.form)
        change["assistant"]["bot"] = _bot(visit.form)
        await visit.parts.tuning.change(visit.organisation.id, change, visit.operator.email)
    except Invalid as error:
        return await _draw(visit, visit.form.values, {error.pointer: error.detail}, status=422)
    return visit.back(PATH, Note(tone="good", title="Saved", text="It holds from the next message on."))


def patch(form: Form) -> dict[str, Any]:
    """Read the form as a change of the settings."""
    confidence = form.whole("minimum_confidence", "/assistant/minimum_confidence")
    if confidence is None:
        raise Invalid("a percentage from 0 to 100", pointer="/assistant/minimum_confidence")
    topics = list(dict.fromkeys(form.lines("topics")))
    if len(topics) > MOST_TOPICS or any(len(topic) > LONGEST_TOPIC for topic in topics):
        raise Invalid(
            f"at most {MOST_TOPICS} topics of at most {LONGEST_TOPIC} characters",
            pointer="/assistant/always_escalate_topics",
        )
    languages = [one for one in dict.fromkeys(re.split(r"[\s,]+", form.text("languages"))) if one]
    if len(languages) > MOST_LANGUAGES or not all(LANGUAGE.fullmatch(one) for one in languages):
        raise Invalid("languages such as en, de or pt-BR", pointer="/assistant/languages")
    chosen = {"enabled": form.ticked("enabled"), "minimum_confidence": confidence}
    return {"assistant": chosen | {"always_escalate_topics": topics, "languages": languages}}


def _bot(form: Form) -> dict[str, Any]:
    """Read what the form says of a bot of one's own."""
    wait = form.whole("bot_wait_s", "/assistant/bot/wait_s")
    found: dict[str, Any] = {"url": form.text("bot_url")} | ({"wait_s": wait} if wait is not None else {})
    return found | ({"secret": form.text("bot_secret")} if form.text("bot_secret") else {})


async def _draw(
    visit: Visit, typed: Mapping[str, str], errors: dict[str, str] | None = None, status: int = 200
) -> Response:
    curve, model = await _curve(visit)
    demanded = visit.organisation.settings.assistant.minimum_confidence
    tree = await visit.parts.tuning.read(visit.organisation.id)
    return visit.show(
        "assistant/behaviour.html",
        bot_secret=tree["assistant"]["bot"]["secret"],
        status=status,
        typed=typed,
        errors=errors or {},
        curve=curve,
        model=model,
        demanded=demanded,
        drawn=plot.svg(curve.levels, demanded),
        steps=";".join(f"{at.precision:.3f},{at.coverage:.3f},{at.refusal:.3f}" for at in curve.levels),
        edges=(plot.x_of(0), plot.x_of(100)),
        meanings=plot.MEANINGS,
        shown=[curve.at(confidence) for confidence in SHOWN],
    )


async def _curve(visit: Visit) -> tuple[Curve, str | None]:
    """Give the organisation's own curve or the shipped one, and the model that reads for meaning here now, if any."""
    model = await visit.parts.library.model()
    own = await visit.parts.curves.of(visit.organisation.id)
    return own or shipped(model), model
