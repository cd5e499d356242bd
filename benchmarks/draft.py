"""Figure 15: the words of the engines that come with the program, beside the plain PocketSphinx library, and in sounds without any.

With `--audio FOLDER` its English recordings that have a text are read, each once: other codecs and rates of the same recording
are left out, and so are those that were put together from others. The plain library decodes a whole file with its own settings.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pocketsphinx

from benchmarks.figure import Line, Options, at_least, at_most, exactly, told
from benchmarks.sound import Clip, Pcm, clips_of, samples_of, speech, write_wav
from benchmarks.wer import Score, score
from tests.speech.noises import NOISES
from whisper_jobs.speech import guards
from whisper_jobs.speech.engines import base
from whisper_jobs.speech.engines.moonshine import Moonshine
from whisper_jobs.speech.engines.pocketsphinx import PocketSphinx
from whisper_jobs.speech.windows import WindowCutter, as_floats

TITLE = "The offline engines' words"
#: Of Moonshine tiny what its own library reaches on the same recordings; of PocketSphinx the best settings found before.
MOST_WER = {"moonshine": 11.3, "pocketsphinx": 47.4}
SHARE_BELOW = 80.0
NOISE_SECONDS, QUICK_FILES = 60.0, 6
SPEED_SECONDS = 240.0
PLAIN = "the plain library"


@dataclass(frozen=True, slots=True)
class Read:
    """What one reader made of one clip, and the seconds of processor time it took."""

    score: Score
    taken: float
    seconds: float


def measure(options: Options) -> list[Line]:
    engines: tuple[base.Engine, ...] = (Moonshine(), PocketSphinx())
    clips = list(clips_of(options.audio))[: QUICK_FILES if options.quick else None]
    reads = _reads(engines, clips)
    lines = [*_words(reads, real=options.audio is not None), *(_noises(engine) for engine in engines)]
    return lines if options.quick else [*lines, *(_speed(options, engine.name) for engine in engines)]


def _reads(engines: Sequence[base.Engine], clips: Sequence[Clip]) -> dict[str, list[Read]]:
    """By the name of who reads: the engines as a job has them, and the plain library."""
    found: dict[str, list[Read]] = {each: [] for each in (*(engine.name for engine in engines), PLAIN)}
    for clip in clips:
        samples = samples_of(clip.file)
        for engine in engines:
            found[engine.name].append(_read(clip, samples, partial(heard, engine)))
        found[PLAIN].append(_read(clip, samples, _heard_plainly))
        rates = ", ".join(f"{name} {each[-1].score.rate:.1f} %" for name, each in found.items())
        print(f"{clip.name}: {rates} of {found[PLAIN][-1].score.words} words", flush=True)
    return found


def _read(clip: Clip, samples: Pcm, hear: Callable[[Pcm], str]) -> Read:
    began = time.process_time()
    text = hear(samples)
    return Read(score(clip.said, text), time.process_time() - began, len(samples) / base.SAMPLE_RATE)


def heard(engine: base.Engine, samples: Pcm) -> str:
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


def _words(reads: dict[str, list[Read]], *, real: bool) -> Iterator[Line]:
    plain = reads[PLAIN]
    for name, most in MOST_WER.items():
        whole = sum((read.score for read in reads[name]), Score(0, 0))
        what, spread = f"{name}: word error rate", f"{len(plain)} files, {whole.words} words"
        yield at_most(what, most, [whole.rate], spread=spread, unit=" %") if real else _rate(what, whole, spread)
        yield told(f"{name}: processor time ÷ length", f"{_real_time(reads[name]):.3f}", "with cutting and word times")
    if real:
        yield from (_below(name, reads[name], plain) for name in MOST_WER)
    yield _rate("word error rate of the plain library", sum((read.score for read in plain), Score(0, 0)), "whole files")
    yield told("the plain library: processor time ÷ length", f"{_real_time(plain):.3f}")


def _rate(what: str, whole: Score, spread: str) -> Line:
    return told(what, f"{whole.rate:.1f} %", spread)


def _real_time(reads: Sequence[Read]) -> float:
    return sum(read.taken for read in reads) / sum(read.seconds for read in reads)


def _below(name: str, ours: Sequence[Read], plain: Sequence[Read]) -> Line:
    """The share of the files; one that the plain library reads without a mistake can't be below it."""
    pairs = [(our.score.errors, other.score.errors) for our, other in zip(ours, plain, strict=True)]
    share = 100.0 * sum(our < other for our, other in pairs) / len(pairs)
    alike, above = sum(our == other for our, other in pairs), sum(our > other for our, other in pairs)
    perfect = sum(not other for _our, other in pairs)
    spread = f"{alike} alike, {above} above it; in {perfect} it makes no mistake"
    what = f"{name}: files below the plain library, %"
    # The target is for what `auto` takes.
    return (
        at_least(what, SHARE_BELOW, [share], spread=spread)
        if name == Moonshine.name
        else told(what, f"{share:.1f}", spread)
    )


def _noises(engine: base.Engine) -> Line:
    found = {name: heard(engine, make(NOISE_SECONDS)) for name, make in NOISES.items()}
    wrong = ", ".join(f"{name}: {text}" for name, text in found.items() if text)
    count = sum(len(text.split()) for text in found.values())
    spread = wrong or f"{', '.join(found)}; 60 s each"
    return exactly(f"{engine.name}: words in sounds without speech", 0, count, spread=spread)


def _speed(options: Options, engine: str) -> Line:
    """One process for all windows ÷ two that share them, each with its own engine."""
    file = write_wav(options.folder / "speech.wav", speech(options.audio, SPEED_SECONDS))
    alone, together = (max(_taken(file, engine, parts)) for parts in (1, 2))
    spread = f"{alone:.1f} s → {together:.1f} s, one thread each"
    return at_least(f"{engine}: speed of two processes ÷ one", 1.8, [alone / together], spread=spread)


def _taken(file: Path, engine: str, parts: int) -> list[float]:
    """Of each process the seconds; they begin together, when all are ready."""
    command = [sys.executable, "-m", "benchmarks.bare", str(file)]
    processes = [
        subprocess.Popen(
            [*command, str(part), str(parts), engine], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for part in range(parts)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return [float(process.communicate()[0]) for process in processes]
