"""Words of a known text get the times at which they are said; where the sound does not fit, they are spread over the speech."""

from __future__ import annotations

import numpy as np
import pytest

from tests.speech.flite import speech
from tests.speech.spoken_lines import Line, spoken_lines
from whisper_jobs.speech.alignment import Aligner, Span
from whisper_jobs.speech.engines.base import Samples


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    return Aligner()


def assert_in_order(spans: list[Span], samples: Samples) -> None:
    times = [time for span in spans for time in span]
    assert times == sorted(times)
    assert not times or (times[0] >= 0 and times[-1] <= len(samples) / 16_000)


def test_words_are_found_where_the_synthesiser_says_them(aligner: Aligner) -> None:
    errors: list[float] = []
    for line in spoken_lines():
        spans = aligner.align(line.samples, [text for _start, _end, text in line.words])
        assert_in_order(spans, line.samples)
        pairs = zip(spans, line.words, strict=True)
        errors += [abs(found[0] - start) for found, (start, _end, _text) in pairs]
    assert np.median(errors) <= 0.02
    assert np.quantile(errors, 0.9) <= 0.06


def test_a_pause_between_words_belongs_to_neither(aligner: Aligner) -> None:
    first, second = spoken_lines()[:2]
    gap = np.zeros(32_000, np.float32)
    samples = np.concatenate((first.samples, gap, second.samples))
    spans = aligner.align(samples, [*words(first), *words(second)])
    last, following = spans[len(first.words) - 1 : len(first.words) + 1]
    assert following[0] - last[1] > 1.8
    assert last[1] == pytest.approx(first.end, abs=0.15)


def words(line: Line) -> list[str]:
    return [text for _start, _end, text in line.words]


def test_words_that_no_dictionary_has_and_numbers_are_aligned_too(aligner: Aligner) -> None:
    samples = speech("The brindlewick cost forty two dollars in Qobustan.", "slt")
    spans = aligner.align(samples, ["The", "brindlewick", "cost", "42", "dollars", "in", "Qobustan."])
    assert_in_order(spans, samples)
    assert all(end > start for start, end in spans)
    longest = max(range(7), key=lambda place: spans[place][1] - spans[place][0])
    assert longest in (1, 3, 6)


def test_what_can_not_be_said_is_put_between_its_neighbours(aligner: Aligner) -> None:
    line = spoken_lines()[0]
    with_dash = [*words(line)[:2], "—", *words(line)[2:]]
    spans = aligner.align(line.samples, with_dash)
    plain = aligner.align(line.samples, words(line))
    assert_in_order(spans, line.samples)
    assert [*spans[:2], *spans[3:]] == plain
    assert spans[1][1] <= spans[2][0] <= spans[2][1] <= spans[3][0]


def test_text_that_does_not_fit_is_spread_over_the_speech(aligner: Aligner) -> None:
    line = spoken_lines()[0]
    silence = np.zeros(5 * 16_000, np.float32)
    samples = np.concatenate((silence, line.samples))
    spans = aligner.align(samples, ["extraordinarily"] * 60)
    assert_in_order(spans, samples)
    assert spans[1][0] > 4.5, "nobody speaks in the first five seconds"
    after = aligner.align(line.samples, words(line))
    assert after[0][0] == pytest.approx(line.start, abs=0.1), "the next one is aligned as if nothing had been"


@pytest.mark.parametrize("samples", [0, 100, 16_000])
def test_silence_and_nothing_put_all_words_inside(aligner: Aligner, samples: int) -> None:
    sound = np.zeros(samples, np.float32)
    spans = aligner.align(sound, ["You", "\0", "ตว", "don't"])
    assert len(spans) == 4
    assert_in_order(spans, sound)
    assert aligner.align(sound, []) == []
