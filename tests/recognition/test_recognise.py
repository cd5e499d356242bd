"""A voice is found in the book, or is nobody's. Vectors here are made up; speech is in test_encode."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.recognition.conftest import near, voice
from whisper_jobs.speech.recognition import MARGIN, MOST_LIVE, ONE_PERSON, THRESHOLD, Book, LiveVoices

ADA, BEN = uuid4(), uuid4()
BOOK = Book([(ADA, voice(1)), (BEN, voice(2))])


def test_a_voice_that_is_near_enough_is_the_speaker_s() -> None:
    match = BOOK.best(near(voice(1), THRESHOLD + 0.1))
    assert match is not None
    assert match.speaker_id == ADA
    assert match.score == pytest.approx(THRESHOLD + 0.1, abs=1e-3)


def test_a_voice_that_is_nearest_but_not_near_is_nobody_s() -> None:
    assert BOOK.best(near(voice(1), THRESHOLD - 0.1)) is None
    assert BOOK.best(voice(3)) is None


def test_nobody_is_found_in_an_empty_book() -> None:
    assert Book([]).best(voice(1)) is None
    assert Book([]).assign({"A": voice(1)}) == {}


def test_loudness_of_a_vector_does_not_matter() -> None:
    match = BOOK.best(voice(1) * 7)
    assert match is not None
    assert match.score == pytest.approx(1.0, abs=1e-4)


def test_a_voice_that_two_speakers_fit_is_nobody_s() -> None:
    rival = near(voice(1), 0.3)
    between = voice(1) + rival
    book = Book([(ADA, voice(1)), (BEN, rival)])
    assert book.best(between) is None
    assert Book([(ADA, voice(1))]).best(between) is not None
    assert Book([(ADA, voice(1)), (BEN, rival)], margin=0.0).best(between) is not None
    match = book.best(voice(1) + rival * (1 - 3 * MARGIN))
    assert match is not None
    assert match.speaker_id == ADA


def test_one_person_who_is_enrolled_twice_is_recognised_all_the_same() -> None:
    twin = near(voice(1), ONE_PERSON + 0.1)
    match = Book([(ADA, voice(1)), (BEN, twin)]).best(voice(1) + twin)
    assert match is not None


def test_somebody_who_was_denied_is_not_recognised_nor_in_the_way_of_others() -> None:
    assert BOOK.best(voice(1), denied=[ADA]) is None
    rival = near(voice(1), 0.3)
    match = Book([(ADA, voice(1)), (BEN, rival)]).best(voice(1) + rival, denied=[BEN])
    assert match is not None
    assert match.speaker_id == ADA


def test_several_vectors_of_a_speaker_count_by_their_mean() -> None:
    one, other = voice(1), near(voice(1), 0.4)
    match = Book([(ADA, one), (ADA, other)]).best(one + other)
    assert match is not None
    assert match.score == pytest.approx(1.0, abs=1e-4)


def test_a_speaker_is_one_label_of_a_recording_and_that_which_is_nearest() -> None:
    found = BOOK.assign({"A": near(voice(1), 0.7), "B": near(voice(1), 0.9), "C": voice(2), "D": voice(3)})
    assert {label: match.speaker_id for label, match in found.items()} == {"B": ADA, "C": BEN}


def test_who_is_enrolled_twice_is_one_label_too() -> None:
    twin = near(voice(1), ONE_PERSON + 0.1)
    found = Book([(ADA, voice(1)), (BEN, twin)]).assign({"A": voice(1), "B": twin})
    assert len(found) == 1


def test_of_each_label_others_may_be_denied() -> None:
    assert BOOK.assign({"A": voice(1), "B": voice(2)}, {"A": [ADA]}).keys() == {"B"}


def test_live_voices_are_numbered_as_they_are_heard_and_named_when_they_are_enrolled() -> None:
    live = LiveVoices(BOOK, {BEN: "Ben"})
    told = [live.label(one) for one in (voice(7), voice(2), voice(7), voice(8), near(voice(2), 0.8))]
    assert told == ["Speaker 1", "Ben", "Speaker 1", "Speaker 3", "Ben"]


def test_who_is_erased_while_a_session_goes_on_is_a_number_from_then_on() -> None:
    live = LiveVoices(BOOK, {ADA: "Ada", BEN: "Ben"})
    assert (live.label(voice(1)), live.label(voice(2))) == ("Ada", "Ben")
    live.forget({BEN})
    assert (live.label(voice(1)), live.label(voice(2))) == ("Ada", "Speaker 2")
    assert (BEN in live._book, BEN in BOOK) == (False, True)


def test_a_live_session_keeps_no_more_voices_than_it_can_tell_apart() -> None:
    live = LiveVoices(Book([]))
    told = {live.label(voice(number)) for number in range(MOST_LIVE + 20)}
    assert len(told) == MOST_LIVE
