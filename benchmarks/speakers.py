"""Who speaks when, by the diarizer that needs no model: against labelled recordings, beside saying that one person speaks."""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from benchmarks.figure import Line, Options, at_least, told
from benchmarks.sound import Pcm, samples_of
from whisper_jobs.media.decoding import SAMPLE_RATE
from whisper_jobs.speech.diarizers.base import Diarization, Floats, Hints, Span
from whisper_jobs.speech.diarizers.clustering import ClusteringDiarizer
from whisper_jobs.speech.windows import WindowCutter

TITLE = "Speakers"
MEETINGS, CONVERSATIONS = "meetings", "conversations"
#: Around each border of the reference so much is not judged, half of it on either side: people who label differ by that.
COLLAR_SECONDS = 0.25
#: The rules were found on these recordings, and on these voices (groups of the manifest) and conversations built from them.
TUNED_ON = ("trn00", "trn03", "trn07", "conv2_public")
TUNED_ON_VOICES = (
    "aeneas/es",
    "deepspeech/new-home-in-the-stars-16k",
    "librispeech/1688",
    "librispeech/3005",
    "librispeech/3331",
    "ljspeech/0",
    "mfa/61-70968-0000",
    "mfa/common_voice_ja_24511055",
    "moonshine/beckett",
    "openai_whisper/jfk",
    "picovoice/test_de",
    "picovoice/test_fr",
    "picovoice/test_ko",
    "speech_recognition/english",
    "watson/speech",
)
#: Groups of short commands by several people.
SEVERAL_PEOPLE = ("pocketsphinx/cards", "google_samples/dialogflow")
SHORTEST_MONOLOGUE_SECONDS = 10.0
#: How many speak in the conversations that are built, and how many turns they take.
BUILT = ((2, 8), (2, 12), (3, 12), (3, 16), (4, 16), (5, 20), (6, 24))


@dataclass(frozen=True, slots=True)
class Recording:
    """`reference` is None where only the number of speakers is known."""

    name: str
    kind: str
    samples: Pcm
    speakers: int
    reference: Annotation | None = None

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Score:
    recording: Recording
    seconds: float
    found: int
    error: float
    alone: float
    spoken: float

    @property
    def right(self) -> bool:
        return self.found == self.recording.speakers


def measure(options: Options) -> list[Line]:
    if options.audio is None:
        return [told("recordings with labels", "none: --audio FOLDER names them")]
    torch.set_num_threads(1)
    diarizer = ClusteringDiarizer(None, threads=1)
    recordings = list(_recordings(options.audio))
    scores = [_score(diarizer, one) for one in (recordings[:4] if options.quick else recordings)]
    judged = [score for score in scores if score.recording.name not in TUNED_ON]
    labelled = [score for score in scores if score.recording.kind in (MEETINGS, CONVERSATIONS)]
    speed = sum(score.recording.seconds for score in scores) / sum(score.seconds for score in scores)
    kinds = dict.fromkeys(score.recording.kind for score in judged)
    return [
        at_least("right number of speakers, %", 80, [_share(judged)], spread=_count(judged)),
        at_least("the same, of all recordings with labels", 80, [_share(labelled)], spread=_count(labelled)),
        *(line for kind in kinds for line in _lines(kind, [one for one in judged if one.recording.kind == kind])),
        *_lines("all recordings with labels", labelled),
        *_lines("the recordings it was tuned on", [score for score in scores if score not in judged]),
        told("times as fast as real time, one thread", f"{speed:.0f}"),
    ]


def _lines(kind: str, scores: Sequence[Score]) -> Iterator[Line]:
    if not scores:
        return
    yield told(f"{kind}: right number of speakers", _count(scores), _wrong(scores))
    spoken = sum(score.spoken for score in scores)
    if spoken:
        error, alone = (
            100 * sum(values) / spoken for values in zip(*((one.error, one.alone) for one in scores), strict=True)
        )
        yield told(f"{kind}: diarization error rate", f"{error:.1f} %", f"{alone:.1f} % for one speaker")


def _share(scores: Sequence[Score]) -> float:
    return 100 * sum(score.right for score in scores) / len(scores)


def _count(scores: Sequence[Score]) -> str:
    return f"{sum(score.right for score in scores)} of {len(scores)}"


def _wrong(scores: Sequence[Score]) -> str:
    return ", ".join(
        f"{one.recording.name} {one.found} for {one.recording.speakers}" for one in scores if not one.right
    )


def _score(diarizer: ClusteringDiarizer, recording: Recording) -> Score:
    speech = speech_spans(recording.samples)
    began = time.perf_counter()
    found = diarizer.diarize([recording.samples], Hints(speech))
    seconds = time.perf_counter() - began
    error = alone = spoken = 0.0
    if recording.reference is not None:
        error, spoken = _error(recording, annotation_of(found))
        everyone = Annotation()
        for track, span in enumerate(speech):
            everyone[Segment(*span), track] = "everybody"
        alone, _ = _error(recording, everyone)
    return Score(recording, seconds, len(found.voices), error, alone, spoken)


