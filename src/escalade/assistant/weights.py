"""Make the file the encoder reads out of weights as they are published: rows of whole numbers with a scale each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load, save_file

PLACES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A model as it is published, in what it differs from the others."""

    model: str  # as our file names it
    layer: Mapping[str, str]  # what its tensors of a layer are called here
    first_place: int  # of a text's first piece in the table of places
    epsilon: str
    marks: str  # the pieces that begin, end and stand for the unknown


_COMMON = {"intermediate.dense": "inner", "output.dense": "outer", "output.LayerNorm": "norm"}
MINILM = Published(
    model="all-MiniLM-L6-v2 int8",
    layer=_COMMON
    | {
        "attention.self.query": "query",
        "attention.self.key": "key",
        "attention.self.value": "value",
        "attention.output.dense": "attention",
        "attention.output.LayerNorm": "attention.norm",
    },
    first_place=0,
    epsilon="1e-12",
    marks="[CLS] [SEP] [UNK]",
)
MPNET = Published(
    model="all-mpnet-base-v2 int8",
    layer=_COMMON
    | {
        "attention.attn.q": "query",
        "attention.attn.k": "key",
        "attention.attn.v": "value",
        "attention.attn.o": "attention",
        "attention.LayerNorm": "attention.norm",
    },
    first_place=2,  # the first two rows are of paddings
    epsilon="1e-05",
    marks="<s> </s> [UNK]",
)
_EXACT = {"places", "nearness"}  # small, and kept as they are


def convert(of: Published, published: bytes, vocabulary: str, path: Path) -> None:
    """Write the compact file; raises `KeyError` if these are not the weights of this model."""
    weights = load(published)
    kept: dict[str, Any] = {}

    def keep(name: str, tensor: Any) -> None:
        if tensor.ndim < 2 or name in _EXACT:
            kept[name] = np.ascontiguousarray(tensor, np.float32)
            return
        scale = np.maximum(np.abs(tensor).max(axis=1, keepdims=True), 1e-12).astype(np.float32) / 127
        kept[name] = np.rint(tensor / scale).astype(np.int8)
        kept[f"{name}.scale"] = scale

    table = weights["embeddings.word_embeddings.weight"]
    keep("words", table)
    keep("places", weights["embeddings.position_embeddings.weight"][of.first_place :][:PLACES])
    kinds = weights.get("embeddings.token_type_embeddings.weight")
    keep("kind", np.zeros(table.shape[1]) if kinds is None else kinds[0])
    keep("words.norm", weights["embeddings.LayerNorm.weight"])
    keep("words.norm.bias", weights["embeddings.LayerNorm.bias"])
    if (nearness := weights.get("encoder.relative_attention_bias.weight")) is not None:
        keep("nearness", nearness)
    for layer in range(sum(name.endswith("intermediate.dense.bias") for name in weights)):
        for theirs, ours in of.layer.items():
            keep(f"{layer}.{ours}", weights[f"encoder.layer.{layer}.{theirs}.weight"])
            keep(f"{layer}.{ours}.bias", weights[f"encoder.layer.{layer}.{theirs}.bias"])
    told = {"model": of.model, "vocabulary": vocabulary.strip("\n"), "marks": of.marks, "epsilon": of.epsilon}
    save_file(kept, path, told)
