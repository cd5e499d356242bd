"""The bare engine, warm: each line on standard input has it read a clip once, and it prints the seconds that this took.

Run as `python -m benchmarks.bare_calls FILE ENGINE MODEL MODELS`, with the folder of the models. Says “ready” first.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.sound import samples_of
from whisper_jobs.speech.engines import registry
from whisper_jobs.speech.engines.base import Options, Setup
from whisper_jobs.speech.windows import as_floats


def main() -> None:
    file, name, model, models = sys.argv[1:]
    samples = as_floats(samples_of(Path(file)))
    engine = registry.engine_class(name)(model, Setup(folders=(Path(models),), threads=1, device="cpu"))
    engine.transcribe([samples], Options(language="en"))
    print("ready", flush=True)
    for _line in sys.stdin:
        began = time.perf_counter()
        engine.transcribe([samples], Options(language="en"))
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main()
