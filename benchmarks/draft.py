"""Figure 15: the words of the draft engine, beside the plain library, and in sounds that have none.

With `--audio FOLDER` its English recordings that have a text are read, each once: other codecs and rates of the same recording
are left out, and so are those that were put together from others. The plain library decodes a whole file with its own settings.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pocketsphinx

from benchmarks.figure import Line, Options, at_least, at_most, exactly, told
from benchmarks.sound import SAMPLE, Pcm, samples_of, speech, write_wav
from benchmarks.wer import Score, normalised, score
from tests.speech.noises import NOISES
from whisper_jobs.speech import guards
from whisper_jobs.speech.engines import base
from whisper_jobs.speech.engines.pocketsphinx import PocketSphinx
from whisper_jobs.speech.windows import WindowCutter, as_floats

TITLE = "The draft engine's words"
#: The best settings of the library that had been found on the same recordings before.
MOST_WER, SHARE_BELOW = 47.4, 80.0
NOISE_SECONDS, QUICK_FILES = 60.0, 6
SPEED_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Clip:
    name: str
    file: Path
    said: str


@dataclass(frozen=True, slots=True)
class Read:
    """One clip, read by the draft engine through the windows and by the plain library."""

    ours: Score
    plain: Score
    our_seconds: float
    plain_seconds: float


def measure(options: Options) -> list[Line]:
    engine = PocketSphinx()
    clips = list(_clips(options.audio))
    reads = [_read(engine, clip) for clip in (clips[:QUICK_FILES] if options.quick else clips)]
    lines = [*_words(reads, real=options.audio is not None), *_noises(engine)]
    return lines if options.quick else [*lines, _speed(options)]


def _clips(audio: Path | None) -> Iterator[Clip]:
    if audio is None:
        yield Clip(SAMPLE.name, SAMPLE, SAMPLE.with_suffix(".txt").read_text())
        return
    known = set()
    with (audio / "MANIFEST.tsv").open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            text = (row.get("reference") or "").split(",")[0]
            if row["language"] != "en" or not text.endswith(".txt") or "constructed" in (row.get("style") or ""):
                continue
            said = (audio / text).read_text()
            if (key := (row["group"], normalised(said))) not in known:
                known.add(key)
                yield Clip(row["file"], audio / row["file"], said)


def _read(engine: PocketSphinx, clip: Clip) -> Read:
    samples = samples_of(clip.file)
    began = time.process_time()
    ours = score(clip.said, heard(engine, samples))
    middle = time.process_time()
    plain = score(clip.said, _heard_plainly(samples))
    read = Read(ours, plain, middle - began, time.process_time() - middle)
    print(f"{clip.name}: {ours.rate:.1f} %, plain {plain.rate:.1f} % of {ours.words} words", flush=True)
    return read


def heard(engine: PocketSphinx, samples: Pcm) -> str:
    """What a job would say of it: through the windows and the guards."""
    cutter = WindowCutter()
    windows = cutter.feed(samples) + cutter.finish()
    spans = [[(start - each.start, end - each.start) for start, end in each.speech] for each in windows]
    options = base.Options(language="en")
    results = guards.guarded(engine, [as_floats(each.samples) for each in windows], options, speech=spans)
    return " ".join(segment.text for result in results for segment in result.segments)


def _heard_plainly(samples: Pcm) -> str:
    decoder = pocketsphinx.Decoder(loglevel="FATAL")
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return found.hypstr if found else ""


def _words(reads: list[Read], *, real: bool) -> Iterator[Line]:
    ours = sum((read.ours for read in reads), Score(0, 0))
    plain = sum((read.plain for read in reads), Score(0, 0))
    below = [100.0 * (read.ours.errors < read.plain.errors) for read in reads]
    above = sum(read.ours.errors > read.plain.errors for read in reads)
    alike = sum(read.ours.errors == read.plain.errors for read in reads)
    perfect = sum(read.ours.errors == read.plain.errors == 0 for read in reads)
    spread = f"{len(reads)} files, {ours.words} words"
    if real:
        yield at_most("word error rate", MOST_WER, [ours.rate], spread=spread, unit=" %")
        share = sum(below) / len(below)
        others = f"{alike} alike, {perfect} of them without a mistake; {above} above it"
        yield at_least("files below the plain library, %", SHARE_BELOW, [share], spread=others)
    else:
        yield told("word error rate", f"{ours.rate:.1f} %", spread)
    yield told("word error rate of the plain library", f"{plain.rate:.1f} %", "whole files, its own settings")
    taken = sum(read.our_seconds for read in reads) / sum(read.plain_seconds for read in reads)
    yield told("time ÷ the plain library's", f"{taken:.2f}", "one core, with cutting")


def _noises(engine: PocketSphinx) -> Iterator[Line]:
    found = {name: heard(engine, make(NOISE_SECONDS)) for name, make in NOISES.items()}
    wrong = ", ".join(f"{name}: {text}" for name, text in found.items() if text)
    count = sum(len(text.split()) for text in found.values())
    yield exactly("words in sounds without speech", 0, count, spread=wrong or f"{', '.join(found)}; 60 s each")


def _speed(options: Options) -> Line:
    """One process for all windows ÷ two that share them, each with its own engine."""
    file = write_wav(options.folder / "speech.wav", speech(options.audio, SPEED_SECONDS))
    alone = max(_taken(file, 1))
    together = max(_taken(file, 2))
    spread = f"{alone:.0f} s → {together:.0f} s"
    return at_least("speed of two processes ÷ one", 1.8, [alone / together], spread=spread)


def _taken(file: Path, parts: int) -> list[float]:
    command = [sys.executable, "-m", "benchmarks.bare", str(file)]
    processes = [
        subprocess.Popen([*command, str(part), str(parts)], stdout=subprocess.PIPE, text=True) for part in range(parts)
    ]
    return [float(process.communicate()[0]) for process in processes]
