"""Figure 23: calls of OpenAI's API that are answered in the same request, beside the bare engine; streams; and many at once.

The bare engine is a plain process that has the clip's samples in memory (bare_calls.py). It and the server take turns, call by
call, both with one thread and both warm. Whisper's numbers are random (speech_weights.py): it says a sentence that fits the clip.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.figure import Line, Options, at_most, exactly, told
from benchmarks.openai_calls import Answer, Caller, admin, somebody
from benchmarks.server import Server, python
from benchmarks.sound import speech, write_wav
from benchmarks.speech_weights import SIZES, write
from tests.speech.checkpoints import convert

TITLE = "Calls of OpenAI's API"
CLIP_SECONDS, CALLS, QUICK_CALLS = 5.0, 20, 4
MOST_RATIO = 1.25
LONG_SECONDS, QUICK_LONG_SECONDS = 600, 120
EACH, QUICK_EACH = 100, 10
#: How much longer one owner may wait in the mean than the other.
MOST_UNFAIR = 1.25
PER_MINUTE = 150
MOONSHINE = "moonshine-tiny"
#: What Whisper says of the clip: words at a speaker's pace.
SAID, TOKENS = ((0.0, 4.6),), 14
WARM_CALLS = 3


def measure(options: Options) -> list[Line]:
    clip = write_wav(options.folder / "clip.wav", speech(options.audio, CLIP_SECONDS, skip=2.0))
    models = _models(options.folder / "models", ["tiny"] if options.quick else ["base", "small"])
    variables = {"TOOLS_MODEL_DIR": str(options.folder / "models"), "TOOLS_API_PER_MINUTE": str(PER_MINUTE)}
    with Server(options.folder / "data", TOOLS_DEFAULT_MODEL=MOONSHINE, **variables) as server:
        caller = admin(server)
        lines = [_ratio(caller, clip, engine, model, options) for model, engine in models.items()]
        lines += _stream(caller, options)
        lines += _at_once(server, clip, QUICK_EACH if options.quick else EACH)
        return [*lines, _past_the_limit(somebody(server, "dora"), clip)]


def _models(folder: Path, sizes: list[str]) -> dict[str, str]:
    """Model → engine."""
    folder.mkdir()
    for size in sizes:
        checkpoint = write(SIZES[size], folder.parent / f"{size}.pt", segments=SAID, tokens=TOKENS)
        convert(checkpoint, folder / f"random-{size}")
    return {MOONSHINE: "moonshine", **{f"random-{size}": "faster-whisper" for size in sizes}}


def _ratio(caller: Caller, clip: Path, engine: str, model: str, options: Options) -> Line:
    bare: list[float] = []
    calls: list[float] = []
    content = clip.read_bytes()
    with _bare(clip, engine, model, options.folder / "models") as engine_alone, caller.client() as client:
        for _ in range(WARM_CALLS):
            _demand(client.transcribe(content, model=model))
        for _ in range(QUICK_CALLS if options.quick else CALLS):
            bare.append(_heard(engine_alone))
            calls.append(_demand(client.transcribe(content, model=model)).seconds)
    both = f"{1000 * statistics.median(calls):.0f} ÷ {1000 * statistics.median(bare):.0f} ms, {len(calls)} calls"
    ratio = statistics.median(calls) / statistics.median(bare)
    return at_most(f"{model}: call ÷ bare engine", MOST_RATIO, [ratio], spread=both)


@contextlib.contextmanager
def _bare(clip: Path, engine: str, model: str, models: Path) -> Iterator[subprocess.Popen[str]]:
    words = ("-m", "benchmarks.bare_calls", str(clip), engine, model, str(models))
    process = python(*words, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    assert process.stdin and process.stdout
    try:
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the bare engine {engine} did not begin")
        yield process
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def _heard(process: subprocess.Popen[str]) -> float:
    assert process.stdin and process.stdout
    process.stdin.write("\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def _demand(answer: Answer) -> Answer:
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} {answer.body[:500]!r}")
    return answer


def _stream(caller: Caller, options: Options) -> list[Line]:
    seconds = QUICK_LONG_SECONDS if options.quick else LONG_SECONDS
    file = write_wav(options.folder / "long.wav", speech(options.audio, seconds))
    with caller.client() as client:
        answer = _demand(client.transcribe(file.read_bytes(), model=MOONSHINE, stream="true"))
    share = 100 * answer.first_seconds / answer.seconds
    both = f"{answer.first_seconds:.1f} of {answer.seconds:.1f} s"
    return [at_most(f"first words of a stream of {seconds / 60:g} minutes", 30, [share], spread=both, unit=" %")]


def _at_once(server: Server, clip: Path, each: int) -> list[Line]:
    """So many calls of two owners: first all of one, then all of the other, none of which waits for an answer first."""
    content = clip.read_bytes()
    owners = {name: somebody(server, name) for name in ("alice", "bob")}
    with ThreadPoolExecutor(len(owners) * each) as crowd:
        began = time.perf_counter()
        calls = {name: [crowd.submit(_called, one, content) for _ in range(each)] for name, one in owners.items()}
        answers = {name: [call.result() for call in some] for name, some in calls.items()}
        whole = time.perf_counter() - began
    all_answers = [answer for some in answers.values() for answer in some]
    means = {name: statistics.mean(answer.seconds for answer in some) for name, some in answers.items()}
    longest, shortest = max(means.values()), min(means.values())
    waits = ", ".join(f"{name} {mean:.1f} s" for name, mean in means.items())
    answered = sum(answer.status == 200 and bool(json.loads(answer.body)["text"]) for answer in all_answers)
    return [
        exactly(f"{len(all_answers)} calls at once: answered with words", len(all_answers), answered),
        told("the same: longest wait, seconds", f"{max(answer.seconds for answer in all_answers):.1f}"),
        told("the same: calls a second", f"{len(all_answers) / whole:.2f}"),
        at_most("the same: mean wait of one owner ÷ the other's", MOST_UNFAIR, [longest / shortest], spread=waits),
    ]


def _called(caller: Caller, content: bytes) -> Answer:
    with caller.client() as client:
        return client.transcribe(content, model=MOONSHINE)


def _past_the_limit(caller: Caller, clip: Path) -> Line:
    """Calls until one is refused; the refusal says when to come back."""
    with caller.client() as client:
        for _ in range(PER_MINUTE):
            _demand(client.models())
        refused = client.transcribe(clip.read_bytes())
    when = refused.headers.get("Retry-After", "")
    found = f"{refused.status}, Retry-After {'given' if when.isdigit() and int(when) > 0 else 'missing'}"
    return exactly(f"call {PER_MINUTE + 1} of a minute", "429, Retry-After given", found, spread=f"{when} s")
