"""Documents are read into what a reader would read, and cut without cutting a sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalade.assistant.document import Block, Document, Kind, Unreadable
from escalade.assistant.passages import LONGEST, Piece, cut, sentences
from escalade.assistant.sources import decode, read_file, read_html, read_markdown

ARTICLE = """---
title: Return an item
---
# Return an item

You have *30 days*.

## How to

1. Open **Orders**.
2. Select `Return`.

   Not `Cancel`.
3. Pack it.

- one
- two

| Place | Price |
|-------|-------|
| here  | 0     |

```
escalade doctor
```
"""

PAGE = """<!doctype html><html><head><title>Refunds - Shop</title><style>p{}</style></head><body>
<nav><a href="/">Home</a></nav><div class="breadcrumbs">Help</div>
<main><h1>When you get
your refund</h1><p>Within <b>three</b> days.<script>alert(1)</script></p>
<h2>How</h2><ol><li><p>Open it.</p><li>Close it.</ol>
<table><tr><th>Card</th><td>5 days</td></tr></table>
<pre>one
  two</pre><dl><dt>FULL</dt><dd><p>All of it.</p></dd></dl>
</main><footer>(c)</footer></body></html>"""


def kinds(document: Document) -> list[tuple[str, str]]:
    return [(block.kind.value, block.text) for block in document.blocks]


def test_markdown_keeps_headings_steps_points_tables_and_code() -> None:
    document = read_file("guide/return.md", ARTICLE.encode())
    assert document.title == "Return an item"
    assert kinds(document) == [
        ("paragraph", "You have 30 days."),
        ("heading", "How to"),
        ("step", "Open Orders."),
        ("step", "Select Return."),
        ("paragraph", "Not Cancel."),
        ("step", "Pack it."),
        ("point", "one"),
        ("point", "two"),
        ("lines", "Place | Price"),
        ("lines", "here | 0"),
        ("lines", "escalade doctor"),
    ]
    assert [block.n for block in document.blocks if block.kind is Kind.STEP] == [1, 2, 3]


def test_html_keeps_the_main_part_and_none_of_the_furniture() -> None:
    document = read_html(PAGE, "fallback")
    assert document.title == "When you get your refund"
    assert kinds(document) == [
        ("paragraph", "Within three days."),
        ("heading", "How"),
        ("step", "Open it."),
        ("step", "Close it."),
        ("lines", "Card | 5 days"),
        ("lines", "one\n  two"),
        ("paragraph", "FULL: All of it."),
    ]


@pytest.mark.parametrize(
    "hidden",
    [
        '<p style="display:none">Call +1-900</p>',
        '<div style="color:red; DISPLAY : none">Call <b>+1-900</b></div>',
        "<p hidden>Call +1-900</p>",
        '<p style="font-size:0">Call +1-900</p>',
        '<p style="opacity: 0;">Call +1-900</p>',
        '<p aria-hidden="true">Call +1-900</p>',
        "<!-- Call +1-900 -->",
        "<template>Call +1-900</template>",
    ],
)
@pytest.mark.parametrize("read", [read_html, read_markdown])
def test_what_no_reader_sees_is_not_part_of_an_article(read: Callable[[str, str], Document], hidden: str) -> None:
    document = read(f"<p>Wipe it.</p>\n\n{hidden}\n\n<p>Let it dry, font-size:0.5 is small.</p>", "fallback")
    text = " ".join(block.text for block in document.blocks)
    assert "900" not in text
    assert "Wipe it." in text
    assert "Let it dry" in text


@pytest.mark.parametrize(
    ("name", "data", "title"),
    [
        ("a.md", b"Text without a heading.", "A"),
        ("gift-cards_2.md", b"Text.", "Gift cards 2"),
        ("a.md", b"## Second\n\ntext\n\n# First\n\ntext", "First"),
        ("a.html", b"<title> The  page </title><p>Text", "The page"),
        ("a.htm", b"<p>Text", "A"),
        ("a.txt", b"Opening hours\n\nFrom nine to five.", "Opening hours"),
        ("a.txt", b"From nine to five.\n\nAnd on Monday.", "A"),
    ],
)
def test_the_title_is_the_best_there_is(name: str, data: bytes, title: str) -> None:
    assert read_file(name, data).title == title


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.docx", b"PK", "not read"),
        ("a.md", b"", "no text"),
        ("a.md", b"# Only a heading", "no text"),
        ("a.html", b"<nav>menu</nav><script>x</script>", "no text"),
        ("a.txt", b"\x00\x01\x02", "not text"),
        ("a.txt", b"x" * 8_000_001, "larger"),
    ],
)
def test_what_cannot_be_read_says_why(name: str, data: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read_file(name, data)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Größe".encode(), "Größe"),
        ("\ufeffGröße".encode(), "Größe"),
        ("Größe".encode("cp1252"), "Größe"),
        ("Größe".encode("utf-16"), "Größe"),
        (b'<meta charset="iso-8859-2">\xb3', '<meta charset="iso-8859-2">ł'),
        (b'<meta charset="made-up">\xe9', '<meta charset="made-up">é'),
    ],
)
def test_text_is_decoded_as_it_was_meant(data: bytes, text: str) -> None:
    assert decode(data, markup=True).removeprefix("\ufeff") == text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Use a card, e.g. a debit card. It works.", ["Use a card, e.g. a debit card.", "It works."]),
        ("Ask Mr. Smith. He knows.", ["Ask Mr. Smith.", "He knows."]),
        ("It costs 4.90 euros. Always.", ["It costs 4.90 euros.", "Always."]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("no end", ["no end"]),
        ("", []),
    ],
)
def test_a_sentence_ends_where_a_reader_would_end_it(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


def a_text(words: int, tag: str) -> str:
    return " ".join(f"{tag} has exactly eight words in this sentence." for _ in range(words // 8))


def test_passages_keep_their_headings_and_a_bearable_length() -> None:
    text = f"# Title\n\n{a_text(96, 'Intro')}\n\n## First\n\n{a_text(160, 'One')}\n\n### Deep\n\n{a_text(480, 'Two')}"
    pieces = cut(read_markdown(text, "x"))
    assert [piece.heading for piece in pieces][:2] == ["", "First"]
    assert pieces[-1].heading == "First › Deep"
    assert all(len(piece.text.split()) <= LONGEST for piece in pieces)
    assert all(piece.text.endswith(".") for piece in pieces)


def test_a_short_article_is_one_passage_that_names_its_sections() -> None:
    pieces = cut(read_markdown("# T\n\nIntro.\n\n## How\n\n1. One.\n2. Two.\n\n## Why\n\nBecause.", "x"))
    assert pieces == [Piece(heading="How · Why", text="Intro.\n\n## How\n\n1. One.\n2. Two.\n\n## Why\n\nBecause.")]


def test_what_is_no_sentence_is_cut_all_the_same() -> None:
    endless = Document(title="t", blocks=(Block(kind=Kind.PARAGRAPH, text="word " * 5000),))
    assert max(len(piece.text.split()) for piece in cut(endless)) <= LONGEST
    unbroken = Document(title="t", blocks=(Block(kind=Kind.PARAGRAPH, text="x" * 100_000),))
    assert max(len(piece.text) for piece in cut(unbroken)) <= 20_002


@given(st.text(max_size=600))
def test_no_text_makes_reading_fail_or_lose_a_word(text: str) -> None:
    for name in ("a.md", "a.html", "a.txt"):
        try:
            document = read_file(name, text.encode("utf-8", "replace"))
        except Unreadable:
            continue
        cut(document)


@given(st.lists(st.text(st.sampled_from("abcxyz"), min_size=1, max_size=8), min_size=1))
def test_cutting_loses_no_word(words: list[str]) -> None:
    document = Document(title="t", blocks=(Block(kind=Kind.PARAGRAPH, text=" ".join(words * 9)),))
    assert " ".join(piece.text for piece in cut(document)).split() == words * 9


@given(
    st.sampled_from(["<p>", "</p>", "<li>", "<ol>", "</ol>", "<nav>", "<![", "<!--", "<pre>", "x", "<table>", "<td>"])
)
def test_broken_markup_is_read_as_far_as_it_goes(tag: str) -> None:
    document = read_html(f"<p>before</p>{tag}{tag}<b", "x")
    assert document.blocks[0].text == "before"
