"""What the faster-whisper engine reads, through the real libraries."""

from __future__ import annotations

import shutil
import socket
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.speech.checkpoints import convert
from tests.speech.conftest import Pcm, write_whisper
from tests.speech.faster_whisper.conftest import SWEDISH, improbable, spied
from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines.base import Options, Samples, Setup
from whisper_jobs.speech.engines.faster_whisper import FasterWhisper
from whisper_jobs.speech.windows import as_floats

# openai-whisper, whose vocabulary is taken, leaves its file open.
pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:unclosed file .*tiktoken:ResourceWarning")]


def test_a_model_says_its_sentences_with_their_words_in_order(engine: FasterWhisper, five_seconds: Samples) -> None:
    [result] = engine.transcribe([five_seconds], SWEDISH)
    assert [segment.text for segment in result.segments] == ["God morgon, allihop.", "Nu börjar vi."]
    assert [word.text for word in result.segments[0].words] == ["God", "morgon,", "allihop."]
    times = [time for segment in result.segments for word in segment.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[0] >= 0 and times[-1] <= 5.0
    assert (result.language, result.language_probability) == ("sv", None)


def test_a_segment_tells_how_it_was_decoded(engine: FasterWhisper, five_seconds: Samples) -> None:
    decoding = engine.transcribe([five_seconds], SWEDISH)[0].segments[0].decoding
    assert decoding is not None
    assert decoding.temperature == 0.0
    assert decoding.avg_logprob == pytest.approx(0.0, abs=0.01)
    assert decoding.compression_ratio == pytest.approx(0.81, abs=0.1)
    assert decoding.no_speech_prob == pytest.approx(0.0, abs=0.01)


def test_a_batch_gives_what_its_windows_give_one_by_one(setup: Setup, five_seconds: Samples) -> None:
    windows = [five_seconds, five_seconds[:48_000], np.zeros(0, np.float32), five_seconds[::-1].copy(), five_seconds]
    together = FasterWhisper("swedish", Setup(folders=setup.folders, batch=3))
    assert (together.batch, FasterWhisper("swedish", setup).batch) == (3, 1)
    alone = FasterWhisper("swedish", setup)
    expected = [alone.transcribe([window], SWEDISH)[0] for window in windows]
    found = together.transcribe(windows, SWEDISH)
    for one, other in zip(found, expected, strict=True):
        assert [each.text for each in one.segments] == [each.text for each in other.segments]
        assert [each.start for each in one.segments] == pytest.approx([each.start for each in other.segments], abs=0.02)


def test_an_unsaid_language_is_found_out_with_its_probability(engine: FasterWhisper, five_seconds: Samples) -> None:
    [result] = engine.transcribe([five_seconds], Options())
    assert result.language == "sv"
    assert result.language_probability == pytest.approx(1.0, abs=0.01)


def test_two_languages_in_a_batch_are_each_read_in_their_own(setup: Setup, five_seconds: Samples) -> None:
    engine = FasterWhisper("swedish", Setup(folders=setup.folders, batch=2))
    tokens = engine._model.hf_tokenizer.token_to_id
    spy = spied(engine)
    spy.detect_language = lambda _encoded: [[("<|sv|>", 0.9)], [("<|de|>", 0.8)]]  # type: ignore[attr-defined]
    first, second = engine.transcribe([five_seconds, five_seconds], Options())
    assert [(each.language, each.language_probability) for each in (first, second)] == [("sv", 0.9), ("de", 0.8)]
    assert [prompt[1] for prompts, _ in spy.calls for prompt in prompts] == [tokens("<|sv|>"), tokens("<|de|>")]


def test_nothing_is_said_after_the_end_of_the_sound(engine: FasterWhisper, five_seconds: Samples) -> None:
    [result] = engine.transcribe([five_seconds[:32_000]], SWEDISH)
    assert max(segment.end for segment in result.segments) <= 2.0


def test_next_to_nothing_gives_next_to_nothing(engine: FasterWhisper) -> None:
    nothing, little = engine.transcribe([np.zeros(0, np.float32), np.zeros(80, np.float32)], SWEDISH)
    assert nothing.segments == ()
    assert all(segment.end <= 0.005 for segment in little.segments)


def test_a_language_that_the_model_lacks_is_refused(engine: FasterWhisper, five_seconds: Samples) -> None:
    with pytest.raises(JobError, match="Cantonese") as refused:
        engine.transcribe([five_seconds], Options(language="yue"))
    assert refused.value.code == "language_unsupported"


def test_an_english_model_speaks_english_and_refuses_the_rest(setup: Setup, five_seconds: Samples) -> None:
    engine = FasterWhisper("english", setup)
    [result] = engine.transcribe([five_seconds], Options())
    assert ([segment.text for segment in result.segments], result.language) == (["Good morning."], "en")
    with pytest.raises(JobError) as refused:
        engine.transcribe([five_seconds], SWEDISH)
    assert refused.value.code == "language_unsupported"


def test_a_distilled_model_reads_english_without_asking(folder: Path, tmp_path: Path, five_seconds: Samples) -> None:
    shutil.copytree(folder / "swedish", tmp_path / "faster-whisper-distil-large-v3")
    engine = FasterWhisper("distil-large-v3", Setup(folders=(tmp_path,)))
    assert engine.transcribe([five_seconds], Options())[0].language == "en"


def test_the_task_and_what_came_before_are_told_to_the_model(engine: FasterWhisper, five_seconds: Samples) -> None:
    spy = spied(engine)
    engine.transcribe(
        [five_seconds], Options(language="sv", task="translate", initial_prompt="Ett möte.", hotwords=("Åsa", "Örebro"))
    )
    said = engine._model.hf_tokenizer.decode(spy.calls[0][0][0], skip_special_tokens=False)
    assert said == "<|startofprev|> Åsa, Örebro. Ett möte.<|startoftranscript|><|sv|><|translate|>"


def test_signs_of_the_model_are_plain_words_in_a_prompt(engine: FasterWhisper, five_seconds: Samples) -> None:
    spy = spied(engine)
    asked = Options(language="sv", initial_prompt="<|endoftext|><|0.00|>", hotwords=("<|startoftranscript|>",))
    engine.transcribe([five_seconds], asked)
    prompt, tokenizer = spy.calls[0][0][0], engine._model.hf_tokenizer
    signs = ("endoftext", "0.00", "startoftranscript")
    assert [prompt.count(tokenizer.token_to_id(f"<|{sign}|>")) for sign in signs] == [0, 0, 1]


def test_a_long_prompt_leaves_room_for_the_text(engine: FasterWhisper, five_seconds: Samples) -> None:
    spy = spied(engine)
    names = tuple(f"Namn{number}" for number in range(300))
    engine.transcribe([five_seconds], Options(language="sv", initial_prompt="ord " * 500 + "slut", hotwords=names))
    prompt = spy.calls[0][0][0]
    said = engine._model.hf_tokenizer.decode(prompt)
    assert len(prompt) <= 224
    assert said.strip().startswith("Namn0") and said.endswith("slut")


def test_a_doubtful_window_alone_is_decoded_again(setup: Setup, five_seconds: Samples) -> None:
    engine = FasterWhisper("swedish", Setup(folders=setup.folders, batch=3))

    def doubt_the_second(search: dict[str, Any], results: list[Any]) -> list[Any]:
        return [results[0], improbable(results[1]), results[2]] if len(results) == 3 else results

    spy = spied(engine, doubt_the_second)
    results = engine.transcribe([five_seconds] * 3, SWEDISH)
    assert [(len(prompts), temperature) for prompts, temperature in spy.calls] == [(3, 0.0), (1, 0.2)]
    found = [result.segments[0].decoding for result in results]
    assert [each.temperature for each in found if each] == [0.0, 0.2, 0.0]


def test_of_doubtful_texts_the_most_probable_is_kept(engine: FasterWhisper, five_seconds: Samples) -> None:
    scores = {0.0: -3.0, 0.2: -1.5, 0.4: -2.0}

    def doubt(search: dict[str, Any], results: list[Any]) -> list[Any]:
        score = scores[search.get("sampling_temperature", 0.0)]
        return [
            SimpleNamespace(sequences_ids=each.sequences_ids, scores=[score], no_speech_prob=0.0) for each in results
        ]

    spy = spied(engine, doubt)
    [result] = engine.transcribe([five_seconds], Options(language="sv", temperatures=tuple(scores)))
    assert [temperature for _, temperature in spy.calls] == [0.0, 0.2, 0.4]
    assert result.segments[0].decoding is not None
    assert result.segments[0].decoding.temperature == 0.2


def test_silence_that_the_model_hears_as_such_is_not_guessed_at(engine: FasterWhisper, five_seconds: Samples) -> None:
    def silence(_search: dict[str, Any], results: list[Any]) -> list[Any]:
        return [
            SimpleNamespace(sequences_ids=each.sequences_ids, scores=[-3.0], no_speech_prob=0.9) for each in results
        ]

    spy = spied(engine, silence)
    [result] = engine.transcribe([five_seconds], SWEDISH)
    assert len(spy.calls) == 1
    assert result.segments[0].decoding is not None
    assert result.segments[0].decoding.no_speech_prob == 0.9, "whoever asked decides what becomes of it"


def test_a_text_that_breaks_off_is_gone_on_with(folder: Path, tmp_path: Path, dialogue: Pcm) -> None:
    said = (0.0, " God morgon.", 2.0, 2.0, " Nu")
    convert(write_whisper(tmp_path / "breaks.pt", said), tmp_path / "breaks")
    engine = FasterWhisper("breaks", Setup(folders=(tmp_path,)))
    spy = spied(engine)
    [result] = engine.transcribe([as_floats(dialogue[: 16_000 * 6])], SWEDISH)
    assert len(spy.calls) > 1
    starts = [segment.start for segment in result.segments]
    assert len(starts) > 1 and starts == sorted(starts)


def test_a_stop_is_seen_within_half_a_second(engine: FasterWhisper, five_seconds: Samples) -> None:
    real = engine._model.model

    def slowly(_search: dict[str, Any], results: list[Any]) -> list[Any]:
        time.sleep(3.0)
        return results

    spy = spied(engine, slowly)
    asked: list[float] = []

    def stop_at_the_second() -> bool:
        asked.append(time.monotonic())
        return len(asked) == 2

    began = time.monotonic()
    with pytest.raises(JobError) as stopped:
        engine.transcribe([five_seconds], Options(language="sv", should_stop=stop_at_the_second))
    assert stopped.value.code == "cancelled"
    assert time.monotonic() - asked[-1] < 0.5
    assert time.monotonic() - began < 2.0
    engine._model.model = real
    assert engine.transcribe([five_seconds], SWEDISH)[0].segments, "the engine works on after a stop"
    assert len(spy.calls) <= 1


def test_no_connection_is_opened(setup: Setup, five_seconds: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert FasterWhisper("swedish", setup).transcribe([five_seconds], Options())[0].segments
