"""Whisper checkpoints of openai-whisper rewritten as the folders of faster-whisper, without transformers and without a hub.

Takes any checkpoint, trained or not: `convert(Path("base.pt"), Path("faster-whisper-base"))`.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

#: How GPT-2's tokenizer, and with it Whisper's, cuts a text before it looks for tokens.
_PIECES = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_SPACE = 220
_SUPPRESSED = ("startoftranscript", "translate", "transcribe", "startoflm", "startofprev", "nospeech")


def convert(checkpoint: Path, folder: Path, *, quantization: str = "float16") -> Path:
    """Writes the folder and returns it. Numbers are stored as `quantization`, as published models are: float16."""
    import torch

    loaded = torch.load(checkpoint, weights_only=True, map_location="cpu")
    dims, values = loaded["dims"], {name: value.float().numpy() for name, value in loaded["model_state_dict"].items()}
    spec = _specification(dims, values)
    multilingual = dims["n_vocab"] >= 51865
    text, names = _tokenizer(multilingual, dims["n_vocab"] - 51765 - int(multilingual))
    spec.register_vocabulary(list(names))
    _configure(spec.config, dims, list(names))
    spec.validate()
    spec.optimize(quantization=quantization)
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    (folder / "tokenizer.json").write_text(text)
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": dims["n_mels"]}))
    return folder


def model_bin(numbers: bytes = b"weights") -> bytes:
    """The smallest model.bin that is whole: one variable of 8-bit numbers, and no aliases."""
    head = struct.pack("<IH12sII", 6, 12, b"WhisperSpec", 3, 1)
    variable = struct.pack("<H7sBIBI", 7, b"weight", 1, len(numbers), 1, len(numbers))
    return head + variable + numbers + struct.pack("<I", 0)


class _Filler:
    """Copies the values of a state dict into a specification of CTranslate2."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def linear(self, spec: Any, name: str) -> None:
        spec.weight, spec.bias = self._values[f"{name}.weight"], self._values[f"{name}.bias"]

    def norm(self, spec: Any, name: str) -> None:
        spec.gamma, spec.beta = self._values[f"{name}.weight"], self._values[f"{name}.bias"]

    def attention(self, spec: Any, name: str, *, crossed: bool) -> None:
        """Queries, keys and values of one source are one matrix; keys have no bias."""
        weights = [self._values[f"{name}.{part}.weight"] for part in ("query", "key", "value")]
        query, value = (self._values[f"{name}.{part}.bias"] for part in ("query", "value"))
        biases = [query, np.zeros_like(query), value]
        first = 1 if crossed else 3
        spec.linear[0].weight, spec.linear[0].bias = np.concatenate(weights[:first]), np.concatenate(biases[:first])
        if crossed:
            spec.linear[1].weight, spec.linear[1].bias = np.concatenate(weights[1:]), np.concatenate(biases[1:])
        self.linear(spec.linear[-1], f"{name}.out")

    def layer(self, spec: Any, name: str, *, decodes: bool) -> None:
        kinds = [("self_attention", "attn", False), ("attention", "cross_attn", True)][: 2 if decodes else 1]
        for attribute, part, crossed in kinds:
            attention = getattr(spec, attribute)
            self.norm(attention.layer_norm, f"{name}.{part}_ln")
            self.attention(attention, f"{name}.{part}", crossed=crossed)
        self.norm(spec.ffn.layer_norm, f"{name}.mlp_ln")
        self.linear(spec.ffn.linear_0, f"{name}.mlp.0")
        self.linear(spec.ffn.linear_1, f"{name}.mlp.2")


def _specification(dims: dict[str, int], values: dict[str, Any]) -> Any:
    from ctranslate2.specs.whisper_spec import WhisperSpec

    spec = WhisperSpec(dims["n_audio_layer"], dims["n_audio_head"], dims["n_text_layer"], dims["n_text_head"])
    fill = _Filler(values)
    fill.linear(spec.encoder.conv1, "encoder.conv1")
    fill.linear(spec.encoder.conv2, "encoder.conv2")
    spec.encoder.position_encodings.encodings = values["encoder.positional_embedding"]
    fill.norm(spec.encoder.layer_norm, "encoder.ln_post")
    for place, layer in enumerate(spec.encoder.layer):
        fill.layer(layer, f"encoder.blocks.{place}", decodes=False)
    embeddings = values["decoder.token_embedding.weight"]
    spec.decoder.embeddings.weight = spec.decoder.projection.weight = embeddings
    spec.decoder.position_encodings.encodings = values["decoder.positional_embedding"]
    fill.norm(spec.decoder.layer_norm, "decoder.ln")
    for place, layer in enumerate(spec.decoder.layer):
        fill.layer(layer, f"decoder.blocks.{place}", decodes=True)
    return spec


def _configure(config: Any, dims: dict[str, int], names: list[str]) -> None:
    place = names.index
    config.suppress_ids = [place(f"<|{name}|>") for name in _SUPPRESSED]
    config.suppress_ids_begin = [_SPACE, place("<|endoftext|>")]
    config.lang_ids = list(range(place("<|startoftranscript|>") + 1, place("<|translate|>")))
    layers, heads = dims["n_text_layer"], dims["n_text_head"]
    config.alignment_heads = [[layer, head] for layer in range(layers // 2, layers) for head in range(heads)]


@cache
def _tokenizer(multilingual: bool, languages: int) -> tuple[str, tuple[str, ...]]:
    """The text of a tokenizer.json, and the names of all its tokens, from openai-whisper's own vocabulary."""
    import whisper
    from tokenizers import AddedToken, Regex, Tokenizer, decoders
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
    from whisper.tokenizer import get_tokenizer

    ranks = _ranks(Path(whisper.__file__).parent / "assets" / f"{'multilingual' if multilingual else 'gpt2'}.tiktoken")
    tokenizer = Tokenizer(BPE({_written(token): rank for token, rank in ranks.items()}, list(_merges(ranks))))
    pieces = Split(Regex(_PIECES), "isolated")
    tokenizer.pre_tokenizer = Sequence([pieces, ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    theirs: Any = get_tokenizer(multilingual, num_languages=languages)
    for name, place in sorted(theirs.special_tokens.items(), key=lambda item: item[1]):
        clock = name[2:3].isdigit()
        tokenizer.add_tokens([AddedToken(name, special=not clock, normalized=False)])
        assert tokenizer.token_to_id(name) == place
    by_place = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return tokenizer.to_str(), tuple(name for name, _place in by_place)


def _ranks(path: Path) -> dict[bytes, int]:
    lines = (line.split() for line in path.read_text().splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in lines}


def _merges(ranks: dict[bytes, int]) -> Iterator[tuple[str, str]]:
    """tiktoken keeps only what comes of a merge; the two parts are found by merging with the earlier ones alone."""
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        parts = [bytes([byte]) for byte in token]
        while len(parts) > 2:
            joined = [ranks.get(one + other, rank) for one, other in pairwise(parts)]
            if (best := min(joined)) >= rank:
                break
            place = joined.index(best)
            parts[place : place + 2] = [parts[place] + parts[place + 1]]
        if len(parts) == 2:
            yield _written(parts[0]), _written(parts[1])


def _written(token: bytes) -> str:
    return "".join(_letters()[byte] for byte in token)


@cache
def _letters() -> dict[int, str]:
    """GPT-2's letter for each byte: itself where it can be seen, else one behind U+0100."""
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    unseen = [byte for byte in range(256) if byte not in seen]
    return {byte: chr(byte) for byte in seen} | {byte: chr(256 + place) for place, byte in enumerate(unseen)}
