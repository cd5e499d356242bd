"""Whose voice it is: false accepts and false rejects of enrolled voices, each piece of speech against everybody's enrolment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from uuid import UUID, uuid5

import numpy as np
import numpy.typing as npt
import torch
from scipy.signal import butter, resample_poly, sosfilt

from benchmarks.figure import Line, Options, at_least, at_most, told
from benchmarks.sound import Pcm, samples_of
from benchmarks.speakers import (
    BUILT,
    SEVERAL_PEOPLE,
    TUNED_ON_VOICES,
    annotation_of,
    conversation,
    read_rttm,
    speech_spans,
    voices_of,
)
from whisper_jobs.speech import recognition
from whisper_jobs.speech.diarizers.base import SAMPLE_RATE, Floats, Hints
from whisper_jobs.speech.diarizers.clustering import ClusteringDiarizer
from whisper_jobs.speech.recognition import THRESHOLD, Book
from whisper_jobs.speech.windows import as_floats

TITLE = "Recognition"
Scores = npt.NDArray[np.float64]
#: Speech that enrols a voice, and that is then recognised.
ENROL_SECONDS, TEST_SECONDS = 10.0, (3.0, 10.0)
#: Of one person no more pieces, so that a long recording counts no more than the others.
MOST_PIECES = 12
CURVE = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.58, 0.6, 0.65, 0.7)
#: So long somebody must be heard alone in an excerpt of a meeting.
MEETING_SECONDS = 5.0
_NAMES = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """`enrolled` is None for who is not enrolled: of too few words, and never to be recognised."""

    name: str
    enrolled: Floats | None
    rest: Floats

    @property
    def id(self) -> UUID:
        return uuid5(_NAMES, self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Cosines of pieces with the enrolment of who says them, and with those of others; and what the book said of each piece.

    `named_strangers` of `pieces` were given a name when whoever says them was not enrolled.
    """

    same: Scores
    other: Scores
    right: int
    wrong: int
    known: int
    pieces: int
    named_strangers: int

    @property
    def equal_error(self) -> tuple[float, float]:
        """The rate at which as many are wrongly accepted as rejected, in per cent, and the threshold there.

        Where nothing is wrong, the threshold in the middle.
        """
        if self.same.min() > self.other.max():
            return 0.0, float(self.same.min() + self.other.max()) / 2
        thresholds = np.unique(np.concatenate((self.same, self.other)))
        gaps = [abs(accepted - rejected) for accepted, rejected in map(self.at, thresholds)]
        best = float(thresholds[int(np.argmin(gaps))])
        return float(np.mean(self.at(best))), best

    def at(self, threshold: float) -> tuple[float, float]:
        """False accepts and false rejects, in per cent of pairs."""
        return 100 * float(np.mean(self.other >= threshold)), 100 * float(np.mean(self.same < threshold))


def measure(options: Options) -> list[Line]:
    if options.audio is None:
        return [told("recordings with labels", "none: --audio FOLDER names them")]
    torch.set_num_threads(1)
    people = _people(options.audio)
    judged = [person for person in people if person.name not in TUNED_ON_VOICES]
    tuned = [person for person in people if person.name in TUNED_ON_VOICES]
    conditions: dict[str, Callable[[Floats], Floats]] = {"as recorded": lambda samples: samples}
    if not options.quick:
        conditions |= {"through a telephone": _telephone, "with noise, 15 dB": _noisy}
    trials = {
        (name, seconds): _trials(judged, seconds, change)
        for name, change in conditions.items()
        for seconds in TEST_SECONDS
    }
    plain = trials["as recorded", TEST_SECONDS[-1]]
    wrong = 100 * (plain.wrong + plain.named_strangers) / (plain.known + plain.pieces)
    return [
        at_most("equal error rate of pairs, 10 s as recorded, %", 3, [plain.equal_error[0]], spread=_pairs(plain)),
        at_least(
            "enrolled people with the right name, 10 s, %", 80, [100 * plain.right / plain.known], spread=_counts(plain)
        ),
        at_most("wrong names, 10 s, %", 1, [wrong], spread="people who are not enrolled among them"),
        *(_line(f"{name}, {seconds:g} s", one) for (name, seconds), one in trials.items()),
        _line("the voices it was tuned on, 10 s", _trials(tuned, TEST_SECONDS[-1], conditions["as recorded"])),
        *(_curve(threshold, trials) for threshold in CURVE),
        *_meetings(options.audio),
        *([] if options.quick else [_conversations(options.audio)]),
    ]


