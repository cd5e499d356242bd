"""People who are known by a short sample of their voice: who of them the speakers are that were told apart in a recording.

Called by the diarize step. Whatever is wrong with a sample costs that name alone, and is told in the job's log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import BinaryIO, cast
from uuid import uuid4

import numpy as np
from django.core.files.storage import default_storage

from whisper_jobs import lifecycle
from whisper_jobs.errors import JobError
from whisper_jobs.media import decoding
from whisper_jobs.pipeline.heart import Watch
from whisper_jobs.runs import Run
from whisper_jobs.speech import recognition
from whisper_jobs.speech.diarizers.base import Floats, Pcm
from whisper_jobs.speech.enrolling import speech_in
from whisper_jobs.speech.overheard import HeardVoice
from whisper_jobs.speech.recognition import Book
from whisper_jobs.speech.windows import as_floats

log = logging.getLogger(__name__)
#: Lower than for enrolled people: samples are short, and those whom they are of are said to speak in the recording. Even of
#: 3 s over a telephone no two people were as near (docs/benchmarks.md, “Recognition”).
THRESHOLD = 0.5
#: What follows in a sample is not heard.
MOST_SECONDS = 30.0
LIMITS = decoding.DecodeLimits(cpu_seconds=60)


def names(run: Run, watch: Watch, heard: Mapping[str, HeardVoice]) -> dict[str, str]:
    """Label → name, of those whose voice fits a sample; each name at most once. Raises JobError when the step is to stop."""
    if not run.job.known_speakers or not heard:
        return {}
    called = {uuid4(): told for told in _voices(run, watch)}
    book = Book(((number, voice) for number, (_name, voice) in called.items()), threshold=THRESHOLD)
    matches = book.assign({label: one.vector for label, one in heard.items()})
    found = {label: called[match.speaker_id][0] for label, match in matches.items()}
    lifecycle.note(
        run, f"Named by samples of their voices: {len(found)} of {len(run.job.known_speakers)} known speakers."
    )
    return found


def _voices(run: Run, watch: Watch) -> Iterator[tuple[str, Floats]]:
    """Name and voice of each sample that one can be heard in."""
    for known in run.job.known_speakers:
        watch.check()
        try:
            sound = _decoded(known["media"], watch)
            yield known["name"], recognition.enrol(as_floats(sound), speech_in(sound))
        except recognition.TooShort:
            _warn(run, f"There is too little speech in the sample of “{known['name']}”.")
        except (JobError, OSError):
            watch.check()
            _warn(run, f"The sample of “{known['name']}” can't be read.")
        except Exception:
            log.exception("a sample of a known speaker of job %s could not be heard", run.job_id)
            _warn(run, f"The sample of “{known['name']}” can't be heard.")


def _warn(run: Run, sentence: str) -> None:
    lifecycle.note(run, sentence, "warning")


def _decoded(media: str, watch: Watch) -> Pcm:
    parts: list[Pcm] = [np.zeros(0, np.int16)]
    with (
        default_storage.open(media) as file,
        decoding.decode(cast(BinaryIO, file), limits=LIMITS, should_stop=watch.stopping) as sound,
    ):
        for samples in sound:
            parts.append(samples)
            if sum(map(len, parts)) >= MOST_SECONDS * decoding.SAMPLE_RATE:
                break
    return np.concatenate(parts)
