"""Reads one stretch of sound with Moonshine's encoder and decoder, token by token. Called by the Moonshine engine alone.

Jeffries et al., "Moonshine: Speech Recognition for Live Transcription and Voice Commands", arXiv 2410.15608. Windows go through
one by one: several at once are no faster here, and filled up to one length they are heard differently.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines.base import SAMPLE_RATE, Options, Samples
from whisper_jobs.speech.engines.moonshine_weights import END, START, Weights
from whisper_jobs.speech.loops import MOST_COMPRESSION, compression_ratio

#: The paper's limit; the few more are for a shout of half a second.
TOKENS_PER_SECOND, TOKENS_MORE = 6.5, 8
#: A window below this mean holds something else than English: so does any in another language, and hardly one in English.
LEAST_LOGPROB = -0.7
#: A unit of so many tokens, repeated so often at the end of the text, will go on for ever.
LONGEST_UNIT, SHORT_UNIT = 40, 4
MOST_SHORT_REPEATS, MOST_LONG_REPEATS = 10, 4
TOKENS_BETWEEN_QUESTIONS = 8
HEADS, HEAD_WIDTH = 8, 36

_Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Decoded:
    """`logprobs` has one more than `tokens` when the text `ended` by itself."""

    text: str
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    temperature: float
    ended: bool

    @property
    def avg_logprob(self) -> float:
        return sum(self.logprobs) / max(1, len(self.logprobs))

    @property
    def compression_ratio(self) -> float:
        return compression_ratio(self.text)

    @property
    def is_doubtful(self) -> bool:
        return not self.ended or self.compression_ratio > MOST_COMPRESSION or self.avg_logprob < LEAST_LOGPROB

    @property
    def rank(self) -> tuple[bool, float]:
        """Of doubtful ones the more probable is better, after those that came to an end."""
        return self.ended and self.compression_ratio <= MOST_COMPRESSION, self.avg_logprob


class Reader:
    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._past = [each.name for each in weights.decoder.get_inputs() if each.name.startswith("past_key_values")]
        self._ever = [name for name in self._past if ".decoder." in name]

    def read(self, samples: Samples, options: Options) -> Decoded:
        """The best of what is heard at the temperatures asked for. Raises JobError `cancelled`."""
        mask = np.ones((1, len(samples)), np.int64)
        heard = self._weights.encoder.run(None, {"input_values": samples[None], "attention_mask": mask})[0]
        fixed = {"encoder_hidden_states": heard, "encoder_attention_mask": mask}
        most = math.ceil(len(samples) / SAMPLE_RATE * TOKENS_PER_SECOND) + TOKENS_MORE
        best: Decoded | None = None
        for temperature in options.temperatures or (0.0,):
            decoded = self._decoded(fixed, options, temperature=temperature, most=most)
            if best is None or not decoded.is_doubtful or decoded.rank > best.rank:
                best = decoded
            if not best.is_doubtful:
                break
        assert best is not None
        return best

    def _decoded(self, fixed: dict[str, _Array], options: Options, *, temperature: float, most: int) -> Decoded:
        tokens, logprobs = list[int](), list[float]()
        chance, state, token = np.random.default_rng(0), self._no_past(), START
        while len(tokens) < most and not _goes_on_for_ever(tokens):
            if len(logprobs) % TOKENS_BETWEEN_QUESTIONS == 0 and options.should_stop():
                raise JobError("cancelled")
            logits, state = self._step(token, fixed, state, first=not logprobs)
            token = _picked(logits, temperature, chance)
            logprobs.append(float(logits[token]))
            if token == END:
                break
            tokens.append(token)
        text = self._weights.vocabulary.text(tokens)
        return Decoded(text, tuple(tokens), tuple(logprobs), temperature, token == END)

    def _step(
        self, token: int, fixed: dict[str, _Array], state: dict[str, _Array], *, first: bool
    ) -> tuple[_Array, dict[str, _Array]]:
        """Log probabilities of what comes next, and what the model remembers; of the sound it does from the first step on."""
        new = self._past if first else self._ever
        told = {"input_ids": np.array([[token]], np.int64), "use_cache_branch": np.array([not first])}
        names = ["logits", *(name.replace("past_key_values", "present") for name in new)]
        logits, *kept = self._weights.decoder.run(names, {**fixed, **told, **state})
        row = logits[0, -1].astype(np.float64)
        row -= row.max()
        return row - np.log(np.exp(row).sum()), {**state, **dict(zip(new, kept, strict=True))}

    def _no_past(self) -> dict[str, _Array]:
        return {name: np.zeros((1, HEADS, 0, HEAD_WIDTH), np.float32) for name in self._past}


def _picked(logprobs: _Array, temperature: float, chance: np.random.Generator) -> int:
    """The most probable token, or one by chance: the largest of Gumbel-noised values is a sample."""
    if temperature <= 0:
        return int(logprobs.argmax())
    return int((logprobs / temperature + chance.gumbel(size=len(logprobs))).argmax())


def _goes_on_for_ever(tokens: list[int]) -> bool:
    for unit in range(1, LONGEST_UNIT + 1):
        length = unit * (MOST_SHORT_REPEATS if unit < SHORT_UNIT else MOST_LONG_REPEATS)
        end = tokens[-length:]
        if len(end) == length and end[unit:] == end[:-unit]:
            return True
    return False
