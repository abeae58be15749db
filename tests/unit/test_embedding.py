"""Texts become vectors of which near ones mean alike, and pieces of words as the model was taught with."""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save
from tests.embeddings import FOLDER, encoder

from escalade.assistant import weights
from escalade.assistant.embedding import HEADS, LONGEST, Encoder
from escalade.assistant.likeness import headings_of, sentences_of, texts_of
from escalade.assistant.meaning import likeness, matrix_of, nearest, rows_of
from escalade.assistant.wordpiece import WordPiece
from escalade.domain.errors import Invalid
from escalade.services.embeddings import WEIGHTS, Size, Weights, Wheel, install, load_encoder

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
    assert asked.shape == (encoder().width,)
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
    width = encoder().width
    matrix = matrix_of([row[: 2 * width * 2] for row in rows], width)
    (question,) = encoder().encode(["how to return a parcel"])
    assert nearest(matrix, question, 2) == [1, 0]


WIDTH, INNER, LAYERS, KINDS = 2 * HEADS, 36, 2, 32
MPNET_VOCABULARY = ["<s>", "<pad>", "</s>", "<unk>", *VOCABULARY]


def mpnet() -> dict[str, Any]:
    """Make a small MPNet of random weights that whole numbers of eight bits hold exactly."""
    dice = np.random.default_rng(7)

    def drawn(*shape: int) -> Any:
        tensor = dice.integers(-127, 128, shape).astype(np.float32)
        tensor[..., 0] = 127
        return tensor / 300

    made = {
        "embeddings.word_embeddings.weight": drawn(len(MPNET_VOCABULARY), WIDTH),
        "embeddings.position_embeddings.weight": drawn(300, WIDTH),
        "embeddings.LayerNorm.weight": drawn(WIDTH),
        "embeddings.LayerNorm.bias": drawn(WIDTH),
        "encoder.relative_attention_bias.weight": drawn(KINDS, HEADS) * 9,
    }
    for layer in range(LAYERS):
        shapes = {f"attention.attn.{name}": (WIDTH, WIDTH) for name in "qkvo"}
        shapes |= {"intermediate.dense": (INNER, WIDTH), "output.dense": (WIDTH, INNER)}
        for name, shape in shapes.items():
            made[f"encoder.layer.{layer}.{name}.weight"] = drawn(*shape)
            made[f"encoder.layer.{layer}.{name}.bias"] = drawn(shape[0])
        for name in ("attention.LayerNorm", "output.LayerNorm"):
            made[f"encoder.layer.{layer}.{name}.weight"] = drawn(WIDTH)
            made[f"encoder.layer.{layer}.{name}.bias"] = drawn(WIDTH)
    return made


def by_hand(of: dict[str, Any], ids: list[int]) -> Any:
    """Read a text with MPNet as its paper says, a piece and a head at a time."""

    def normed(x: Any, name: str) -> Any:
        return (x - x.mean()) / math.sqrt(x.var() + 1e-5) * of[f"{name}.weight"] + of[f"{name}.bias"]

    def linear(x: Any, name: str) -> Any:
        return of[f"{name}.weight"] @ x + of[f"{name}.bias"]

    def kind(asking: int, asked: int) -> int:
        apart, after = abs(asked - asking), 16 if asked > asking else 0
        if apart < 8:
            return after + apart
        return after + min(15, 8 + int(math.log(apart / 8) / math.log(128 / 8) * 8))

    def gelu(x: Any) -> Any:
        return np.array([each * (1 + math.erf(each / math.sqrt(2))) / 2 for each in x])

    words, places = of["embeddings.word_embeddings.weight"], of["embeddings.position_embeddings.weight"]
    xs = [normed(words[id] + places[at + 2], "embeddings.LayerNorm") for at, id in enumerate(ids)]
    for layer in (f"encoder.layer.{n}" for n in range(LAYERS)):
        query, key, value = ([linear(x, f"{layer}.attention.attn.{name}") for x in xs] for name in "qkv")
        seen = []
        for at in range(len(xs)):
            heads = []
            for head in range(HEADS):
                part = slice(2 * head, 2 * head + 2)
                scores = [
                    query[at][part] @ key[other][part] / math.sqrt(2)
                    + of["encoder.relative_attention_bias.weight"][kind(at, other)][head]
                    for other in range(len(xs))
                ]
                chances = np.exp(scores) / np.exp(scores).sum()
                heads.append(sum(chance * v[part] for chance, v in zip(chances, value, strict=True)))
            seen.append(linear(np.concatenate(heads), f"{layer}.attention.attn.o"))
        xs = [normed(x + s, f"{layer}.attention.LayerNorm") for x, s in zip(xs, seen, strict=True)]
        inner = [linear(gelu(linear(x, f"{layer}.intermediate.dense")), f"{layer}.output.dense") for x in xs]
        xs = [normed(x + y, f"{layer}.output.LayerNorm") for x, y in zip(xs, inner, strict=True)]
    mean = np.mean(xs, axis=0)
    return mean / np.linalg.norm(mean)


