"""Whisper on CTranslate2, through faster-whisper: the fastest on a CPU and on a GPU. Loaded through `registry.load`; offline.

When memory runs out it goes on with fewer windows at once, then with smaller numbers, then with shorter windows, then on the
CPU, and says so. When the GPU can't be used, which shows at the latest in the first window, it goes on on the CPU at once.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines import converted
from whisper_jobs.speech.engines.base import SAMPLE_RATE, Options, Quality, Result, Samples, Setup
from whisper_jobs.speech.engines.devices import NO_GPU, is_gpu_unfit, without_gpu
from whisper_jobs.speech.engines.faster_reading import FRAMES_PER_SECOND, Reader, Window, encode, features_of, patiently
from whisper_jobs.speech.engines.memory import is_out_of_memory
from whisper_jobs.speech.engines.pieces import LONG_SECONDS, SHORT_SECONDS, joined, pieces
from whisper_jobs.speech.engines.tidying import tidy
from whisper_jobs.speech.languages import name_of

#: Windows at once where the setup doesn't say; see docs/benchmarks.md. On a GPU the memory decides how many stay.
CPU_BATCH, GPU_BATCH = 1, 16
#: The next smaller arithmetic; what a processor doesn't know is passed over.
SMALLER = {
    "float32": ("int8_float32", "int8"),
    "float16": ("int8_float16", "int8"),
    "bfloat16": ("int8_bfloat16", "int8"),
    "int16": ("int8",),
}

_FIRST_WORD = b"<|startoftranscript|>"


@dataclass(frozen=True, slots=True)
class _Ways:
    """How the model works at present."""

    device: str
    compute_type: str
    batch: int
    seconds: int = LONG_SECONDS


class FasterWhisper:
    name = "faster-whisper"
    quality: Quality = "full"

    def __init__(self, model: str, setup: Setup) -> None:
        folder = converted.find(model, setup.folders)
        if folder is None:
            raise JobError("model_unavailable", _why_not(model, setup))
        _refuse_damaged_texts(model, folder)
        known = converted.named(model)
        self.model_name, self._folder, self._setup = model, folder, setup
        self._untold: list[str] = []
        self._model: Any = None
        self._ways = self._first_ways()
        self._load()
        self._english_only = not self._multilingual or bool(known and known.english_only)

    @property
    def batch(self) -> int:
        return self._ways.batch

    @property
    def _multilingual(self) -> bool:
        return bool(self._model.model.is_multilingual)

    def transcribe(self, windows: Sequence[Samples], options: Options) -> list[Result]:
        self._load()
        self._refuse_unknown_language(options.language)
        results: list[Result] = []
        while len(results) < len(windows):
            self._tell(options)
            some = windows[len(results) : len(results) + self.batch]
            try:
                results += patiently(partial(self._batch, some, options), options.should_stop)
            except Exception as error:
                self._step_down(error)
        return results

    def _tell(self, options: Options) -> None:
        for sentence in self._untold:
            options.tell(sentence)
        self._untold.clear()

    def _batch(self, windows: Sequence[Samples], options: Options, left: Event) -> list[Result]:
        parts = [list(pieces(samples, self._ways.seconds)) for samples in windows]
        read = iter(self._read([piece for each in parts for _start, piece in each], options, left))
        return [joined([(start, next(read)) for start, _piece in each], options.language) for each in parts]

    def _read(self, parts: Sequence[Samples], options: Options, left: Event) -> list[Result]:
        """Each language by itself, since the batch of a model has one; nearly always there is only one."""
        frames = self._ways.seconds * FRAMES_PER_SECOND
        windows = [Window(features_of(self._model, samples)) for samples in parts]
        encoded = encode(self._model, windows, frames) if windows else None
        languages = self._languages(encoded, len(windows), options.language)
        for language in dict.fromkeys(code for code, _probability in languages):
            some = [window for window, (code, _) in zip(windows, languages, strict=True) if code == language]
            reader = Reader(self._model, options, left, language=language, frames=frames)
            reader.read(some, encoded if len(some) == len(windows) else None)
        return [
            Result(tidy(window.found, duration=len(samples) / SAMPLE_RATE), code, probability)
            for samples, window, (code, probability) in zip(parts, windows, languages, strict=True)
        ]

    def _languages(self, encoded: Any, count: int, asked: str | None) -> list[tuple[str, float | None]]:
        """The asked one, or what the model hears in each window with its probability."""
        if asked is not None or self._english_only or not count:
            return [(asked or "en", None)] * count
        heard = self._model.model.detect_language(encoded)
        return [(best[0][0].strip("<|>"), float(best[0][1])) for best in heard]

    def _refuse_unknown_language(self, language: str | None) -> None:
        if language is None:
            return
        token = self._model.hf_tokenizer.token_to_id(f"<|{language}|>")
        if language != "en" and (self._english_only or token is None):
            message = f"The model “{self.model_name}” does not know {name_of(language)}. Choose another model."
            raise JobError("language_unsupported", message)

    def _first_ways(self) -> _Ways:
        """Those of the setup, or where the driver is too old to be asked about the GPU those of the CPU."""
        try:
            return _ways_of(self._setup)
        except Exception as error:
            if not is_gpu_unfit(error):
                raise
            self._untold.append(without_gpu(error, self._setup))
            return _cpu_ways(self._setup)

    def _load(self) -> None:
        """With the present ways, or the next that the memory and the GPU allow."""
        while self._model is None:
            try:
                self._model = _model(self._folder, self._ways, self._setup.threads)
            except Exception as error:
                if is_out_of_memory(error):
                    self._ways = replace(self._ways, batch=1)
                    self._untold.append(self._next_way(error))
                elif self._is_gpu_unfit(error):
                    self._untold.append(self._leave_gpu(error))
                else:
                    raise _not_loaded(error, self.model_name, self._folder) from error

    def _is_gpu_unfit(self, error: Exception) -> bool:
        return self._ways.device == "cuda" and is_gpu_unfit(error)

    def _leave_gpu(self, error: Exception) -> str:
        """The sentence for the job's log. Raises JobError `model_unavailable` where the GPU is a must."""
        sentence = without_gpu(error, self._setup)
        self._ways = _cpu_ways(self._setup)
        return sentence

    def _step_down(self, error: Exception) -> None:
        """Changes to the next way that takes less memory, or needs no GPU. Raises JobError `out_of_memory`, or the error."""
        before = self._ways
        if is_out_of_memory(error):
            self._untold.append(self._next_way(error))
        elif self._is_gpu_unfit(error):
            self._untold.append(self._leave_gpu(error))
        else:
            raise error
        if (before.device, before.compute_type) != (self._ways.device, self._ways.compute_type):
            self._model = None
            gc.collect()
            self._load()

    def _next_way(self, error: Exception) -> str:
        ways = self._ways
        smaller = _smaller(ways)
        if ways.batch > 1:
            self._ways = replace(ways, batch=ways.batch // 2)
            return f"Memory ran out; the model goes on with {ways.batch // 2} at once."
        if smaller:
            self._ways = replace(ways, compute_type=smaller)
            return f"Memory ran out; the model goes on with smaller numbers ({smaller})."
        if ways.seconds > SHORT_SECONDS:
            self._ways = replace(ways, seconds=SHORT_SECONDS)
            return "Memory ran out; the model goes on with shorter parts."
        if ways.device == "cuda":
            self._ways = replace(_cpu_ways(self._setup), batch=CPU_BATCH)
            return "The GPU's memory ran out; the model goes on without the GPU, which is slower."
        raise JobError("out_of_memory") from error


def _why_not(model: str, setup: Setup) -> str:
    """Which file is in the way, where there is a folder at all."""
    if converted.status(model, setup.folders).state == "damaged":
        folders = (folder for folder in converted.places(model, setup.folders))
        faults = [fault for folder in folders if (fault := converted.fault(folder))]
        return faults[0] if faults else f"The file of the Whisper model “{model}” is damaged."
    return f"The Whisper model “{model}” is not on this server."


def _refuse_damaged_texts(model: str, folder: Path) -> None:
    """Raises JobError `model_unavailable`. Of the words one is looked for that every Whisper has behind all that can be heard:
    without it the library loads the model and fails with the first window."""
    vocabularies = sorted(folder.glob("vocabulary.*"))
    if not any(_FIRST_WORD in path.read_bytes() for path in vocabularies):
        raise _damaged(vocabularies[0].name, model)
    for path in (folder / "config.json", *(path for path in vocabularies if path.suffix == ".json")):
        try:
            json.loads(path.read_bytes())
        except ValueError as error:
            raise _damaged(path.name, model) from error


def _not_loaded(error: Exception, model: str, folder: Path) -> JobError:
    """What the library said, unless it is the tokenizer.json, of which it says only where in the text it gave up."""
    from tokenizers import Tokenizer

    try:
        Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception:
        # The library's own class is Exception itself.
        return _damaged("tokenizer.json", model)
    if not str(error):
        return _damaged("model.bin", model)
    return JobError("model_unavailable", f"The model.bin of the model “{model}” can't be loaded: {error}")


def _damaged(file: str, model: str) -> JobError:
    return JobError("model_unavailable", f"The {file} of the model “{model}” is damaged.")


def _ways_of(setup: Setup) -> _Ways:
    """Raises JobError `model_unavailable` when a GPU is asked for where none is, or an arithmetic that it can't do."""
    import ctranslate2

    device = "cuda" if setup.device != "cpu" and ctranslate2.get_cuda_device_count() > 0 else "cpu"
    if setup.device == "cuda" and device == "cpu":
        raise JobError("model_unavailable", NO_GPU)
    known = ctranslate2.get_supported_compute_types(device)
    best = "float16" if device == "cuda" else "int8"
    compute_type = setup.compute_type if setup.compute_type != "auto" else best if best in known else "float32"
    if compute_type not in known:
        message = (
            f"This server's processor can't calculate in {compute_type} (TOOLS_COMPUTE_TYPE). "
            f"It can in {', '.join(sorted(known))}."
        )
        raise JobError("model_unavailable", message)
    return _Ways(device, compute_type, setup.batch or (GPU_BATCH if device == "cuda" else CPU_BATCH))


def _cpu_ways(setup: Setup) -> _Ways:
    """For who meant to work on the GPU: an arithmetic that only that can do is not asked for."""
    import ctranslate2

    known = {"auto", *ctranslate2.get_supported_compute_types("cpu")}
    compute_type = setup.compute_type if setup.compute_type in known else "auto"
    return _ways_of(replace(setup, device="cpu", compute_type=compute_type))


def _smaller(ways: _Ways) -> str | None:
    import ctranslate2

    smaller = SMALLER.get(ways.compute_type, ())
    known = ctranslate2.get_supported_compute_types(ways.device) if smaller else ()
    return next((each for each in smaller if each in known), None)


def _model(folder: Path, ways: _Ways, threads: int) -> Any:
    """By folder, never by name: by name the library would go to the network."""
    from faster_whisper import WhisperModel
    from faster_whisper.feature_extractor import FeatureExtractor

    model = WhisperModel(
        str(folder),
        device=ways.device,
        compute_type=ways.compute_type,
        cpu_threads=threads,
        local_files_only=True,
    )
    # Older folders don't say how many bands the model hears; the model itself does.
    model.feature_extractor = FeatureExtractor(feature_size=model.model.n_mels)
    return model
