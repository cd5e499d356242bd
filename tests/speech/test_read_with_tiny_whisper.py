"""Both Whisper engines read speech: the right words at the right times, through the real libraries, on any machine.

The model is `tiny_whisper`, which knows the lines of the sample recording and hears here in other orders and at other times than
it was taught; the synthesiser itself tells when it says which word. Where published weights are on this machine they are to
read the same lines, in their own spelling.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.environment import MODEL_DIR
from tests.speech import tiny_whisper
from tests.speech.checkpoints import convert
from tests.speech.conftest import Pcm
from tests.speech.spoken_lines import RATE, Floats, Line, spoken_lines
from whisper_jobs.speech.engines import converted, weights
from whisper_jobs.speech.engines.base import Engine, Options, Result, Setup
from whisper_jobs.speech.engines.faster_whisper import FasterWhisper
from whisper_jobs.speech.engines.openai_whisper import OpenAIWhisper
from whisper_jobs.speech.transcript import Segment, Word
from whisper_jobs.speech.windows import WindowCutter, as_floats

# The library itself leaves its vocabulary's file open.
pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:unclosed file .*tiktoken:ResourceWarning")]

ENGLISH = Options(language="en")
#: Both libraries make a first word behind a pause twice as long as the middle one of its window at most, reckoned from its end.
BEHIND_A_PAUSE = 0.35
#: Seconds between lines, beside the little silence of their own.
GAP = 0.75
#: Larger ones would take minutes here.
MOST_BYTES = 500_000_000
FOLDERS = (
    *([Path(MODEL_DIR)] if MODEL_DIR else []),
    Path(__file__).parents[2] / "var" / "models",
    Path("~/.cache/whisper").expanduser(),
    Path(os.environ.get("HF_HUB_CACHE") or "~/.cache/huggingface/hub").expanduser(),
)


Spoken = tuple[float, float, str]


@dataclass(frozen=True, slots=True)
class Reader:
    """An engine with its weights, and how exact it has to be: in seconds, and in the share of the words."""

    engine: Engine
    seconds: float
    word_seconds: float
    words_right: float


@cache
def published() -> list[tuple[str, str]]:
    """(engine, model) of the published weights that are here and small enough."""
    found = [("openai-whisper", weights.status(name, FOLDERS)) for name in weights.CATALOGUE]
    found += [("faster-whisper", converted.status(name, FOLDERS)) for name in converted.CATALOGUE]
    return [(engine, each.name) for engine, each in found if each.state == "present" and each.size_bytes < MOST_BYTES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    convert(tiny_whisper.write(folder / "reader.pt"), folder / "reader")
    return folder


@pytest.fixture(
    scope="module",
    params=[("openai-whisper", "reader"), ("faster-whisper", "reader"), *published()],
    ids=lambda param: "-".join(param),
)
def reader(request: pytest.FixtureRequest, folder: Path) -> Reader:
    name, model = request.param
    setup = Setup(folders=(folder,) if model == "reader" else FOLDERS, batch=3)
    engine = FasterWhisper(model, setup) if name == "faster-whisper" else OpenAIWhisper(model, setup)
    return Reader(engine, 0.15, 0.3, 1.0) if model == "reader" else Reader(engine, 0.6, 0.6, 0.9)


def sound_of(lines: Sequence[Line], *, lead: float, gap: float = GAP, gain: float = 0.8) -> Floats:
    """The lines one after the other, the first word of all after so many seconds."""
    silence = np.zeros(round(gap * RATE), np.float32)
    sound = np.concatenate([part for line in lines for part in (line.samples * gain, silence)])
    moved = round((lead - lines[0].start) * RATE)
    return np.pad(sound, (moved, 0)) if moved > 0 else sound[-moved:]


def said_in(lines: Sequence[Line], *, lead: float, gap: float = GAP) -> list[tuple[float, Line]]:
    """Each line with the second at which its sound begins."""
    lengths = [line.seconds + gap for line in lines]
    return [(lead - lines[0].start + sum(lengths[:place]), line) for place, line in enumerate(lines)]


def plain(text: str) -> list[str]:
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter in " \n").split()


def assert_words(reader: Reader, segments: Sequence[Segment], lines: Sequence[Line]) -> None:
    read, said = (" ".join(each.text for each in every) for every in (segments, lines))
    if reader.words_right == 1.0:
        assert read == said
        assert [segment.text for segment in segments] == [line.text for line in lines]
    assert SequenceMatcher(None, plain(said), plain(read), autojunk=False).ratio() >= reader.words_right


def matched(true: Sequence[Spoken], words: Sequence[Word]) -> Iterator[tuple[Spoken, Word]]:
    """Words that were said with the same ones as they were read."""
    said, read = [str(plain(text)) for *_, text in true], [str(plain(word.text)) for word in words]
    for first, second, length in SequenceMatcher(None, said, read, autojunk=False).get_matching_blocks():
        yield from zip(true[first : first + length], words[second : second + length], strict=True)


def assert_times(reader: Reader, segments: Sequence[Segment], said: Sequence[tuple[float, Line]]) -> None:
    """The whole from its first word to its last one, and every word that was read as it was said."""
    assert segments[0].start == pytest.approx(said[0][0] + said[0][1].start, abs=reader.seconds)
    assert segments[-1].end == pytest.approx(said[-1][0] + said[-1][1].end, abs=reader.seconds)
    if len(segments) == len(said):
        starts, ends = [begin + line.start for begin, line in said], [begin + line.end for begin, line in said]
        assert [segment.start for segment in segments] == pytest.approx(starts, abs=max(BEHIND_A_PAUSE, reader.seconds))
        assert [segment.end for segment in segments] == pytest.approx(ends, abs=reader.seconds)
    words = [word for segment in segments for word in segment.words]
    true = [(begin + start, begin + end, text) for begin, line in said for start, end, text in line.words]
    firsts = [begin + line.start for begin, line in said]
    for (start, end, text), word in matched(true, words):
        slack = max(BEHIND_A_PAUSE, reader.word_seconds) if start in firsts else reader.word_seconds
        assert word.start == pytest.approx(start, abs=slack), text
        assert word.end == pytest.approx(end, abs=reader.word_seconds), text


def test_each_line_is_read_where_it_is_said(reader: Reader) -> None:
    leads = [0.04 + 0.01 * place for place in range(9)]
    windows = [sound_of([line], lead=lead) for line, lead in zip(spoken_lines(), leads, strict=True)]
    for line, lead, result in zip(spoken_lines(), leads, reader.engine.transcribe(windows, ENGLISH), strict=True):
        assert_words(reader, result.segments, [line])
        assert_times(reader, result.segments, said_in([line], lead=lead))


@pytest.mark.parametrize("seed", range(3))
def test_lines_in_an_order_of_chance_are_segments_in_that_order(reader: Reader, seed: int) -> None:
    lines = random.Random(seed).sample(spoken_lines(), 3)
    [result] = reader.engine.transcribe([sound_of(lines, lead=0.1)], ENGLISH)
    assert_words(reader, result.segments, lines)
    assert_times(reader, result.segments, said_in(lines, lead=0.1))


def test_the_sample_recording_is_read_word_for_word(reader: Reader, dialogue: Pcm) -> None:
    cutter = WindowCutter()
    windows = cutter.feed(dialogue) + cutter.finish()
    results = reader.engine.transcribe([as_floats(window.samples) for window in windows], ENGLISH)
    assert_words(reader, [segment for result in results for segment in result.segments], spoken_lines())


def test_windows_read_together_and_one_by_one_are_the_same(reader: Reader) -> None:
    lines = spoken_lines()
    windows = [sound_of(lines[first : first + 1], lead=0.1 + 0.05 * first) for first in (2, 4, 6)]
    together = reader.engine.transcribe([*windows, np.zeros(RATE, np.float32)], ENGLISH)
    alone = [reader.engine.transcribe([window], ENGLISH)[0] for window in windows]
    assert [words_of(each) for each in together] == [*map(words_of, alone), []]


def words_of(result: Result) -> list[tuple[str, float, float]]:
    return [(word.text, word.start, word.end) for segment in result.segments for word in segment.words]


@pytest.mark.parametrize("loudness", [0.0, 0.003])
def test_where_nobody_speaks_there_are_no_words(reader: Reader, loudness: float) -> None:
    noises = np.random.default_rng(1)
    windows = [noises.normal(0.0, loudness, round(seconds * RATE)).astype(np.float32) for seconds in (0.25, 5.0, 30.0)]
    assert [result.segments for result in reader.engine.transcribe(windows, ENGLISH)] == [(), (), ()]


def test_faint_and_loud_speech_is_read_alike(reader: Reader) -> None:
    lines = spoken_lines()[4:5]
    windows = [sound_of(lines, lead=0.3, gain=gain) for gain in (0.01, 0.1, 1.2)]
    for result in reader.engine.transcribe(windows, ENGLISH):
        assert_words(reader, result.segments, lines)


def test_the_language_is_found_out_from_the_sound(reader: Reader) -> None:
    [result] = reader.engine.transcribe([sound_of(spoken_lines()[:1], lead=0.3)], Options())
    assert result.language == "en"
    assert (result.language_probability or 0) > 0.9


def test_what_was_read_surely_has_a_high_probability(reader: Reader) -> None:
    [result] = reader.engine.transcribe([sound_of(spoken_lines()[1:2], lead=0.3)], ENGLISH)
    [segment] = result.segments[:1]
    assert (segment.probability or 0) > 0.5
    assert all(0.0 < (word.probability or 0) <= 1.0 for word in segment.words)
    assert segment.decoding is not None and (segment.decoding.no_speech_prob or 0.0) < 0.5
