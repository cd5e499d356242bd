"""Plays a worker's part by hand: claims, begins, finishes, one verb at a time, so that a test can stop anywhere."""

from __future__ import annotations

from whisper_jobs import intake, lifecycle
from whisper_jobs.intake import Submission
from whisper_jobs.lifecycle import NewWindow
from whisper_jobs.models import Job, Step
from whisper_jobs.runs import Run
from whisper_jobs.speech.transcript import Segment, Word
from whisper_jobs.states import Kind

URL = "https://example.com/talk.mp3"


class Stage:
    """`worker` is the name under which steps are claimed."""

    worker = "host:1:1"

    def submit(self, owner: object, **fields: object) -> Job:
        return intake.submit(Submission(owner=owner, **{"source_url": URL, **fields}))  # type: ignore[arg-type]

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
        lifecycle.finish_prepare(run, engine="fake", model="fake", quality="draft", reason="Fake is all there is.")

    def fetched(self, owner: object, **fields: object) -> Job:
        job = self.prepared(owner, **fields)
        lifecycle.finish_fetch(self.run("fetch"), media="media/0/original", source_title="Talk")
        return job

    def decoded(self, owner: object, windows: int = 2, **fields: object) -> Job:
        """A job with so many windows of 10 s, none of them transcribed."""
        job = self.fetched(owner, **fields)
        self.decode(self.run("fetch"), windows)
        return job

    def decode(self, run: Run, windows: int) -> None:
        lifecycle.add_windows(run, [window(place) for place in range(windows)])
        lifecycle.finish_decode(run, duration_seconds=windows * 10.0, speech_seconds=windows * 9.0)

    def hear(self, run: Run) -> None:
        """Finishes a window with one segment that says where it stands."""
        assert run.step.kind == Kind.WINDOW
        lifecycle.finish_window(run, [segment(run.step)], language="en")

    def completed(self, owner: object, windows: int = 2, **fields: object) -> Job:
        job = self.decoded(owner, windows, **fields)
        for _ in range(windows):
            self.hear(self.run("speech"))
        lifecycle.finish_assemble(self.run("deliver"), text="done", coverage={})
        return fresh(job)


def window(place: int) -> NewWindow:
    start = place * 10.0
    return NewWindow(start=start, end=start + 10.0, speech=((start, start + 9.0),), audio=f"media/0/{place}.wav")


def segment(step: Step) -> Segment:
    text = f"window{step.index}"
    word = Word(step.start_seconds, step.start_seconds + 1.0, text, 0.9)
    return Segment(start=word.start, end=word.end, text=text, words=(word,))


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)
