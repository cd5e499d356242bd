"""An engine reads a captioner's work: whole utterances as a job's windows, the rest as fast as it can."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.speech.conftest import Pcm
from whisper_jobs.speech.engines.base import Options, Quality, Result, Samples
from whisper_jobs.speech.engines.moonshine import Moonshine
from whisper_jobs.speech.guards import guarded
from whisper_jobs.speech.streaming.heard import Work
from whisper_jobs.speech.streaming.reading import read
from whisper_jobs.speech.transcript import Decoding, Segment, Word
from whisper_jobs.speech.windows import as_floats

ENGLISH = Options(language="en")


class Imagining:
    """Says words where nobody speaks, and that it heard no speech."""

    name, batch = "imagining", 1
    quality: Quality = "full"

    def __init__(self) -> None:
        self.asked: list[Options] = []

    def transcribe(self, windows: Sequence[Samples], options: Options) -> list[Result]:
        self.asked.append(options)
        words = (Word(0.0, 0.5, "Thanks"), Word(5.0, 5.5, "hello"))
        said = Segment(0.0, 5.5, "Thanks hello", words, decoding=Decoding(no_speech_prob=0.9))
        return [Result((said,), "en") for _ in windows]


def work(*, is_final: bool) -> Work:
    return Work(0, 100.0, np.zeros(6 * 16_000, np.float32), is_final, ((105.0, 106.0),))


def test_whole_utterances_are_guarded_as_windows_are() -> None:
    engine = Imagining()
    result = read(engine, work(is_final=True), ENGLISH)
    assert [segment.text for segment in result.segments] == ["hello"]
    assert engine.asked[0] == ENGLISH


def test_other_reads_are_told_as_they_are_and_need_no_times() -> None:
    engine = Imagining()
    result = read(engine, work(is_final=False), ENGLISH)
    assert [segment.text for segment in result.segments] == ["Thanks hello"]
    assert [options.word_times for options in engine.asked] == [False]


@pytest.fixture(scope="module")
def moonshine() -> Moonshine:
    return Moonshine()


def test_moonshine_hears_the_same_words_without_their_times(moonshine: Moonshine, dialogue: Pcm) -> None:
    samples = as_floats(dialogue[: 8 * 16_000])
    span = (0.0, 8.0)
    whole, fast = (read(moonshine, Work(0, 0.0, samples, is_final, (span,)), ENGLISH) for is_final in (True, False))
    timed, rough = ([word for each in found.segments for word in each.words] for found in (whole, fast))
    assert [word.text for word in timed] == [word.text for word in rough]
    assert [word.start for word in timed] != [word.start for word in rough]
    assert rough[0].start == 0.0
    assert rough[-1].end == pytest.approx(8.0)
    assert whole == guarded(moonshine, [samples], ENGLISH, speech=[[span]])[0]
