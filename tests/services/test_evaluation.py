"""What an assistant is worth is counted right: what it answered, from which article, and what it rightly refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from escalade.domain.errors import Invalid
from escalade.services.evaluation import Asked, Case, Measured, read_set
from escalade.store import curves
from tests import engines

ANSWERED, NOWHERE = frozenset({"a.md", "b.md"}), frozenset[str]()


def asked(articles: frozenset[str], first: str, confidence: int) -> Asked:
    return Asked(Case("?", articles, "test"), first, confidence, None)


def test_precision_coverage_and_refusal_are_counted_from_a_confidence_on() -> None:
    measured = Measured(
        (
            asked(ANSWERED, "a.md", 95),
            asked(ANSWERED, "b.md", 80),
            asked(ANSWERED, "c.md", 90),  # the wrong article
            asked(ANSWERED, "a.md", -1),  # would not have answered, however sure
            asked(NOWHERE, "a.md", 92),
            asked(NOWHERE, "a.md", 10),
        )
    )
    assert measured.first == 0.75
    level = measured.level(90)
    assert (level.answered, level.precision, level.coverage, level.refusal) == (3, 1 / 3, 0.5, 0.5)
    assert measured.level(80).precision == 0.5
    assert [(each.answered, each.precision, each.refusal) for each in measured.levels((100,))] == [(0, 1.0, 1.0)]
    assert measured.level(0).coverage == 0.75


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "hours.md").write_text("# Opening hours\n\nWe are open from nine to five.\n")
    (tmp_path / "articles" / "money.md").write_text("# Refunds\n\nMoney comes back in five days.\n")
    (tmp_path / "questions.csv").write_text(
        "question,article,split\nWhat are your opening hours?,hours.md,test\nWhen is my refund?,money.md,dev\n"
        "Do you sell bread?,,test\n"
    )
    return tmp_path


def test_utterances_are_mapped_by_intent_and_requests_for_a_person_left_out(folder: Path) -> None:
    (folder / "intents.csv").write_text("intent,article\nrefund,money.md\nhuman,person\nhours,hours.md|person\n")
    said = folder / "said.csv"
    said.write_text("utterance,intent\ngive me my money,refund\nan agent,human\nopen?,hours\nwhat?,unknown\n")
    assert [case.question for case in read_set(folder, "all", said)][3:] == ["give me my money"]
    assert {case.split for case in read_set(folder, "dev")} == {"dev"}


def test_a_set_without_questions_or_columns_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"questions\.csv cannot be read"):
        read_set(tmp_path, "all")
    (tmp_path / "questions.csv").write_text("text\nhello\n")
    with pytest.raises(Invalid, match="needs the columns article, question, split"):
        read_set(tmp_path, "all")


def test_the_command_asks_a_set_and_prints_its_curve(folder: Path) -> None:
    command = [sys.executable, "-m", "escalade", "eval", str(folder), "--split", "all", "--words-only", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["model"], told["questions"], told["first"]) == (None, 3, 1.0)
    assert told["levels"][90] == {
        "confidence": 90, "answered": 2, "precision": 1.0, "coverage": 1.0, "refusal": 1.0,
    }  # fmt: skip
    assert list(folder.glob("*.db*")) == []


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "escalade", *arguments]
    here = os.environ | {"ESCALADE_ENV": "development", "ESCALADE_DATABASE_URL": f"sqlite:///{folder}/escalade.db"}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=folder, env=here)


def test_an_organisations_own_knowledge_is_measured_and_the_curve_kept_for_its_console(folder: Path) -> None:
    made = json.loads(run(folder, "org", "create", "Acme", "--json").stdout)["organisation_id"]
    (folder / "articles" / "money.md").unlink()
    assert run(folder, "knowledge", "add", "articles", "--org", made).returncode == 0
    drawn = folder / "curve.svg"
    done = run(folder, "eval", ".", "--org", "Acme", "--split", "all", "--plot", str(drawn))
    assert done.returncode == 0, done.stderr
    assert "3 questions, 2 of them answered somewhere" in " ".join(done.stdout.split())
    assert "right article first: 0.500" in done.stdout
    assert "● precision   ○ coverage   · refusal, over confidence" in done.stdout
    assert ElementTree.parse(drawn).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    with engines.connected(f"sqlite:///{folder}/escalade.db") as tx:
        kept = json.loads(curves.of(tx, made) or "")
    assert (kept["questions"], kept["first"], kept["model"]) == (3, 0.5, None)
    assert kept["levels"][90]["coverage"] == 0.5
    assert kept["measured_at"] > 0


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--org", "Acme", "--words-only"], "leave --articles and --words-only out"),
        (["--org", "Nobody"], "no organisation of that id or name"),
        (["--split", "none"], "use dev, test or all"),
        (["--plot", "/nonexistent/curve.svg"], "--plot /nonexistent/curve.svg cannot be written"),
    ],
)
def test_what_cannot_be_measured_or_drawn_is_one_sentence(folder: Path, more: list[str], why: str) -> None:
    done = run(folder, "eval", ".", *more)
    assert done.returncode != 0
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_a_split_without_questions_says_so(folder: Path) -> None:
    (folder / "questions.csv").write_text("question,article,split\nOpen?,hours.md,dev\n")
    assert "no questions in --split test" in run(folder, "eval", ".").stderr
