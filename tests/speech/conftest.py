"""Sounds and checkpoints that the tests of the speech layer share; all made here or committed with the product."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

Pcm = npt.NDArray[np.int16]
SAMPLE = Path(__file__).parents[2] / "static" / "sample" / "two-voices.mp3"


def decode(path: Path) -> Pcm:
    resampler = av.AudioResampler("s16", "mono", 16_000)
    with av.open(str(path)) as container:
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


@pytest.fixture(scope="session")
def dialogue() -> Pcm:
    """The sample recording: two voices, 43 s."""
    return decode(SAMPLE)


@pytest.fixture
def own_moonshine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is found in the place of the package's weights; the package fails when somebody imports it."""
    package = tmp_path / "packages" / "moonshine_voice"
    folder = package / "assets" / "tiny-en"
    folder.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('nothing of this package is to run')\n")
    monkeypatch.syspath_prepend(str(package.parent))
    return folder


@pytest.fixture
def without_moonshine(own_moonshine: Path) -> None:
    """A machine for which there is no moonshine-voice."""


@pytest.fixture(scope="session")
def dialogue_text() -> str:
    return SAMPLE.with_suffix(".txt").read_text()


def write_whisper(path: Path, said: Sequence[str | float], *, language: str = "sv", english_only: bool = False) -> Path:
    """A real Whisper checkpoint that needs no training: whatever it hears, it says `said` (text, and times in seconds).

    All its layers add nothing, so that only the position decides about the next token: the embedding of position p
    points at the token that shall follow it.
    """
    import torch
    from whisper.model import ModelDimensions, Whisper
    from whisper.tokenizer import get_tokenizer

    torch.manual_seed(1)
    width = 64
    vocabulary = 51864 if english_only else 51865
    dims = ModelDimensions(80, 1500, width, 2, 1, vocabulary, 448, width, 2, 1)
    model = Whisper(dims)
    tokenizer: Any = get_tokenizer(not english_only, num_languages=99, language=None if english_only else language)
    tokens: list[int] = []
    for each in said:
        tokens += tokenizer.encode(each) if isinstance(each, str) else [tokenizer.timestamp_begin + round(each / 0.02)]
    with torch.no_grad():
        embeddings = torch.nn.functional.normalize(torch.randn(vocabulary, width), dim=1)
        for block in model.decoder.blocks:
            for layer in (block.attn.out, block.cross_attn.out, block.mlp[2]):
                layer.weight.zero_()
                layer.bias.zero_()
        positions = torch.zeros(448, width)
        start = 0 if english_only else 2
        if not english_only:
            positions[0] = embeddings[tokenizer.to_language_token(language)]
        for offset, token in enumerate([*tokens, *[tokenizer.eot] * (448 - start - len(tokens))]):
            positions[start + offset] = embeddings[token]
        model.decoder.token_embedding.weight.copy_(embeddings)
        model.decoder.positional_embedding.copy_(positions * 100)
        model.decoder.ln.weight.fill_(10.0)
    path.parent.mkdir(parents=True, exist_ok=True)
    half = {key: value.half() for key, value in model.state_dict().items()}
    torch.save({"dims": dims.__dict__, "model_state_dict": half}, path)
    return path
