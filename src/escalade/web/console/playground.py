"""The playground: a question, what the customer would read, and everything that led to it. Nothing comes of it."""

from __future__ import annotations

import re

from starlette.responses import Response

from escalade.assistant.question import Turn
from escalade.domain.errors import Invalid
from escalade.domain.model import Role
from escalade.domain.transcript import says_something
from escalade.services.desk import LONGEST_TEXT, check_text
from escalade.web.console.gate import Visit
from escalade.web.limits import TRIALS

LONGEST_TURNS = 16_000  # signs of what was said before
LONGEST_LOCALE = 35
SPEAKERS = {"customer": Role.CUSTOMER, "assistant": Role.ASSISTANT, "agent": Role.AGENT}
SPEAKER = re.compile(r"(customer|assistant|agent)\s*:\s*", re.IGNORECASE)


async def show(visit: Visit) -> Response:
    """Show an empty form."""
    return _draw(visit)


async def ask(visit: Visit) -> Response:
    """Try a question, or only take up what was said so far."""
    form, text = visit.form, visit.form.text("text")
    try:
        turns = read_turns(form.text("turns"))
        if form.text("then") == "go-on":
            return _draw(visit, turns=turns)
        check_text(text)
        if len(form.text("locale")) > LONGEST_LOCALE:
            raise Invalid("a language such as de or pt-BR", pointer="/locale")
    except Invalid as error:
        return _draw(visit, turns=_turns_or_none(form.text("turns")), errors={error.pointer: error.detail}, status=422)
    visit.parts.limits.take(TRIALS, visit.organisation.id)
    tried = await visit.parts.trial.ask(visit.organisation, text, turns, form.text("locale") or None)
    after = [Turn(role=Role.CUSTOMER, text=text), *(Turn(role=Role.ASSISTANT, text=said) for said in tried.reads)]
    return _draw(visit, turns=turns, tried=tried, text=text, after=written(turns + after))


def read_turns(typed: str) -> list[Turn]:
    """Read what was said before: a line that begins with who speaks begins a turn, any other goes on with it."""
    if len(typed) > LONGEST_TURNS:
        raise Invalid(f"at most {LONGEST_TURNS} characters", pointer="/turns")
    found: list[tuple[Role, list[str]]] = []
    for line in typed.splitlines():
        speaker = SPEAKER.match(line)
        if speaker is not None or not found:
            role = SPEAKERS[speaker[1].lower()] if speaker else Role.CUSTOMER
            found.append((role, [line[speaker.end() :] if speaker else line]))
        else:
            found[-1][1].append(line)
    turns = [Turn(role=role, text="\n".join(lines).strip()) for role, lines in found]
    return [turn for turn in turns if says_something(turn.text)]


def written(turns: list[Turn]) -> str:
    """Write turns the way they are read; those that are too long together lose the first."""
    lines = [f"{turn.role.value.capitalize()}: {turn.text}" for turn in turns]
    while len("\n".join(lines)) > LONGEST_TURNS:
        del lines[0]
    return "\n".join(lines)


def _turns_or_none(typed: str) -> list[Turn]:
    return read_turns(typed[:LONGEST_TURNS])


def _draw(
    visit: Visit,
    *,
    turns: list[Turn] | None = None,
    tried: object = None,
    text: str | None = None,
    after: str = "",
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    typed = visit.form.text("text") if text is None and errors else text or ""
    return visit.show(
        "playground.html",
        status=status,
        turns=turns or [],
        typed_turns=visit.form.values.get("turns", "") if errors else written(turns or []),
        typed=typed,
        locale=visit.form.text("locale"),
        tried=tried,
        after=after,
        errors=errors or {},
        demanded=visit.organisation.settings.assistant.minimum_confidence,
        longest=LONGEST_TEXT,
        may_change=True,  # whoever may look may ask
    )
