"""The curve under the slider: an organisation's own on both engines, the shipped ones as they are measured now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from escalade.assistant.answering import Assistant
from escalade.domain.model import OrganisationId
from escalade.domain.organisation import Organisation
from escalade.product import open_library
from escalade.services import plot
from escalade.services.curves import Curves, shipped
from escalade.services.evaluation import Curve, ask, read_set
from escalade.settings import Settings
from escalade.store import organisations
from escalade.store.database import ServedDatabase
from tests.embeddings import encoder

FERRIES = Path(__file__).parents[2] / "evaluation" / "ferries"
NOBODY = OrganisationId("org_evaluation")
A, B = OrganisationId("org_a"), OrganisationId("org_b")
SMALL, LARGE = "all-MiniLM-L6-v2 int8", "all-mpnet-base-v2 int8"


async def test_the_last_curve_of_an_organisation_is_kept_and_is_its_own(database: ServedDatabase) -> None:
    for id in (A, B):
        made = Organisation(id=id, name=id, widget_key=f"pk_{id}")
        await database.write(lambda tx, made=made: organisations.create(tx, made, 0))  # type: ignore[misc]
    curves = Curves(database, lambda: 1_700_000_000_000)
    assert await curves.of(A) is None
    await curves.keep(A, replace(shipped(None), name="first"))
    await curves.keep(A, replace(shipped(SMALL), name="second"))
    found = await curves.of(A)
    assert found == replace(shipped(SMALL), name="second", measured_at=1_700_000_000_000)
    assert await curves.of(B) is None


async def test_the_shipped_curve_is_what_is_measured_today(tmp_path: Path) -> None:
    settings = Settings(env="development", database_url=f"sqlite:///{tmp_path}/e.db", embeddings_dir=tmp_path)
    async with open_library(settings) as library:
        await library.add(NOBODY, str(FERRIES / "articles"))
        measured = await ask(Assistant(library), NOBODY, read_set(FERRIES, "all"))
    now, then = measured.curve("ferries (all)", None), shipped(None)
    again = "the assistant finds otherwise than when this was measured: `make curves`, and look at what has changed"
    assert (now.name, now.questions, now.answerable) == (then.name, then.questions, then.answerable)
    for at in (50, 70, 80, 90, 95):
        for line in plot.LINES:
            assert abs(getattr(now.at(at), line) - getattr(then.at(at), line)) < 0.03, (at, line, again)


def test_the_curves_by_meaning_are_of_the_same_questions_and_of_the_model_that_is_used() -> None:
    assert encoder().name == SMALL
    words, small, large = (shipped(model) for model in (None, SMALL, LARGE))
    assert (words.model, small.model, large.model) == (None, SMALL, LARGE)
    assert len({(curve.name, curve.questions, curve.answerable) for curve in (words, small, large)}) == 1
    assert words.first < small.first < large.first
    assert shipped("a model that nobody has measured") == small


def test_a_curve_is_drawn_with_its_lines_and_its_mark() -> None:
    curve: Curve = shipped(SMALL)
    drawn = plot.svg(curve.levels, 90)
    for line in plot.LINES:
        points = drawn.partition(f'<polyline class="{line}" points="')[2].partition('"')[0].split()
        assert len(points) == 101
        assert points[90] == f"{plot.x_of(90)},{plot.y_of(getattr(curve.at(90), line))}"
    assert f'class="mark" transform="translate({plot.x_of(90)} 0)"' in drawn
    assert "<style" not in drawn
    assert "style=" not in drawn, "the console's policy takes no styles within"
    alone = plot.svg(curve.levels, title='<"Shop" & co>')
    assert "&lt;&quot;Shop&quot; &amp; co>" in alone
    assert "<style>" in alone
    lines = plot.characters(curve.levels)
    assert len({len(line) for line in lines[: plot.ROWS]}) == 1
    assert sum(line.count(plot.SIGNS["precision"]) for line in lines[: plot.ROWS]) == plot.COLUMNS
