"""The weights of Moonshine tiny (English, MIT) that the wheel moonshine-voice carries, and its vocabulary.

Only files are read: nothing of the package is imported. They are the ones that were measured with, by their checksums.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from whisper_jobs.errors import JobError

if TYPE_CHECKING:
    import onnxruntime

MODEL = "moonshine-tiny"
ENCODER, DECODER, VOCABULARY = "encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"
CHECKSUMS = {
    ENCODER: "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    DECODER: "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    VOCABULARY: "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
}
MISSING = f"The package moonshine-voice, which carries the model “{MODEL}”, is not on this server. Choose “auto”."
_SPACE = "\u2581".encode()
#: Before the vocabulary's words come the signs for unknown, start and end, then the 256 bytes.
START, END, FIRST_BYTE, FIRST_WORD = 1, 2, 3, 259
#: What is drawn when there is music says nothing.
_NOTES = str.maketrans("", "", "♩♪♫♬🎵🎶\0")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    tokens: tuple[bytes, ...]

    @classmethod
    def parsed(cls, data: bytes) -> Vocabulary:
        """Each token behind its length, of one byte below 128, of two beyond: the lower seven bits first."""
        tokens: list[bytes] = []
        at = 0
        while at < len(data):
            length = data[at]
            at += 1
            if length >= 128:
                length += (data[at] - 1) * 128
                at += 1
            tokens.append(data[at : at + length])
            at += length
        return cls(tuple(tokens))

    def begins_word(self, token: int) -> bool:
        return self.tokens[token].startswith(_SPACE)

    def text(self, tokens: list[int]) -> str:
        """Without the vocabulary's own signs, notes and NUL."""
        said = b"".join(self.tokens[token] for token in tokens if token >= FIRST_BYTE and not self._is_sign(token))
        return said.replace(_SPACE, b" ").decode(errors="replace").translate(_NOTES).strip()

    def _is_sign(self, token: int) -> bool:
        return self.tokens[token].startswith(b"<<ST_")


@dataclass(frozen=True, slots=True)
class Weights:
    encoder: onnxruntime.InferenceSession
    decoder: onnxruntime.InferenceSession
    vocabulary: Vocabulary


def present() -> bool:
    """Whether the files are there; says nothing about whether they are whole."""
    folder = _folder()
    return folder is not None and all((folder / name).is_file() for name in CHECKSUMS)


def load(threads: int) -> Weights:
    """Raises JobError `model_unavailable`."""
    folder = _folder()
    if folder is None or not present():
        raise JobError("model_unavailable", MISSING)
    data = {name: _whole(folder / name) for name in CHECKSUMS}
    vocabulary = Vocabulary.parsed(data[VOCABULARY])
    return Weights(_session(data[ENCODER], threads), _session(data[DECODER], threads), vocabulary)


def _whole(path: Path) -> bytes:
    """Raises JobError: of damaged weights the library may make nonsense, or end the process."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise JobError("model_unavailable", f"The {path.name} of the model “{MODEL}” can't be read: {error}") from error
    if hashlib.sha256(data).hexdigest() != CHECKSUMS[path.name]:
        message = f"The {path.name} of the model “{MODEL}” is damaged. Install the package moonshine-voice anew."
        raise JobError("model_unavailable", message)
    return data


def _session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    # Late, as in the voice detector: to ask what is there takes no library.
    import onnxruntime

    # On by default, and nothing about a recording is anybody's business.
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    # Threads that wait by counting take the time of other workers.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _folder() -> Path | None:
    # Of a top-level package find_spec runs nothing.
    spec = find_spec("moonshine_voice")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)), "assets", "tiny-en")
