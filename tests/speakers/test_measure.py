"""Is a recording good enough to know a voice by."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.speakers.sounds import Floats, noisy, pcm, said
from whisper_jobs.speech.diarizers.clustering import ClusteringDiarizer
from whisper_jobs.speech.enrolling import MOST_SECONDS, Preflight, examine


@pytest.fixture(scope="module")
def diarizer() -> ClusteringDiarizer:
    torch.set_num_threads(1)
    return ClusteringDiarizer(None, threads=1)


def measured(samples: Floats) -> Preflight:
    return examine(pcm(samples))


def test_clear_speech_of_one_person_is_good_enough(diarizer: ClusteringDiarizer) -> None:
    samples = said("slt")
    found = examine(pcm(samples), diarizer)
    assert found.ok and found.issues == () and found.voices == 1
    assert found.duration_seconds == pytest.approx(len(samples) / 16_000, abs=0.01)
    assert 5.0 < found.speech_seconds < found.duration_seconds
    assert found.snr_db > 20 and found.clipping_ratio == 0.0


def test_what_is_told_can_be_stored(diarizer: ClusteringDiarizer) -> None:
    told = measured(said("slt")).told()
    assert told["ok"] is True and told["issues"] == []
    assert set(told) >= {"duration_seconds", "speech_seconds", "snr_db", "clipping_ratio"}


def test_two_voices_are_no_reference(diarizer: ClusteringDiarizer) -> None:
    found = examine(pcm(np.concatenate([said("slt"), said("rms")])), diarizer)
    assert found.issues == ("several_voices",)


@pytest.mark.parametrize("snr_db", [15.0, 25.0])
def test_noise_is_measured_in_decibels(snr_db: float) -> None:
    assert measured(noisy(said("slt"), snr_db)).snr_db == pytest.approx(snr_db, abs=3.0)


def test_loud_noise_is_refused() -> None:
    assert "too_noisy" in measured(noisy(said("slt"), 4.0)).issues


def test_noise_that_a_gate_cuts_off_between_words_is_still_heard() -> None:
    samples = said("slt")
    gated = np.where(np.abs(samples) > 1e-3, noisy(samples, 4.0), 0.0).astype(np.float32)
    assert measured(gated).snr_db < 15.0


def test_what_is_cut_off_is_refused() -> None:
    found = measured(said("slt") * np.float32(20.0))
    assert "clipped" in found.issues and found.clipping_ratio > 0.01


def test_single_peaks_do_no_harm() -> None:
    samples = said("slt").copy()
    samples[8000:60_000:4000] = 1.0
    assert "clipped" not in measured(samples).issues


def test_a_whisper_from_afar_is_too_quiet() -> None:
    assert "too_quiet" in measured(said("slt") * np.float32(0.01)).issues


def test_too_little_speech_is_refused() -> None:
    for samples in (np.zeros(0, np.float32), np.zeros(160_000, np.float32), said("slt", "Good morning.")):
        assert measured(samples).issues == ("too_little_speech",)


def test_what_is_too_long_is_not_even_looked_at() -> None:
    assert measured(np.zeros(int((MOST_SECONDS + 1) * 16_000), np.float32)).issues == ("too_long",)
