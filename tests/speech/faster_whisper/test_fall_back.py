"""When memory runs out or the GPU can't be used, the engine goes on with less and says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.speech.conftest import Pcm
from tests.speech.faster_whisper.conftest import SWEDISH, spied
from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines import faster_reading
from whisper_jobs.speech.engines.base import Options, Samples, Setup
from whisper_jobs.speech.engines.faster_whisper import FasterWhisper
from whisper_jobs.speech.windows import as_floats

# openai-whisper, whose vocabulary is taken, leaves its file open.
pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:unclosed file .*tiktoken:ResourceWarning")]

ENGINE = "whisper_jobs.speech.engines.faster_whisper"
NO_MEMORY = "CUDA failed with error out of memory"
NO_LIBRARY = "Library libcublas.so.12 is not found or cannot be loaded"


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
