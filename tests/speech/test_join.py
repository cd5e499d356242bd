"""Segments become readable text."""

from __future__ import annotations

from whisper_jobs.speech.transcript import Segment, Word, join_text, paragraphs


def test_a_pause_begins_a_paragraph() -> None:
    text = join_text([Segment(0, 1, " One. "), Segment(2.9, 4, "Two."), Segment(6.1, 7, "Three.")])
    assert text == "One. Two.\n\nThree."


def test_a_new_speaker_begins_a_paragraph() -> None:
    found = paragraphs([Segment(0, 1, "Yes?", speaker="A"), Segment(1, 2, "No.", speaker="B"), Segment(2, 3, "Oh.")])
    assert [(each.speaker, each.text, each.start) for each in found] == [
        ("A", "Yes?", 0),
        ("B", "No.", 1),
        (None, "Oh.", 2),
    ]


def test_a_long_paragraph_ends_with_its_sentence() -> None:
    sentence = "This is one of very many sentences without any pause."
    texts = [each.text for each in paragraphs(Segment(n, n + 1, sentence) for n in range(60))]
    assert len(texts) > 3
    assert all(600 < len(text) < 700 for text in texts[:-1])


def test_words_without_any_full_stop_still_become_paragraphs() -> None:
    texts = [each.text for each in paragraphs(Segment(n, n + 1, "and so on and on") for n in range(600))]
    assert max(map(len, texts)) < 1600


def test_empty_segments_leave_no_trace() -> None:
    assert join_text([Segment(0, 1, "  "), Segment(1, 2, "a"), Segment(2, 3, "\n"), Segment(3.5, 4, "b")]) == "a b"


def test_scripts_without_spaces_are_joined_without_them() -> None:
    assert join_text([Segment(0, 1, "你好。"), Segment(1, 2, "世界"), Segment(2, 3, "OK")]) == "你好。世界 OK"


def test_a_shifted_segment_takes_its_words_along() -> None:
    shifted = Segment(1, 2, "a", (Word(1, 1.5, "a", 0.5),), "S", 0.25).shifted(30)
    assert shifted == Segment(31, 32, "a", (Word(31, 31.5, "a", 0.5),), "S", 0.25)
