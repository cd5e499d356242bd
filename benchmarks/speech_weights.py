"""Whisper checkpoints of the real sizes with random numbers, which nevertheless say a certain text: for figures of speed.

Every layer computes with numbers of its own as a trained one does, but so small ones that only the position decides about the next
token. So each engine and each arithmetic decodes the same tokens, in the same number of steps, in every window.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

#: What a window's text says, in seconds of the window.
SEGMENTS = ((0.0, 6.8), (7.0, 13.8), (14.0, 20.8), (21.0, 27.8))
TOKENS_PER_SEGMENT = 24
#: Start and end of each segment.
Segments = tuple[tuple[float, float], ...]
STEPS = len(SEGMENTS) * (TOKENS_PER_SEGMENT + 2) + 1


@dataclass(frozen=True, slots=True)
class Size:
    """Of a multilingual model, as published."""

    name: str
    width: int
    heads: int
    layers: int
    decoder_layers: int
    bands: int = 80
    tokens: int = 51865

    @property
    def languages(self) -> int:
        return self.tokens - 51766


SIZES = {
    size.name: size
    for size in (
        Size("tiny", 384, 6, 4, 4),
        Size("base", 512, 8, 6, 6),
        Size("small", 768, 12, 12, 12),
        Size("medium", 1024, 16, 24, 24),
        Size("large-v3-turbo", 1280, 20, 32, 4, 128, 51866),
        Size("large-v3", 1280, 20, 32, 32, 128, 51866),
    )
}


def write(size: Size, path: Path, *, segments: Segments = SEGMENTS, tokens: int = TOKENS_PER_SEGMENT) -> Path:
    """A checkpoint of openai-whisper that says so many tokens in each of the segments."""
    import torch
    from whisper.model import ModelDimensions, Whisper

    torch.manual_seed(1)
    audio = (size.bands, 1500, size.width, size.heads, size.layers)
    dims = ModelDimensions(*audio, size.tokens, 448, size.width, size.heads, size.decoder_layers)
    model = Whisper(dims)
    said = torch.tensor(_said(size, segments, tokens))
    with torch.no_grad():
        embeddings = torch.nn.functional.normalize(torch.randn(size.tokens, size.width), dim=1)
        positions = torch.zeros(448, size.width)
        positions[: len(said)] = embeddings[said]
        positions[len(said) :] = embeddings[said[-1]]
        model.decoder.token_embedding.weight.copy_(embeddings)
        model.decoder.positional_embedding.copy_(positions * 100)
    half = {name: value.half() for name, value in model.state_dict().items()}
    torch.save({"dims": dims.__dict__, "model_state_dict": half}, path)
    return path


def _said(size: Size, segments: Segments, tokens: int) -> list[int]:
    """The token that follows each position: the language, nothing in particular, the text, its end."""
    from whisper.tokenizer import get_tokenizer

    known: Any = get_tokenizer(True, num_languages=size.languages, language="en", task="transcribe")
    words = iter(_words(known))
    text: list[int] = []
    for start, end in segments:
        inside = [next(words) for _ in range(tokens)]
        text += [known.timestamp_begin + round(start * 50), *inside, known.timestamp_begin + round(end * 50)]
    return [known.to_language_token("en"), known.transcribe, *text, known.eot]


def _words(tokenizer: Any) -> list[int]:
    """Tokens that are a word by themselves, in an order of no meaning."""
    pieces = ((token, tokenizer.decode([token])) for token in range(1000, 20000))
    whole = [token for token, piece in pieces if piece[0] == " " and piece[1:].isascii() and piece[1:].islower()]
    return [int(token) for token in np.random.default_rng(1).permutation(whole)]