def _line(what: str, trials: Trials) -> Line:
    rate, threshold = trials.equal_error
    accepts, rejects = trials.at(THRESHOLD)
    told_at = f"{accepts:.2f} % accepted, {rejects:.1f} % rejected wrongly at {THRESHOLD:g}"
    return told(f"{what}: equal error rate", f"{rate:.1f} % at {threshold:.2f}", f"{told_at}; {_counts(trials)}")


def _pairs(trials: Trials) -> str:
    return f"{len(trials.same)} pairs of one person, {len(trials.other)} of two"


def _counts(trials: Trials) -> str:
    return (
        f"{trials.right} of {trials.known} named rightly, {trials.wrong} wrongly; "
        f"{trials.named_strangers} of {trials.pieces} when not enrolled"
    )


def _curve(threshold: float, trials: dict[tuple[str, float], Trials]) -> Line:
    rates = [(name, seconds, *one.at(threshold)) for (name, seconds), one in trials.items()]
    accepted, rejected = (max(rate[place] for rate in rates) for place in (2, 3))
    same, other = next((rate[3], rate[2]) for rate in rates if rate[:2] == ("as recorded", TEST_SECONDS[-1]))
    return told(
        f"threshold {threshold:g}: wrongly accepted / rejected pairs",
        f"{other:.2f} % / {same:.1f} %",
        f"at worst {accepted:.2f} % / {rejected:.1f} %",
    )


# --- pieces of speech against enrolments ------------------------------------------------------------


def _people(audio: Path) -> list[Person]:
    """Everybody of whom there is a recording to themselves."""
    found = []
    for name, clips in sorted(voices_of(audio).items()):
        speech = _speech(clips)
        begin = round(ENROL_SECONDS * SAMPLE_RATE)
        if len(speech) >= begin + TEST_SECONDS[0] * SAMPLE_RATE:
            found.append(Person(name, _enrolled(speech[:begin]), speech[begin:]))
        elif len(speech) >= TEST_SECONDS[0] * SAMPLE_RATE and name not in SEVERAL_PEOPLE:
            found.append(Person(name, None, speech))
    return found


def _speech(clips: Sequence[Pcm]) -> Floats:
    """Clip after clip, without the silence in them."""
    parts = [
        as_floats(clip[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)])
        for clip in clips
        for start, end in speech_spans(clip)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _vector(samples: Floats) -> Floats:
    return recognition.encode(samples, [(0.0, len(samples) / SAMPLE_RATE)])


def _enrolled(samples: Floats) -> Floats:
    return recognition.enrol(samples, [(0.0, len(samples) / SAMPLE_RATE)])


