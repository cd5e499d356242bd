"""torchaudio beside a CPU build of torch: its wheels link CUDA, and only their compiled part does. Nothing here needs that part.

Called before anything that imports torchaudio.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

_EXTENSION = "torchaudio._extension"


def ensure() -> None:
    """Makes `import torchaudio` work; without its extension where that can't be loaded."""
    try:
        importlib.import_module("torchaudio")
    except (OSError, ImportError):
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
            del sys.modules[name]
        sys.modules[_EXTENSION] = _without_extension()
        importlib.import_module("torchaudio")


def _without_extension() -> ModuleType:
    """What torchaudio asks its own module of the same name."""
    stand_in: Any = ModuleType(_EXTENSION)
    stand_in._IS_TORCHAUDIO_EXT_AVAILABLE = stand_in._IS_ALIGN_AVAILABLE = False
    stand_in._check_cuda_version = lambda: None
    stand_in.fail_if_no_align = _refusing
    module: ModuleType = stand_in
    return module


def _refusing(function: Callable[..., Any]) -> Callable[..., Any]:
    def refuse(*_args: Any, **_kwargs: Any) -> Any:
        raise RuntimeError(f"{function.__name__} needs torchaudio's compiled extension")

    return refuse
