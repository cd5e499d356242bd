"""Recordings to measure with: real speech where there is some, else the sample recording; and a site that serves them."""

from __future__ import annotations

import contextlib
import csv
import threading
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from benchmarks.wer import normalised
from whisper_jobs.media.decoding import SAMPLE_RATE, decode

Pcm = npt.NDArray[np.int16]
SAMPLE = Path(__file__).resolve().parent.parent / "static" / "sample" / "two-voices.mp3"
GAP = np.zeros(SAMPLE_RATE // 2, np.int16)
#: More unlike speech than this is not needed by any figure; longer recordings repeat it.
MOST_SECONDS = 1200


@dataclass(frozen=True, slots=True)
class Clip:
    name: str
    file: Path
    said: str


def speech(audio: Path | None, seconds: float, *, skip: float = 0.0) -> Pcm:
    """So much speech at 16 kHz, mono, from `skip` seconds on; repeated where the recordings are shorter."""
    whole = _all_speech(audio)
    first = round(skip * SAMPLE_RATE)
    return np.take(whole, np.arange(first, first + round(seconds * SAMPLE_RATE)), mode="wrap")


@cache
def _all_speech(audio: Path | None) -> Pcm:
    parts: list[Pcm] = []
    length = 0
    for file in english(audio) if audio else [SAMPLE]:
        parts += [samples_of(file), GAP]
        length += len(parts[-2]) + len(GAP)
        if length > MOST_SECONDS * SAMPLE_RATE:
            break
    return np.concatenate(parts)


def english(audio: Path) -> list[Path]:
    """One file of every English recording that the manifest names."""
    with (audio / "MANIFEST.tsv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["language"] == "en"]
    one_each = {row["group"]: audio / row["file"] for row in reversed(rows)}
    return [one_each[group] for group in dict.fromkeys(row["group"] for row in rows)]


def clips_of(audio: Path | None) -> Iterator[Clip]:
    """The English recordings of a folder that have a text, each once; without a folder the sample."""
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


def samples_of(file: Path) -> Pcm:
    with decode(file) as sound:
        return np.concatenate(list(sound))


def write_wav(file: Path, samples: Pcm) -> Path:
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes(samples.tobytes())
    return file


def write_flac(file: Path, audio: Path | None, seconds: float) -> Path:
    """A recording of any length, made piece by piece."""
    piece = speech(audio, 60)
    with av.open(str(file), "w", format="flac") as out:
        stream = out.add_stream("flac", rate=SAMPLE_RATE, layout="mono", format="s16")
        for _ in range(round(seconds / 60)):
            frame = av.AudioFrame.from_ndarray(piece[None], format="s16", layout="mono")
            frame.sample_rate = SAMPLE_RATE
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return


@contextlib.contextmanager
def site(folder: Path) -> Iterator[str]:
    """Serves a folder on loopback; the address of its root."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
