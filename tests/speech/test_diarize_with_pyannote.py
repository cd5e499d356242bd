"""pyannote.audio as it is, with a pipeline from a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.speech.pyannote_folder import PARAMS, write_config, write_pyannote
from whisper_jobs.errors import JobError
from whisper_jobs.speech.diarizers import pyannote
from whisper_jobs.speech.diarizers.base import Hints, Unavailable
from whisper_jobs.speech.diarizers.choose import standings, using
from whisper_jobs.speech.diarizers.pyannote import FOLDER, PyannoteDiarizer, find

Pcm = npt.NDArray[np.int16]
RATE = 16_000


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder that has the pipeline."""
    folder = tmp_path_factory.mktemp("models")
    write_pyannote(folder / FOLDER)
    return folder


@pytest.mark.serve
def test_it_is_chosen_where_its_model_is_and_tells_who_speaks(models: Path, dialogue: Pcm) -> None:
    assert standings((models,))[0].usable
    shares: list[float] = []
    sound = dialogue[: 11 * RATE]
    with using((models,), threads=1) as choice:
        assert (choice.diarizer.name, choice.reason) == ("pyannote", "Speakers are told apart by pyannote.")
        found = choice.diarizer.diarize(np.array_split(sound, 9), Hints([(0.0, 11.0)], progress=shares.append))
    assert found.turns
    assert [turn.start for turn in found.turns] == sorted(turn.start for turn in found.turns)
    assert all(0.0 <= turn.start < turn.end <= 11.1 for turn in found.turns)
    assert list(found.voices) == [f"SPEAKER_{place:02}" for place in range(len(found.voices))]
    assert {turn.speaker for turn in found.turns} == set(found.voices)
    assert shares[-1] == pytest.approx(1.0)


@pytest.mark.serve
def test_a_long_recording_is_heard_in_parts_and_its_speakers_joined(
    models: Path, dialogue: Pcm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyannote, "PART_SAMPLES", 10 * RATE)
    sound = np.tile(dialogue[: 10 * RATE], 2)
    with using((models,), threads=1) as choice:
        found = choice.diarizer.diarize([sound], Hints([(0.0, 20.0)]))
    first = [turn for turn in found.turns if turn.end <= 10.1]
    second = [turn for turn in found.turns if turn.start >= 9.9]
    assert first
    # The same sound twice: the same turns ten seconds later, by the same speakers.
    assert [turn.start + 10.0 for turn in first] == pytest.approx([turn.start for turn in second])
    assert [turn.speaker for turn in first] == [turn.speaker for turn in second]


@pytest.mark.serve
def test_it_stops_when_it_is_asked_to(models: Path, dialogue: Pcm) -> None:
    with using((models,), threads=1) as choice, pytest.raises(JobError, match="cancelled"):
        choice.diarizer.diarize([dialogue], Hints([(0.0, 43.0)], should_stop=lambda: True))


@pytest.mark.serve
def test_a_damaged_model_leaves_the_work_to_the_other_diarizer(tmp_path: Path) -> None:
    write_config(tmp_path / FOLDER, PARAMS)
    with pytest.raises(Unavailable, match="can't be loaded"):
        PyannoteDiarizer(tmp_path / FOLDER, threads=1)
    with using((tmp_path,), threads=1) as choice:
        assert choice.diarizer.name == "clustering"
        assert "can't be loaded" in choice.reason


def test_a_pipeline_that_would_reach_for_the_hub_is_refused(tmp_path: Path) -> None:
    write_config(tmp_path / "mine", {**PARAMS, "embedding": "pyannote/wespeaker-voxceleb-resnet34-LM"})
    assert find((tmp_path,)) == tmp_path / "mine"
    with pytest.raises(Unavailable, match="model hub"):
        PyannoteDiarizer(tmp_path / "mine", threads=1)


def test_it_is_found_in_the_hub_s_cache_too(tmp_path: Path) -> None:
    assert find((tmp_path / "nowhere", tmp_path)) is None
    snapshot = tmp_path / "models--pyannote--speaker-diarization-community-1" / "snapshots" / "1a2b"
    write_config(snapshot, PARAMS)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.yaml").write_text("pipeline: of something else")
    assert find((tmp_path / "nowhere", tmp_path)) == snapshot
