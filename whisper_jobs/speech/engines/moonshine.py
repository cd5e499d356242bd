"""Moonshine tiny: a small English model whose weights come with a package, so that it works without a model hub. Offline.

It writes sentences without times; those of its words are found by aligning them with the sound. Loaded through `registry.load`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from whisper_jobs.speech.alignment import Aligner, spread
from whisper_jobs.speech.engines import moonshine_weights
from whisper_jobs.speech.engines.base import SAMPLE_RATE, Options, Quality, Result, Samples, Setup
from whisper_jobs.speech.engines.english import refuse_other_languages
from whisper_jobs.speech.engines.moonshine_reading import Decoded, Reader
from whisper_jobs.speech.engines.pieces import LONG_SECONDS, joined, pieces
from whisper_jobs.speech.engines.sentences import Rules, cut
from whisper_jobs.speech.transcript import Decoding, Segment, Word

NAME, MODEL = "moonshine", moonshine_weights.MODEL
#: Less is no word, and too short for the model's filters.
SHORTEST_SAMPLES = SAMPLE_RATE // 10
SEGMENTS = Rules(pause_seconds=0.8, short_pause_seconds=0.2, long_seconds=12.0, at_sentence_ends=True)


class Moonshine:
    name = NAME
    quality: Quality = "full"
    batch = 1

    def __init__(self, model: str = MODEL, setup: Setup | None = None) -> None:
        """Raises JobError `model_unavailable`."""
        self._weights = moonshine_weights.load((setup or Setup()).threads)
        self._reader = Reader(self._weights)
        self._aligner = Aligner()

    def transcribe(self, windows: Sequence[Samples], options: Options) -> list[Result]:
        """English only; prompts and hotwords mean nothing to it. Raises JobError `language_unsupported`, `cancelled`."""
        refuse_other_languages(options.language, engine=f"The model “{MODEL}”")
        return [self._window(samples, options) for samples in windows]

    def _window(self, samples: Samples, options: Options) -> Result:
        read = [(start, self._piece(piece, options)) for start, piece in pieces(samples, LONG_SECONDS)]
        return joined(read, options.language or "en")

    def _piece(self, samples: Samples, options: Options) -> Result:
        if len(samples) < SHORTEST_SAMPLES:
            return Result((), options.language)
        decoded = self._reader.read(samples.astype("float32", copy=False), options)
        # What is hardly English tells nothing about the language of the recording.
        language = options.language or (None if decoded.is_doubtful else "en")
        return Result(tuple(self._segments(decoded, samples, word_times=options.word_times)), language)

    def _segments(self, decoded: Decoded, samples: Samples, *, word_times: bool) -> Iterator[Segment]:
        said = list(self._said(decoded))
        texts = [text for text, _probability in said]
        spans = self._aligner.align(samples, texts) if word_times else spread(texts, len(samples) / SAMPLE_RATE)
        words = [Word(*span, text, probability) for span, (text, probability) in zip(spans, said, strict=True)]
        for some in cut(words, SEGMENTS):
            segment = _segment(some, decoded)
            yield replace(segment, suspect="unsure") if decoded.is_doubtful else segment

    def _said(self, decoded: Decoded) -> Iterator[tuple[str, float]]:
        """The words, each with how probable it is."""
        vocabulary, tokens, logprobs = self._weights.vocabulary, list[int](), list[float]()
        for token, logprob in zip(decoded.tokens, decoded.logprobs, strict=False):
            if tokens and vocabulary.begins_word(token):
                yield from _words(vocabulary.text(tokens), logprobs)
                tokens, logprobs = [], []
            tokens.append(token)
            logprobs.append(logprob)
        yield from _words(vocabulary.text(tokens), logprobs)


def _words(text: str, logprobs: Sequence[float]) -> Iterator[tuple[str, float]]:
    """Nothing of tokens that have no text, more than one where a token has a space in it."""
    for word in text.split():
        yield word, math.exp(min(0.0, sum(logprobs) / len(logprobs)))


def _segment(words: tuple[Word, ...], decoded: Decoded) -> Segment:
    logprobs = [math.log(max(1e-9, word.probability or 0.0)) for word in words]
    mean = sum(logprobs) / len(logprobs)
    told = Decoding(decoded.temperature, mean, decoded.compression_ratio)
    text = " ".join(word.text for word in words)
    return Segment(words[0].start, words[-1].end, text, words, probability=math.exp(mean), decoding=told)
