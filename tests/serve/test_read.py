"""A whole server with a Whisper model that reads: the words of a recording, and when each was said, through every step of a job."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serve.ports import free_port
from tests.serve.prepared import prepare
from tests.serve.servers import ROOT, environment
from tests.speech import tiny_whisper
from tests.speech.checkpoints import convert
from tests.speech.conftest import SAMPLE
from tests.speech.spoken_lines import spoken_lines

# The library that the model is written with leaves its vocabulary's file open.
pytestmark = [pytest.mark.serve, pytest.mark.filterwarnings("ignore:unclosed file .*tiktoken:ResourceWarning")]
#: Before and behind each line of the sample (script/make_sample).
BEFORE, BEHIND = 0.3, 0.4


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two forms of the model."""
    data = prepare(tmp_path_factory.mktemp("read") / "data")
    checkpoint = tiny_whisper.write(data / "models" / "reader-pt.pt")
    convert(checkpoint, data / "models" / "reader")
    return data


@pytest.mark.parametrize("model", ["reader", "reader-pt"])
def test_a_job_gives_the_words_of_the_recording_and_their_times(data: Path, model: str) -> None:
    command = [sys.executable, "manage.py", "transcribe", str(SAMPLE), "--model", model, "--language", "en"]
    done = subprocess.run(
        [*command, "--format", "verbose_json"],
        cwd=ROOT,
        env=environment(data, free_port()),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    words = json.loads(done.stdout)["words"]
    said, offset = [], 0.0
    for line in spoken_lines():
        said += [(offset + BEFORE + start, offset + BEFORE + end, text) for start, end, text in line.words]
        offset += BEFORE + line.seconds + BEHIND
    assert [word["word"] for word in words] == [text for *_, text in said]
    # Before the first word of a window a model hears no silence, and behind the last of a line none either.
    assert [word["start"] for word in words] == pytest.approx([start for start, *_ in said], abs=0.5)
