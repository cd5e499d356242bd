"""Two reads of an utterance agree, or not; what they agreed on stays when all of it is read."""

from __future__ import annotations

from tests.speech.streaming.play import said, segment
from whisper_jobs.speech.streaming.agreement import Agreement, Part, Rules, text_of
from whisper_jobs.speech.transcript import Segment, Word


def hear(agreement: Agreement, text: str, *, may_settle: bool = True) -> tuple[str, str]:
    read = agreement.hear(said(*text.split()), until=0.0, may_settle=may_settle)
    return text_of(read.settled), text_of(read.open)


def ended(parts: list[Part]) -> tuple[str, str]:
    """The text of the segments, and what of it is told now."""
    return " | ".join(part.segment.text for part in parts), " | ".join(part.text for part in parts)


def test_one_read_settles_nothing() -> None:
    assert hear(Agreement(), "so it goes") == ("", "so it goes")


def test_words_on_which_two_reads_agree_are_final() -> None:
    agreement = Agreement()
    hear(agreement, "so it goes")
    assert hear(agreement, "So it goes on") == ("So it goes", "on")


def test_agreement_ends_with_the_first_word_that_differs() -> None:
    agreement = Agreement()
    hear(agreement, "so it goes on")
    assert hear(agreement, "so is goes on and") == ("so", "is goes on and")


def test_a_slip_of_one_read_is_passed_over() -> None:
    agreement = Agreement()
    hear(agreement, "so it goes on")
    hear(agreement, "no it goes on")
    assert hear(agreement, "so it goes on and") == ("so it goes on", "and")


def test_a_word_that_the_engine_is_not_sure_of_is_final_when_both_reads_before_had_it() -> None:
    def read(agreement: Agreement) -> str:
        words = [*said("so"), *said("it", start=0.3, probability=0.4), *said("goes", "on", start=0.6)]
        return text_of(agreement.hear(words, until=0.0, may_settle=True).settled)

    careful, quick = Agreement(Rules(sure=0.5)), Agreement(Rules(sure=0.3))
    assert [read(careful) for _ in range(3)] == ["", "so", "it goes"]
    assert [read(quick) for _ in range(2)] == ["", "so it goes"]


def test_an_engine_that_tells_no_probability_is_taken_at_its_word() -> None:
    agreement = Agreement(Rules(sure=0.9))
    words = said("so", "it", "goes", probability=None)
    agreement.hear(words, until=0.0, may_settle=True)
    assert text_of(agreement.hear(words, until=1.0, may_settle=True).settled) == "so it"


def test_where_no_reads_agree_a_word_is_final_after_a_while() -> None:
    agreement = Agreement(Rules(patience_seconds=2.0))
    for until, read in enumerate(("so it", "no is goes", "go at goes on")):
        settled = agreement.hear(said(*read.split()), until=until, may_settle=True).settled
        assert text_of(settled) == ("go at" if until == 2 else "")
    assert text_of(agreement.hear(said("go", "at", "goose", "on", "and"), until=2.9, may_settle=True).settled) == ""
    assert (
        text_of(agreement.hear(said("go", "at", "guess", "in", "end"), until=3.0, may_settle=True).settled) == "guess"
    )


def test_the_last_word_is_whole_in_a_pause() -> None:
    agreement = Agreement()
    hear(agreement, "so it goes")
    read = agreement.hear(said("so", "it", "goes"), until=0.0, may_settle=True, is_whole=True)
    assert (text_of(read.settled), read.open) == ("so it goes", ())


def test_the_last_word_may_be_half_of_one() -> None:
    agreement = Agreement()
    hear(agreement, "so it go")
    assert hear(agreement, "so it go") == ("so it", "go")
    assert hear(agreement, "so it goes on") == ("", "goes on")


def test_nothing_settles_where_a_cut_may_still_be_made() -> None:
    agreement = Agreement()
    hear(agreement, "so it goes on")
    assert hear(agreement, "so it goes on and", may_settle=False) == ("", "so it goes on and")


