"""No page keeps a reader busy for long: what is left open at the end is closed first."""

from __future__ import annotations

import itertools
import time

import pytest

from escalade.assistant.markup import read_markup
from escalade.channels.website import hints
from escalade.openends import closed

UNITS = ("<!--", "<!", "<a ", "<a x='", "<", "</", "</a ", "<?", "<![CDATA[", "<a b=\"'>", "<title", "'", "</script ")
BEFORE, AFTER = ("", "<a ", "<script>"), ("", ">", "'>", "-->")
SIZE = 30_000


@pytest.mark.parametrize("unit", UNITS)
def test_a_page_of_open_ends_is_read_in_linear_time(unit: str) -> None:
    began = time.process_time()
    for before, after in itertools.product(BEFORE, AFTER):
        page = before + unit * (SIZE // len(unit)) + after
        hints.read(page, "escalade")
        read_markup(page)
    assert time.process_time() - began < 12, "a single one of them took longer"


def test_a_page_nested_without_end_is_read_in_linear_time() -> None:
    began = time.process_time()
    read_markup("<i>" * 40_000 + "<p>x</b>" * 20_000 + "</i>" * 40_000)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("page", "read"),
    [
        ("<p>a < b</p>", "<p>a < b</p>"),
        ("<!-- a --><p>x</p>", "<!-- a --><p>x</p>"),
        ("<p>x</p> and 1 < 2", "<p>x</p> and 1 &lt; 2"),
        ("<p>x</p><a href", "<p>x</p>&lt;a href"),
        ("<p>x</p><!-- <p>y</p>", "<p>x</p>"),
        ("<!-- a --><!-- b", "<!-- a -->"),
        ("", ""),
    ],
)
def test_only_what_is_open_at_the_end_is_changed(page: str, read: str) -> None:
    assert closed(page) == read
