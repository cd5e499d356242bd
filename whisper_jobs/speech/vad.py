"""Where somebody speaks: silero's voice detector, streamed through onnxruntime without torch.

Called by the window cutter; the weights are the ones that the silero_vad wheel carries.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import onnxruntime

Floats = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000
FRAME_SAMPLES = 512
#: Each frame is heard together with the end of the one before it.
CONTEXT_SAMPLES = 64
#: The same weights as silero_vad.onnx, but one call takes many frames: several times as fast.
WEIGHTS = "silero_vad_16k_sequence.onnx"
#: A frame below this root mean square (-80 dBFS) is digital silence.
SILENCE_RMS = 1e-4
#: Where the loudest frame of a while stays below this (-30 dBFS), the sound is raised to it, a hundredfold at most.
QUIET_RMS, MOST_GAIN = 0.0316, 100.0
#: How much of the loudest frame is remembered a second later: speech comes back after a pause as loud as it went.
LOUDNESS_KEPT = 0.97
#: The model still hears this much of a silence, so that its state settles before it is skipped (0.5 s).
SETTLING_FRAMES = 16


class Leveller:
    """Raises quiet sound, so that the detector hears it: it was trained on speech of usual loudness. Feed it blocks in order."""

    def __init__(self) -> None:
        self._loudness = 0.0

    def levelled(self, block: Floats) -> Floats:
        """The block, as it is when it is loud or digital silence, else louder throughout."""
        whole = block[: len(block) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
        loudest = float(np.sqrt(np.square(whole).mean(axis=1)).max(initial=0.0))
        self._loudness = max(loudest, self._loudness * LOUDNESS_KEPT ** (len(block) / SAMPLE_RATE))
        if loudest < SILENCE_RMS or self._loudness >= QUIET_RMS:
            return block
        return block * np.float32(min(MOST_GAIN, QUIET_RMS / self._loudness))


class SpeechDetector:
    """Feed it a recording in pieces of any size; it answers with one probability per 32 ms frame, in order.

    Silent frames skip the model, so that hours of silence cost seconds.
    """

    def __init__(self) -> None:
        self._session = _session()
        self._rest = np.zeros(0, np.float32)
        self._context = np.zeros(CONTEXT_SAMPLES, np.float32)
        self._hidden = np.zeros((1, 1, 128), np.float32)
        self._cell = np.zeros((1, 1, 128), np.float32)
        self._silent_frames = 0

    def probabilities(self, samples: Floats) -> Floats:
        """`samples`: mono float32 at 16 kHz. One value per frame that is now complete; the rest is kept."""
        samples = np.concatenate((self._rest, samples))
        complete = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = samples[complete:]
        return self._judge(samples[:complete].reshape(-1, FRAME_SAMPLES))

    def finish(self) -> Floats:
        """The last, incomplete frame, filled up with silence."""
        if not len(self._rest):
            return np.zeros(0, np.float32)
        return self.probabilities(np.zeros(FRAME_SAMPLES - len(self._rest), np.float32))

    def _judge(self, frames: Floats) -> Floats:
        probabilities = np.zeros(len(frames), np.float32)
        heard = self._worth_hearing(frames)
        if len(frames):
            before = np.concatenate((self._context[None], frames[:-1, -CONTEXT_SAMPLES:]))
            self._context = frames[-1, -CONTEXT_SAMPLES:].copy()
        if heard.any():
            probabilities[heard] = self._run(np.concatenate((before[heard], frames[heard]), axis=1))
        return probabilities

    def _worth_hearing(self, frames: Floats) -> npt.NDArray[np.bool_]:
        """False for the frames of a silence that has lasted."""
        silent = np.einsum("ij,ij->i", frames, frames) < SILENCE_RMS**2 * FRAME_SAMPLES
        # For each frame, how many silent ones in a row end with it, counted on from the last call.
        position = np.arange(1, len(frames) + 1)
        last_sound = np.maximum.accumulate(np.where(silent, -self._silent_frames, position))
        run = position - last_sound
        if len(frames):
            self._silent_frames = int(run[-1])
        heard: npt.NDArray[np.bool_] = run <= SETTLING_FRAMES
        return heard

    def _run(self, frames: Floats) -> Floats:
        inputs = {"input": frames, "h": self._hidden, "c": self._cell}
        probabilities, self._hidden, self._cell = self._session.run(None, inputs)
        return np.asarray(probabilities, np.float32)


def weights_path() -> Path:
    # find_spec doesn't import the package: its import would pull in torch.
    spec = find_spec("silero_vad")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("silero-vad is not installed: pip install -r requirements.txt")
    return Path(spec.submodule_search_locations[0]) / "data" / WEIGHTS


@cache
def _session() -> onnxruntime.InferenceSession:
    """Shared by all detectors of the process: it keeps no state of its own."""
    import onnxruntime

    # On by default, and nothing about a recording is anybody's business.
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(weights_path()), options, providers=["CPUExecutionProvider"])
