"""Who speaks when, without a model hub: who speaks in ten seconds at a time, and then which of these voices are the same.

Works with the weights that one of the installed packages carries. What it keeps of an hour of sound are some 3 MB.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from whisper_jobs.errors import JobError
from whisper_jobs.speech.diarizers import grouping, stitching, stretches
from whisper_jobs.speech.diarizers.base import SAMPLE_RATE, Diarization, Floats, Hints, Pcm
from whisper_jobs.speech.diarizers.bundled import ENCODER
from whisper_jobs.speech.diarizers.filterbank import log_mel
from whisper_jobs.speech.diarizers.grouping import Groups, Voice
from whisper_jobs.speech.diarizers.naming import named
from whisper_jobs.speech.diarizers.segmenter import (
    CHUNK_FRAMES,
    CHUNK_SAMPLES,
    FIRST_FRAME,
    FRAME_STEP,
    VOICES,
    Segmenter,
)
from whisper_jobs.speech.diarizers.voices import VoiceEncoder
from whisper_jobs.speech.windows import as_floats

#: A piece begins so many frames after the one before it (5 s): each moment is heard twice.
STEP_FRAMES = 296
STEP_SAMPLES = STEP_FRAMES * FRAME_STEP
#: Less than this (0.3 s) tells nothing of a voice.
FEWEST_FRAMES = 18
#: Where somebody speaks for longer than this (in steps of 10 ms), the beginning tells enough of the voice.
MOST_ENERGIES = 500
LENGTHS_APART = 20


Active = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """`activity` (frames, voices): how probable it is that each of the `voices` speaks, 0 … 255."""

    activity: npt.NDArray[np.uint8]
    voices: tuple[Voice, ...]


class ClusteringDiarizer:
    name = "clustering"
    encoder = ENCODER

    def __init__(self, folder: Path | None, *, threads: int) -> None:
        """Raises Unavailable. `folder` is not used: the weights come with a package."""
        torch.set_num_threads(threads)
        self._segmenter, self._encoder = Segmenter(), VoiceEncoder()

    def diarize(self, sound: Iterable[Pcm], hints: Hints) -> Diarization:
        pieces = list(self._listen(sound, hints))
        voices = [voice for piece in pieces if piece for voice in piece.voices]
        groups = grouping.group(voices, fewest=hints.min_speakers or 1, most=hints.max_speakers)
        return named(((*_seconds(run), row) for run, row in _runs(pieces, groups)), groups.centroids)

    def _listen(self, sound: Iterable[Pcm], hints: Hints) -> Iterator[Piece | None]:
        """None for a piece in which the voice detector heard nobody."""
        end = max((end for _, end in hints.speech), default=0.0)
        speech = _Speech(hints)
        for index, samples in enumerate(_chunks(sound)):
            if hints.should_stop():
                raise JobError("cancelled")
            start = index * STEP_SAMPLES / SAMPLE_RATE
            hints.progress(min(1.0, start / end) if end else 0.0)
            yield self._hear(index, samples) if speech.between(start, start + CHUNK_SAMPLES / SAMPLE_RATE) else None

    def _hear(self, index: int, samples: Floats) -> Piece:
        activity = self._segmenter.segment(samples)
        energies = log_mel(samples)
        columns: list[Floats] = []
        voices: list[Voice] = []
        for source in range(VOICES):
            for column, alone, embedding in self._voices(activity, source, energies):
                seconds = float(alone.sum()) * FRAME_STEP / SAMPLE_RATE
                voices.append(Voice(index, len(columns), seconds, embedding, source))
                columns.append(column)
        activities = np.stack(columns, axis=1) if columns else activity[:, :0]
        return Piece(np.rint(activities * 255).astype(np.uint8), tuple(voices))

    def _voices(self, activity: Floats, source: int, energies: torch.Tensor) -> Iterator[tuple[Floats, Active, Floats]]:
        """The persons behind one of the segmenter's voices: activity, where it is heard alone, and embedding of each."""
        active = activity >= 0.5
        own = active[:, source]
        alone = own & (active.sum(axis=1) == 1)
        persons = stretches.persons(alone, lambda frames: self._encode(frames, energies))
        for person in persons:
            yield activity[:, source] * person.near, alone & person.near, person.embedding
        if not persons:
            told = next((frames for frames in (alone, own) if frames.sum() >= FEWEST_FRAMES), None)
            if told is not None:
                yield activity[:, source], alone, self._encode(told, energies)

    def _encode(self, frames: Active, energies: torch.Tensor) -> Floats:
        places = np.flatnonzero(_at_energies(frames, len(energies)))[:MOST_ENERGIES]
        # torch keeps something for each length that it has seen: so there are few of them.
        places = places[: len(places) // LENGTHS_APART * LENGTHS_APART]
        return self._encoder.encode(energies[torch.from_numpy(places)])


class _Speech:
    """The voice detector's spans, asked about times that only go forward."""

    def __init__(self, hints: Hints) -> None:
        self._spans = hints.speech
        self._next = 0

    def between(self, start: float, end: float) -> bool:
        while self._next < len(self._spans) and self._spans[self._next][1] <= start:
            self._next += 1
        return self._next < len(self._spans) and self._spans[self._next][0] < end


def _chunks(sound: Iterable[Pcm]) -> Iterator[Floats]:
    """Pieces of CHUNK_SAMPLES, STEP_SAMPLES apart; the last one is filled up with silence."""
    waiting: Pcm = np.zeros(0, np.int16)
    whole = False
    for samples in sound:
        waiting = np.concatenate((waiting, samples))
        while len(waiting) >= CHUNK_SAMPLES:
            yield as_floats(waiting[:CHUNK_SAMPLES])
            waiting, whole = waiting[STEP_SAMPLES:], True
    if len(waiting) > (CHUNK_SAMPLES - STEP_SAMPLES if whole else 0):
        yield as_floats(np.pad(waiting, (0, CHUNK_SAMPLES - len(waiting))))


def _at_energies(frames: npt.NDArray[np.bool_], count: int) -> npt.NDArray[np.bool_]:
    """The segmenter's frames on the clock of the energies: 25 ms long, 10 ms apart."""
    middles = 200 + 160 * np.arange(count)
    at: npt.NDArray[np.bool_] = frames[
        np.clip(np.rint((middles - FIRST_FRAME) / FRAME_STEP).astype(int), 0, len(frames) - 1)
    ]
    return at


def _runs(pieces: list[Piece | None], groups: Groups) -> list[tuple[stitching.Run, int]]:
    def votes() -> Iterator[Floats | None]:
        for index, piece in enumerate(pieces):
            yield _by_group(index, piece, groups) if piece else None

    speakers = len(groups.centroids)
    return stitching.runs(stitching.vote(votes(), speakers=speakers, frames=CHUNK_FRAMES, step=STEP_FRAMES))


def _by_group(index: int, piece: Piece, groups: Groups) -> Floats:
    votes = np.zeros((CHUNK_FRAMES, len(groups.centroids)), np.float32)
    for voice in piece.voices:
        column = groups.of[index, voice.number]
        votes[:, column] = np.maximum(votes[:, column], piece.activity[:, voice.number] / np.float32(255))
    return votes


def _seconds(run: stitching.Run) -> tuple[float, float]:
    """A frame stands for the time around its middle."""
    start, end = ((FIRST_FRAME + (frame - 0.5) * FRAME_STEP) / SAMPLE_RATE for frame in run)
    return max(0.0, start), end
