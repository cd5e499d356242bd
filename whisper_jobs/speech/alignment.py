"""When each word of a known English text is said: forced alignment with PocketSphinx, spread over the speech where that fails.

Called by engines whose model tells words without times. Pure: sound and words in, times out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from whisper_jobs.speech.pronouncing import sounds, spoken
from whisper_jobs.speech.vad import FRAME_SAMPLES, SAMPLE_RATE, SpeechDetector

Floats = npt.NDArray[np.float32]
#: Start and end in seconds from the first sample.
Span = tuple[float, float]

FRAMES_PER_SECOND = 100
#: No language model: the text is known. Silences between words are likelier than the library takes them for.
SETTINGS = {"lm": None, "silprob": 0.05, "loglevel": "FATAL"}
#: The decoder keeps every word that it was taught; with this many it begins anew.
MOST_TAUGHT = 5000
#: Less than a few frames of features is nothing to align with.
SHORTEST_SAMPLES = SAMPLE_RATE // 10
SPEECH_PROBABILITY = 0.45


class Aligner:
    """Loads its dictionary when it is used first. One thread at a time."""

    def __init__(self) -> None:
        self._decoder: Any = None
        self._taught = 0

    def align(self, samples: Floats, words: Sequence[str]) -> list[Span]:
        """One span per word, in order, not overlapping, inside the samples. `samples`: -1 … 1 at 16 kHz, 30 s at most."""
        duration = len(samples) / SAMPLE_RATE
        if not words or duration <= 0:
            return [(0.0, 0.0)] * len(words)
        said = self._said(words)
        found = self._found(samples, [part for parts in said for part in parts])
        spans = _gathered(found, [len(parts) for parts in said])
        return _filled(spans, words, samples)

    def _said(self, words: Sequence[str]) -> list[list[str]]:
        if self._decoder is None or self._taught > MOST_TAUGHT:
            self._decoder, self._taught = _decoder(), 0
        return [spoken(word, lambda part: self._decoder.lookup_word(part) is not None) for word in words]

    def _found(self, samples: Floats, said: list[str]) -> list[Span]:
        """Spans of the first words of `said`, of all when the sound fits the text."""
        if not said or len(samples) < SHORTEST_SAMPLES:
            return []
        try:
            return self._searched(samples, said)
        except RuntimeError:
            # An utterance that could not be ended leaves the decoder unusable.
            self._decoder = None
            return []

    def _searched(self, samples: Floats, said: list[str]) -> list[Span]:
        decoder = self._decoder
        for word in set(said):
            if decoder.lookup_word(word) is None:
                decoder.add_word(word, sounds(word, decoder.lookup_word), False)
                self._taught += 1
        decoder.set_align_text(" ".join(said))
        # Times depend on nothing that was heard before.
        decoder.reinit_feat()
        decoder.start_utt()
        # As a whole, so that the features are levelled by all of it; some tenths of a second for 30 s.
        decoder.process_raw(_with_dither(samples).tobytes(), full_utt=True)
        decoder.end_utt()
        return _spans(decoder.seg() or (), said)


def spread(words: Sequence[str], seconds: float) -> list[Span]:
    """A guess without hearing: each word takes its share of the time, by its letters."""
    marks = [0, *accumulate(map(len, words))]
    scale = seconds / max(1, marks[-1])
    return [(begin * scale, end * scale) for begin, end in pairwise(marks)]


def _decoder() -> Any:
    import pocketsphinx

    return pocketsphinx.Decoder(pocketsphinx.Config(**SETTINGS))


def _with_dither(samples: Floats) -> npt.NDArray[np.int16]:
    """Faint noise, always the same: of digital silence there are no features."""
    noise = np.random.default_rng(0).integers(-3, 4, len(samples))
    return np.clip(np.round(samples * 32768.0) + noise, -32768, 32767).astype(np.int16)


def _spans(found: Any, said: Sequence[str]) -> list[Span]:
    """As far as what was found is what was said; silences and noises are left out."""
    spans: list[Span] = []
    for token in found:
        if token.word[0] in "<[+(":
            continue
        if len(spans) == len(said) or token.word.partition("(")[0] != said[len(spans)]:
            break
        spans.append((token.start_frame / FRAMES_PER_SECOND, (token.end_frame + 1) / FRAMES_PER_SECOND))
    return spans


def _gathered(found: Sequence[Span], counts: Sequence[int]) -> list[Span | None]:
    """From the parts of the words to the words; None for one that is no sound, or was not found whole."""
    spans: list[Span | None] = []
    at = 0
    for count in counts:
        part = found[at : at + count]
        spans.append((part[0][0], part[-1][1]) if count and len(part) == count else None)
        at += count
    return spans


def _filled(spans: Sequence[Span | None], words: Sequence[str], samples: Floats) -> list[Span]:
    """Those without a span between their neighbours, in proportion to their letters over the speech there."""
    duration = len(samples) / SAMPLE_RATE
    clock: _Clock | None = None
    filled: list[Span] = []
    at, position = 0, 0.0
    while at < len(words):
        span = spans[at]
        if span is not None:
            start = min(max(position, span[0]), duration)
            position = min(max(start, span[1]), duration)
            filled.append((start, position))
            at += 1
            continue
        following = next((place for place in range(at, len(words)) if spans[place] is not None), len(words))
        later = spans[following] if following < len(words) else None
        clock = clock or _Clock(samples)
        end = max(position, min(duration, later[0] if later else duration))
        filled += clock.spread([len(word) for word in words[at:following]], position, end)
        at, position = following, filled[-1][1]
    return filled


class _Clock:
    """Runs while somebody speaks, as the voice detector hears it."""

    def __init__(self, samples: Floats) -> None:
        detector = SpeechDetector()
        heard = np.concatenate((detector.probabilities(samples), detector.finish())) >= SPEECH_PROBABILITY
        self._times = np.minimum(np.arange(len(heard) + 1) * FRAME_SAMPLES, len(samples)) / SAMPLE_RATE
        # A little in silence too, so that every moment has its own place.
        self._told = np.concatenate(([0.0], np.cumsum(np.where(heard, 1.0, 1e-6))))

    def spread(self, letters: Sequence[int], start: float, end: float) -> list[Span]:
        first, last = np.interp((start, end), self._times, self._told)
        shares = np.cumsum([0, *letters]) / max(1, sum(letters))
        marks = np.interp(first + shares * (last - first), self._told, self._times).clip(start, end)
        return [(float(begin), float(stop)) for begin, stop in pairwise(marks)]
