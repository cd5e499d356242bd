"""The Whisper engine through the real library, with small checkpoints in the real format."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from tests.speech.conftest import Pcm, write_whisper
from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines.base import Options, Samples
from whisper_jobs.speech.engines.openai_whisper import OpenAIWhisper
from whisper_jobs.speech.windows import as_floats

# The library itself leaves its vocabulary's file open.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file .*tiktoken:ResourceWarning")

SAID = (0.0, " God morgon,", " allihop.", 2.0, 2.4, " Nu börjar vi.", 4.6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_whisper(folder / "swedish.pt", SAID)
    write_whisper(folder / "english.pt", (0.0, " Good morning.", 1.0), english_only=True)
    return folder


@pytest.fixture(scope="module")
def engine(folder: Path) -> OpenAIWhisper:
    return OpenAIWhisper("swedish", folders=(folder,), threads=1)


@pytest.fixture(scope="module")
def five_seconds(dialogue: Pcm) -> Samples:
    return as_floats(dialogue[:80_000])


def test_a_checkpoint_says_its_sentences_with_their_times(engine: OpenAIWhisper, five_seconds: Samples) -> None:
    result = engine.transcribe(five_seconds, Options(language="sv"))
    assert [segment.text for segment in result.segments] == ["God morgon, allihop.", "Nu börjar vi."]
    assert result.language == "sv"
    assert result.language_probability is None
    assert all(0.9 < (segment.probability or 0) <= 1 for segment in result.segments)


def test_words_lie_in_order_inside_their_segments(engine: OpenAIWhisper, five_seconds: Samples) -> None:
    segments = engine.transcribe(five_seconds, Options(language="sv")).segments
    assert [word.text for word in segments[0].words] == ["God", "morgon,", "allihop."]
    for segment in segments:
        times = [time for word in segment.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert segment.start <= times[0]
        assert times[-1] <= segment.end <= 5.0


def test_an_unsaid_language_is_found_out_with_its_probability(engine: OpenAIWhisper, five_seconds: Samples) -> None:
    result = engine.transcribe(five_seconds, Options())
    assert result.language == "sv"
    assert result.language_probability == pytest.approx(1.0, abs=0.01)


def test_nothing_is_said_after_the_end_of_the_sound(engine: OpenAIWhisper, five_seconds: Samples) -> None:
    segments = engine.transcribe(five_seconds[: 16_000 * 2], Options(language="sv")).segments
    assert segments[0].text == "God morgon, allihop."
    assert max(segment.end for segment in segments) <= 2.0


def test_no_samples_give_no_segments(engine: OpenAIWhisper) -> None:
    assert engine.transcribe(np.zeros(0, np.float32), Options(language="sv")).segments == ()


def test_a_language_that_the_model_lacks_is_refused(engine: OpenAIWhisper, five_seconds: Samples) -> None:
    with pytest.raises(JobError, match="Cantonese") as refused:
        engine.transcribe(five_seconds, Options(language="yue"))
    assert refused.value.code == "language_unsupported"


def test_an_english_model_speaks_english_and_refuses_the_rest(folder: Path, five_seconds: Samples) -> None:
    engine = OpenAIWhisper("english", folders=(folder,), threads=1)
    result = engine.transcribe(five_seconds, Options())
    assert ([segment.text for segment in result.segments], result.language) == (["Good morning."], "en")
    with pytest.raises(JobError) as refused:
        engine.transcribe(five_seconds, Options(language="sv"))
    assert refused.value.code == "language_unsupported"


def test_a_stop_is_seen_while_a_window_is_decoded(
    engine: OpenAIWhisper, five_seconds: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whisper_jobs.speech.engines.openai_whisper.SECONDS_BETWEEN_QUESTIONS", 0.0)
    answers = iter([False, False, True])
    with pytest.raises(JobError) as stopped:
        engine.transcribe(five_seconds, Options(language="sv", should_stop=lambda: next(answers)))
    assert stopped.value.code == "cancelled"
    assert engine.transcribe(five_seconds, Options(language="sv")).segments, "the engine works on after a stop"


def test_a_file_that_is_no_checkpoint_is_an_unavailable_model(tmp_path: Path) -> None:
    (tmp_path / "broken.pt").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(JobError, match="can't be loaded") as refused:
        OpenAIWhisper("broken", folders=(tmp_path,))
    assert refused.value.code == "model_unavailable"


def test_a_model_that_does_not_fit_into_memory_says_so(tmp_path: Path) -> None:
    import torch
    from whisper.model import ModelDimensions

    dims = asdict(ModelDimensions(80, 1500, 64, 2, 1, 10**14, 448, 64, 2, 1))
    torch.save({"dims": dims, "model_state_dict": {}}, tmp_path / "huge.pt")
    with pytest.raises(JobError) as refused:
        OpenAIWhisper("huge", folders=(tmp_path,))
    assert refused.value.code == "out_of_memory"
