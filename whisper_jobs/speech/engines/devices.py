"""Which processor an engine works on, and what a user is told when it can't. Called by the Whisper engines."""

from __future__ import annotations

from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines.base import Setup
from whisper_jobs.speech.engines.memory import is_out_of_memory

NO_GPU = (
    "A GPU was asked for (TOOLS_DEVICE=cuda), but this server has none that can be used. "
    "Set TOOLS_DEVICE to “auto” or “cpu”."
)
#: What CTranslate2 and torch name when a driver, a library of CUDA or the GPU itself is not fit for them.
_SIGNS = ("cuda", "cublas", "cudnn", "nvidia", "nvrtc")
_MOST_CHARACTERS = 200


def is_gpu_unfit(error: Exception) -> bool:
    """Whether the GPU or what belongs to it has failed. torch says with an AssertionError that it was built without CUDA."""
    known = isinstance(error, RuntimeError | AssertionError | OSError) and not is_out_of_memory(error)
    return known and any(sign in str(error).lower() for sign in _SIGNS)


def without_gpu(error: Exception, setup: Setup) -> str:
    """The sentence for the job's log when the CPU is to go on. Raises JobError `model_unavailable` where the GPU is a must."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    reason = lines[0].strip().rstrip(".")[:_MOST_CHARACTERS]
    if setup.device == "cuda":
        message = (
            f"A GPU was asked for (TOOLS_DEVICE=cuda), but this server's can't be used: {reason}. "
            "Set TOOLS_DEVICE to “auto” or “cpu”."
        )
        raise JobError("model_unavailable", message) from error
    return f"The GPU can't be used, so the model works without it, which is slower: {reason}."
