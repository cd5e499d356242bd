"""Teaches a tiny Whisper to read the lines of the sample recording, and stores it as fixtures/tiny_whisper.npz.

    python -m tests.speech.train_tiny_whisper [STEPS [on]]

With `on` it goes on with what is stored, at a lower rate; the stored one was taught in several goes while
this recipe was being found, so a run from nothing won't give the very same one.
It knows nothing but these lines, but those it hears: in any order, at any time, loud or faint, over noise. What makes it quick
to teach: the vocabulary is the tokens in use and one row for all the others; the row of a time is a linear map of the encoder's
own embedding of that time; the last layer is shown where the next word is heard; and a frame sees no other frames, so that a few
of a window's silent ones will do.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import whisper
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, gelu
from whisper.model import ModelDimensions, Whisper, sinusoids
from whisper.tokenizer import get_tokenizer

from tests.speech.spoken_lines import RATE, Line, spoken_lines
from tests.speech.tiny_whisper import (
    CONTEXT,
    DIMS,
    EMBEDDINGS,
    FIXTURE,
    OTHER,
    ROWS,
    TIMES,
    USED,
    VOCABULARY,
    WIDTH,
    pack,
)

#: Two threads are no faster: the arrays are small.
THREADS = 1
FRAME_SECONDS = 0.02
WINDOWS, BATCH, STEPS, RATE_OF_LEARNING = 1500, 16, 3000, 2e-3
#: In the first part of the steps only of the shorter windows, this part of all.
SHORT_PART, SHORT_WINDOWS = 0.6, 0.75
NUMBERS_OF_LINES = (0, 1, 1, 1, 1, 2, 2, 2, 3, 4, 5, 6)
#: Frames that stand for all the silence around a window's sound.
SILENT_FRAMES = 60
#: How much it counts where the last layer looks.
GUIDANCE = 1.0
#: What says which line it is counts more, and is heard in this many seconds.
HARD, FIRST_HEARD_SECONDS = 4.0, 0.5

Frames = tuple[int, int]


@dataclass(slots=True)
class Saying:
    """Tokens, for each the frames in which it is heard if there are any, and how much it counts."""

    tokens: list[int]
    heard: list[Frames | None]
    counts: list[float]

    def add(self, tokens: Sequence[int], heard: Sequence[Frames | None], *, count: float = 1.0) -> None:
        self.tokens += tokens
        self.heard += heard
        self.counts += [count] * len(tokens)


@dataclass(frozen=True, slots=True)
class Lesson:
    """`mel` of a window that may begin at any time, and what shall be said of it."""

    mel: Tensor
    said: Saying

    @property
    def frames(self) -> int:
        return self.mel.shape[1] // 2


class Words:
    """The tokens in use as numbers from 0 on; behind them the times, and last one number for every other token."""

    def __init__(self) -> None:
        self.tokenizer: Any = get_tokenizer(True, num_languages=99, language="en", task="transcribe")
        known = self.tokenizer
        texts = {token for line in spoken_lines() for *_, word in line.words for token in self.spell(word)}
        self.used = sorted(texts | {*known.sot_sequence_including_notimestamps, known.eot, known.no_speech})
        self._numbers = {token: number for number, token in enumerate(self.used)}
        self.first_time = len(self.used)

    def spell(self, word: str) -> list[int]:
        return list(self.tokenizer.encode(f" {word}"))

    def number(self, token: int) -> int:
        first = self.tokenizer.timestamp_begin
        return self.first_time + token - first if token >= first else self._numbers[token]


def lesson(words: Words, chance: random.Random, noises: np.random.Generator) -> Lesson:
    lines = chance.sample(spoken_lines(), chance.choice(NUMBERS_OF_LINES))
    position = chance.uniform(0.0, 0.6)
    sound = np.zeros(30 * RATE, np.float32)
    placed: list[tuple[float, Line]] = []
    for line in lines:
        if position + line.seconds > 29.5:
            break
        first = round(position * RATE)
        sound[first : first + len(line.samples)] += line.samples * chance.uniform(0.7, 1.3)
        placed.append((first / RATE, line))
        position += line.seconds + chance.choice((chance.uniform(0.25, 1.2), 0.7))
    length = min(30.0, position) if placed else chance.uniform(0.5, 8.0)
    sound = sound[: round(length * RATE)]
    if chance.random() < 0.7:
        sound += noises.normal(0.0, 10 ** chance.uniform(-4.5, -2.3), len(sound)).astype(np.float32)
    said = _said(words, placed, with_times=chance.random() < 0.6)
    mel: Tensor = whisper.log_mel_spectrogram(np.pad(sound, (0, RATE)))
    if not placed:
        # Silence is no quieter than the loudest of its recording lets it be.
        mel += chance.uniform(0.0, 1.2)
    return Lesson(mel[:, : min(2 * CONTEXT, 2 * (len(sound) // 320 + 25))], said)


def _said(words: Words, placed: Sequence[tuple[float, Line]], *, with_times: bool) -> Saying:
    known = words.tokenizer
    said = Saying([], [], [])
    start = known.sot_sequence if with_times else known.sot_sequence_including_notimestamps
    said.add(start, [None] * len(start))
    for offset, line in placed:
        if with_times:
            _add_time(said, known, offset + line.start, heard_from=offset + line.start)
        _add_line(said, words, line, offset)
        if with_times:
            _add_time(said, known, offset + line.end, heard_from=offset + line.end - FRAME_SECONDS)
    if placed:
        end = placed[-1][0] + placed[-1][1].end
        said.add([known.eot], [_frames(end, end + 0.15)], count=HARD)
    else:
        silence = [known.timestamp_begin, known.eot] if with_times else [known.eot]
        said.add(silence, [None] * len(silence))
    return said


def _add_time(said: Saying, known: Any, seconds: float, *, heard_from: float) -> None:
    token = known.timestamp_begin + round(seconds / FRAME_SECONDS)
    said.add([token], [_frames(heard_from, heard_from + FRAME_SECONDS)], count=HARD)


def _add_line(said: Saying, words: Words, line: Line, offset: float) -> None:
    """A piece of a word is heard in its part of the word's time, by its letters."""
    first = len(said.tokens)
    for start, end, word in line.words:
        pieces = words.spell(word)
        letters = np.cumsum([0, *(len(words.tokenizer.decode([piece]).strip()) for piece in pieces)])
        edges = (offset + start + (end - start) * letters / letters[-1]).tolist()
        said.add(pieces, [_frames(*edge) for edge in pairwise(edges)])
    start = offset + line.start
    span = said.heard[first]
    said.heard[first] = _frames(start, max(start + FIRST_HEARD_SECONDS, span[1] * FRAME_SECONDS if span else 0.0))
    said.counts[first] = HARD


