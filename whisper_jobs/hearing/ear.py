"""An ear: a process that gets sound from the live process and reads it with the session's engine, loaded when it is needed."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from whisper_jobs.errors import JobError
from whisper_jobs.hearing import client, packed, wire
from whisper_jobs.pipeline import models, relay
from whisper_jobs.speech import recognition
from whisper_jobs.speech.diarizers.base import Unavailable
from whisper_jobs.speech.engines.base import Options
from whisper_jobs.speech.streaming import reading
from whisper_jobs.speech.streaming.heard import Work

log = logging.getLogger(__name__)
#: Between two looks whether the engine has been idle for long.
LOOK_SECONDS = 5.0
CALL_AGAIN_SECONDS = 0.5
#: Nothing else frees a process whose engine hangs; the live process has given up on it before.
HANGS_SECONDS = 240.0


def run() -> None:
    """Until the process is told to stop. A live process that was restarted is called again."""
    while True:
        try:
            with client.dial(LOOK_SECONDS) as connection:
                serve(wire.Wire(connection))
        except (OSError, wire.Broken) as error:
            log.debug("the live process can't be reached: %s", error)
        time.sleep(CALL_AGAIN_SECONDS)


def serve(line: wire.Wire) -> None:
    """Raises Broken when the live process goes."""
    line.call()
    line.send({"op": "ear"})
    while True:
        question = _next(line)
        sound = line.receive()
        assert isinstance(sound, bytes)
        with _watched():
            answer = _answer(question, sound)
        line.send(answer)


def _next(line: wire.Wire) -> dict[str, Any]:
    while True:
        try:
            message = line.receive()
        except TimeoutError:
            models.release_idle()
            recognition.release_idle(settings.TOOLS.model_idle_minutes * 60)
            continue
        assert isinstance(message, dict)
        return message


def _answer(question: dict[str, Any], sound: bytes) -> dict[str, Any]:
    try:
        return {"type": "result", **_read(question, sound)}
    except JobError as error:
        return {"type": "failure", "code": error.code, "message": error.message}
    except MemoryError:
        return {"type": "failure", "code": "out_of_memory"}
    except Exception:
        log.exception("a part of a live session could not be read")
        return {"type": "failure", "code": "internal_error"}


def _read(question: dict[str, Any], sound: bytes) -> dict[str, Any]:
    work = _work(question, sound)
    words = (question.get("prompt", ""), tuple(question.get("hotwords", ())))
    options = Options(language=question["language"] or None, initial_prompt=words[0], hotwords=words[1])
    with (
        models.using(question["engine"], question["model"]) as engine,
        relay.noticing(question["backend"]),
    ):
        result = reading.read(engine, work, options)
    voice = _voice(work) if question["diarize"] and work.is_final and result.segments else None
    return {"result": packed.result(result), "voice": voice}


def _voice(work: Work) -> list[float] | None:
    """Who says it, as a vector; None where that can't be told. The words are worth more than this."""
    spans = [(start - work.start, end - work.start) for start, end in work.speech]
    try:
        vector: list[float] = recognition.encode(work.samples, spans).tolist()
    except (recognition.TooShort, Unavailable):
        return None
    return vector


def _work(question: dict[str, Any], sound: bytes) -> Work:
    spans = tuple((start, end) for start, end in question["speech"])
    return Work(question["number"], question["start"], packed.sound_of(sound), question["is_final"], spans)


@contextmanager
def _watched() -> Iterator[None]:
    """Ends the process when the engine hangs."""
    timer = threading.Timer(HANGS_SECONDS, _give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _give_up() -> None:
    log.error("the engine hangs; this ear ends itself")
    os._exit(70)
