"""The faster-whisper engine through the real libraries, with small checkpoints in the real format."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.speech.checkpoints import convert
from tests.speech.conftest import Pcm, write_whisper
from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines import faster_reading
from whisper_jobs.speech.engines.base import Options, Samples, Setup
from whisper_jobs.speech.engines.faster_whisper import FasterWhisper
from whisper_jobs.speech.windows import as_floats

# openai-whisper, whose vocabulary is taken, leaves its file open.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file .*tiktoken:ResourceWarning")

SAID = (0.0, " God morgon,", " allihop.", 2.0, 2.4, " Nu börjar vi.", 4.6)
SWEDISH = Options(language="sv")
ENGINE = "whisper_jobs.speech.engines.faster_whisper"
NO_MEMORY = "CUDA failed with error out of memory"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    convert(write_whisper(folder / "swedish.pt", SAID), folder / "swedish")
    english = write_whisper(folder / "english.pt", (0.0, " Good morning.", 1.0), english_only=True)
    convert(english, folder / "english")
    return folder


@pytest.fixture
def setup(folder: Path) -> Setup:
    return Setup(folders=(folder,), device="cpu")


@pytest.fixture
def engine(setup: Setup) -> FasterWhisper:
    return FasterWhisper("swedish", setup)


@pytest.fixture(scope="module")
def five_seconds(dialogue: Pcm) -> Samples:
    return as_floats(dialogue[:80_000])


class Spied:
    """The library's model; `generate` notes the prompts and temperature of each call, and hands the results to `change`."""

    def __init__(self, model: Any, change: Callable[[dict[str, Any], list[Any]], list[Any]]) -> None:
        self._model, self._change = model, change
        self.calls: list[tuple[list[list[int]], float]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def generate(self, features: Any, prompts: list[list[int]], **search: Any) -> list[Any]:
        self.calls.append((prompts, search.get("sampling_temperature", 0.0)))
        return self._change(search, self._model.generate(features, prompts, **search))


def spied(
    engine: FasterWhisper, change: Callable[[dict[str, Any], list[Any]], list[Any]] = lambda _search, results: results
) -> Spied:
    engine._model.model = spy = Spied(engine._model.model, change)
    return spy


def improbable(result: Any) -> Any:
    return SimpleNamespace(sequences_ids=result.sequences_ids, scores=[-3.0], no_speech_prob=0.0)


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


@pytest.mark.parametrize("missing", ["tokenizer.json", "config.json", "vocabulary.json"])
def test_a_folder_without_a_file_that_is_needed_says_which(folder: Path, tmp_path: Path, missing: str) -> None:
    shutil.copytree(folder / "swedish", tmp_path / "mine")
    (tmp_path / "mine" / missing).unlink()
    assert missing in _refused("mine", tmp_path).message


def test_truncated_weights_say_so(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "swedish", tmp_path / "mine")
    whole = (folder / "swedish" / "model.bin").read_bytes()
    (tmp_path / "mine" / "model.bin").write_bytes(whole[: len(whole) // 2])
    assert "model.bin" in _refused("mine", tmp_path).message


@pytest.mark.parametrize("content", [b"PK\x03\x04 an archive of torch", b"\x06\0\0\0\x10\0TransformerSpec\0", b""])
def test_weights_of_another_engine_say_so(folder: Path, tmp_path: Path, content: bytes) -> None:
    shutil.copytree(folder / "swedish", tmp_path / "mine")
    (tmp_path / "mine" / "model.bin").write_bytes(content)
    assert "model.bin" in _refused("mine", tmp_path).message


@pytest.mark.parametrize(
    ("file", "content"),
    [("vocabulary.json", "[]"), ("vocabulary.json", ""), ("config.json", "{"), ("tokenizer.json", "{}")],
)
def test_a_damaged_text_of_the_folder_is_named(folder: Path, tmp_path: Path, file: str, content: str) -> None:
    shutil.copytree(folder / "swedish", tmp_path / "mine")
    (tmp_path / "mine" / file).write_text(content)
    assert _refused("mine", tmp_path).message == f"The {file} of the model “mine” is damaged."


def test_a_model_that_is_not_there_says_so(tmp_path: Path) -> None:
    assert "not on this server" in _refused("base", tmp_path).message


def _refused(model: str, folder: Path) -> JobError:
    with pytest.raises(JobError) as refused:
        FasterWhisper(model, Setup(folders=(folder,), device="cpu"))
    assert refused.value.code == "model_unavailable"
    return refused.value


def test_a_gpu_that_is_not_there_is_said_to_be_missing(folder: Path) -> None:
    import ctranslate2

    if ctranslate2.get_cuda_device_count():
        pytest.skip("there is a GPU")
    with pytest.raises(JobError, match="TOOLS_DEVICE") as refused:
        FasterWhisper("swedish", Setup(folders=(folder,), device="cuda"))
    assert refused.value.code == "model_unavailable"


def test_an_arithmetic_that_the_processor_lacks_is_refused(folder: Path) -> None:
    with pytest.raises(JobError, match="TOOLS_COMPUTE_TYPE") as refused:
        FasterWhisper("swedish", Setup(folders=(folder,), device="cpu", compute_type="float16"))
    assert refused.value.code == "model_unavailable"


def test_when_memory_runs_out_it_goes_on_with_less_and_says_so(
    folder: Path, dialogue: Pcm, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FasterWhisper("swedish", Setup(folders=(folder,), device="cpu", compute_type="float32", batch=4))

    def short_of_memory(model: Any, windows: Any, frames: int) -> Any:
        if len(windows) > 2 or frames > 1500 or engine._ways.compute_type == "float32":
            raise RuntimeError(NO_MEMORY)
        return faster_reading.encode(model, windows, frames)

    monkeypatch.setattr(f"{ENGINE}.encode", short_of_memory)
    told: list[str] = []
    windows = [as_floats(dialogue[: 16_000 * 24])] * 3
    results = engine.transcribe(windows, Options(language="sv", tell=told.append))
    assert told == [
        "Memory ran out; the model goes on with 2 at once.",
        "Memory ran out; the model goes on with 1 at once.",
        "Memory ran out; the model goes on with smaller numbers (int8_float32).",
        "Memory ran out; the model goes on with shorter parts.",
    ]
    assert engine.batch == 1
    for result in results:
        starts = [segment.start for segment in result.segments]
        assert [segment.text for segment in result.segments].count("God morgon, allihop.") == 2
        assert starts == sorted(starts) and starts[-1] > 9


def test_when_the_gpus_memory_is_too_small_the_cpu_goes_on(
    engine: FasterWhisper, five_seconds: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine._ways = replace(engine._ways, device="cuda", seconds=15)

    def only_on_the_cpu(model: Any, windows: Any, frames: int) -> Any:
        if engine._ways.device == "cuda":
            raise RuntimeError(NO_MEMORY)
        return faster_reading.encode(model, windows, frames)

    monkeypatch.setattr(f"{ENGINE}.encode", only_on_the_cpu)
    told: list[str] = []
    [result] = engine.transcribe([five_seconds], Options(language="sv", tell=told.append))
    assert told == ["The GPU's memory ran out; the model goes on without the GPU, which is slower."]
    assert result.segments
    assert (engine._ways.device, engine._ways.seconds) == ("cpu", 30)


def test_what_never_fits_into_memory_fails_as_such(
    engine: FasterWhisper, five_seconds: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(f"{ENGINE}.encode", full)
    with pytest.raises(JobError) as failed:
        engine.transcribe([five_seconds], SWEDISH)
    assert failed.value.code == "out_of_memory"


def test_a_failure_of_the_library_is_no_lack_of_memory(engine: FasterWhisper, five_seconds: Samples) -> None:
    def fail(_search: dict[str, Any], _results: list[Any]) -> list[Any]:
        raise RuntimeError("something else")

    spied(engine, fail)
    with pytest.raises(RuntimeError, match="something else"):
        engine.transcribe([five_seconds], SWEDISH)


NO_LIBRARY = "Library libcublas.so.12 is not found or cannot be loaded"


@pytest.mark.parametrize("known_to_the_driver", [False, True])
def test_a_gpu_to_which_no_model_can_be_loaded_is_left_and_said_why(
    folder: Path, five_seconds: Samples, monkeypatch: pytest.MonkeyPatch, known_to_the_driver: bool
) -> None:
    import ctranslate2

    if ctranslate2.get_cuda_device_count():
        pytest.skip("there is a GPU")
    real = ctranslate2.get_supported_compute_types
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
    if known_to_the_driver:
        monkeypatch.setattr(ctranslate2, "get_supported_compute_types", lambda _device: real("cpu"))
    engine = FasterWhisper("swedish", Setup(folders=(folder,), batch=2))
    assert (engine._ways.device, engine._ways.compute_type, engine.batch) == ("cpu", "int8", 2)
    told: list[str] = []
    for _ in range(2):
        assert engine.transcribe([five_seconds], Options(language="sv", tell=told.append))[0].segments
    assert [sentence.partition(":")[0] for sentence in told] == [
        "The GPU can't be used, so the model works without it, which is slower"
    ]
    with pytest.raises(JobError, match=r"TOOLS_DEVICE=cuda.*can't be used") as refused:
        FasterWhisper("swedish", Setup(folders=(folder,), device="cuda"))
    assert refused.value.code == "model_unavailable"


def test_a_gpu_that_fails_at_the_first_window_is_left_and_said_why(
    engine: FasterWhisper, five_seconds: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_on_the_cpu(model: Any, windows: Any, frames: int) -> Any:
        if engine._ways.device == "cuda":
            raise RuntimeError(NO_LIBRARY)
        return faster_reading.encode(model, windows, frames)

    monkeypatch.setattr(f"{ENGINE}.encode", only_on_the_cpu)
    engine._ways = replace(engine._ways, device="cuda", compute_type="float16", batch=16)
    engine._setup = replace(engine._setup, device="cuda")
    with pytest.raises(JobError, match="libcublas") as failed:
        engine.transcribe([five_seconds], SWEDISH)
    assert failed.value.code == "model_unavailable"
    engine._setup = replace(engine._setup, device="auto", compute_type="float16")
    told: list[str] = []
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 1)
    [result] = engine.transcribe([five_seconds], Options(language="sv", tell=told.append))
    assert told == [f"The GPU can't be used, so the model works without it, which is slower: {NO_LIBRARY}."]
    assert result.segments
    assert (engine._ways.device, engine._ways.compute_type) == ("cpu", "int8"), "float16 was meant for the GPU"


def test_the_engine_works_on_after_it_found_no_memory_to_load_again(
    engine: FasterWhisper, five_seconds: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    engine._ways = replace(engine._ways, compute_type="float32", seconds=15)
    with monkeypatch.context() as short:
        short.setattr(f"{ENGINE}.encode", full)
        short.setattr(f"{ENGINE}._model", full)
        with pytest.raises(JobError) as failed:
            engine.transcribe([five_seconds], SWEDISH)
    assert failed.value.code == "out_of_memory"
    assert engine.transcribe([five_seconds], SWEDISH)[0].segments