def _pieces(person: Person, seconds: float) -> Iterator[Floats]:
    length = round(seconds * SAMPLE_RATE)
    for at in range(min(MOST_PIECES, len(person.rest) // length)):
        yield person.rest[at * length : (at + 1) * length]


def _trials(people: Sequence[Person], seconds: float, change: Callable[[Floats], Floats]) -> Trials:
    enrolled = {person.id: person.enrolled for person in people if person.enrolled is not None}
    book = Book(enrolled.items())
    same: list[float] = []
    other: list[float] = []
    right = wrong = known = pieces = named_strangers = 0
    for person in people:
        for piece in _pieces(person, seconds):
            vector = _vector(change(piece))
            for speaker_id, voice in enrolled.items():
                (same if speaker_id == person.id else other).append(float(vector @ voice))
            match, as_stranger = book.best(vector), book.best(vector, denied=[person.id])
            pieces += 1
            named_strangers += as_stranger is not None
            known += person.enrolled is not None
            right += match is not None and match.speaker_id == person.id
            wrong += match is not None and match.speaker_id != person.id and person.enrolled is not None
    return Trials(np.array(same), np.array(other), right, wrong, known, pieces, named_strangers)


def _telephone(samples: Floats) -> Floats:
    """300–3400 Hz with the slopes of a real filter, 8000 samples a second, eight bits each by the µ-law (G.711)."""
    band = butter(4, (300, 3400), "bandpass", fs=SAMPLE_RATE, output="sos")
    narrow = resample_poly(sosfilt(band, samples), 1, 2)
    loudest = float(np.abs(narrow).max()) or 1.0
    told = np.sign(narrow) * np.log1p(255 * np.abs(narrow) / loudest) / np.log(256)
    heard = np.round(told * 127) / 127
    back = np.sign(heard) * (256 ** np.abs(heard) - 1) / 255 * loudest
    wide: Floats = resample_poly(back, 2, 1)[: len(samples)].astype(np.float32)
    return wide


def _noisy(samples: Floats) -> Floats:
    noise = np.random.default_rng(len(samples)).standard_normal(len(samples))
    loudness = float(np.sqrt(np.mean(np.square(samples))))
    noisy: Floats = (samples + noise * loudness * 10 ** (-15 / 20)).astype(np.float32)
    return noisy


# --- the same through the diarizer ------------------------------------------------------------------


def _meetings(audio: Path) -> Iterator[Line]:
    """One far microphone for all, the same people in several excerpts of a meeting."""
    heard = [one for file in sorted(audio.rglob("*.rttm")) if "ami" in file.parent.name for one in _alone(file)]
    same: list[float] = []
    others: list[float] = []
    for (name, voice), (other, vector) in combinations(heard, 2):
        (same if name == other else others).append(float(voice @ vector))
    if same and others:
        yield told(
            "meetings, one far microphone: cosines of one person",
            f"{min(same):.2f}–{max(same):.2f}, {len(same)} pairs",
            f"of two people up to {max(others):.2f}, {len(others)} pairs",
        )


def _alone(file: Path) -> Iterator[tuple[str, Floats]]:
    """The voices of an excerpt that are heard alone long enough."""
    reference, sound = read_rttm(file), as_floats(samples_of(file.with_suffix(".flac")))
    for label in reference.labels():
        others = reference.subset([label], invert=True).get_timeline().support()
        alone = reference.label_timeline(label).extrude(others)
        spans = [(part.start, part.end) for part in alone if part.duration >= 0.5]
        if sum(end - start for start, end in spans) >= MEETING_SECONDS:
            yield label, recognition.encode(sound, spans)


def _conversations(audio: Path) -> Line:
    """People who are enrolled by other sentences than those that are put together; every third is a stranger."""
    voices = {name: clips for name, clips in sorted(voices_of(audio).items()) if len(clips) >= 4}
    names = {uuid5(_NAMES, name): name for place, name in enumerate(voices) if place % 3}
    book = Book((speaker_id, _enrolled(_speech(voices[name][:2]))) for speaker_id, name in names.items())
    rest = {name: clips[2:] for name, clips in voices.items()}
    diarizer = ClusteringDiarizer(None, threads=1)
    right = wrong = missed = 0
    for seed, (speakers, turns) in enumerate(BUILT):
        built = conversation(rest, speakers, turns, seed=seed)
        assert built.reference is not None
        found = diarizer.diarize([built.samples], Hints(speech_spans(built.samples)))
        heard = annotation_of(found)
        truth = {label: built.reference.argmax(heard.label_timeline(label)) for label in heard.labels()}
        matches = {label: names[match.speaker_id] for label, match in book.assign(found.voices).items()}
        right += sum(truth[label] == name for label, name in matches.items())
        wrong += sum(truth[label] != name for label, name in matches.items())
        missed += len({*names.values()} & {*built.reference.labels()} - {*matches.values()})
    return told(
        "built conversations: speakers named rightly", str(right), f"{wrong} wrongly, {missed} enrolled ones not named"
    )