def _frames(start: float, end: float) -> Frames:
    first = min(round(start / FRAME_SECONDS), CONTEXT - 1)
    return first, min(max(first + 1, round(end / FRAME_SECONDS)), CONTEXT)


class Pupil:
    """A Whisper whose unused tokens share a row. Computes from its weights what the library does, and where it looks."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._model: Any = Whisper(ModelDimensions(**DIMS))
        self._clock = sinusoids(CONTEXT + 1, WIDTH)
        self._rows = nn.Parameter(torch.randn(len(words.used), WIDTH) * 0.1)
        self._other = nn.Parameter(torch.randn(1, WIDTH) * 0.1)
        self._times = nn.Parameter(torch.randn(WIDTH, WIDTH) * 0.02 + torch.eye(WIDTH) * 0.1)
        with torch.no_grad():
            self._model.decoder.positional_embedding.copy_(sinusoids(448, WIDTH) * 0.1)
            for parameter in self._unheard():
                parameter.zero_()
        idle = {id(each) for each in (*self._unheard(), self._model.decoder.token_embedding.weight)}
        own = [each for each in self._model.parameters() if id(each) not in idle]
        self.parameters: list[nn.Parameter] = [*own, self._rows, self._other, self._times]

    def _unheard(self) -> list[nn.Parameter]:
        """What would let one frame see another."""
        return [each for block in self._model.encoder.blocks for each in block.attn.parameters()]

    def hear(self, mel: Tensor, positions: Tensor) -> Tensor:
        encoder = self._model.encoder
        heard: Tensor = gelu(encoder.conv2(gelu(encoder.conv1(mel)))).transpose(1, 2) + self._clock[positions]
        for block in encoder.blocks:
            heard = heard + block.mlp(block.mlp_ln(heard))
        return torch.as_tensor(encoder.ln_post(heard))

    def say(self, numbers: Tensor, heard: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of every next number, and the logarithms of the last layer's attention (windows × heads × numbers × frames)."""
        decoder, table = self._model.decoder, torch.cat((self._rows, self._clock @ self._times, self._other))
        x: Tensor = table[numbers] + decoder.positional_embedding[: numbers.shape[1]]
        later = torch.full((numbers.shape[1],) * 2, -math.inf).triu(1)
        looked = later
        for block in decoder.blocks:
            x = x + _attend(block.attn, block.attn_ln(x), None, later)[0]
            added, looked = _attend(block.cross_attn, block.cross_attn_ln(x), heard, weights[:, None, None, :])
            x = x + added
            x = x + block.mlp(block.mlp_ln(x))
        scores = decoder.ln(x) @ table.T
        others = math.log(VOCABULARY - len(self._words.used) - CONTEXT - 1)
        return torch.cat((scores[..., :-1], scores[..., -1:] + others), -1), looked

    def remember(self) -> None:
        """Takes what is stored for its own."""
        with np.load(FIXTURE) as stored:
            state = {name: torch.from_numpy(stored[name]).float() for name in stored.files if name != USED}
        with torch.no_grad():
            for name, own in ((ROWS, self._rows), (OTHER, self._other), (TIMES, self._times)):
                own.copy_(state.pop(name))
        self._model.load_state_dict(state, strict=False)

    def state(self) -> dict[str, Any]:
        named = {name: each.numpy() for name, each in self._model.state_dict().items() if name != EMBEDDINGS}
        own = {ROWS: self._rows, OTHER: self._other, TIMES: self._times}
        used = {USED: np.array(self._words.used)}
        return named | used | {name: each.detach().numpy() for name, each in own.items()}


