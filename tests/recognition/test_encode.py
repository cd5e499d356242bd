"""Speech becomes vectors: real voices through the real network."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
import pytest
import torch
from scipy.signal import butter, sosfilt

from tests.speech.flite import speech
from whisper_jobs.speech import recognition
from whisper_jobs.speech.diarizers.base import Floats, Pcm, Turn
from whisper_jobs.speech.overheard import PIECE_SECONDS, Overheard
from whisper_jobs.speech.recognition import Book, encode, enrol

pytestmark = pytest.mark.engine

RATE = 16_000
TEXTS = (
    "I have an hour of recordings, and I want to read what was said.",
    "Everything stays on this server, and you can delete it at any time.",
)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


def whole(samples: Floats) -> list[tuple[float, float]]:
    return [(0.0, len(samples) / RATE)]


def of(name: str, text: str) -> Floats:
    samples = speech(text, name)
    return encode(samples, whole(samples))


def enrolled(name: str) -> Floats:
    samples = speech(TEXTS[0], name)
    return enrol(samples, whole(samples))


def test_an_enrolled_voice_is_recognised_in_other_words_and_others_are_not() -> None:
    slt, rms = uuid4(), uuid4()
    book = Book([(slt, enrolled("slt")), (rms, enrolled("rms"))])
    found = [book.best(of(name, TEXTS[1])) for name in ("slt", "rms", "awb")]
    assert [match and match.speaker_id for match in found] == [slt, rms, None]


def test_it_is_recognised_over_a_telephone_as_well() -> None:
    slt, rms = uuid4(), uuid4()
    book = Book([(slt, enrolled("slt")), (rms, enrolled("rms"))])
    band = butter(4, (300, 3400), "bandpass", fs=RATE, output="sos")
    calls = [sosfilt(band, speech(TEXTS[1], name)).astype(np.float32) for name in ("slt", "rms")]
    found = [book.best(encode(call, whole(call))) for call in calls]
    assert [match and match.speaker_id for match in found] == [slt, rms]
    for name, call in zip(("slt", "rms"), calls, strict=True):
        vector = encode(call, whole(call))
        assert float(enrolled(name) @ vector) > float(of(name, TEXTS[0]) @ vector)


def test_only_what_is_in_the_spans_is_heard() -> None:
    one, other = speech(TEXTS[0], "slt"), speech(TEXTS[0], "rms")
    both = np.concatenate((one, other))
    border = len(one) / RATE
    assert np.allclose(encode(both, [(0.0, border)]), encode(one, whole(one)), atol=1e-5)
    assert np.allclose(encode(both, [(border, len(both) / RATE)]), encode(other, whole(other)), atol=1e-3)
    assert np.linalg.norm(encode(both, [(0.0, border)])) == pytest.approx(1.0, abs=1e-5)


def test_too_little_speech_is_no_voice() -> None:
    with pytest.raises(recognition.TooShort):
        encode(np.zeros(RATE, np.float32), [(0.0, 0.3)])
    with pytest.raises(recognition.TooShort):
        encode(np.zeros(RATE, np.float32), [])
    with pytest.raises(recognition.TooShort):
        encode(np.zeros(RATE, np.float32), [(5.0, 9.0)])


def test_a_network_that_nobody_uses_leaves_the_memory() -> None:
    of("slt", TEXTS[0])
    assert not recognition.release_idle(60.0)
    assert recognition.release_idle(0.0)
    assert not recognition.release_idle(0.0)


def recording() -> tuple[Pcm, list[tuple[float, float]], list[Turn]]:
    """slt, a pause, rms, and at once slt again: the last border is within a stretch of speech."""
    parts = [speech(TEXTS[0], "slt"), np.zeros(RATE, np.float32), speech(TEXTS[0], "rms"), speech(TEXTS[1], "slt")]
    ends = (np.cumsum([len(part) for part in parts]) / RATE).tolist()
    turns = [Turn(0.0, ends[0], "A"), Turn(ends[1], ends[2], "B"), Turn(ends[2], ends[3], "A")]
    return (np.concatenate(parts) * 32767).astype(np.int16), [(0.0, ends[0]), (ends[1], ends[3])], turns


def overheard(sound: Pcm, spans: list[tuple[float, float]], parts: int) -> Overheard:
    heard = Overheard(spans)
    for samples in np.array_split(sound, parts):
        heard.feed(samples)
    return heard


def test_voices_are_overheard_while_somebody_else_listens() -> None:
    sound, spans, turns = recording()
    voices = overheard(sound, spans, 29).voices(turns)
    slt, rms = of("slt", TEXTS[1]), of("rms", TEXTS[1])
    assert float(voices["A"].vector @ slt) > float(voices["A"].vector @ rms) + 0.3
    assert float(voices["B"].vector @ rms) > float(voices["B"].vector @ slt) + 0.3
    spoken = turns[0].end + turns[2].end - turns[2].start
    assert spoken - 2 * PIECE_SECONDS < voices["A"].seconds <= spoken


def test_how_the_sound_comes_does_not_matter() -> None:
    sound, spans, turns = recording()
    once, pieces = (overheard(sound, spans, parts).voices(turns) for parts in (1, 117))
    assert {label: one.seconds for label, one in once.items()} == {label: one.seconds for label, one in pieces.items()}
    assert all(np.allclose(once[label].vector, pieces[label].vector) for label in once)


def test_a_voice_that_is_never_heard_alone_is_none() -> None:
    sound, spans, turns = recording()
    both = [*turns, Turn(turns[1].start, turns[1].end, "C")]
    assert overheard(sound, spans, 3).voices(both).keys() == {"A"}


def test_little_is_kept_of_a_long_recording() -> None:
    """Of an hour's speech less than a megabyte, and of silence nothing."""
    sound, spans, _turns = recording()
    heard = overheard(sound, spans, 7)
    kept = sum(vector.nbytes for vector in heard._vectors.values())
    assert 0 < kept / sum(end - start for start, end in spans) * 3600 < 1_000_000
    heard.feed(np.zeros(60 * RATE, np.int16))
    assert len(heard._waiting) == 0
