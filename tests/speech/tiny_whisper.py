"""A Whisper of 0.5 MB that reads: it was taught the lines of the sample recording (`train_tiny_whisper.py`) and knows no others.

`write` makes a whole checkpoint of it, in openai-whisper's form; `checkpoints.convert` makes faster-whisper's of that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FIXTURE = Path(__file__).parent / "fixtures" / "tiny_whisper.npz"
WIDTH, VOCABULARY, CONTEXT = 64, 51865, 1500
DIMS = {
    "n_mels": 80,
    "n_audio_ctx": CONTEXT,
    "n_audio_state": WIDTH,
    "n_audio_head": 2,
    "n_audio_layer": 1,
    "n_vocab": VOCABULARY,
    "n_text_ctx": 448,
    "n_text_state": WIDTH,
    "n_text_head": 2,
    "n_text_layer": 2,
}
FIRST_TIME = VOCABULARY - CONTEXT - 1
EMBEDDINGS = "decoder.token_embedding.weight"
#: What is stored in their place: the tokens in use, their rows, the one row of all others, and the map from a time to its row.
USED, ROWS, OTHER, TIMES = "used", "rows", "other", "times"

Half = npt.NDArray[np.float16]


def pack(state: dict[str, npt.NDArray[Any]]) -> None:
    """Writes the fixture: without what follows from the rest, and in half precision as Whisper's own checkpoints."""
    kept = {name: value for name, value in state.items() if not name.endswith("encoder.positional_embedding")}
    halves = {name: value if name == USED else value.astype(np.float16) for name, value in kept.items()}
    np.savez_compressed(FIXTURE, allow_pickle=False, **halves)


def write(path: Path) -> Path:
    """The checkpoint with all of Whisper's tokens; returns its path."""
    import torch
    from whisper.model import sinusoids

    with np.load(FIXTURE) as stored:
        state = {name: torch.from_numpy(stored[name]) for name in stored.files}
    clock = sinusoids(CONTEXT + 1, WIDTH)
    used, rows, other, times = (state.pop(name) for name in (USED, ROWS, OTHER, TIMES))
    embeddings = other.repeat(VOCABULARY, 1)
    embeddings[used] = rows
    embeddings[FIRST_TIME:] = (clock @ times.float()).half()
    state[EMBEDDINGS] = embeddings
    state["encoder.positional_embedding"] = clock[:CONTEXT].half()
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"dims": DIMS, "model_state_dict": state}, path)
    return path
