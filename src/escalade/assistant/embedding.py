"""Turn texts into vectors of which near ones mean alike: all-MiniLM-L6-v2 as a plain matrix calculation.

Six layers of BERT, mean pooling, unit length, as `sentence-transformers` does it
(https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2). No framework: a forward pass is forty lines of numpy,
where torch would be five gigabytes. Weights are kept as whole numbers of eight bits, a scale each row (23 MB on disk);
the layers are unfolded to 32 bits when they are loaded, the table of word pieces is not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import safe_open

from escalade.assistant.wordpiece import WordPiece

Floats = npt.NDArray[np.float32]

WIDTH = 384  # numbers in a vector
LAYERS, HEADS = 6, 12
LONGEST = 256  # pieces of a text that are read, some 180 words
EPSILON = 1e-12
MOST_PIECES = 1024  # in one pass: more take memory and gain nothing
_FAR = -1e9


class Encoder:
    """The model, ready to be asked; its calls hold no lock and may run in any thread."""

    def __init__(self, path: Path) -> None:
        """Load weights that `weights.convert` wrote."""
        with safe_open(path, framework="numpy") as file:
            kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            self.name = str(file.metadata()["model"])
            vocabulary = file.metadata()["vocabulary"].split("\n")
        self._pieces = WordPiece(vocabulary)
        self._table, self._scales = kept.pop("words"), kept.pop("words.scale")
        self._weights = {
            name: tensor.astype(np.float32) * kept[f"{name}.scale"] if tensor.dtype == np.int8 else tensor
            for name, tensor in kept.items()
            if not name.endswith(".scale")
        }

    def encode(self, texts: Sequence[str]) -> Floats:
        """Give a vector of unit length for each text, a row each: `(len(texts), 384)`."""
        ids = [self._pieces.ids(text, LONGEST) for text in texts]
        vectors = np.zeros((len(ids), WIDTH), np.float32)
        by_length = sorted(range(len(ids)), key=lambda at: len(ids[at]))  # alike in length waste least
        while by_length:
            most = max(1, MOST_PIECES // len(ids[by_length[min(len(by_length), 64) - 1]]))
            chosen, by_length = by_length[:most], by_length[most:]
            vectors[chosen] = self._forward([ids[at] for at in chosen])
        return vectors

    def _forward(self, batch: Sequence[Sequence[int]]) -> Floats:
        longest = max(map(len, batch))
        ids = np.zeros((len(batch), longest), np.int64)
        there = np.zeros((len(batch), longest), np.float32)
        for row, pieces in enumerate(batch):
            ids[row, : len(pieces)] = pieces
            there[row, : len(pieces)] = 1.0
        of = self._weights
        x = self._table[ids].astype(np.float32) * self._scales[ids]
        x = _normed(x + of["places"][:longest] + of["kind"], of, "words.norm")
        unseen = ((1.0 - there) * _FAR)[:, None, None, :]
        for layer in range(LAYERS):
            x = _normed(x + self._attention(x, unseen, layer), of, f"{layer}.attention.norm")
            inner = _gelu(_linear(x, of, f"{layer}.inner"))
            x = _normed(x + _linear(inner, of, f"{layer}.outer"), of, f"{layer}.norm")
        mean = (x * there[:, :, None]).sum(1) / there.sum(1, keepdims=True)
        unit: Floats = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), EPSILON)
        return unit

    def _attention(self, x: Floats, unseen: Floats, layer: int) -> Floats:
        texts, pieces, _ = x.shape
        each = WIDTH // HEADS

        def heads(name: str) -> Floats:
            parted: Floats = _linear(x, self._weights, f"{layer}.{name}").reshape(texts, pieces, HEADS, each)
            return parted.transpose(0, 2, 1, 3)

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = query @ key.transpose(0, 1, 3, 2) / math.sqrt(each) + unseen
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        seen = (scores / scores.sum(-1, keepdims=True)) @ value
        return _linear(seen.transpose(0, 2, 1, 3).reshape(texts, pieces, WIDTH), self._weights, f"{layer}.attention")


def _linear(x: Floats, of: dict[str, Any], name: str) -> Floats:
    """Multiply and add, as one product of two flat matrices."""
    weight = of[name]
    flat: Floats = x.reshape(-1, x.shape[-1]) @ weight.T + of[f"{name}.bias"]
    return flat.reshape(*x.shape[:-1], weight.shape[0])


def _normed(x: Floats, of: dict[str, Any], name: str) -> Floats:
    apart = x - x.mean(-1, keepdims=True)
    spread = np.sqrt((apart * apart).mean(-1, keepdims=True) + EPSILON)
    normed: Floats = apart / spread * of[name] + of[f"{name}.bias"]
    return normed


def _gelu(x: Floats) -> Floats:
    """Give x times the normal distribution up to x; erf as Abramowitz and Stegun 7.1.26, right to 1.5e-7."""
    z = np.abs(x) * np.float32(math.sqrt(0.5))
    t = 1.0 / (1.0 + np.float32(0.3275911) * z)
    series: Any = np.float32(1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = series * t + np.float32(factor)
    erf = np.copysign(1.0 - series * t * np.exp(-z * z), x)
    result: Floats = (np.float32(0.5) * x * (1.0 + erf)).astype(np.float32)
    return result