def _attend(layer: Any, x: Tensor, other: Tensor | None, bias: Tensor) -> tuple[Tensor, Tensor]:
    """What comes of attention, and its logarithms."""
    source, heads = x if other is None else other, DIMS["n_text_head"]
    parts = ((layer.query, x), (layer.key, source), (layer.value, source))
    query, key, value = (part(each).unflatten(-1, (heads, -1)).transpose(1, 2) for part, each in parts)
    looked = (query @ key.transpose(-1, -2) / math.sqrt(WIDTH // heads) + bias).log_softmax(-1)
    return layer.out((looked.exp() @ value).transpose(1, 2).flatten(2)), looked


class Batch:
    """Windows, each moved to some time within 30 s. Of the silence around it SILENT_FRAMES or more stand for all."""

    def __init__(self, lessons: Sequence[Lesson], words: Words, chance: random.Random) -> None:
        rows, frames = len(lessons), max(each.frames for each in lessons) + SILENT_FRAMES
        length = max(len(each.said.tokens) for each in lessons) - 1
        self.mel = torch.zeros(rows, 80, 2 * frames)
        self.positions = torch.zeros(rows, frames, dtype=torch.long)
        #: Logarithms of how many frames each stands for.
        self.weights = torch.zeros(rows, frames)
        self.numbers = torch.full((rows, length), words.number(words.tokenizer.eot))
        self.targets = torch.full((rows, length), -100)
        self.counts = torch.zeros(rows, length)
        #: Where to look for each number's successor.
        self.look = torch.zeros(rows, length, frames)
        for row, each in enumerate(lessons):
            moved = chance.choice((0, chance.randrange(CONTEXT - each.frames + 1)))
            self._hear(row, each, moved, chance)
            self._say(row, each.said, moved, words)

    def _hear(self, row: int, lesson: Lesson, moved: int, chance: random.Random) -> None:
        own, rest = lesson.frames, self.positions.shape[1] - lesson.frames
        self.mel[row] = lesson.mel.min()
        self.mel[row, :, : 2 * own] = lesson.mel[:, : 2 * own]
        # Louder or fainter.
        self.mel[row] += chance.uniform(-0.4, 0.15)
        self.positions[row, :own] = torch.arange(own) + moved
        silent = [*range(moved), *range(moved + own, CONTEXT)]
        if silent:
            self.positions[row, own:] = torch.tensor(chance.choices(silent, k=rest))
        self.weights[row, own:] = math.log(len(silent) / rest) if silent else -math.inf

    def _say(self, row: int, said: Saying, moved: int, words: Words) -> None:
        numbers = torch.tensor([words.number(token) for token in said.tokens])
        if any(said.heard):
            numbers[numbers >= words.first_time] += moved
        self.numbers[row, : len(numbers) - 1] = numbers[:-1]
        self.targets[row, : len(numbers) - 1] = numbers[1:]
        self.counts[row, : len(numbers) - 1] = torch.tensor(said.counts[1:])
        if not any(said.heard):
            self.targets[row, 0] = words.number(words.tokenizer.no_speech)
        for place, span in enumerate(said.heard[1:]):
            if span:
                self.look[row, place, span[0] : span[1]] = 1 / (span[1] - span[0])


def loss_of(pupil: Pupil, batch: Batch) -> tuple[Tensor, Tensor]:
    """How wrong it is about the next numbers, and how far astray it looks for them."""
    scores, looked = pupil.say(batch.numbers, pupil.hear(batch.mel, batch.positions), batch.weights)
    wrong = cross_entropy(scores.flatten(0, 1), batch.targets.flatten(), ignore_index=-100, reduction="none")
    astray = -(batch.look[:, None] * looked.clamp(min=-20)).sum(-1).mean(1).sum()
    return (wrong * batch.counts.flatten()).sum() / batch.counts.sum(), astray / batch.look.sum().clamp(min=1)


def teach(steps: int, *, on: bool) -> Pupil:
    """A rate of learning that rises for 50 steps and falls as a cosine to a hundredth."""
    torch.manual_seed(1)
    torch.set_num_threads(THREADS)
    # Other windows and another order each time that it goes on.
    chance, words = random.Random(steps), Words()
    noises, rate = np.random.default_rng(steps), RATE_OF_LEARNING * (0.3 if on else 1.0)
    lessons = sorted((lesson(words, chance, noises) for _ in range(WINDOWS)), key=lambda each: each.frames)
    pupil = Pupil(words)
    if on:
        pupil.remember()
    learner = torch.optim.AdamW(pupil.parameters, lr=rate, betas=(0.9, 0.98), weight_decay=0.0)
    for step in range(steps):
        done = step / steps
        for group in learner.param_groups:
            falling = max(0.01, 0.5 + 0.5 * math.cos(math.pi * done))
            group["lr"] = rate * min(1.0, (step + 1) / 50) * falling
        some = SHORT_WINDOWS if done < SHORT_PART and not on else 1.0
        first = chance.randrange(int(WINDOWS * some) - BATCH)
        wrong, astray = loss_of(pupil, Batch(lessons[first : first + BATCH], words, chance))
        learner.zero_grad()
        (wrong + GUIDANCE * astray).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(pupil.parameters, 1.0)
        learner.step()
        if step % 100 == 0:
            print(f"step {step}: wrong {wrong.item():.4f}, astray {astray.item():.3f}", flush=True)
    return pupil


if __name__ == "__main__":
    pack(teach(int(sys.argv[1]) if sys.argv[1:] else STEPS, on="on" in sys.argv[2:]).state())
