"""Engines against each other, against the bare libraries, and by the number of windows that they get at once.

Both engines have the same checkpoint, cores and windows. Its numbers are random (speech_weights.py): every window decodes the
same text, so that the work is the same, and that both read it is checked. Ways take turns within a round; a figure is the median
of the rounds' ratios. On a GPU, where there is one: real-time factor and memory of every size.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figure import Line, Options, at_least, at_most, exactly, told
from benchmarks.sound import speech
from benchmarks.speech_weights import SIZES, STEPS, write
from tests.speech.checkpoints import convert
from whisper_jobs.speech.engines import base, faster_reading
from whisper_jobs.speech.engines.base import SAMPLE_RATE, Engine, Samples, Setup
from whisper_jobs.speech.engines.faster_whisper import FasterWhisper
from whisper_jobs.speech.engines.openai_whisper import TEMPERATURES, OpenAIWhisper
from whisper_jobs.speech.windows import as_floats

TITLE = "Speech engines"
THREADS = 2
WINDOW_SECONDS = 28
ROUNDS = {"base": 8, "small": 4}
BATCHES = (1, 2, 4, 8, 16)
BATCH_ROUNDS = 2
#: So many windows are enough to know openai-whisper, which reads one after the other.
SOME = 4
_RANDOM = "random-"
ENGLISH = base.Options(language="en")

#: Reads a window and returns its words.
Way = Callable[[Samples], list[str]]
Seconds = dict[str, list[float]]


def measure(options: Options) -> list[Line]:
    sizes = {"tiny": 2} if options.quick else ROUNDS
    windows = _windows(options, 2 if options.quick else max(BATCHES))
    lines: list[Line] = []
    for name, rounds in sizes.items():
        _make(name, options.folder)
        lines += _engines(name, options.folder, windows, rounds)
    lines += _batches(next(iter(sizes)), options.folder, windows, 1 if options.quick else BATCH_ROUNDS)
    return [*lines, *_on_gpu(options.folder, windows, quick=options.quick)]


def _make(name: str, folder: Path) -> None:
    """Under a name that is none of a published model, whose checksums the engines would look for."""
    convert(write(SIZES[name], folder / f"{_RANDOM}{name}.pt"), folder / f"{_RANDOM}{name}")


def _windows(options: Options, count: int) -> list[Samples]:
    sound = as_floats(speech(options.audio, count * WINDOW_SECONDS))
    return list(sound.reshape(count, WINDOW_SECONDS * SAMPLE_RATE))


def _engines(name: str, folder: Path, windows: Sequence[Samples], rounds: int) -> list[Line]:
    ways = dict(_ways(name, folder))
    texts = {tuple(way(windows[0])) for way in ways.values()}
    taken = _by_turns({key: _each(way, windows) for key, way in ways.items()}, rounds)
    faster, slower = taken["faster"], taken["openai"]
    return [
        exactly(f"{name}: different texts of all ways", 1, len(texts), spread=f"{STEPS} steps a window"),
        at_least(f"{name}: openai-whisper ÷ faster-whisper, both greedy", 2.0, _ratios(slower, taken["greedy"])),
        told(f"{name}: the same, faster-whisper with {faster_reading.BEAM_SIZE} beams", _middle(slower, faster)),
        at_most(f"{name}: faster-whisper engine ÷ library", 1.03, _ratios(faster, taken["bare faster"])),
        at_most(f"{name}: openai-whisper engine ÷ library", 1.03, _ratios(slower, taken["bare openai"])),
        told(
            f"{name}: seconds a window",
            ", ".join(f"{key} {statistics.median(each):.2f}" for key, each in taken.items()),
        ),
    ]


def _ways(name: str, folder: Path) -> Iterator[tuple[str, Way]]:
    faster = _faster(name, folder, 1)
    yield "faster", _words_of(faster)
    yield "openai", _words_of(_openai(name, folder))
    yield "greedy", _greedy(_words_of(faster))
    yield "bare faster", _bare_faster(folder / f"{_RANDOM}{name}")
    yield "bare openai", _bare_openai(folder / f"{_RANDOM}{name}.pt")


def _words_of(engine: Engine) -> Way:
    def read(samples: Samples) -> list[str]:
        [result] = engine.transcribe([samples], ENGLISH)
        return [word.text for segment in result.segments for word in segment.words]

    return read


def _greedy(read: Way) -> Way:
    """One beam, as openai-whisper."""

    def once(samples: Samples) -> list[str]:
        beams, faster_reading.BEAM_SIZE = faster_reading.BEAM_SIZE, 1
        try:
            return read(samples)
        finally:
            faster_reading.BEAM_SIZE = beams

    return once


def _library(folder: Path) -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=THREADS)


def _bare_faster(folder: Path) -> Way:
    model = _library(folder)

    def read(samples: Samples) -> list[str]:
        segments, _ = model.transcribe(
            samples, language="en", word_timestamps=True, condition_on_previous_text=False, vad_filter=False
        )
        return [word.word.strip() for segment in segments for word in segment.words]

    return read


def _bare_openai(checkpoint: Path) -> Way:
    import whisper

    model: Any = whisper.load_model(str(checkpoint), "cpu")

    def read(samples: Samples) -> list[str]:
        found = model.transcribe(
            samples,
            language="en",
            temperature=TEMPERATURES,
            word_timestamps=True,
            condition_on_previous_text=False,
            fp16=False,
        )
        return [word["word"].strip() for segment in found["segments"] for word in segment["words"]]

    return read


#: Is told the number of its round.
Work = Callable[[int], object]


def _each(way: Way, windows: Sequence[Samples]) -> Work:
    """In round n the n-th window."""
    return lambda turn: way(windows[turn % len(windows)])


def _by_turns(works: dict[str, Work], rounds: int) -> Seconds:
    """The seconds of each work in every round; every other round goes through them backwards. A first one warms up."""
    taken: Seconds = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name in list(works) if turn % 2 else reversed(works):
            began = time.perf_counter()
            works[name](turn)
            if turn:
                taken[name].append(time.perf_counter() - began)
    return taken


def _ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(above, below, strict=True)]


def _middle(above: Sequence[float], below: Sequence[float]) -> str:
    return f"{statistics.median(_ratios(above, below)):.3g}"


def _batches(name: str, folder: Path, windows: Sequence[Samples], rounds: int) -> list[Line]:
    sizes = [size for size in BATCHES if size <= len(windows)]
    some = windows[:SOME]
    works: dict[str, Work] = {f"{size} at once": _whole(_faster(name, folder, size), windows) for size in sizes}
    model = _library(folder / f"{_RANDOM}{name}")
    works |= {f"encoder {size}": _encoder(model, size, windows) for size in sizes}
    taken = _by_turns(works | {"openai": _whole(_openai(name, folder), some)}, rounds)
    openai = [seconds * len(windows) / len(some) for seconds in taken["openai"]]
    lines = []
    for size in sizes:
        mine, encoder = taken[f"{size} at once"], taken[f"encoder {size}"]
        speeds = f"{_middle(taken['1 at once'], mine)} × one at once, {_middle(openai, mine)} × openai-whisper"
        times = f"{len(windows) * WINDOW_SECONDS / statistics.median(mine):.1f} × real time"
        lines.append(
            told(f"{name}: {size} at once", speeds, f"{times}, the encoder takes {_middle(encoder, mine)} of it")
        )
    return lines


def _openai(name: str, folder: Path) -> Engine:
    return OpenAIWhisper(f"{_RANDOM}{name}", Setup(folders=(folder,), threads=THREADS, device="cpu"))


def _faster(name: str, folder: Path, batch: int) -> Engine:
    setup = Setup(folders=(folder,), threads=THREADS, device="cpu", batch=batch)
    return FasterWhisper(f"{_RANDOM}{name}", setup)


def _whole(engine: Engine, windows: Sequence[Samples]) -> Work:
    return lambda _turn: engine.transcribe(windows, ENGLISH)


def _encoder(model: Any, batch: int, windows: Sequence[Samples]) -> Work:
    """The library's encoder alone, with the sound's features."""

    def work(_turn: int) -> None:
        for first in range(0, len(windows), batch):
            features = [model.feature_extractor(samples) for samples in windows[first : first + batch]]
            whole = [np.pad(each, ((0, 0), (0, 3000)))[:, :3000] for each in features]
            np.asarray(model.encode(np.stack(whole)))

    return work


def _on_gpu(folder: Path, windows: Sequence[Samples], *, quick: bool) -> list[Line]:
    import ctranslate2

    if not ctranslate2.get_cuda_device_count():
        return [told("on a GPU", "not measured: there is none here")]
    return [_size_on_gpu(name, folder, windows) for name in (["tiny"] if quick else SIZES)]


def _size_on_gpu(name: str, folder: Path, windows: Sequence[Samples]) -> Line:
    _make(name, folder)
    before = _gpu_megabytes()
    engine = FasterWhisper(f"{_RANDOM}{name}", Setup(folders=(folder,), device="cuda"))
    engine.transcribe(windows, ENGLISH)
    began = time.perf_counter()
    engine.transcribe(windows, ENGLISH)
    factor = (time.perf_counter() - began) / (len(windows) * WINDOW_SECONDS)
    memory = f"{_gpu_megabytes() - before} MB more in use, {engine.batch} at once"
    return told(f"GPU, {name}: real-time factor", f"{factor:.2g}", memory)


def _gpu_megabytes() -> int:
    """In use on the first GPU, by whomever: the library doesn't tell its own."""
    query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0"]
    return int(subprocess.run(query, check=True, capture_output=True, text=True).stdout)
