"""The streamed voice detector says what silero's own says, whatever the size of the pieces."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests.speech.conftest import Pcm
from whisper_jobs.speech.vad import FRAME_SAMPLES, QUIET_RMS, SETTLING_FRAMES, Floats, Leveller, SpeechDetector
from whisper_jobs.speech.windows import as_floats


@pytest.fixture(scope="module")
def twelve_seconds(dialogue: Pcm) -> Floats:
    return as_floats(dialogue[: 12 * 16_000 + 100])


def detected(samples: Floats, piece: int) -> Floats:
    detector = SpeechDetector()
    pieces = [detector.probabilities(samples[at : at + piece]) for at in range(0, len(samples), piece)]
    return np.concatenate([*pieces, detector.finish()])


def theirs_for(samples: Floats) -> Floats:
    import torch
    from silero_vad import load_silero_vad

    reference = load_silero_vad(onnx=True)
    whole = len(samples) // FRAME_SAMPLES
    frames = torch.from_numpy(samples[: whole * FRAME_SAMPLES]).reshape(-1, FRAME_SAMPLES)
    return np.array([reference(frame, 16_000).item() for frame in frames], np.float32)


def test_it_agrees_with_the_package_frame_by_frame(twelve_seconds: Floats) -> None:
    noise = as_floats(np.random.default_rng(0).integers(-40, 41, len(twelve_seconds)).astype(np.int16))
    noisy = np.add(twelve_seconds, noise, dtype=np.float32)
    theirs = theirs_for(noisy)
    ours = detected(noisy, 16_000)
    assert len(ours) == len(theirs) + 1
    assert theirs.max() > 0.9
    assert np.abs(ours[:-1] - theirs).max() < 1e-4


def test_skipping_digital_silence_changes_next_to_nothing(twelve_seconds: Floats) -> None:
    ours = detected(twelve_seconds, 16_000)
    assert (ours == 0).any(), "something was skipped"
    assert np.abs(ours[:-1] - theirs_for(twelve_seconds)).max() < 0.1


@pytest.mark.parametrize("piece", [1, 511, 512, 513, 7000])
def test_the_size_of_the_pieces_makes_no_difference(twelve_seconds: Floats, piece: int) -> None:
    short = twelve_seconds[:40_000]
    assert np.allclose(detected(short, piece), detected(short, len(short)), atol=1e-5)


def test_speech_after_a_long_digital_silence_is_found(twelve_seconds: Floats) -> None:
    silence = np.zeros(60 * 16_000, np.float32)
    found = detected(np.concatenate((silence, twelve_seconds)), 30_000)
    quiet = len(silence) // FRAME_SAMPLES
    assert found[:quiet].max() < 0.1
    assert np.abs((found[quiet:] > 0.5).sum() - (detected(twelve_seconds, 30_000) > 0.5).sum()) <= 2


def test_the_model_is_not_asked_about_lasting_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    run = SpeechDetector._run

    def counting(self: SpeechDetector, frames: Floats) -> Floats:
        nonlocal asked
        asked += len(frames)
        return run(self, frames)

    monkeypatch.setattr(SpeechDetector, "_run", counting)
    assert len(detected(np.zeros(600 * 16_000, np.float32), 16_384)) == 18_750
    assert asked == SETTLING_FRAMES


def test_a_recording_shorter_than_a_frame_is_one_frame() -> None:
    assert len(detected(np.zeros(100, np.float32), 100)) == 1
    assert len(detected(np.zeros(0, np.float32), 100)) == 0


def loudest(samples: Floats) -> float:
    return float(np.sqrt(np.square(samples.reshape(-1, FRAME_SAMPLES)).mean(axis=1)).max())


def test_quiet_sound_is_raised_and_loud_sound_is_not(twelve_seconds: Floats) -> None:
    block = twelve_seconds[64 * FRAME_SAMPLES : 96 * FRAME_SAMPLES]
    assert loudest(block) > QUIET_RMS
    assert Leveller().levelled(block) is block
    assert loudest(Leveller().levelled(block * np.float32(0.01))) == pytest.approx(QUIET_RMS, rel=1e-3)
    assert loudest(Leveller().levelled(block * np.float32(0.0001))) < QUIET_RMS, "a hundredfold at most"


def test_the_noise_of_a_pause_is_not_raised_to_the_loudness_of_speech(twelve_seconds: Floats) -> None:
    leveller = Leveller()
    leveller.levelled(twelve_seconds[64 * FRAME_SAMPLES : 96 * FRAME_SAMPLES])
    noise = np.random.default_rng(0).normal(0.0, 0.001, 32 * FRAME_SAMPLES).astype(np.float32)
    assert all(leveller.levelled(noise) is noise for _ in range(20))


def test_digital_silence_stays_silence() -> None:
    silence = np.full(32 * FRAME_SAMPLES, 3e-5, np.float32)
    assert Leveller().levelled(silence) is silence


def test_torch_stays_out_of_the_process() -> None:
    code = (
        "import sys; import numpy as np; from whisper_jobs.speech.windows import WindowCutter; "
        "cutter = WindowCutter(); cutter.feed(np.ones(20000, np.int16)); cutter.finish(); "
        "heavy = {'torch', 'silero_vad', 'django', 'celery'} & set(sys.modules); sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
