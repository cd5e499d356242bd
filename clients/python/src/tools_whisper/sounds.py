"""Where live sound comes from: a file, or the microphone."""

from __future__ import annotations

import queue
import threading
import wave
from array import array
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from tools_whisper.errors import ToolsWhisperError
from tools_whisper.live import Sound

BLOCK_FRAMES = 8_000
MICROPHONE_RATE = 16_000
#: Files that the server reads as they are.
AS_THEY_ARE = {".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".webm": "audio/webm;codecs=opus"}


def of_file(path: Path) -> Sound:
    kind = AS_THEY_ARE.get(path.suffix.lower())
    try:
        return Sound(_bytes_of(path), kind) if kind else _of_wave(path)
    except (OSError, wave.Error, EOFError) as error:
        told = f"{path} can't be sent live: {error}. WAV with 16 bits, Ogg and WebM can."
        raise ToolsWhisperError(told) from error


def _bytes_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(BLOCK_FRAMES * 2):
            yield piece


def _of_wave(path: Path) -> Sound:
    with wave.open(str(path), "rb") as file:
        width, rate = file.getsampwidth(), file.getframerate()
    if width != 2 or not 8_000 <= rate <= 48_000:
        raise wave.Error(f"it has {width * 8} bits and {rate} Hz")
    return Sound(_frames_of(path), "audio/pcm", rate)


def _frames_of(path: Path) -> Iterator[bytes]:
    """The first channel."""
    with wave.open(str(path), "rb") as file:
        channels = file.getnchannels()
        while piece := file.readframes(BLOCK_FRAMES):
            yield array("h", piece)[::channels].tobytes()


def of_microphone(stop: threading.Event) -> Sound:
    try:
        sounddevice = import_module("sounddevice")
    except (ImportError, OSError) as error:
        told = "The microphone needs an extra: pip install 'tools-whisper[microphone]', and PortAudio (libportaudio2)."
        raise ToolsWhisperError(told) from error
    return Sound(_spoken(sounddevice, stop), "audio/pcm", MICROPHONE_RATE)


def _spoken(sounddevice: Any, stop: threading.Event) -> Iterator[bytes]:
    heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def keep(block: object, *_times: object) -> None:
        heard.put(bytes(memoryview(block)))  # type: ignore[arg-type]

    with sounddevice.RawInputStream(
        samplerate=MICROPHONE_RATE, channels=1, dtype="int16", blocksize=BLOCK_FRAMES // 5, callback=keep
    ):
        while not stop.is_set():
            try:
                yield heard.get(timeout=0.2)
            except queue.Empty:
                continue
