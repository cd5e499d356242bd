"""The child process that hears the reference and the consent of a speaker who is enrolled: its libraries are large, and go with it.

Options: `fd` of a file with both as samples (int16, 16 kHz), how many samples each has, `threads`. Answers one JSON object.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from whisper_jobs.media import limits
from whisper_jobs.speech import enrolling
from whisper_jobs.speech.diarizers.base import Pcm, Unavailable
from whisper_jobs.speech.windows import as_floats


def main() -> None:
    options, out = limits.begin()
    with os.fdopen(options["fd"], "rb") as file:
        reference, consent = (_read(file.read(2 * options[name])) for name in ("reference", "consent"))
    out.write(json.dumps(_hear(reference, consent, threads=options["threads"])).encode())
    out.close()


def _read(data: bytes) -> Pcm:
    return np.frombuffer(data, "<i2").astype(np.int16)


def _hear(reference: Pcm, consent: Pcm, *, threads: int) -> dict[str, Any]:
    agreed = sum(end - start for start, end in enrolling.speech_in(consent))
    # What is wrong without looking for voices need not wait for the libraries that know them.
    found = enrolling.examine(reference)
    vector, missing = None, ""
    if found.ok and (agreed >= enrolling.LEAST_CONSENT_SECONDS or not len(consent)):
        try:
            found, vector = _know(reference, threads)
        except Unavailable as error:
            missing = str(error)
    return {"preflight": found.told(), "consent_seconds": agreed, "vector": vector, "missing": missing}


def _know(reference: Pcm, threads: int) -> tuple[enrolling.Preflight, list[float] | None]:
    # Late: torch takes seconds.
    from whisper_jobs.speech.diarizers.clustering import ClusteringDiarizer
    from whisper_jobs.speech.recognition import enrol

    found = enrolling.examine(reference, ClusteringDiarizer(None, threads=threads))
    if not found.ok:
        return found, None
    return found, enrol(as_floats(reference), enrolling.speech_in(reference)).tolist()


if __name__ == "__main__":
    main()
