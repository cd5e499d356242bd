"""The draft engine reads the sample recording through the windows, as a job does."""

from __future__ import annotations

import threading
import time
from difflib import SequenceMatcher

import numpy as np
import pytest

from tests.speech.conftest import Pcm
from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines.base import Options, Samples
from whisper_jobs.speech.engines.pocketsphinx import PocketSphinx
from whisper_jobs.speech.transcript import Segment
from whisper_jobs.speech.windows import Window, WindowCutter, as_floats

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def engine() -> PocketSphinx:
    return PocketSphinx()


@pytest.fixture(scope="module")
def windows(dialogue: Pcm) -> list[Window]:
    cutter = WindowCutter()
    return cutter.feed(dialogue) + cutter.finish()


@pytest.fixture(scope="module")
def first(windows: list[Window]) -> Samples:
    return as_floats(windows[0].samples)


@pytest.fixture(scope="module")
def segments(engine: PocketSphinx, windows: list[Window]) -> list[Segment]:
    return [
        segment.shifted(window.start)
        for window in windows
        for segment in engine.transcribe([as_floats(window.samples)], Options(language="en"))[0].segments
    ]


def test_most_words_of_the_sample_are_right(segments: list[Segment], dialogue_text: str) -> None:
    said = "".join(c for c in dialogue_text.lower() if c.isalpha() or c in " \n'").split()
    read = " ".join(segment.text for segment in segments).lower().split()
    equal = sum(block.size for block in SequenceMatcher(None, said, read, autojunk=False).get_matching_blocks())
    assert equal / len(said) > 0.8
    assert len(read) / len(said) < 1.1


def test_a_turn_of_the_dialogue_is_a_segment_of_its_own(segments: list[Segment], dialogue_text: str) -> None:
    assert len(segments) >= len(dialogue_text.splitlines())
    assert segments[0].text.startswith("hello I")


def test_segments_and_words_are_in_order_and_carry_probabilities(segments: list[Segment], dialogue: Pcm) -> None:
    words = [word for segment in segments for word in segment.words]
    times = [time for word in words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] <= len(dialogue) / 16_000
    assert all(word.end > word.start for word in words)
    assert all(0 <= (word.probability or 0) <= 1 for word in words)
    assert [segment.text for segment in segments] == [" ".join(word.text for word in s.words) for s in segments]


def test_tokens_of_the_decoder_are_no_words(segments: list[Segment]) -> None:
    text = " ".join(segment.text for segment in segments)
    assert text
    assert not set(text) & set("<>[]()+0123456789")


def test_a_window_reads_nearly_the_same_whatever_came_before(engine: PocketSphinx, first: Samples) -> None:
    before = engine.transcribe([first], Options())[0].segments
    engine.transcribe([first[::-1] * 0.05], Options())
    after = engine.transcribe([first], Options())[0].segments
    first_words, second_words = (" ".join(each.text for each in found).split() for found in (before, after))
    assert SequenceMatcher(None, first_words, second_words, autojunk=False).ratio() > 0.9
    assert [segment.start for segment in after] == pytest.approx([segment.start for segment in before], abs=0.1)


def test_silence_and_next_to_nothing_give_no_words(engine: PocketSphinx, first: Samples) -> None:
    assert engine.transcribe([np.zeros(800, np.float32)], Options())[0].segments == ()
    assert engine.transcribe([np.zeros(0, np.float32)], Options())[0].segments == ()
    assert engine.transcribe([np.zeros(32_000, np.float32)], Options())[0].segments == ()
    assert engine.transcribe([first], Options())[0].segments, "silence leaves no trace in the decoder"


def test_another_language_is_refused_by_name(engine: PocketSphinx, first: Samples) -> None:
    with pytest.raises(JobError, match="Swedish") as refused:
        engine.transcribe([first], Options(language="sv"))
    assert refused.value.code == "language_unsupported"


def test_a_stop_is_seen_within_a_quarter_of_a_second_of_sound(engine: PocketSphinx, first: Samples) -> None:
    asked = 0

    def stop_at_the_third() -> bool:
        nonlocal asked
        asked += 1
        return asked == 3

    with pytest.raises(JobError) as stopped:
        engine.transcribe([first], Options(should_stop=stop_at_the_third))
    assert stopped.value.code == "cancelled"
    assert engine.transcribe([first], Options())[0].segments, "the engine works on after a stop"


def test_other_threads_run_while_it_decodes(engine: PocketSphinx, first: Samples) -> None:
    """A heartbeat must get through: the decoder itself never lets go of the interpreter."""
    beats = 0
    finished = threading.Event()

    def beat() -> None:
        nonlocal beats
        while not finished.is_set():
            beats += 1
            time.sleep(0.01)

    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    engine.transcribe([first], Options())
    finished.set()
    heart.join()
    assert beats > 20


def test_words_depend_on_nothing_that_was_heard_before(engine: PocketSphinx, first: Samples) -> None:
    def heard() -> tuple[Segment, ...]:
        return tuple(engine.transcribe([first], Options(language="en"))[0].segments)

    before = heard()
    noise = np.random.default_rng(1).normal(0.0, 0.3, 16_000 * 5).astype(np.float32)
    engine.transcribe([noise], Options(language="en"))
    assert heard() == before


def test_faint_speech_is_read_almost_as_well(engine: PocketSphinx, first: Samples) -> None:
    def read(samples: Samples) -> list[str]:
        [result] = engine.transcribe([samples], Options(language="en"))
        return " ".join(segment.text for segment in result.segments).split()

    four_seconds = first[: 4 * 16_000]
    faint = np.round(four_seconds * 32768 * 0.01).astype(np.float32) / np.float32(32768)
    assert SequenceMatcher(None, read(four_seconds), read(faint), autojunk=False).ratio() > 0.75
