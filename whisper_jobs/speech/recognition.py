"""Whose voice it is: speech → a vector, and the vector → the enrolled speaker whom it fits, or nobody. Pure.

Called by the step that tells speakers apart, by live sessions and by enrolling. Which vectors there are is the caller's matter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import numpy.typing as npt

from whisper_jobs.speech.diarizers.base import SAMPLE_RATE, Floats, Span
from whisper_jobs.speech.diarizers.bundled import ENCODER as ENCODER
from whisper_jobs.speech.kept import Kept

if TYPE_CHECKING:
    import torch

    from whisper_jobs.speech.diarizers.voices import VoiceEncoder

#: A voice is an enrolled one from this cosine on, and when no other enrolled one is as near but for the margin. Both were
#: measured: docs/benchmarks.md, “Recognition”.
THRESHOLD, MARGIN = 0.58, 0.05
#: Two enrolled speakers whose voices are so near are one person who was enrolled twice: neither stands in the other's way.
ONE_PERSON = 0.7
#: A new voice in a live session is one that is less like each of those before; it was heard for seconds only.
LIVE_THRESHOLD = 0.5
#: Voices that a live session tells apart; what comes after belongs to the nearest.
MOST_LIVE = 40
#: Less speech than this tells nothing of a voice; more than this tells no more.
LEAST_SECONDS, MOST_SECONDS = 0.5, 90.0
#: The network hears so much at once, which is what it was trained on; the mean of several is better than one long one.
PIECE_SECONDS = 6.0

#: What a telephone lets through.
TELEPHONE_HZ = (300, 3400)

_FRAMES_A_SECOND = 100
#: torch keeps something for each length that it has seen: so there are few of them.
_LENGTHS_APART = 20


class TooShort(ValueError):
    """There is too little speech to tell a voice by."""


# --- speech → vector --------------------------------------------------------------------------------

_kept: Kept[VoiceEncoder] = Kept()


def encode(samples: Floats, spans: Sequence[Span]) -> Floats:
    """`samples`: mono at 16 kHz in -1 … 1; `spans`: where in them, in seconds, the one person speaks. A vector of length 1.

    Raises TooShort, and Unavailable where the network's weights are not on this machine.
    """
    # Late: torch takes seconds, and what only compares vectors needs none of it.
    from whisper_jobs.speech.diarizers.filterbank import FRAME_SAMPLES, log_mel

    heard, left = [], MOST_SECONDS
    for start, end in spans:
        part = samples[max(0, round(start * SAMPLE_RATE)) : round(min(end, start + left) * SAMPLE_RATE)]
        if len(part) >= FRAME_SAMPLES:
            heard.append(log_mel(np.ascontiguousarray(part, np.float32)))
            left -= len(part) / SAMPLE_RATE
        if left <= 0:
            break
    return _mean(heard)


def enrol(samples: Floats, spans: Sequence[Span]) -> Floats:
    """The vector to enrol a voice by: between what it is like here and over a telephone, so that it is known in both.

    Over a telephone the network hears another voice: by a vector of the wide band alone nobody is recognised there. Raises as
    `encode` does.
    """
    return unit(encode(samples, spans) + encode(_telephone(samples), spans))


def _telephone(samples: Floats) -> Floats:
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    spectrum[(hertz < TELEPHONE_HZ[0]) | (hertz > TELEPHONE_HZ[1])] = 0
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


def _mean(heard: Sequence[torch.Tensor]) -> Floats:
    import torch

    from whisper_jobs.speech.diarizers.voices import VoiceEncoder

    frames = sum(len(energies) for energies in heard)
    if frames < LEAST_SECONDS * _FRAMES_A_SECOND:
        raise TooShort
    pieces = max(1, round(frames / (PIECE_SECONDS * _FRAMES_A_SECOND)))
    length = max(frames // pieces // _LENGTHS_APART, 1) * _LENGTHS_APART
    energies = torch.cat(list(heard))
    with _kept.using(ENCODER, VoiceEncoder) as encoder:
        return unit(sum_of([encoder.encode(energies[at * length : (at + 1) * length]) for at in range(pieces)]))


def release_idle(after_seconds: float) -> bool:
    """Frees the network when nobody has used it for so long; True when it did. Any thread may ask."""
    return _kept.release_idle(after_seconds)


def sum_of(vectors: Sequence[Floats]) -> Floats:
    total: Floats = np.sum(np.stack(vectors), axis=0, dtype=np.float32)
    return total


def unit(vector: Floats) -> Floats:
    """The same direction, of length 1."""
    scaled: Floats = (vector / max(float(np.linalg.norm(vector)), 1e-9)).astype(np.float32)
    return scaled


# --- vector → enrolled speaker ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Match:
    """`score` is the cosine of the angle between the voice and the speaker's."""

    speaker_id: UUID
    score: float


