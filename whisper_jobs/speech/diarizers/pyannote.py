"""Who speaks when by a pipeline of pyannote.audio (community-1 or one like it) from a folder of this machine.

The pipeline needs the whole sound at once. So that memory doesn't grow with the recording it is given half an hour at a time,
and the speakers of the parts are joined by their voices. A job never reaches the model hub; `download` does, when somebody asks
for it.
"""

from __future__ import annotations

import os
import re
import shutil
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from whisper_jobs.errors import JobError
from whisper_jobs.speech.diarizers import grouping, pure_torchaudio
from whisper_jobs.speech.diarizers.base import SAMPLE_RATE, Diarization, Floats, Hints, Pcm, Unavailable
from whisper_jobs.speech.diarizers.grouping import Voice
from whisper_jobs.speech.diarizers.naming import named
from whisper_jobs.speech.engines import hub
from whisper_jobs.speech.engines.downloads import Fetch, Progress, Response, part_of, unseen
from whisper_jobs.speech.windows import as_floats

REPOSITORY = "pyannote/speaker-diarization-community-1"
FOLDER = "pyannote-community-1"
MISSING = f"pyannote's model is not on this machine. Fetch it with: manage.py models download {REPOSITORY}"
_WANTED = re.compile(r"config\.yaml|(segmentation|embedding|plda)/[A-Za-z0-9][A-Za-z0-9._-]*")
PART_SAMPLES = 1800 * SAMPLE_RATE
#: Voices of whole parts are means over much speech: those of one person are near to each other.
_JOINING = grouping.Rules(farthest=0.5, shortest_seconds=5.0, least_seconds=0.0, least_share=0.0)


@dataclass(frozen=True, slots=True)
class _Heard:
    """A turn in one part; `number` is the speaker's there, times are seconds of the recording."""

    start: float
    end: float
    part: int
    number: int


class PyannoteDiarizer:
    name = "pyannote"
    encoder = ""

    def __init__(self, folder: Path | None, *, threads: int) -> None:
        """`folder` has the pipeline's config.yaml. Raises Unavailable."""
        if folder is None:
            raise Unavailable(MISSING)
        self._pipeline = _load(folder, threads)

    def diarize(self, sound: Iterable[Pcm], hints: Hints) -> Diarization:
        turns: list[_Heard] = []
        voices: list[Voice] = []
        end = max((end for _, end in hints.speech), default=0.0)
        for part, samples in enumerate(_parts(sound)):
            found = self._listen(samples, hints, done=part * PART_SAMPLES / SAMPLE_RATE, end=end)
            heard = list(_turns(found, part))
            turns += heard
            voices += _voices(found, heard, part)
        groups = grouping.group(voices, fewest=hints.min_speakers or 1, most=hints.max_speakers, rules=_JOINING)
        known = [
            (turn.start, turn.end, groups.of[turn.part, turn.number])
            for turn in turns
            if (turn.part, turn.number) in groups.of
        ]
        return named(known, groups.centroids)

    def _listen(self, samples: Floats, hints: Hints, *, done: float, end: float) -> Any:
        import torch

        length = len(samples) / SAMPLE_RATE

        def hook(step: str, _artifact: object, *, total: int = 1, completed: int = 1, **_more: object) -> None:
            if hints.should_stop():
                raise JobError("cancelled")
            # The embeddings take nine tenths of the time; the other steps take none.
            share = {"segmentation": (0.0, 0.1), "embeddings": (0.1, 0.9)}.get(step)
            if share is not None and end:
                inner = share[0] + share[1] * completed / max(1, total)
                hints.progress(min(1.0, (done + inner * length) / end))

        # Later parts may have fewer speakers than the recording.
        fewest = None if done else hints.min_speakers
        file = {"waveform": torch.from_numpy(samples)[None], "sample_rate": SAMPLE_RATE, "uri": "recording"}
        with warnings.catch_warnings():
            # It warns of speakers that were asked for and not found, which the result shows.
            warnings.simplefilter("ignore")
            return self._pipeline(file, hook=hook, min_speakers=fewest, max_speakers=hints.max_speakers)


def find(folders: Iterable[Path]) -> Path | None:
    """The folder of a diarization pipeline, below one of these or in the hub's cache among them."""
    for folder in folders:
        inner = [folder / FOLDER, *sorted(folder.glob("*/")), *sorted(folder.glob("models--pyannote--*/snapshots/*/"))]
        for candidate in inner:
            if candidate.suffix != ".part" and _is_pipeline(candidate):
                return candidate
    return None


