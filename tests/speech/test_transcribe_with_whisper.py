"""The Whisper engine through the real library, with small checkpoints in the real format."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.speech.conftest import Pcm, write_whisper
from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines.base import Options, Samples, Setup
from whisper_jobs.speech.engines.openai_whisper import OpenAIWhisper
from whisper_jobs.speech.windows import as_floats

# The library itself leaves its vocabulary's file open.
pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:unclosed file .*tiktoken:ResourceWarning")]

SAID = (0.0, " God morgon,", " allihop.", 2.0, 2.4, " Nu börjar vi.", 4.6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_whisper(folder / "swedish.pt", SAID)
    write_whisper(folder / "english.pt", (0.0, " Good morning.", 1.0), english_only=True)
    return folder


@pytest.fixture(scope="module")
def engine(folder: Path) -> OpenAIWhisper:
    return OpenAIWhisper("swedish", Setup(folders=(folder,)))


@pytest.fixture(scope="module")
def five_seconds(dialogue: Pcm) -> Samples:
    return as_floats(dialogue[:80_000])


def test_a_checkpoint_says_its_sentences_with_their_times(engine: OpenAIWhisper, five_seconds: Samples) -> None:
    [result] = engine.transcribe([five_seconds], Options(language="sv"))
    assert [segment.text for segment in result.segments] == ["God morgon, allihop.", "Nu börjar vi."]
    assert result.language == "sv"
    assert result.language_probability is None
    assert all(0.9 < (segment.probability or 0) <= 1 for segment in result.segments)


def test_words_lie_in_order_inside_their_segments(engine: OpenAIWhisper, five_seconds: Samples) -> None:
    segments = engine.transcribe([five_seconds], Options(language="sv"))[0].segments
    assert [word.text for word in segments[0].words] == ["God", "morgon,", "allihop."]
    for segment in segments:
        times = [time for word in segment.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert segment.start <= times[0]
        assert times[-1] <= segment.end <= 5.0


def test_an_unsaid_language_is_found_out_with_its_probability(engine: OpenAIWhisper, five_seconds: Samples) -> None:
    [result] = engine.transcribe([five_seconds], Options())
    assert result.language == "sv"
    assert result.language_probability == pytest.approx(1.0, abs=0.01)


def test_nothing_is_said_after_the_end_of_the_sound(engine: OpenAIWhisper, five_seconds: Samples) -> None:
    segments = engine.transcribe([five_seconds[: 16_000 * 2]], Options(language="sv"))[0].segments
    assert segments[0].text == "God morgon, allihop."
    assert max(segment.end for segment in segments) <= 2.0


def test_no_samples_give_no_segments(engine: OpenAIWhisper) -> None:
    assert engine.transcribe([np.zeros(0, np.float32)], Options(language="sv"))[0].segments == ()


def test_a_language_that_the_model_lacks_is_refused(engine: OpenAIWhisper, five_seconds: Samples) -> None:
    with pytest.raises(JobError, match="Cantonese") as refused:
        engine.transcribe([five_seconds], Options(language="yue"))
    assert refused.value.code == "language_unsupported"


def test_an_english_model_speaks_english_and_refuses_the_rest(folder: Path, five_seconds: Samples) -> None:
    engine = OpenAIWhisper("english", Setup(folders=(folder,)))
    [result] = engine.transcribe([five_seconds], Options())
    assert ([segment.text for segment in result.segments], result.language) == (["Good morning."], "en")
    with pytest.raises(JobError) as refused:
        engine.transcribe([five_seconds], Options(language="sv"))
    assert refused.value.code == "language_unsupported"


def test_a_stop_is_seen_while_a_window_is_decoded(
    engine: OpenAIWhisper, five_seconds: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whisper_jobs.speech.engines.openai_whisper.SECONDS_BETWEEN_QUESTIONS", 0.0)
    answers = iter([False, False, True])
    with pytest.raises(JobError) as stopped:
        engine.transcribe([five_seconds], Options(language="sv", should_stop=lambda: next(answers)))
    assert stopped.value.code == "cancelled"
    assert engine.transcribe([five_seconds], Options(language="sv"))[0].segments, "the engine works on after a stop"


def test_terms_prompt_temperatures_and_task_reach_the_library(
    engine: OpenAIWhisper, five_seconds: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {}
    real = engine._model.transcribe
    monkeypatch.setattr(
        engine._model, "transcribe", lambda samples, **kwargs: told.update(kwargs) or real(samples, fp16=False)
    )
    asked = Options("sv", "translate", "Ett möte.", hotwords=("Åsa", "Örebro"), temperatures=(0.4,))
    engine.transcribe([five_seconds], asked)
    assert told["initial_prompt"] == "Åsa, Örebro. Ett möte."
    assert (told["temperature"], told["task"], told["language"]) == ((0.4,), "translate", "sv")


@pytest.mark.parametrize(
    "asked", [{"initial_prompt": "<|endoftext|><|0.00|>"}, {"hotwords": ("<|startoftranscript|>",)}]
)
def test_signs_of_the_model_are_plain_words_in_a_prompt(
    engine: OpenAIWhisper, five_seconds: Samples, asked: dict[str, Any]
) -> None:
    [result] = engine.transcribe([five_seconds], Options(language="sv", **asked))
    assert result.segments


def test_a_segment_tells_how_it_was_decoded(engine: OpenAIWhisper, five_seconds: Samples) -> None:
    decoding = engine.transcribe([five_seconds], Options(language="sv"))[0].segments[0].decoding
    assert decoding is not None
    assert decoding.temperature == 0.0
    assert decoding.avg_logprob == pytest.approx(0.0, abs=0.01)
    assert decoding.compression_ratio == pytest.approx(0.81, abs=0.1)


def test_a_gpu_that_is_not_there_is_said_to_be_missing(folder: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(JobError, match="TOOLS_DEVICE") as refused:
        OpenAIWhisper("swedish", Setup(folders=(folder,), device="cuda"))
    assert refused.value.code == "model_unavailable"


@pytest.mark.parametrize("content", [b"PK\x03\x04 not really", b"", b".", b"junkjunk", pickle.dumps({"dims": 1})])
def test_a_file_that_is_no_checkpoint_is_an_unavailable_model_in_a_sentence_of_ours(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "broken.pt").write_bytes(content)
    with pytest.raises(JobError) as refused:
        OpenAIWhisper("broken", Setup(folders=(tmp_path,)))
    assert refused.value.code == "model_unavailable"
    assert refused.value.message == "The file of the model “broken” is damaged or no Whisper checkpoint."


@pytest.mark.parametrize("content", [{"x": 1}, {"dims": {}, "model_state_dict": {}}, [1]])
def test_a_checkpoint_of_something_else_is_an_unavailable_model(tmp_path: Path, content: object) -> None:
    import torch

    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(JobError, match="no Whisper checkpoint") as refused:
        OpenAIWhisper("other", Setup(folders=(tmp_path,)))
    assert refused.value.code == "model_unavailable"


def test_a_model_that_does_not_fit_into_memory_says_so(tmp_path: Path) -> None:
    import torch
    from whisper.model import ModelDimensions

    dims = asdict(ModelDimensions(80, 1500, 64, 2, 1, 10**14, 448, 64, 2, 1))
    torch.save({"dims": dims, "model_state_dict": {}}, tmp_path / "huge.pt")
    with pytest.raises(JobError) as refused:
        OpenAIWhisper("huge", Setup(folders=(tmp_path,)))
    assert refused.value.code == "out_of_memory"


@pytest.fixture
def fresh(folder: Path) -> OpenAIWhisper:
    return OpenAIWhisper("swedish", Setup(folders=(folder,), device="cpu"))


def as_if_on_a_gpu(engine: OpenAIWhisper, error: Exception) -> None:
    """It holds half-precision numbers, and its encoder fails with the error until it works on the CPU."""

    def fail(*_: object) -> None:
        if engine._device == "cuda":
            raise error

    engine._device = "cuda"
    engine._model.half().encoder.register_forward_pre_hook(fail)


def allocate_too_much() -> None:
    import torch

    torch.empty(1 << 60, dtype=torch.uint8)


def test_a_stop_is_seen_before_the_encoder_is_through(
    fresh: OpenAIWhisper, five_seconds: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whisper_jobs.speech.engines.openai_whisper.SECONDS_BETWEEN_QUESTIONS", 0.0)
    encoded: list[object] = []
    fresh._model.encoder.ln_post.register_forward_pre_hook(lambda *heard: encoded.append(heard))
    with pytest.raises(JobError) as stopped:
        fresh.transcribe([five_seconds], Options(language="sv", should_stop=lambda: True))
    assert stopped.value.code == "cancelled"
    assert encoded == []


@pytest.mark.filterwarnings("ignore:FP16 is not supported on CPU")
def test_when_the_gpus_memory_is_too_small_the_cpu_goes_on(fresh: OpenAIWhisper, five_seconds: Samples) -> None:
    import torch

    as_if_on_a_gpu(fresh, torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."))
    told: list[str] = []
    results = fresh.transcribe([five_seconds] * 2, Options(language="sv", tell=told.append))
    assert told == ["The GPU's memory ran out; the model goes on without the GPU, which is slower."]
    assert [[segment.text for segment in each.segments] for each in results] == [
        ["God morgon, allihop.", "Nu börjar vi."]
    ] * 2
    assert {each.dtype for each in fresh._model.parameters()} == {torch.float32}


@pytest.mark.filterwarnings("ignore:FP16 is not supported on CPU")
def test_a_gpu_that_fails_at_the_first_window_is_left_and_said_why(fresh: OpenAIWhisper, five_seconds: Samples) -> None:
    as_if_on_a_gpu(fresh, RuntimeError("CUDA error: no kernel image is available for execution on the device\nMore."))
    told: list[str] = []
    [result] = fresh.transcribe([five_seconds], Options(language="sv", tell=told.append))
    assert told == [
        "The GPU can't be used, so the model works without it, which is slower: "
        "CUDA error: no kernel image is available for execution on the device."
    ]
    assert result.segments


@pytest.mark.filterwarnings("ignore:FP16 is not supported on CPU")
def test_a_gpu_that_was_asked_for_and_fails_is_an_unavailable_model(
    fresh: OpenAIWhisper, five_seconds: Samples
) -> None:
    as_if_on_a_gpu(fresh, RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"))
    fresh._setup = Setup(folders=fresh._setup.folders, device="cuda")
    with pytest.raises(JobError, match="CUDNN_STATUS_NOT_INITIALIZED") as failed:
        fresh.transcribe([five_seconds], Options(language="sv"))
    assert failed.value.code == "model_unavailable"


def test_a_gpu_to_which_no_model_can_be_loaded_is_left_and_said_why(
    folder: Path, five_seconds: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with monkeypatch.context() as lying:
        lying.setattr(torch.cuda, "is_available", lambda: True)
        engine = OpenAIWhisper("swedish", Setup(folders=(folder,)))
        with pytest.raises(JobError, match=r"TOOLS_DEVICE=cuda.*can't be used") as refused:
            OpenAIWhisper("swedish", Setup(folders=(folder,), device="cuda"))
    assert refused.value.code == "model_unavailable"
    told: list[str] = []
    assert engine.transcribe([five_seconds], Options(language="sv", tell=told.append))[0].segments
    assert [sentence.partition(":")[0] for sentence in told] == [
        "The GPU can't be used, so the model works without it, which is slower"
    ]


def test_a_driver_that_is_too_old_is_told(folder: Path, five_seconds: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    old = "CUDA initialization: The NVIDIA driver on your system is too old (found version 10020)."
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(warnings.warn(old, stacklevel=1)))
    with pytest.raises(JobError, match="too old") as refused:
        OpenAIWhisper("swedish", Setup(folders=(folder,), device="cuda"))
    assert refused.value.code == "model_unavailable"
    engine = OpenAIWhisper("swedish", Setup(folders=(folder,)))
    monkeypatch.undo()
    told: list[str] = []
    engine.transcribe([five_seconds], Options(language="sv", tell=told.append))
    assert [old in sentence for sentence in told] == [True]


def test_when_memory_runs_out_it_goes_on_with_shorter_parts_and_says_so(
    fresh: OpenAIWhisper, dialogue: Pcm, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fresh._model.transcribe

    def short_of_memory(samples: Samples, **asked: Any) -> Any:
        if len(samples) > 15 * 16_000:
            allocate_too_much()
        return real(samples, **asked)

    monkeypatch.setattr(fresh._model, "transcribe", short_of_memory)
    told: list[str] = []
    windows = [as_floats(dialogue[: 16_000 * 24])] * 2
    results = fresh.transcribe(windows, Options(language="sv", tell=told.append))
    assert told == ["Memory ran out; the model goes on with shorter parts."]
    for result in results:
        starts = [segment.start for segment in result.segments]
        assert [segment.text for segment in result.segments].count("God morgon, allihop.") == 2
        assert starts == sorted(starts) and starts[-1] > 9


def test_what_never_fits_into_memory_fails_as_such_and_holds_none(fresh: OpenAIWhisper, five_seconds: Samples) -> None:
    attention = fresh._model.decoder.blocks[0].cross_attn
    looked = []

    def full(*_: object) -> None:
        if attention._forward_hooks:
            looked.append("for the times of words")
            allocate_too_much()

    hook = fresh._model.decoder.ln.register_forward_pre_hook(full)
    with pytest.raises(JobError) as failed:
        fresh.transcribe([five_seconds], Options(language="sv"))
    assert failed.value.code == "out_of_memory"
    assert len(looked) == 2
    assert not attention._forward_hooks, "the library's hooks hold what they saw"
    hook.remove()
    assert fresh.transcribe([five_seconds], Options(language="sv"))[0].segments, "the engine works on"


def test_a_failure_of_the_library_is_no_lack_of_memory(fresh: OpenAIWhisper, five_seconds: Samples) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("something else")

    fresh._model.encoder.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="something else"):
        fresh.transcribe([five_seconds], Options(language="sv"))
