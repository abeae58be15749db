"""Make the file the encoder reads out of the weights as they are published: rows of whole numbers with a scale each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load, save_file

MODEL = "all-MiniLM-L6-v2 int8"

_OURS = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "attention",
    "attention.output.LayerNorm": "attention.norm",
    "intermediate.dense": "inner",
    "output.dense": "outer",
    "output.LayerNorm": "norm",
}
LAYERS = 6


def convert(published: bytes, vocabulary: str, path: Path) -> None:
    """Write the compact file; raises `KeyError` if these are not the weights of this model."""
    weights = load(published)
    kept: dict[str, Any] = {}

    def keep(name: str, tensor: Any) -> None:
        if tensor.ndim < 2 or name == "places":
            kept[name] = np.ascontiguousarray(tensor, np.float32)
            return
        scale = np.maximum(np.abs(tensor).max(axis=1, keepdims=True), 1e-12).astype(np.float32) / 127
        kept[name] = np.rint(tensor / scale).astype(np.int8)
        kept[f"{name}.scale"] = scale

    keep("words", weights["embeddings.word_embeddings.weight"])
    keep("places", weights["embeddings.position_embeddings.weight"][:256])
    keep("kind", weights["embeddings.token_type_embeddings.weight"][0])
    keep("words.norm", weights["embeddings.LayerNorm.weight"])
    keep("words.norm.bias", weights["embeddings.LayerNorm.bias"])
    for layer in range(LAYERS):
        for theirs, ours in _OURS.items():
            keep(f"{layer}.{ours}", weights[f"encoder.layer.{layer}.{theirs}.weight"])
            keep(f"{layer}.{ours}.bias", weights[f"encoder.layer.{layer}.{theirs}.bias"])
    save_file(kept, path, {"model": MODEL, "vocabulary": vocabulary.strip("\n")})