def download(folder: Path, *, token: str, fetch: Fetch, progress: Progress = unseen) -> Path:
    """Fetches community-1 from the model hub into `folder`, unless it is there; goes on where it stopped.

    `fetch` sends the token, which is looked at here only to say that there is none. Raises JobError.
    """
    target = folder / FOLDER
    if _is_pipeline(target) and all(file.is_whole(target) for file in hub.origin(target)):
        return target
    if not token:
        raise _unavailable("is gated: set HF_TOKEN to a token of an account that has accepted its conditions")
    fetch, part = _through_the_gate(fetch), part_of(target)
    listing = hub.listed(REPOSITORY, fetch, is_wanted=lambda name: _WANTED.fullmatch(name) is not None)
    part.mkdir(parents=True, exist_ok=True)
    hub.fetch_all(listing, part, name=REPOSITORY, fetch=fetch, progress=progress)
    if not _is_pipeline(part):
        raise _unavailable("has another form than this program knows")
    shutil.rmtree(target, ignore_errors=True)
    return part.rename(target)


def remove(folder: Path) -> bool:
    """Deletes what `download` put there, and what there is of an unfinished one. False if there was nothing."""
    found = [path for path in (folder / FOLDER, part_of(folder / FOLDER)) if path.is_dir()]
    for path in found:
        shutil.rmtree(path)
    return bool(found)


def _through_the_gate(fetch: Fetch) -> Fetch:
    """The hub lists a gated model's files to everybody, but hands them out only to those who have accepted its conditions."""

    @contextmanager
    def fetch_or_tell(url: str, offset: int) -> Iterator[Response]:
        with fetch(url, offset) as response:
            if response[0] == 403:
                raise _unavailable(
                    f"is gated: accept its conditions at https://hf.co/{REPOSITORY} with the token's account"
                )
            if response[0] in (401, 404):
                raise _unavailable("was refused by the model hub: check HF_TOKEN")
            yield response

    return fetch_or_tell


def _unavailable(why: str) -> JobError:
    sentence = f"The model {REPOSITORY} {why}."
    return JobError("model_unavailable", sentence)


def _load(folder: Path, threads: int) -> Any:
    config = _config(folder)
    if not _is_local(config):
        raise Unavailable(f"The pipeline in {folder} names models on the model hub. Put them into its folder.")
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    try:
        with warnings.catch_warnings():
            # torchcodec without FFmpeg is one of them; sound is handed over as samples.
            warnings.simplefilter("ignore")
            pure_torchaudio.ensure()
            import torch
            from pyannote.audio import Pipeline

            torch.set_num_threads(threads)
            pipeline: Any = Pipeline.from_pretrained(folder)
    except Exception as error:
        # Whatever a damaged folder raises: there is another way to tell speakers apart.
        raise Unavailable(f"pyannote's model in {folder} can't be loaded: {type(error).__name__}.") from error
    if torch.cuda.is_available():
        pipeline.to(torch.device("cuda"))
    return pipeline


def _is_pipeline(folder: Path) -> bool:
    pipeline = _config(folder).get("pipeline")
    return isinstance(pipeline, dict) and str(pipeline.get("name", "")).endswith("SpeakerDiarization")


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load((folder / "config.yaml").read_text())
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return config if isinstance(config, dict) else {}


def _is_local(config: dict[str, Any]) -> bool:
    params = (config.get("pipeline") or {}).get("params") or {}
    models = [str(params.get(key, "")) for key in ("segmentation", "embedding", "plda")]
    return all(model.startswith("$model/") or Path(model).exists() for model in models)


def _parts(sound: Iterable[Pcm]) -> Iterator[Floats]:
    """Half an hour each, one of them in memory at a time."""
    waiting: list[Pcm] = []
    length = 0
    for samples in sound:
        waiting.append(samples)
        length += len(samples)
        if length >= PART_SAMPLES:
            whole = np.concatenate(waiting)
            yield as_floats(whole[:PART_SAMPLES])
            waiting, length = [whole[PART_SAMPLES:]], length - PART_SAMPLES
    if length:
        yield as_floats(np.concatenate(waiting))


def _turns(found: Any, part: int) -> Iterator[_Heard]:
    labels = found.speaker_diarization.labels()
    offset = part * PART_SAMPLES / SAMPLE_RATE
    for span, _, label in found.speaker_diarization.itertracks(yield_label=True):
        yield _Heard(offset + span.start, offset + span.end, part, labels.index(label))


def _voices(found: Any, turns: list[_Heard], part: int) -> Iterator[Voice]:
    for number, embedding in enumerate(found.speaker_embeddings):
        seconds = sum(turn.end - turn.start for turn in turns if turn.number == number)
        length = float(np.linalg.norm(embedding))
        if seconds and length > 0 and np.isfinite(length):
            yield Voice(part, number, seconds, (embedding / length).astype(np.float32), number)
