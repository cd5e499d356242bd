"""Decodes the original in a child process and cuts it into windows, each stored and queued as soon as it is found."""

from __future__ import annotations

import io
import sys
import time
import wave
from collections.abc import Iterable, Iterator, Sequence

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import Max

from whisper_jobs import lifecycle, uploads
from whisper_jobs.lifecycle import NewWindow
from whisper_jobs.media import decoding
from whisper_jobs.models import Step
from whisper_jobs.pipeline import original
from whisper_jobs.pipeline.heart import Watch
from whisper_jobs.runs import Run
from whisper_jobs.speech.peaks import PeakMeter
from whisper_jobs.speech.windows import Pcm, Window, WindowCutter
from whisper_jobs.states import Kind

REPORT_SECONDS = 1.0
SAMPLE_RATE = decoding.SAMPLE_RATE


def decode(run: Run, watch: Watch) -> None:
    """A decode that is done again after a crash goes on behind the last window that was stored."""
    cutter, meter, most = WindowCutter(resume_at=_stored_until(run)), PeakMeter(SAMPLE_RATE), run.job.most_seconds
    with original.decoded(run, watch) as sound:
        length = _heard_of(sound.info.duration_seconds, most)
        lifecycle.describe_media(run, duration_seconds=length, mime=sound.info.mime, note=_tracks(sound.info))
        _cut(run, watch, _measured(_beginning(sound, most), meter), cutter, length=length)
        watch.check()
    _store(run, cutter.finish())
    lifecycle.finish_decode(
        run,
        duration_seconds=cutter.seconds_seen,
        speech_seconds=cutter.speech_seconds,
        warnings=(*sound.warnings, *_left_out(sound.info.duration_seconds, cutter.seconds_seen, most)),
        shape=meter.finish(),
    )


def _heard_of(seconds: float | None, most_seconds: float | None) -> float | None:
    """How much is heard of a recording that says it is so long."""
    return min((one for one in (seconds, most_seconds) if one is not None), default=None)


def _beginning(sound: Iterable[Pcm], most_seconds: float | None) -> Iterator[Pcm]:
    """So much of it; all of it for None."""
    left = sys.maxsize if most_seconds is None else round(most_seconds * SAMPLE_RATE)
    for samples in sound:
        yield samples[:left]
        left -= len(samples)
        if left <= 0:
            return


def _left_out(seconds: float | None, seen: float, most_seconds: float | None) -> list[str]:
    if most_seconds is None or seen < most_seconds or (seconds is not None and seconds <= most_seconds):
        return []
    return [f"Only the first {most_seconds:g} s were heard, as was asked for."]


def _stored_until(run: Run) -> float:
    windows = Step.objects.filter(job_id=run.job_id, kind=Kind.WINDOW)
    return windows.aggregate(end=Max("end_seconds"))["end"] or 0.0


def _tracks(info: decoding.MediaInfo) -> str:
    if len(info.audio_tracks) < 2:
        return ""
    chosen = next(place for place, track in enumerate(info.audio_tracks, 1) if track.index == info.chosen_track)
    return f"The file has {len(info.audio_tracks)} sound tracks; track {chosen} is transcribed."


def _measured(sound: Iterable[Pcm], meter: PeakMeter) -> Iterator[Pcm]:
    """All of it, from the start: a decode that is done again reads everything again, and what it measures has no holes."""
    for samples in sound:
        meter.feed(samples)
        yield samples


def _cut(run: Run, watch: Watch, sound: Iterable[Pcm], cutter: WindowCutter, *, length: float | None) -> None:
    report_at = time.monotonic() + REPORT_SECONDS
    for samples in sound:
        watch.check()
        _store(run, cutter.feed(samples))
        if time.monotonic() > report_at:
            report_at = time.monotonic() + REPORT_SECONDS
            lifecycle.report(run, cutter.seconds_seen / length if length else 0.0)


def _store(run: Run, windows: Sequence[Window]) -> None:
    if windows:
        lifecycle.add_windows(run, [_stored(run, window) for window in windows])


def _stored(run: Run, window: Window) -> NewWindow:
    """The claim is part of the name: a worker that was presumed dead can't touch its successor's files."""
    name = uploads.beside(run.job.media, f"{run.run_id.hex[:12]}-{round(window.start * 1000)}.wav")
    audio = default_storage.save(name, ContentFile(as_wav(window)))
    return NewWindow(start=window.start, end=window.end, speech=window.speech, audio=audio)


def as_wav(window: Window) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(window.samples.astype("<i2").tobytes())
    return out.getvalue()
