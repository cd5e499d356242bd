"""Plays a worker's part by hand: claims, begins, finishes, one verb at a time, so that a test can stop anywhere."""

from __future__ import annotations

from typing import Any

from tests.core import at_once
from whisper_jobs import diarization, intake, lifecycle
from whisper_jobs.intake import Submission
from whisper_jobs.lifecycle import NewWindow
from whisper_jobs.models import Job
from whisper_jobs.runs import Run
from whisper_jobs.speech.transcript import Segment, Word
from whisper_jobs.states import Kind

URL = "https://example.com/talk.mp3"
#: What the engine is that is chosen, and what a download finds.
ENGINE = {"backend": "A", "engine": "fake", "model": "fake", "quality": "draft", "reason": "Fake is all there is."}
SOURCE = {"media": "media/0/original", "source_title": "Talk"}
LANGUAGE = "en"


class Stage:
    """`worker` is the name under which steps are claimed."""

    worker = "host:1:1"

    @property
    def told(self) -> at_once.Told:
        return at_once.Told(worker=self.worker, engine=ENGINE, source=SOURCE, language=LANGUAGE)

    def submit(self, owner: object, **fields: object) -> Job:
        """A queued job; its speakers are not to be told apart unless that is said."""
        told = {"source_url": URL, "disable_diarization": True, **fields}
        return intake.submit(Submission(owner=owner, **told))  # type: ignore[arg-type]

    def run(self, lane: str) -> Run:
        """Claims and begins the next step of a lane, which must be there."""
        step = lifecycle.claim(lane, self.worker)
        assert step is not None, f"nothing ready in {lane}"
        run = lifecycle.begin(step)
        assert run is not None, f"{step} did not begin"
        return run

    def prepared(self, owner: object, **fields: object) -> Job:
        """A job whose engine is chosen."""
        job = self.submit(owner, **fields)
        self.prepare(self.run("speech"))
        return job

    def prepare(self, run: Run) -> None:
        assert run.step.kind == Kind.PREPARE
        lifecycle.finish_prepare(run, **ENGINE)

    def fetched(self, owner: object, **fields: object) -> Job:
        job = self.prepared(owner, **fields)
        self.fetch(self.run("fetch"))
        return job

    def fetch(self, run: Run) -> None:
        lifecycle.finish_fetch(run, **SOURCE)

    def decoded(self, owner: object, windows: int = 2, **fields: object) -> Job:
        """A job with so many windows of 10 s, none of them transcribed."""
        job = self.submit(owner, **fields)
        found = [window(place) for place in range(windows)]
        if at_once.is_the_same(job, found):
            at_once.decode(job.pk, found, self.told)
        else:
            self._decode(windows)
        return job

    def _decode(self, windows: int) -> None:
        self.prepare(self.run("speech"))
        self.fetch(self.run("fetch"))
        self.decode(self.run("fetch"), windows)

    def decode(self, run: Run, windows: int) -> None:
        lifecycle.add_windows(run, [window(place) for place in range(windows)])
        lifecycle.finish_decode(run, duration_seconds=windows * 10.0, speech_seconds=windows * 9.0)

    def hear(self, run: Run) -> None:
        """Finishes a window with one segment that says where it stands."""
        assert run.step.kind == Kind.WINDOW
        lifecycle.finish_window(run, [segment(run.step.index, run.step.start_seconds)], language=LANGUAGE)

    def completed(self, owner: object, windows: int = 2, **fields: object) -> Job:
        job = self.submit(owner, **fields)
        found = [window(place) for place in range(windows)]
        if at_once.is_the_same(job, found):
            at_once.hear(job.pk, found, [segment(place, one.start) for place, one in enumerate(found)], self.told)
        else:
            self._decode(windows)
            for _ in range(windows):
                self.hear(self.run("speech"))
        if not job.disable_diarization:
            self.diarize(self.run("speech"))
        self.assemble(self.run("deliver"))
        return fresh(job)

    def diarize(self, run: Run, **result: Any) -> None:
        """Finds nobody, unless it is told whom."""
        assert run.step.kind == Kind.DIARIZE
        nobody = {"method": "fake", "reason": "Nobody was told apart.", "turns": (), "parts": {}}
        diarization.finish_diarize(run, **{**nobody, **result})

    def assemble(self, run: Run, *, text: str = "done", coverage: dict[str, Any] | None = None) -> None:
        lifecycle.finish_assemble(run, text=text, speaker_text="", coverage=coverage or {})


def window(place: int) -> NewWindow:
    start = place * 10.0
    return NewWindow(start=start, end=start + 10.0, speech=((start, start + 9.0),), audio=f"media/0/{place}.wav")


def segment(place: int, start: float) -> Segment:
    word = Word(start, start + 1.0, f"window{place}", 0.9)
    return Segment(start=word.start, end=word.end, text=word.text, words=(word,))


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)
