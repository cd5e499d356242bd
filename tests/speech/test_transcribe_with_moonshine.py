"""The model that comes with the program reads the sample recording through the windows, as a job does."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest

from tests.speech.conftest import Pcm
from tests.speech.flite import speech
from tests.speech.noises import NOISES
from tests.speech.spoken_lines import spoken_lines
from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines import moonshine_weights
from whisper_jobs.speech.engines.base import Options, Result, Setup
from whisper_jobs.speech.engines.moonshine import Moonshine
from whisper_jobs.speech.guards import RETRY_TEMPERATURES, guarded
from whisper_jobs.speech.transcript import Segment
from whisper_jobs.speech.windows import Window, WindowCutter, as_floats

pytestmark = pytest.mark.engine

ENGLISH = Options(language="en")
#: Swedish, which an English voice says with English sounds.
FOREIGN = "barnen sover och fikan star pa bordet nu gar vi hem till farmor i skymningen med katten"


@pytest.fixture(scope="module")
def engine() -> Moonshine:
    return Moonshine()


@pytest.fixture(scope="module")
def windows(dialogue: Pcm) -> list[Window]:
    return windows_of(dialogue)


@pytest.fixture(scope="module")
def segments(engine: Moonshine, windows: list[Window]) -> list[Segment]:
    return [segment.shifted(window.start) for window in windows for segment in read(engine, window).segments]


def windows_of(pcm: Pcm) -> list[Window]:
    cutter = WindowCutter()
    return cutter.feed(pcm) + cutter.finish()


def read(engine: Moonshine, window: Window) -> Result:
    return engine.transcribe([as_floats(window.samples)], ENGLISH)[0]


def text_of(segments: Sequence[Segment]) -> str:
    return " ".join(segment.text for segment in segments)


def bare(text: str) -> list[str]:
    return "".join(c for c in text.lower() if c.isalnum() or c in " \n'").split()


def test_nearly_all_words_of_the_sample_are_right(segments: list[Segment], dialogue_text: str) -> None:
    said, heard = bare(dialogue_text), bare(text_of(segments))
    equal = sum(block.size for block in SequenceMatcher(None, said, heard, autojunk=False).get_matching_blocks())
    assert equal / len(said) > 0.9
    assert len(heard) / len(said) < 1.05


def test_the_text_has_capitals_and_sentence_ends(segments: list[Segment], dialogue_text: str) -> None:
    assert len(segments) >= len(dialogue_text.splitlines())
    assert sum(segment.text.endswith((".", "?", "!")) for segment in segments) / len(segments) > 0.8
    assert segments[0].text.startswith("Hello")


def test_segments_and_words_are_in_order_and_carry_probabilities(segments: list[Segment], dialogue: Pcm) -> None:
    words = [word for segment in segments for word in segment.words]
    times = [time for word in words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] <= len(dialogue) / 16_000
    assert all(word.end > word.start and 0 < (word.probability or 0) <= 1 for word in words)
    assert [segment.text for segment in segments] == [" ".join(word.text for word in s.words) for s in segments]
    for segment in segments:
        assert segment.suspect is None
        assert segment.decoding is not None and segment.decoding.avg_logprob is not None
        assert math.exp(segment.decoding.avg_logprob) == pytest.approx(segment.probability)


def test_words_are_timed_where_they_are_said(engine: Moonshine) -> None:
    [result] = engine.transcribe([spoken_lines()[0].samples], ENGLISH)
    found = [word for segment in result.segments for word in segment.words]
    said = spoken_lines()[0].words
    pairs = [(a, b) for a, b in zip(found, said, strict=False) if bare(a.text) == bare(b[2])]
    assert len(pairs) > len(said) / 2
    assert np.median([abs(word.start - start) for word, (start, _end, _text) in pairs]) < 0.05


def test_a_window_reads_the_same_whatever_came_before(engine: Moonshine, windows: list[Window]) -> None:
    before = read(engine, windows[0])
    engine.transcribe([np.random.default_rng(1).normal(0.0, 0.3, 16_000 * 5).astype(np.float32)], ENGLISH)
    assert read(engine, windows[0]) == before


@pytest.mark.parametrize("samples", [0, 1, 800, 32_000])
def test_silence_and_next_to_nothing_give_no_words_or_unsure_ones(engine: Moonshine, samples: int) -> None:
    [result] = engine.transcribe([np.zeros(samples, np.float32)], ENGLISH)
    assert all(segment.suspect == "unsure" for segment in result.segments)
    assert samples > 800 or not result.segments


@pytest.mark.parametrize("name", NOISES)
def test_sounds_without_speech_give_no_words_through_the_windows(engine: Moonshine, name: str) -> None:
    found = windows_of(NOISES[name](20.0))
    spans = [[(start - each.start, end - each.start) for start, end in each.speech] for each in found]
    results = guarded(engine, [as_floats(each.samples) for each in found], ENGLISH, speech=spans)
    assert text_of([segment for result in results for segment in result.segments]) == ""


def test_a_loop_is_left_soon_and_marked(engine: Moonshine) -> None:
    noise = as_floats(NOISES["white"](20.0))
    [result] = engine.transcribe([noise], ENGLISH)
    assert result.segments, "noise makes it repeat itself"
    assert all(segment.suspect == "unsure" for segment in result.segments)
    assert len(text_of(result.segments)) < 800
    [once_more] = guarded(engine, [noise], ENGLISH, speech=[[(0.0, 20.0)]])
    assert all(segment.suspect for segment in once_more.segments)


def test_chance_is_the_same_each_time(engine: Moonshine, windows: list[Window]) -> None:
    options = Options(language="en", temperatures=RETRY_TEMPERATURES[-1:])
    once, again = (engine.transcribe([as_floats(windows[0].samples)], options)[0] for _ in range(2))
    assert once == again
    decodings = {segment.decoding.temperature for segment in once.segments if segment.decoding}
    assert decodings == {RETRY_TEMPERATURES[-1]}


def test_speech_that_is_not_english_is_marked_and_told_to_be_no_language(engine: Moonshine) -> None:
    [result] = engine.transcribe([speech(FOREIGN, "kal16")], Options())
    assert result.segments
    assert {segment.suspect for segment in result.segments} == {"unsure"}
    assert result.language is None
    [english] = engine.transcribe([spoken_lines()[0].samples], Options())
    assert english.language == "en"


def test_another_language_is_refused_by_name(engine: Moonshine, windows: list[Window]) -> None:
    with pytest.raises(JobError, match="“moonshine-tiny” understands English only, not Swedish") as caught:
        engine.transcribe([as_floats(windows[0].samples)], Options(language="sv"))
    assert caught.value.code == "language_unsupported"


def test_a_stop_is_seen_after_a_few_words(engine: Moonshine, windows: list[Window]) -> None:
    asked = 0

    def stop_at_the_third() -> bool:
        nonlocal asked
        asked += 1
        return asked == 3

    with pytest.raises(JobError) as stopped:
        engine.transcribe([as_floats(windows[0].samples)], Options(should_stop=stop_at_the_third))
    assert stopped.value.code == "cancelled"
    assert read(engine, windows[0]).segments, "the engine works on after a stop"


def test_what_is_longer_than_the_model_hears_is_read_in_pieces(engine: Moonshine, dialogue: Pcm) -> None:
    [result] = engine.transcribe([as_floats(dialogue)], ENGLISH)
    assert result.segments[-1].end > 35.0
    assert [each.start for each in result.segments] == sorted(each.start for each in result.segments)


def test_the_packages_code_is_never_run(own_moonshine: Path, windows: list[Window]) -> None:
    shutil.copytree(installed(), own_moonshine, dirs_exist_ok=True)
    assert read(Moonshine(), windows[0]).segments


@pytest.mark.parametrize("name", moonshine_weights.CHECKSUMS)
def test_damaged_weights_are_told_by_their_file(own_moonshine: Path, name: str) -> None:
    shutil.copytree(installed(), own_moonshine, dirs_exist_ok=True)
    damaged = bytearray((own_moonshine / name).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (own_moonshine / name).write_bytes(damaged)
    with pytest.raises(JobError, match=f"The {name} of the model “moonshine-tiny” is damaged") as caught:
        Moonshine("moonshine-tiny", Setup())
    assert caught.value.code == "model_unavailable"


def test_weights_that_lack_are_told_by_their_package(without_moonshine: None) -> None:
    with pytest.raises(JobError, match="moonshine-voice") as caught:
        Moonshine()
    assert caught.value.code == "model_unavailable"


def installed() -> Path:
    """Where the real package lies, behind the one that a test has put before it."""
    places = [Path(place, "moonshine_voice", "assets", "tiny-en") for place in sys.path]
    return next(place for place in places if (place / moonshine_weights.VOCABULARY).is_file())