class Book:
    """The voices that may be recognised. A speaker with several vectors is compared by their mean."""

    def __init__(
        self,
        entries: Iterable[tuple[UUID, Floats]],
        *,
        threshold: float = THRESHOLD,
        margin: float = MARGIN,
    ) -> None:
        found: dict[UUID, list[Floats]] = {}
        for speaker_id, vector in entries:
            found.setdefault(speaker_id, []).append(unit(vector))
        self._ids = list(found)
        self._voices = np.stack([unit(sum_of(vectors)) for vectors in found.values()]) if found else _none()
        self._threshold, self._margin = threshold, margin

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, speaker_id: UUID) -> bool:
        return speaker_id in self._ids

    def without(self, speakers: Collection[UUID]) -> Book:
        """The same, in which these never were."""
        left = [
            (speaker, voice) for speaker, voice in zip(self._ids, self._voices, strict=True) if speaker not in speakers
        ]
        return Book(left, threshold=self._threshold, margin=self._margin)

    def best(self, vector: Floats, denied: Collection[UUID] = ()) -> Match | None:
        """Whom the voice fits, and no other as well; None when it is nobody's. `denied` are left out as if not enrolled."""
        left = [place for place, speaker_id in enumerate(self._ids) if speaker_id not in denied]
        if not left:
            return None
        scores = self._voices[left] @ unit(vector)
        first = int(scores.argmax())
        others = scores[self._voices[left] @ self._voices[left[first]] < ONE_PERSON]
        score, second = float(scores[first]), float(others.max(initial=-1.0))
        fits = score >= self._threshold and score - second >= self._margin
        return Match(self._ids[left[first]], score) if fits else None

    def assign(
        self, voices: Mapping[str, Floats], denied: Mapping[str, Collection[UUID]] | None = None
    ) -> dict[str, Match]:
        """label → whom it fits, each speaker once: of several labels that one fits, the nearest has them.

        The others keep their number. One person whose voice was taken for two is better told so than given two names, and of two
        persons one is surely somebody else.
        """
        told = denied or {}
        matches = [(self.best(vector, told.get(label, ())), label) for label, vector in voices.items()]
        found: dict[str, Match] = {}
        taken: list[int] = []
        for match, label in sorted(
            ((match, label) for match, label in matches if match), key=lambda one: -one[0].score
        ):
            place = self._ids.index(match.speaker_id)
            if all(float(self._voices[place] @ self._voices[other]) < ONE_PERSON for other in taken):
                found[label] = match
                taken.append(place)
        return found


def _none() -> Floats:
    return np.zeros((0, 192), np.float32)


# --- live sessions ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Voice:
    total: Floats
    number: int


class LiveVoices:
    """Tells the voices of a live session apart as they come, and names those that are enrolled.

    `names`: what to call each of the book's speakers. What was said of a stretch stays; later ones may know better.
    """

    def __init__(self, book: Book, names: Mapping[UUID, str] | None = None) -> None:
        self._book, self._names = book, names or {}
        self._voices: list[_Voice] = []

    def label(self, vector: Floats) -> str:
        """“Speaker 1” and so on, in the order in which they are first heard, or the name of an enrolled speaker."""
        voice = self._nearest(vector)
        voice.total = voice.total + unit(vector)
        match = self._book.best(voice.total)
        name = self._names.get(match.speaker_id) if match else None
        return name or f"Speaker {voice.number}"

    def forget(self, speakers: Collection[UUID]) -> None:
        """From now on nobody is taken for one of these. Any thread may call it."""
        self._book = self._book.without(speakers)

    def _nearest(self, vector: Floats) -> _Voice:
        if self._voices:
            cosines: npt.NDArray[np.float32] = np.stack([unit(voice.total) for voice in self._voices]) @ unit(vector)
            if cosines.max() >= LIVE_THRESHOLD or len(self._voices) >= MOST_LIVE:
                return self._voices[int(cosines.argmax())]
        self._voices.append(_Voice(np.zeros_like(vector), len(self._voices) + 1))
        return self._voices[-1]