def test_what_is_final_is_not_told_again() -> None:
    agreement = Agreement()
    hear(agreement, "so it goes")
    hear(agreement, "so it goes on and")
    assert hear(agreement, "so it goes on and on again") == ("on and", "on again")


def test_a_read_that_lost_words_tells_none_twice() -> None:
    agreement = Agreement()
    hear(agreement, "so it goes on")
    hear(agreement, "so it goes on and")
    assert hear(agreement, "it goes on and on") == ("and", "on")
    assert hear(agreement, "") == ("", "")


def test_the_whole_utterance_tells_the_rest() -> None:
    agreement = Agreement()
    hear(agreement, "so it goes on")
    hear(agreement, "so it goes on and")
    assert ended(agreement.end([segment("so", "it", "goes", "on", "and", "on.")])) == (
        "so it goes on and on.",
        "and on.",
    )


def test_what_was_final_stands_in_the_place_of_what_is_read_now() -> None:
    agreement = Agreement()
    hear(agreement, "so it goes on")
    hear(agreement, "so it goes on and")
    [part] = agreement.end([segment("So", "is", "goes", "on", "and", "on.")])
    assert part.segment.text == "so it goes on and on."
    assert part.text == "and on."
    assert [word.text for word in part.segment.words] == part.segment.text.split()


def test_the_last_read_says_when_the_words_are() -> None:
    agreement = Agreement()
    for text in ("so it goes", "so it goes on"):
        agreement.hear(said(*text.split(), each=1.0), until=0.0, may_settle=True)
    [part] = agreement.end([segment("so", "it", "goes", "on")])
    assert [(word.start, word.end) for word in part.segment.words] == [
        (word.start, word.end) for word in said("so", "it", "goes", "on")
    ]


def test_words_that_the_last_read_lost_are_kept_in_their_place() -> None:
    agreement = Agreement()
    hear(agreement, "so it goes on")
    hear(agreement, "so it goes on and")
    [part] = agreement.end([segment("so", "goes", "on", "and")])
    assert part.segment.text == "so it goes on and"
    starts = [word.start for word in part.segment.words]
    assert starts == sorted(starts)


def test_words_that_were_final_stay_when_the_last_read_finds_nothing() -> None:
    agreement = Agreement()
    hear(agreement, "so it goes on")
    hear(agreement, "so it goes on and")
    [part] = agreement.end([])
    assert (part.segment.text, part.segment.suspect, part.text) == ("so it goes on", "unsure", "")


def test_segments_that_hold_nothing_told_stay_as_they_are() -> None:
    agreement = Agreement()
    hear(agreement, "one two three")
    hear(agreement, "one two three four")
    first, second = segment("one", "two", "three."), Segment(1.0, 2.0, "Four  five", tuple(said("Four", "five")))
    parts = agreement.end([first, second])
    assert ended(parts) == ("one two three | Four  five", " | Four  five")
    assert parts[1].segment is second


def test_without_a_read_before_all_segments_are_told_as_they_are() -> None:
    read = [segment("one", "two."), Segment(1.0, 2.0, "  "), Segment(2.0, 3.0, "三四")]
    parts = Agreement().end(read)
    assert [part.segment for part in parts] == [read[0], read[2]]
    assert [part.text for part in parts] == ["one two.", "三四"]


def test_scripts_without_spaces_agree_by_their_characters() -> None:
    agreement = Agreement()
    agreement.hear([Word(0, 1, each) for each in "今日は"], until=0.0, may_settle=True)
    read = agreement.hear([Word(0, 1, each) for each in "今日は晴れ"], until=0.0, may_settle=True)
    assert (text_of(read.settled), text_of(read.open)) == ("今日は", "晴れ")
    assert ended(agreement.end([Segment(0, 2, "今日は晴れです")])) == ("今日は晴れです", "晴れです")