def test_the_large_model_is_read_as_its_paper_says(tmp_path: Path) -> None:
    of = mpnet()
    weights.convert(weights.MPNET, save(of), "\n".join(MPNET_VOCABULARY) + "\n", tmp_path / "weights")
    texts = ["returning a parcel", "a", "parcel , a cafe " * 35]
    made = Encoder(tmp_path / "weights").encode(texts)
    pieces = WordPiece(MPNET_VOCABULARY, ("<s>", "</s>", "[UNK]"))
    for text, vector in zip(texts, made, strict=True):
        assert np.allclose(vector, by_hand(of, pieces.ids(text, LONGEST)), atol=1e-4)


def wheel(place: Path, member: str, content: bytes) -> str:
    """Make a wheel with one file in it and give its SHA-256."""
    with zipfile.ZipFile(place, "w") as packed:
        packed.writestr(member, content)
    return hashlib.sha256(place.read_bytes()).hexdigest()


def in_two_wheels(folder: Path) -> tuple[Weights, list[Path]]:
    """Make an archive of weights in two wheels, as the large model's is in five."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("model/weights", save(mpnet()))
        packed.writestr("model/vocabulary", "\n".join(MPNET_VOCABULARY) + "\n")
    content = archive.getvalue()
    places = [folder / "one.whl", folder / "two.whl"]
    halves = [content[: len(content) // 2], content[len(content) // 2 :]]
    wheels = [
        Wheel(place.stem, "1.0", wheel(place, "part", half), "part") for place, half in zip(places, halves, strict=True)
    ]
    of = Weights(file="large", wheels=tuple(wheels), weights="model/weights", vocabulary="model/vocabulary")
    return of, places


def test_an_archive_in_several_wheels_is_put_together_in_whatever_order_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, wheels = in_two_wheels(tmp_path)
    monkeypatch.setitem(WEIGHTS, Size.LARGE, of)
    with pytest.raises(Invalid, match=r"two 1\.0 is not there"):
        install(Size.LARGE, tmp_path / "kept", wheels[:1])
    with pytest.raises(Invalid, match=r"three\.whl cannot be read \(No such file or directory\)"):
        install(Size.LARGE, tmp_path / "kept", [*wheels, tmp_path / "three.whl"])
    assert not (tmp_path / "kept").exists()
    assert install(Size.LARGE, tmp_path / "kept", wheels[::-1]) == tmp_path / "kept" / "large"
    found = load_encoder(tmp_path / "kept")
    assert found is not None
    assert (found.name, found.width) == ("all-mpnet-base-v2 int8", WIDTH)


def test_the_large_model_serves_where_both_are_and_the_small_one_where_the_large_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, wheels = in_two_wheels(tmp_path)
    monkeypatch.setitem(WEIGHTS, Size.LARGE, of)
    small = FOLDER / WEIGHTS[Size.SMALL].file
    encoder()  # says by name where the small weights are missing
    (tmp_path / small.name).symlink_to(small)
    large = install(Size.LARGE, tmp_path, wheels)
    found = load_encoder(tmp_path)
    assert found is not None
    assert found.name == "all-mpnet-base-v2 int8"
    large.write_bytes(large.read_bytes()[:1000])
    found = load_encoder(tmp_path)
    assert found is not None
    assert found.name == encoder().name


def test_weights_that_are_not_the_ones_that_were_published_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "some.whl"
    other.write_bytes(b"PK")
    with pytest.raises(Invalid, match="SHA-256"):
        install(Size.SMALL, tmp_path / "kept", [other])
    assert not (tmp_path / "kept").exists()


def test_a_file_cut_short_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / WEIGHTS[Size.SMALL].file).write_bytes(b"\0" * 100)
    assert load_encoder(tmp_path) is None
    assert load_encoder(tmp_path / "nothing") is None
