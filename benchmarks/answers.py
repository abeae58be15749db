"""How soon the assistant begins to answer out of 10,000 articles, how fast they come in, and what memory that takes.

    python -m benchmarks.answers [--articles 10000] [--questions 200] [--engine postgres]

The articles are put together from sentences of the evaluation's own, each with a name that no other has. First token:
from the customer's POST to the first event of the answer in their stream, one question at a time, through the program
as it is served; beside it a bare full-text query of the same words on the same tables, in the same run. With
embeddings, some passages are read for the rate, and the others borrow the vectors of those: as much to compare.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from pathlib import Path

import httpx2
from tests.embeddings import FOLDER
from tests.engines import ENGINES, a_database
from tests.world import Escalade

from benchmarks.load import megabytes, own_core, server
from escalade.assistant.likeness import texts_of
from escalade.assistant.meaning import rows_of
from escalade.assistant.passages import sentences
from escalade.assistant.retrieval import query_terms
from escalade.domain.model import OrganisationId
from escalade.product import open_library
from escalade.services.embeddings import load_encoder
from escalade.settings import Settings, load
from escalade.store import vectors
from escalade.store.database import Tx
from escalade.store.engines import commands, transaction
from escalade.store.sql import Dialect
from escalade.store.vectors import Meaning

HOME = Path(__file__).parents[1]
HELP_CENTRES = (HOME / "evaluation/ferries/articles", HOME / "src/escalade/demo/articles")
QUESTIONS = HOME / "evaluation/ferries/questions.csv"
SYLLABLES = ("ba", "do", "fe", "gi", "ka", "lu", "mo", "ne", "pi", "ra", "su", "ti", "vo", "za")
READ = 64  # passages that are read for the rate
TOGETHER = 8  # at a time, as the product does
BARE = {
    Dialect.SQLITE: (
        "SELECT rowid FROM knowledge_index WHERE knowledge_index MATCH :words ORDER BY bm25(knowledge_index) LIMIT 10",
        " OR ",
    ),
    Dialect.POSTGRES: (
        "SELECT passage FROM (SELECT unnest(passages) AS passage, unnest(weights) AS weight FROM knowledge_index"
        " WHERE organisation = :organisation AND word = ANY(tsvector_to_array(to_tsvector('escalade', :words))))"
        " AS found GROUP BY passage ORDER BY sum(weight) DESC LIMIT 10",
        " ",
    ),
}


def articles(count: int) -> Iterator[str]:
    """Make articles in Markdown: a title, and three headings with some sentences each."""
    dice = random.Random(count)
    titles, headings, said = [], [], []
    for path in (file for folder in HELP_CENTRES for file in sorted(folder.glob("*.md"))):
        for line in path.read_text(encoding="utf-8").splitlines():
            match line.partition(" "):
                case ("#", _, title):
                    titles.append(title)
                case (mark, _, heading) if mark and not mark.strip("#"):
                    headings.append(heading)
                case _:
                    said += sentences(line.lstrip("-0123456789. "))
    for _ in range(count):
        name = "".join(dice.choices(SYLLABLES, k=4)).capitalize()
        parts = [f"# {dice.choice(titles)} ({name})"]
        for _ in range(3):
            parts += [f"## {dice.choice(headings)}", f"{name}: " + " ".join(dice.sample(said, 5))]
        yield "\n\n".join(parts) + "\n"


def write(folder: Path, count: int) -> int:
    """Write the articles as files and give how many bytes they have."""
    size = 0
    for n, article in enumerate(articles(count)):
        size += (folder / f"article-{n:05}.md").write_text(article, encoding="utf-8")
    return size


async def bring_in(settings: Settings, organisation: OrganisationId, folder: Path) -> float:
    """Import the folder and give the seconds it took."""
    async with open_library(settings) as library:
        began = time.perf_counter()
        imported = await library.add(organisation, str(folder))
        took = time.perf_counter() - began
    print(f"imported: {imported.added} articles, {imported.passages} passages")
    return took


def read_for_meaning(url: str, organisation: OrganisationId) -> float | None:
    """Give every passage vectors, and the rate in passages a second at which the model makes them."""
    encoder = load_encoder(FOLDER)
    if encoder is None:
        return None
    with commands(url) as engine, transaction(engine) as tx:
        unread = vectors.unread(tx, encoder.name, 1_000_000, organisation)
    texts = [texts_of(one.title, one.heading, one.text) for one in unread[:READ]]
    made: list[bytes] = []
    began = time.perf_counter()
    for at in range(0, len(texts), TOGETHER):
        made += rows_of(encoder, texts[at : at + TOGETHER])
    took = time.perf_counter() - began
    lent = cycle(zip(made, (headings for _, headings in texts), strict=True))
    meanings = [
        Meaning(passage=one.passage, headings=headings, rows=rows)
        for one, (rows, headings) in zip(unread, lent, strict=False)
    ]
    with commands(url) as engine, transaction(engine) as tx:
        vectors.put(tx.everywhere(), organisation, encoder.name, meanings)
    return len(texts) / took


def bare(url: str, organisation: OrganisationId, questions: Sequence[str]) -> list[float]:
    """Time a full-text query for each question, in milliseconds."""
    took = []

    def query(tx: Tx, question: str) -> None:
        statement, either = BARE[tx.dialect]
        words = either.join(
            f'"{term.word}"' if tx.dialect is Dialect.SQLITE else term.word for term in query_terms(question)
        )
        tx.all(statement, organisation=organisation, words=words)

    with commands(url) as engine, transaction(engine) as tx:
        for question in questions:
            began = time.perf_counter()
            query(tx, question)
            took.append((time.perf_counter() - began) * 1000)
    return took


async def first_tokens(product: Escalade, questions: Sequence[str]) -> list[float]:
    """Ask each question in a conversation of its own; give the milliseconds to the first event of the answer."""
    took = []
    async with httpx2.AsyncClient(base_url=product.url, timeout=30, headers=product.key) as client:
        for question in questions:
            id = f"conversation-{uuid.uuid4().hex}"
            answer = await client.post("/api/v1/conversations", json={"id": id})
            assert answer.status_code < 300, answer.text
            took.append(await _first_token(client, f"/api/v1/conversations/{id}", question))
    return took


async def _first_token(client: httpx2.AsyncClient, path: str, question: str) -> float:
    async with client.stream("GET", f"{path}/events") as stream:
        lines = stream.aiter_lines()
        await anext(lines)  # it is open
        began = time.perf_counter()
        posting = asyncio.create_task(client.post(f"{path}/messages", json={"id": uuid.uuid4().hex, "text": question}))
        event = ""
        async for line in lines:
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data: ") and event in {"message", "draft"}:
                said = json.loads(line[6:])
                if event == "draft" or said["author"]["role"] != "customer":
                    took = (time.perf_counter() - began) * 1000
                    posted = await posting
                    assert posted.status_code == 201, posted.text
                    return took
    raise AssertionError(f"no answer to {question!r}")


def show(name: str, took: Sequence[float]) -> None:
    """Print a row."""
    ordered = sorted(took)
    print(
        f"{name:34} {len(took):6} {statistics.median(ordered):8.1f}"
        f" {ordered[int(len(ordered) * 0.95)]:8.1f} {ordered[-1]:8.1f}"
    )


def measure(engine: str, count: int, asked: int) -> None:
    """Import, ask without the model and with it, and print."""
    with QUESTIONS.open(encoding="utf-8", newline="") as file:
        every = [row["question"] for row in csv.DictReader(file)]
    questions = random.Random(asked).sample(every, min(asked, len(every)))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="escalade-answers-")))
        url = stack.enter_context(a_database(engine))
        product = Escalade(
            folder,
            ESCALADE_DATABASE_URL=url,
            ESCALADE_EMBEDDINGS_DIR=str(folder),
        )
        product.create_organisation()
        organisation = OrganisationId(product.keys["organisation_id"])
        (folder / "articles").mkdir()
        size = write(folder / "articles", count)
        settings = load(env="development", database_url=url, embeddings_dir=folder)
        took = asyncio.run(bring_in(settings, organisation, folder / "articles"))
        print(f"import: {count / took:.0f} articles/s ({size / count / 1000:.1f} kB each; aim 100)")
        own_core(1)
        start = partial(server, ["-m", "escalade", "serve"], product.port)
        table = [("a bare full-text query", bare(url, organisation, questions))]
        with start(product.environment, "/api/v1/ready") as pid:
            product.api("PATCH", "/settings", assistant={"minimum_confidence": 0})
            asyncio.run(first_tokens(product, questions[:20]))
            table.append(("first token, embeddings off", asyncio.run(first_tokens(product, questions))))
            print(f"memory: {megabytes(pid):.0f} MiB resident without the model")
        rate = read_for_meaning(url, organisation)
        if rate is None:
            print("embeddings: the weights are not installed")
        else:
            print(f"embeddings: {rate:.1f} passages/s on one core")
            with start(product.environment | {"ESCALADE_EMBEDDINGS_DIR": str(FOLDER)}, "/api/v1/ready") as pid:
                asyncio.run(first_tokens(product, questions[:20]))
                table.append(("first token, embeddings on", asyncio.run(first_tokens(product, questions))))
                print(f"memory: {megabytes(pid):.0f} MiB resident with it, and the vectors of {count} articles")
        print(f"{'milliseconds':34} {'count':>6} {'p50':>8} {'p95':>8} {'worst':>8}")
        for name, row in table:
            show(name, row)
        print("aim: first token p50 below 60 ms without embeddings")


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    chosen = parser.parse_args()
    measure(chosen.engine, chosen.articles, chosen.questions)


if __name__ == "__main__":
    main()
