"""PDFs are read into headings and paragraphs, in a process that a hostile one can neither hang nor outgrow."""

from __future__ import annotations

import os
import subprocess
import time

import pytest
from tests.pdfs import a_pdf, locked, of_streams

from escalade.assistant import apart, pdf
from escalade.assistant.document import Block, Kind, Unreadable
from escalade.assistant.passages import cut
from escalade.assistant.pdf import joined
from escalade.assistant.sources import LARGEST_PDF, read_file

FULL = "This line is as long as the column is wide, and so the paragraph goes on"


def blocks(content: bytes) -> list[tuple[str, str]]:
    return [(block.kind.value, block.text) for block in pdf.read(content)[1]]


def test_a_pdf_file_becomes_passages_with_headings() -> None:
    content = a_pdf(
        [
            ("Returns", 20), ("How to send it back", 14), FULL, "on the next line until its end.", FULL, "too.",
            "1. Print the label.", "2) Stick it on the par-", "cel.", "• Keep the receipt.", ("Money", 14),
        ],
        ["It comes back in five days."],
    )  # fmt: skip
    document = read_file("returns-2026.pdf", content)
    assert document.title == "Returns"
    assert document.blocks == (
        Block(kind=Kind.HEADING, text="How to send it back", level=2),
        Block(kind=Kind.PARAGRAPH, text=f"{FULL} on the next line until its end."),
        Block(kind=Kind.PARAGRAPH, text=f"{FULL} too."),
        Block(kind=Kind.STEP, text="Print the label.", n=1),
        Block(kind=Kind.STEP, text="Stick it on the parcel.", n=2),
        Block(kind=Kind.POINT, text="Keep the receipt."),
        Block(kind=Kind.HEADING, text="Money", level=2),
        Block(kind=Kind.PARAGRAPH, text="It comes back in five days."),
    )
    (piece,) = cut(document)
    assert piece.heading == "How to send it back · Money"


def test_what_stands_at_the_edge_of_every_page_is_no_text() -> None:
    pages = [["Handbook 2026", f"Fact {word} is true.", "More of it.", f"Page {n} of 4"]
             for n, word in enumerate(("one", "two", "three", "four"), 1)]  # fmt: skip
    text = " ".join(text for _, text in blocks(a_pdf(*pages)))
    assert "Fact three is true." in text
    assert "Handbook" not in text
    assert "Page" not in text


def test_the_title_of_a_chapter_beside_the_page_number_is_no_text() -> None:
    pages = [[f"Chapter 2: Sending it back {n}", f"Fact {n}.", "More of it."] for n in range(3)]
    steps = [[f"Step {n}", "Turn it on."] for n in range(3)]
    text = " ".join(text for _, text in blocks(a_pdf(*pages, *steps, *([["Fill."]] * 4))))
    assert "Chapter 2" not in text
    assert "Step 2" in text


def test_a_paragraph_goes_on_over_the_end_of_a_page() -> None:
    assert blocks(a_pdf([FULL, FULL], ["until here.", FULL])) == [("paragraph", f"{FULL} {FULL} until here."),
                                                                 ("paragraph", FULL)]  # fmt: skip


def test_the_outline_gives_headings_that_look_like_the_body() -> None:
    content = a_pdf(["Opening hours", "From nine to five."], ["Holidays", "Closed."],
                    outline=[("Opening hours", 0), ("Holidays", 1)])  # fmt: skip
    assert blocks(content) == [("heading", "Opening hours"), ("paragraph", "From nine to five."),
                               ("heading", "Holidays"), ("paragraph", "Closed.")]  # fmt: skip


@pytest.mark.parametrize(
    ("told", "title"), [("Terms of sale", "Terms of sale"), ("Microsoft Word - x.doc", "My terms"), ("", "My terms")]
)
def test_a_pdf_without_headings_is_called_what_it_says_it_is_called(told: str, title: str) -> None:
    assert read_file("my_terms.pdf", a_pdf(["Just text here."], title=told)).title == title


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["the ship-", "ment"], "the shipment"), (["a soft\u00ad", "ware"], "a software"),
        (["the E-", "Mail"], "the E- Mail"), (["pages 3-", "5"], "pages 3- 5"), ([], ""),
    ],
)  # fmt: skip
def test_a_word_parted_at_the_end_of_a_line_is_one_word(lines: list[str], text: str) -> None:
    assert joined(lines) == text


def test_a_pdf_anybody_can_open_is_read() -> None:
    assert blocks(locked(a_pdf(["Open to all."]), "")) == [("paragraph", "Open to all.")]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (locked(a_pdf(["Secret."]), "password"), "protected by a password"),
        (of_streams([b"0 0 100 100 re f"]), "no text"),
        (b"%PDF-1.7\nnonsense", "broken, or no PDF"),
        (b"", "broken, or no PDF"),
        (a_pdf(["Text."])[:200], "broken, or no PDF"),
        (a_pdf(*([["x"]] * 1001)), "1001 pages"),
        (b"x" * (LARGEST_PDF + 1), "larger than 20 MB"),
    ],
    ids=["locked", "scanned", "nonsense", "empty", "cut off", "too many pages", "too large"],
)
def test_a_pdf_that_cannot_be_read_says_why_in_one_sentence(content: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read_file("x.pdf", content)


def test_a_pdf_that_goes_round_in_circles_or_swells_ends() -> None:
    looping = a_pdf(["Text."]).replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]")
    swelling = of_streams([b" " * 90_000_000])
    for content in (looping, swelling):
        with pytest.raises(Unreadable):
            apart.read_pdf(content, "x")


def test_a_pdf_that_takes_too_long_is_given_up_and_its_process_ended() -> None:
    endless = of_streams([b"BT /F1 9 Tf (x) Tj ET " * 400_000])
    assert len(endless) < 100_000
    began = time.monotonic()
    with pytest.raises(Unreadable, match="takes longer"):
        apart.read_pdf(endless, "x", seconds=0.7)
    assert time.monotonic() - began < 30, "a busy machine is given time; the page would take minutes"
    ours = ["ps", "--ppid", str(os.getpid()), "-o", "args"]
    left = subprocess.run(ours, capture_output=True, text=True, check=True).stdout
    assert apart.COMMAND[1] not in left


@pytest.mark.parametrize(("limit", "why"), [("MEMORY", "memory"), ("SECONDS", "takes longer")])
def test_the_limits_of_the_process_hold(limit: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the process a reader that wants too much, with limits that are reached at once."""
    greedy = {"MEMORY": "bytearray(4 << 30)", "SECONDS": "[0 for _ in iter(int, 1)]"}[limit]
    lines = f"from escalade.assistant import pdf; pdf.SECONDS = 1; pdf.read = lambda _: {greedy}; pdf.main()"
    monkeypatch.setattr(apart, "COMMAND", ("-c", lines))
    with pytest.raises(Unreadable, match=why):
        apart.read_pdf(b"x", "x")
