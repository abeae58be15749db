"""Turn texts into vectors of which near ones mean alike, as a plain matrix calculation.

Layers of BERT or MPNet, mean pooling, unit length, as `sentence-transformers` does it
(https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2, .../all-mpnet-base-v2). No framework: a forward pass is
forty lines of numpy, where torch would be five gigabytes. Weights are kept as whole numbers of eight bits, a scale each
row; the layers are unfolded to 32 bits when they are loaded, the table of word pieces is not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import safe_open

from escalade.assistant.wordpiece import BERT, WordPiece

Floats = npt.NDArray[np.float32]

HEADS = 12  # of attention, in every model we read
LONGEST = 256  # pieces of a text that are read, some 180 words
FAR = 128  # pieces apart, from where on all are as far
MOST_PIECES = 1024  # in one pass: more take memory and gain nothing
_UNSEEN = -1e9


class Encoder:
    """The model, ready to be asked; its calls hold no lock and may run in any thread."""

    def __init__(self, path: Path) -> None:
        """Load weights that `weights.convert` wrote."""
        with safe_open(path, framework="numpy") as file:
            kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            told = file.metadata()
        self.name = str(told["model"])
        self._pieces = WordPiece(told["vocabulary"].split("\n"), told.get("marks", " ".join(BERT)).split())
        self._epsilon = np.float32(told.get("epsilon", "1e-12"))
        self._table, self._scales = kept.pop("words"), kept.pop("words.scale")
        self.width = int(self._table.shape[1])  # numbers in a vector
        self._layers = sum(name.endswith(".query") for name in kept)
        nearness = kept.pop("nearness", None)
        self._nearness = 0.0 if nearness is None else nearness[_steps(LONGEST, len(nearness))].transpose(2, 0, 1)
        self._weights = {
            name: tensor.astype(np.float32) * kept[f"{name}.scale"] if tensor.dtype == np.int8 else tensor
            for name, tensor in kept.items()
            if not name.endswith(".scale")
        }

    def encode(self, texts: Sequence[str]) -> Floats:
        """Give a vector of unit length for each text, a row each: `(len(texts), width)`."""
        ids = [self._pieces.ids(text, LONGEST) for text in texts]
        vectors = np.zeros((len(ids), self.width), np.float32)
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
        x = self._normed(x + of["places"][:longest] + of["kind"], "words.norm")
        biases: Floats = ((1.0 - there) * _UNSEEN)[:, None, None, :]
        if isinstance(self._nearness, np.ndarray):
            biases = biases + self._nearness[:, :longest, :longest]
        for layer in range(self._layers):
            x = self._normed(x + self._attention(x, biases, layer), f"{layer}.attention.norm")
            inner = _gelu(_linear(x, of, f"{layer}.inner"))
            x = self._normed(x + _linear(inner, of, f"{layer}.outer"), f"{layer}.norm")
        mean = (x * there[:, :, None]).sum(1) / there.sum(1, keepdims=True)
        unit: Floats = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
        return unit

    def _attention(self, x: Floats, biases: Floats, layer: int) -> Floats:
        texts, pieces, _ = x.shape
        each = self.width // HEADS

        def heads(name: str) -> Floats:
            parted: Floats = _linear(x, self._weights, f"{layer}.{name}").reshape(texts, pieces, HEADS, each)
            return parted.transpose(0, 2, 1, 3)

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = query @ key.transpose(0, 1, 3, 2) / math.sqrt(each) + biases
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        seen = (scores / scores.sum(-1, keepdims=True)) @ value
        return _linear(seen.transpose(0, 2, 1, 3).reshape(x.shape), self._weights, f"{layer}.attention")

    def _normed(self, x: Floats, name: str) -> Floats:
        apart = x - x.mean(-1, keepdims=True)
        spread = np.sqrt((apart * apart).mean(-1, keepdims=True) + self._epsilon)
        normed: Floats = apart / spread * self._weights[name] + self._weights[f"{name}.bias"]
        return normed


def _linear(x: Floats, of: dict[str, Any], name: str) -> Floats:
    """Multiply and add, as one product of two flat matrices."""
    weight = of[name]
    flat: Floats = x.reshape(-1, x.shape[-1]) @ weight.T + of[f"{name}.bias"]
    return flat.reshape(*x.shape[:-1], weight.shape[0])


def _steps(pieces: int, kinds: int) -> npt.NDArray[np.int64]:
    """Say of every two places how far apart they are, in so many kinds: half of them backwards, the far ones coarse.

    The buckets of T5's relative attention (Raffel et al. 2020, https://arxiv.org/abs/1910.10683), as MPNet has them.
    """
    half, exact = kinds // 2, kinds // 4
    back = np.arange(pieces)[:, None] - np.arange(pieces)[None, :]
    apart = np.abs(back)
    coarse = exact + np.log(np.maximum(apart, 1) / exact) / math.log(FAR / exact) * (half - exact)
    steps: npt.NDArray[np.int64] = np.where(apart < exact, apart, np.minimum(coarse, half - 1).astype(np.int64))
    return steps + half * (back < 0).astype(np.int64)


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
