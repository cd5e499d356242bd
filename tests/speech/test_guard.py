"""What an engine says is judged: repeats, words over silence and guesses are tried again, then marked, hardly ever left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from tests.speech.conftest import Pcm
from whisper_jobs.errors import JobError
from whisper_jobs.speech.credits import is_credit, is_farewell
from whisper_jobs.speech.engines.base import Options, Result, Samples
from whisper_jobs.speech.engines.pocketsphinx import PocketSphinx
from whisper_jobs.speech.guards import RETRY_TEMPERATURES, guarded, judge
from whisper_jobs.speech.loops import compression_ratio, looping
from whisper_jobs.speech.transcript import Decoding, Segment, Suspicion, Word
from whisper_jobs.speech.windows import WindowCutter, as_floats

WINDOW = np.zeros(16_000, np.float32)
SURE = Decoding(0.0, -0.2, 1.2, 0.01)
SPOKEN = ((0.0, 30.0),)


class Saying:
    """An engine that says what it was made with: first this, then that."""

    name = "saying"
    batch = 4

    def __init__(self, *attempts: Sequence[Segment] | JobError, quality: Literal["draft", "full"] = "full") -> None:
        self.quality: Literal["draft", "full"] = quality
        self._attempts = list(attempts)
        self.asked: list[tuple[int, Options]] = []

    def transcribe(self, windows: Sequence[Samples], options: Options) -> list[Result]:
        self.asked.append((len(windows), options))
        attempt = self._attempts.pop(0)
        if isinstance(attempt, JobError):
            raise attempt
        return [Result(tuple(attempt), "en") for _ in windows]


def said(text: str, start: float = 0.0, end: float | None = None, decoding: Decoding | None = SURE) -> Segment:
    """A segment of words that each last 0.3 s, unless it is told when to end."""
    texts = text.split()
    length = 0.3 if end is None else (end - start) / len(texts)
    words = tuple(Word(start + at * length, start + (at + 1) * length, each, 0.9) for at, each in enumerate(texts))
    return Segment(start, words[-1].end, text, words, probability=0.9, decoding=decoding)


def suspicions(*segments: Segment, speech: Sequence[tuple[float, float]] = SPOKEN) -> list[Suspicion | None]:
    return [segment.suspect for segment in judge(Result(segments, "en"), speech).result.segments]


def test_good_words_pass_as_they_are_and_are_heard_once() -> None:
    segment = said("The ferry leaves at seven in the morning.")
    engine = Saying([segment])
    assert guarded(engine, [WINDOW], Options(), speech=[SPOKEN]) == [Result((segment,), "en")]
    assert len(engine.asked) == 1


def test_a_suspicious_window_is_tried_once_more_without_a_prompt_and_warmer() -> None:
    good = said("The ferry leaves at seven.")
    engine = Saying([said("and then " * 20)], [good])
    asked = Options(language="en", initial_prompt="Ferries", hotwords=("Oslo",))
    assert guarded(engine, [WINDOW], asked, speech=[SPOKEN])[0].segments == (good,)
    assert engine.asked[1] == (
        1,
        replace(asked, initial_prompt="", hotwords=(), temperatures=RETRY_TEMPERATURES),
    )


def test_only_the_suspicious_windows_of_a_batch_are_tried_again() -> None:
    class Both(Saying):
        def transcribe(self, windows: Sequence[Samples], options: Options) -> list[Result]:
            self.asked.append((len(windows), options))
            if len(self.asked) == 2:
                return [Result((said("All is well here."),), "en")]
            return [Result((said("First window is good."),), "en"), Result((said("so so so so so so so"),), "en")]

    engine = Both()
    results = guarded(engine, [WINDOW, WINDOW], Options(), speech=[SPOKEN, SPOKEN])
    assert [each.segments[0].text for each in results] == ["First window is good.", "All is well here."]
    assert [count for count, _ in engine.asked] == [2, 1]


def test_what_stays_suspicious_is_kept_and_marked() -> None:
    first, second = said("and then " * 20), said("and so on " * 20)
    engine = Saying([first], [second])
    [result] = guarded(engine, [WINDOW], Options(), speech=[SPOKEN])
    assert [(each.text, each.suspect) for each in result.segments] == [(first.text, "repeats")]


def test_the_more_probable_of_two_guesses_is_kept() -> None:
    first = said("It may be rain.", decoding=Decoding(0.0, -1.9, 1.0, 0.1))
    second = said("It may be Spain.", decoding=Decoding(0.4, -1.1, 1.0, 0.1))
    [result] = guarded(Saying([first], [second]), [WINDOW], Options(), speech=[SPOKEN])
    assert [(each.text, each.suspect) for each in result.segments] == [("It may be Spain.", "unsure")]


def test_a_second_attempt_that_says_nothing_or_little_takes_nothing_away() -> None:
    first = [said("A whole sentence that was surely said by somebody."), said("la la la la la la la la", 5.0)]
    for second in ([], [said("A whole")]):
        [result] = guarded(Saying(first, second), [WINDOW], Options(), speech=[SPOKEN])
        assert [each.suspect for each in result.segments] == [None, "repeats"]


def test_a_failure_of_the_second_attempt_keeps_the_first() -> None:
    engine = Saying([said("so so so so so so so")], JobError("out_of_memory"))
    [result] = guarded(engine, [WINDOW], Options(), speech=[SPOKEN])
    assert result.segments[0].suspect == "repeats"


def test_a_stop_during_the_second_attempt_is_a_stop() -> None:
    engine = Saying([said("so so so so so so so")], JobError("cancelled"))
    with pytest.raises(JobError, match="cancelled"):
        guarded(engine, [WINDOW], Options(), speech=[SPOKEN])


def test_what_the_engine_itself_is_unsure_of_stays_marked() -> None:
    unsure = replace(said("Konan iridore piamenso ki"), suspect="unsure")
    assert judge(Result((unsure,), "en"), [(0.0, 30.0)]).result.segments[0].suspect == "unsure"


def test_a_draft_engine_knows_no_other_settings_and_is_asked_once() -> None:
    engine = Saying([said("so so so so so so so", decoding=None)], quality="draft")
    [result] = guarded(engine, [WINDOW], Options(), speech=[SPOKEN])
    assert result.segments[0].suspect == "repeats"
    assert len(engine.asked) == 1


@pytest.mark.parametrize(
    "text",
    [
        "no no no no no no",
        "I think that I think that I think that I think that",
        "We went to the market. We went to the market. We went to the market.",
        "ご視聴ありがとうございました ご視聴ありがとうございました ご視聴ありがとうございました",
        "今日は今日は今日は今日は今日は今日は今日は",
        "aaaaaaaaaaaaaaaaaaaaaaaa",
        "Well, hahahahahahahahahahahahahahahaha",
        "Lo que es lo que es lo que es lo que es",
    ],
)
def test_a_text_that_repeats_itself_is_a_loop(text: str) -> None:
    assert looping([text]) == {0}


@pytest.mark.parametrize(
    "text",
    [
        "No, no, no, no.",
        "Words words words words um and that should be all.",
        "Ah, that's a good story. Ah, that's a good story.",
        "It was the age of wisdom, it was the age of foolishness, it was the epoch of belief, it was the epoch of "
        "incredulity, it was the season of light, it was the season of darkness",
        "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.",
        "The number is 1000000000000000.",
        "Hahaha!",
        "",
    ],
)
def test_what_people_say_twice_is_no_loop(text: str) -> None:
    assert looping([text]) == set()


def test_a_loop_through_several_segments_marks_those_that_take_part() -> None:
    loop = [said("Thank you for coming tonight.", start) for start in (5.0, 10.0, 15.0)]
    found = suspicions(said("Good evening to all of you."), *loop, said("The concert begins.", 20.0))
    assert found == [None, "repeats", "repeats", "repeats", None]


def test_the_compression_ratio_is_that_of_openai_whisper() -> None:
    from whisper.utils import compression_ratio as theirs

    for text in ("The ferry leaves at seven.", "and then " * 40, "ありがとう" * 9):
        assert compression_ratio(text) == theirs(text)


def test_a_models_own_compression_ratio_counts() -> None:
    assert suspicions(said("Fine words.", decoding=Decoding(1.0, -0.5, 2.5, 0.0))) == ["repeats"]


def test_improbable_text_is_marked_unsure() -> None:
    assert suspicions(said("Colourless green ideas.", decoding=Decoding(1.0, -1.01, 1.0, 0.0))) == ["unsure"]
    assert suspicions(said("Colourless green ideas.", decoding=Decoding(1.0, -0.99, 1.0, 0.0))) == [None]


def test_words_that_nobody_can_say_so_fast_are_marked() -> None:
    assert suspicions(said("An entire sentence about the history of Norway", 0.0, 0.6)) == ["unsure"]
    assert suspicions(said("An entire sentence about the history of Norway", 0.0, 2.0)) == [None]
    assert suspicions(said("今日はとても良い天気ですね", 0.0, 0.5)) == ["unsure"]
    assert suspicions(said("今日はとても良い天気ですね", 0.0, 1.5)) == [None]


def test_words_without_any_length_are_marked() -> None:
    words = [Word(2.0, 2.0, each, 0.5) for each in ["these", "were", "all", "put"]]
    squeezed = Segment(0.0, 8.0, "these were all put there", (*words, Word(2.0, 8.0, "there", 0.9)), decoding=SURE)
    assert suspicions(squeezed) == ["unsure"]


def test_an_echo_of_the_prompt_is_heard_again_without_it() -> None:
    prompt = "A talk about the history of Norway."
    echo = said("A talk about the history of Norway.")
    truth = said("Welcome to this lecture, everybody.")
    [result] = guarded(Saying([echo], [truth]), [WINDOW], Options(initial_prompt=prompt), speech=[SPOKEN])
    assert result.segments == (truth,)
    [result] = guarded(Saying([echo], [echo]), [WINDOW], Options(initial_prompt=prompt), speech=[SPOKEN])
    assert result.segments == (echo,), "said again without the prompt, so it was no echo"


def test_words_over_silence_that_the_model_doubts_are_marked() -> None:
    doubtful = said("Some words.", 10.0, decoding=Decoding(0.0, -1.5, 1.0, 0.3))
    assert suspicions(doubtful, speech=[(0.0, 9.0)]) == ["no_speech"]
    assert suspicions(said("Some words.", 10.0), speech=[(0.0, 9.0)]) == [None], "the detector may be wrong too"


def test_words_over_silence_where_the_model_hears_no_speech_are_left_out_and_told() -> None:
    told: list[str] = []
    silent = Decoding(0.0, -0.4, 1.0, 0.9)
    segments = [said("This was said.", 1.0), said("Thanks for watching!", 20.0, decoding=silent)]
    engine = Saying(segments)
    [result] = guarded(engine, [WINDOW], Options(tell=told.append), speech=[[(0.9, 2.0)]])
    assert result.segments == (segments[0],)
    assert told == [
        "Words were left out where neither the voice detector nor the model hears speech: “Thanks for watching!”."
    ]


def test_of_a_segment_only_the_words_over_silence_are_left_out() -> None:
    words = (Word(1.0, 1.4, "Good", 0.9), Word(1.4, 2.0, "evening.", 0.9), Word(8.0, 9.0, "Bye", 0.4))
    segment = Segment(1.0, 9.0, "Good evening. Bye", words, decoding=Decoding(0.0, -0.9, 1.0, 0.7))
    judged = judge(Result((segment,), "en"), [(1.0, 2.0)])
    assert [(each.start, each.end, each.text) for each in judged.result.segments] == [(1.0, 2.0, "Good evening.")]
    assert judged.left_out == ("Bye",)


def test_words_where_the_detector_heard_speech_are_never_left_out() -> None:
    silent = Decoding(1.0, -2.0, 1.0, 0.99)
    judged = judge(Result((said("Mumbled words.", 5.0, decoding=silent),), "en"), [(5.2, 5.4)])
    assert [each.suspect for each in judged.result.segments] == ["unsure"]
    assert judged.left_out == ()


def test_a_segment_without_word_times_is_judged_by_its_own() -> None:
    silent = Decoding(0.0, -0.4, 1.0, 0.9)
    segment = Segment(5.0, 6.0, "Hello there.", decoding=silent)
    assert judge(Result((segment,), None), [(5.5, 6.0)]).result.segments == (segment,)
    assert judge(Result((segment,), None), [(0.0, 2.0)]).left_out == ("Hello there.",)


@pytest.mark.parametrize(
    "text",
    [
        "Subtitles by the Amara.org community",
        "Untertitelung aufgrund der Amara.org-Community",
        "Untertitel im Auftrag des ZDF, 2020",
        "Sous-titrage Société Radio-Canada",
        "Sous-titres réalisés par la communauté d'Amara.org",
        "Subtítulos realizados por la comunidad de Amara.org",
        "Legendas pela comunidade Amara.org",
        "Sottotitoli e revisione a cura di QTSS",
        "Ondertitels ingediend door de Amara.org gemeenschap",
        "Undertekster av Ai-Media",
        "Undertextning.se",
        "Svensktextning.nu Undertexter från Amara.org-gemenskapen",
        "Napisy stworzone przez społeczność Amara.org",
        "Субтитры сделал DimaTorzok",
        "Редактор субтитров А.Синецкая Корректор А.Егорова",
        "Altyazı M.K.",
        "字幕志愿者 李宗盛",
        "中文字幕由Amara.org社区提供",
    ],
)
def test_credits_of_subtitles_are_suspicious_even_over_sound(text: str) -> None:
    assert is_credit(text)
    assert suspicions(said(text, 0.0, 4.0)) == ["no_speech"]


@pytest.mark.parametrize(
    "text",
    [
        "Thanks for watching!",
        "Thank you.",
        "Vielen Dank fürs Zuschauen!",
        "Merci d'avoir regardé cette vidéo !",
        "¡Gracias por ver el vídeo!",
        "Tack för att ni tittade!",
        "Продолжение следует...",
        "İzlediğiniz için teşekkürler.",
        "ご視聴ありがとうございました",
        "谢谢观看",
        "시청해주셔서 감사합니다!",
    ],
)
def test_farewells_of_videos_are_suspicious_over_silence_alone(text: str) -> None:
    assert is_farewell(text)
    assert suspicions(said(text, 10.0, 12.0), speech=[(0.0, 5.0)]) == ["no_speech"]
    assert suspicions(said(text, 10.0, 12.0)) == [None]


@pytest.mark.parametrize(
    "text",
    [
        "I asked whether the subtitles by default are in English.",
        "Thank you for watching over my mother.",
        "Undertexten var svår att läsa.",
        "Kan du skicka undertexterna?",
    ],
)
def test_sentences_about_subtitles_and_thanks_are_neither(text: str) -> None:
    assert not is_credit(text)
    assert not is_farewell(text)


@pytest.mark.engine
def test_the_draft_engine_passes_the_guards_unmarked_on_the_sample(dialogue: Pcm) -> None:
    cutter = WindowCutter()
    windows = cutter.feed(dialogue[: 12 * 16_000]) + cutter.finish()
    spans = [[(start - each.start, end - each.start) for start, end in each.speech] for each in windows]
    sounds = [as_floats(each.samples) for each in windows]
    engine, told = PocketSphinx(), list[str]()
    results = guarded(engine, sounds, Options(language="en", tell=told.append), speech=spans)
    assert results == engine.transcribe(sounds, Options(language="en"))
    assert any(result.segments for result in results)
    assert told == []