def _error(recording: Recording, heard: Annotation) -> tuple[float, float]:
    """Seconds that are wrong, and that are spoken."""
    metric = DiarizationErrorRate(collar=COLLAR_SECONDS)
    whole = Timeline([Segment(0.0, recording.seconds)])
    parts = metric(recording.reference, heard, uem=whole, detailed=True)
    wrong = sum(parts[name] for name in ("missed detection", "false alarm", "confusion"))
    return float(wrong), float(parts["total"])


def annotation_of(found: Diarization) -> Annotation:
    heard = Annotation()
    for track, turn in enumerate(found.turns):
        heard[Segment(turn.start, turn.end), track] = turn.speaker
    return heard


def speech_spans(samples: Pcm) -> list[Span]:
    cutter = WindowCutter()
    windows = [*cutter.feed(samples), *cutter.finish()]
    return [span for window in windows for span in window.speech]


def _recordings(audio: Path) -> Iterator[Recording]:
    labelled = sorted(audio.rglob("*.rttm"))
    for file in labelled:
        reference = read_rttm(file)
        sound = next(
            each for each in sorted(file.parent.glob(f"{file.stem}.*")) if each.suffix in (".wav", ".flac", ".mp3")
        )
        kind = MEETINGS if "ami" in file.parent.name else CONVERSATIONS
        yield Recording(file.stem, kind, samples_of(sound), len(reference.labels()), reference)
    voices = {name: clips for name, clips in voices_of(audio).items() if name not in TUNED_ON_VOICES}
    for name, clips in sorted(voices.items()):
        joined = np.concatenate(clips)
        if len(joined) >= SHORTEST_MONOLOGUE_SECONDS * SAMPLE_RATE:
            yield Recording(name, "monologues", joined[: 90 * SAMPLE_RATE], 1)
    for seed, (speakers, turns) in enumerate(BUILT):
        yield conversation(voices, speakers, turns, seed=seed)


def read_rttm(file: Path) -> Annotation:
    reference = Annotation()
    for track, line in enumerate(file.read_text().splitlines()):
        fields = line.split()
        start, length = float(fields[3]), float(fields[4])
        reference[Segment(start, start + length), track] = fields[7]
    return reference


def voices_of(audio: Path) -> dict[str, list[Pcm]]:
    """The recordings of one person each, by the group that the manifest gives them."""
    with (audio / "MANIFEST.tsv").open(newline="") as file:
        rows = [
            row for row in csv.DictReader(file, delimiter="\t") if row["speakers"] == "1" and float(row["seconds"]) >= 2
        ]
    groups: dict[str, dict[str, Path]] = {}
    rows = [row for row in rows if row["group"] not in SEVERAL_PEOPLE]
    for row in rows:
        files = groups.setdefault(row["group"], {})
        # Variants of one recording have its name up to an underline or the ending.
        files.setdefault(Path(row["file"]).stem.partition("_pcm")[0], audio / row["file"])
    return {name: [samples_of(file) for file in files.values()] for name, files in groups.items()}


def conversation(voices: dict[str, list[Pcm]], speakers: int, turns: int, *, seed: int) -> Recording:
    """People who take turns, a fifth of the time before the other has ended; references are where the clips lie."""
    dice = random.Random(seed)
    long_enough = [name for name, clips in voices.items() if sum(map(len, clips)) > 10 * SAMPLE_RATE]
    clips = {name: _shuffled(voices[name], dice) for name in dice.sample(long_enough, min(speakers, len(long_enough)))}
    sound, reference, end, last = np.zeros(0, np.float32), Annotation(), 0.5, ""
    for track in range(turns):
        ready = [name for name in clips if clips[name] and name != last]
        if not ready:
            break
        # Everyone speaks once before anyone speaks again.
        last = dice.choice([name for name in ready if name not in reference.labels()] or ready)
        clip = clips[last].pop()
        start = max(0.0, end + (dice.uniform(0.2, 0.9) if dice.random() > 0.2 else -dice.uniform(0.3, 1.2)))
        sound = _mixed(sound, clip * np.float32(10 ** dice.uniform(-0.2, 0.2)), round(start * SAMPLE_RATE))
        end = start + len(clip) / SAMPLE_RATE
        reference[Segment(start, end), track] = last
    pcm = np.clip(sound * 32767, -32768, 32767).astype(np.int16)
    return Recording(f"built {seed + 1}", "built conversations", pcm, len(reference.labels()), reference)


def _shuffled(recordings: Sequence[Pcm], dice: random.Random) -> list[Floats]:
    """Pieces of three to eight seconds without the silence around them, as loud as each other."""
    pieces: list[Floats] = []
    for samples in recordings:
        for start, end in speech_spans(samples):
            at, last = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
            while last - at >= SAMPLE_RATE:
                length = round(dice.uniform(3.0, 8.0) * SAMPLE_RATE)
                piece = samples[at : min(at + length, last)].astype(np.float32)
                pieces.append(piece * np.float32(0.05) / (np.sqrt(np.mean(np.square(piece))) + np.float32(1e-6)))
                at += length
    dice.shuffle(pieces)
    return [piece for piece in pieces if len(piece) >= SAMPLE_RATE]


def _mixed(sound: Floats, clip: Floats, at: int) -> Floats:
    mixed = np.zeros(max(len(sound), at + len(clip)), np.float32)
    mixed[: len(sound)] = sound
    mixed[at : at + len(clip)] += clip
    return mixed
