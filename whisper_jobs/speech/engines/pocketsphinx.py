"""The draft engine: CMU PocketSphinx with the English model that its wheel carries. Offline; for machines that have nothing else.

Loaded through `registry.load`. Its words are a draft: far from a Whisper model's, and without punctuation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines.base import SAMPLE_RATE, Options, Quality, Result, Samples, Setup
from whisper_jobs.speech.engines.english import refuse_other_languages
from whisper_jobs.speech.engines.sentences import Rules, cut
from whisper_jobs.speech.transcript import Segment, Word

Pcm = npt.NDArray[np.int16]

#: Found by measuring on public recordings: fewer false words than with the library's own values.
SETTINGS = {"wip": 0.2, "topn": 8, "silprob": 0.05, "remove_noise": False, "loglevel": "FATAL"}
FRAMES_PER_SECOND = 100
#: The decoder holds the GIL while it works; between pieces other threads run and `should_stop` is asked.
PIECE_SAMPLES = SAMPLE_RATE // 4
SEGMENTS = Rules(pause_seconds=0.4, short_pause_seconds=0.12, long_seconds=6.0)
#: A window whose root mean square is below this (-40 dBFS) is raised to it: faint speech would drown in the dither.
QUIET_RMS, MOST_GAIN = 0.01, 1000.0
#: Less than three frames of features is nothing to decode.
SHORTEST_SAMPLES = SAMPLE_RATE // 20
_MEAN_SEARCH = "mean"
MEAN_SECONDS, MOST_PASSES = 24.0, 6
_CAPITALS = {"i", "i'm", "i'll", "i'd", "i've"}


class PocketSphinx:
    name = "pocketsphinx"
    quality: Quality = "draft"
    batch = 1

    def __init__(self, model: str = "", setup: Setup | None = None) -> None:
        import pocketsphinx

        try:
            self._decoder = pocketsphinx.Decoder(pocketsphinx.Config(**SETTINGS))
            self._word_search = self._decoder.current_search()
            self._decoder.add_keyphrase(_MEAN_SEARCH, "the")
        except (RuntimeError, OSError) as error:
            raise JobError("model_unavailable", f"The PocketSphinx model can't be loaded: {error}") from error

    def transcribe(self, windows: Sequence[Samples], options: Options) -> list[Result]:
        """English only; `task` and `initial_prompt` mean nothing to it. Raises JobError `language_unsupported`."""
        refuse_other_languages(options.language, engine="The draft engine")
        return [self._window(samples, options) for samples in windows]

    def _window(self, samples: Samples, options: Options) -> Result:
        if len(samples) < SHORTEST_SAMPLES:
            return Result((), "en")
        pcm = _with_dither(_levelled(samples))
        self._set_cepstral_mean(pcm)
        self._decoder.start_utt()
        try:
            for piece in _pieces(pcm):
                if options.should_stop():
                    raise JobError("cancelled")
                self._decoder.process_raw(piece)
        finally:
            self._decoder.end_utt()
        words = self._words(len(pcm) / SAMPLE_RATE)
        return Result(tuple(_segment(some) for some in cut(words, SEGMENTS)), "en")

    def _set_cepstral_mean(self, pcm: Pcm) -> None:
        """First passes, for the features alone: the decoder then knows the window's sound from its first word on.

        They always begin anew, so that the words of a window depend on nothing that was heard before it. It is a running
        mean: a short window goes through it again until what it began with weighs little.
        """
        self._decoder.reinit_feat()
        passes = math.ceil(MEAN_SECONDS * SAMPLE_RATE / len(pcm))
        for _ in range(min(MOST_PASSES, passes)):
            self._move_mean(pcm)

    def _move_mean(self, pcm: Pcm) -> None:
        """It runs as a search for one word because the end of an utterance always searches, and that one is cheap."""
        self._decoder.activate_search(_MEAN_SEARCH)
        self._decoder.start_utt()
        self._decoder.process_raw(pcm.tobytes(), no_search=True, full_utt=True)
        mean = self._decoder.get_cmn(False)
        self._decoder.end_utt()
        self._decoder.activate_search(self._word_search)
        self._decoder.set_cmn(mean)

    def _words(self, duration: float) -> Iterator[Word]:
        """In order, without the tokens for silence and noise."""
        position = 0.0
        for token in self._decoder.seg() or ():
            text = token.word.partition("(")[0]
            if not text or text[0] in "<[+":
                continue
            start = max(position, token.start_frame / FRAMES_PER_SECOND)
            end = min(duration, (token.end_frame + 1) / FRAMES_PER_SECOND)
            if end <= start:
                continue
            yield Word(start, end, text.capitalize() if text in _CAPITALS else text, min(1.0, float(token.prob)))
            position = end


def _levelled(samples: Samples) -> Samples:
    """Louder when it is quiet; loud enough as it is."""
    loudness = float(np.sqrt(np.mean(np.square(samples))))
    gain = QUIET_RMS / max(loudness, QUIET_RMS / MOST_GAIN)
    return samples * np.float32(gain) if gain > 1.0 else samples


def _with_dither(samples: Samples) -> Pcm:
    """Faint noise, always the same: digital silence would upset the mean, and with it the window's first words."""
    noise = np.random.default_rng(0).integers(-3, 4, len(samples))
    return np.clip(np.round(samples * 32768.0) + noise, -32768, 32767).astype(np.int16)


def _pieces(pcm: Pcm) -> Iterator[bytes]:
    for start in range(0, len(pcm), PIECE_SAMPLES):
        yield pcm[start : start + PIECE_SAMPLES].tobytes()


def _segment(words: tuple[Word, ...]) -> Segment:
    text = " ".join(word.text for word in words)
    probability = sum(word.probability or 0.0 for word in words) / len(words)
    return Segment(words[0].start, words[-1].end, text, words, probability=probability)
