"""Sounds in which nobody speaks, made here: silence, noise, hum, tones and music. For tests and the bench."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]
Sound = npt.NDArray[np.float64]
RATE = 16_000
#: Root mean square of what is made: -20 dBFS, as loud as speech.
LEVEL = 0.1
#: A minor, F, C, G: frequencies in Hz.
CHORDS = ((220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (261.6, 329.6, 392.0), (196.0, 246.9, 293.7))


def silence(seconds: float) -> Pcm:
    return np.zeros(round(seconds * RATE), np.int16)


def white(seconds: float) -> Pcm:
    return _pcm(_random(seconds))


def pink(seconds: float) -> Pcm:
    """Equal power in each octave."""
    return _pcm(_coloured(seconds, 0.5))


def brown(seconds: float) -> Pcm:
    """Twice as steep: wind and engines."""
    return _pcm(_coloured(seconds, 1.0))


def hum(seconds: float) -> Pcm:
    """Of the mains, with its overtones."""
    return _pcm(sum(_sine(50.0 * part, seconds) / part for part in range(1, 12)))


def tone(seconds: float) -> Pcm:
    return _pcm(_sine(440.0, seconds))


def sweep(seconds: float) -> Pcm:
    """From 100 Hz to 4 kHz, again every 5 s: a siren."""
    frequency = 100.0 * 40.0 ** (_time(seconds) / 5.0 % 1.0)
    return _pcm(np.sin(2 * np.pi * np.cumsum(frequency) / RATE))


def beeps(seconds: float) -> Pcm:
    """A telephone that is engaged."""
    return _pcm((_sine(425.0, seconds)) * (_time(seconds) % 1.0 < 0.5))


def chords(seconds: float) -> Pcm:
    """Held ones, with overtones and a slow swell: an organ."""
    return _pcm(_melody(seconds, 2.0, lambda at: CHORDS[at % 4], decay=0.3))


def arpeggio(seconds: float) -> Pcm:
    """One plucked note after the other: a guitar."""
    return _pcm(_melody(seconds, 0.25, lambda at: (CHORDS[at // 8 % 4][at % 3],), decay=6.0))


def strings(seconds: float) -> Pcm:
    """A melody with vibrato, bowed."""
    return _pcm(_melody(seconds, 0.7, lambda at: (2 * CHORDS[at // 4 % 4][at * 7 % 3],), decay=0.8, vibrato=0.01))


def drums(seconds: float) -> Pcm:
    beat, noise = _time(seconds) % 0.5, _random(seconds)
    snare = noise * np.exp(-30 * beat) * (_time(seconds) % 1.0 >= 0.5)
    hat = np.diff(noise, prepend=0.0) * np.exp(-80 * (beat % 0.25))
    return _pcm(np.sin(2 * np.pi * 55 * beat * np.exp(-4 * beat)) * np.exp(-12 * beat) + 0.6 * snare + 0.3 * hat)


def band(seconds: float) -> Pcm:
    """Chords, arpeggio and drums together."""
    return _pcm(sum(each(seconds).astype(np.float64) for each in (chords, arpeggio, drums)))


NOISES: dict[str, Callable[[float], Pcm]] = {
    each.__name__: each
    for each in (silence, white, pink, brown, hum, tone, sweep, beeps, chords, arpeggio, strings, drums, band)
}


def _melody(
    seconds: float,
    note_seconds: float,
    frequencies: Callable[[int], tuple[float, ...]],
    *,
    decay: float,
    vibrato: float = 0.0,
) -> Sound:
    """Notes of equal length with eight overtones, each louder at its beginning."""
    out = np.zeros(round(seconds * RATE))
    for at in range(int(seconds / note_seconds) + 1):
        part = out[round(at * note_seconds * RATE) : round((at + 1) * note_seconds * RATE)]
        time = np.arange(len(part)) / RATE
        swing = vibrato * np.sin(2 * np.pi * 5.5 * time) / (2 * np.pi * 5.5)
        shape = np.minimum(1.0, time / 0.01) * np.exp(-decay * time)
        for frequency in frequencies(at):
            for part_number in range(1, 9):
                phase = 2 * np.pi * frequency * part_number * (time + swing)
                part += shape * np.sin(phase) / part_number**1.5
    return out


def _time(seconds: float) -> Sound:
    return np.arange(round(seconds * RATE)) / RATE


def _sine(frequency: float, seconds: float) -> Sound:
    wave: Sound = np.sin(2 * np.pi * frequency * _time(seconds))
    return wave


def _random(seconds: float) -> Sound:
    return np.random.default_rng(7).normal(0.0, 1.0, round(seconds * RATE))


def _coloured(seconds: float, exponent: float) -> Sound:
    spectrum = np.fft.rfft(_random(seconds))
    frequencies = np.maximum(20.0, np.fft.rfftfreq(round(seconds * RATE), 1 / RATE))
    coloured: Sound = np.fft.irfft(spectrum / frequencies**exponent, round(seconds * RATE))
    return coloured


def _pcm(sound: Sound | int) -> Pcm:
    wave = np.asarray(sound, np.float64)
    wave = wave * LEVEL / max(1e-9, float(np.sqrt(np.mean(np.square(wave)))))
    return (np.clip(wave, -1.0, 1.0) * 32767).astype(np.int16)
