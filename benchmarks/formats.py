"""Ten hours of words to every format: processor time and memory that it takes, each in a process of its own.

As `python -m benchmarks.formats NAME PRESET WORDS SEGMENTS` it is that process. Segments, fonts and templates are there before.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

from benchmarks.figure import Line, Options, at_most, told
from benchmarks.server import python
from whisper_jobs.speech.captions import PRESETS
from whisper_jobs.speech.formats import FORMATS, FormatOptions
from whisper_jobs.speech.transcript import Segment, Transcript, Word

TITLE = "Ten hours to every format"
SEGMENTS, QUICK_SEGMENTS, WORDS = 9000, 900, 10
MOST_SECONDS, MOST_MB = 2.0, 100.0
ROUNDS = 3
#: Beside every format as it is: captions by rule, and times of words.
SHAPED = (("srt", "web", False), ("srt", "broadcast", False), ("vtt", "web", True))


def measure(options: Options) -> list[Line]:
    segments = QUICK_SEGMENTS if options.quick else SEGMENTS
    lines = []
    for name, preset, words in [*((name, "plain", False) for name in FORMATS), *SHAPED]:
        runs = [_written(name, preset, words, segments) for _ in range(1 if options.quick else ROUNDS)]
        what = f"{name}{'' if preset == 'plain' else f', {preset}'}{', times of words' if words else ''}"
        lines.append(at_most(f"{what}: seconds", MOST_SECONDS, [run["seconds"] for run in runs]))
        size = f"file {runs[0]['mb']:.1f} MB"
        lines.append(at_most(f"{what}: memory", MOST_MB, [run["growth_mb"] for run in runs], unit=" MB", spread=size))
    return [*lines, told("segments, words", f"{segments}, {segments * WORDS}")]


def _written(name: str, preset: str, words: bool, segments: int) -> dict[str, float]:
    said, _ = python("-m", "benchmarks.formats", name, preset, str(int(words)), str(segments)).communicate(timeout=600)
    found: dict[str, float] = json.loads(said)
    return found


def main() -> None:
    name, preset = sys.argv[1:3]
    words, count = bool(int(sys.argv[3])), int(sys.argv[4])
    asked = FormatOptions(rules=PRESETS[preset], words=words)
    segments = _segments(count)
    _write(name, segments[:20], asked)
    # Sets the high-water mark back to what is in use now.
    Path("/proc/self/clear_refs").write_text("5")
    before, began = _high_water_mb(), time.process_time()
    size = _write(name, segments, asked)
    seconds = time.process_time() - began
    print(json.dumps({"seconds": seconds, "growth_mb": _high_water_mb() - before, "mb": size / 1e6}))


def _write(name: str, segments: list[Segment], asked: FormatOptions) -> int:
    return sum(map(len, FORMATS[name].render(Transcript(segments, "en", segments[-1].end, "Ten hours"), asked)))


def _segments(count: int) -> list[Segment]:
    """Ten words each, of a vocabulary of five thousand, four seconds apart; a speaker says about seven of them in turn."""
    chance = random.Random(1)
    vocabulary = ["".join(chance.choices("etaoinshrdlucmfw", k=chance.randint(2, 9))) for _ in range(5000)]
    return [_segment(number, chance.choices(vocabulary, k=WORDS)) for number in range(count)]


def _segment(number: int, said: list[str]) -> Segment:
    start = number * 4.0
    said = [said[0].capitalize(), *said[1:4], f"{said[4]},", *said[5:-1], f"{said[-1]}."]
    words = tuple(Word(start + 0.38 * at, start + 0.38 * at + 0.35, f" {word}", 0.9) for at, word in enumerate(said))
    return Segment(start, words[-1].end, " ".join(said), words, f"Speaker {number // 7 % 3 + 1}", 0.9)


def _high_water_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
