"""OpenAI's own Whisper, on torch. Loaded through `registry.load`; needs neither ffmpeg nor the network.

When memory runs out or the GPU can't be used, it goes on on the CPU, and there with shorter windows, and says so: the times of
words take the more memory the more words a window has.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines import weights
from whisper_jobs.speech.engines.base import SAMPLE_RATE, Options, Quality, Result, Samples, Setup
from whisper_jobs.speech.engines.devices import NO_GPU, is_gpu_unfit, without_gpu
from whisper_jobs.speech.engines.memory import is_out_of_memory
from whisper_jobs.speech.engines.pieces import LONG_SECONDS, SHORT_SECONDS, joined, pieces
from whisper_jobs.speech.engines.tidying import prompt_of, tidy
from whisper_jobs.speech.languages import name_of

#: Each window starts anew with the first; a higher one is tried when the text repeats itself or is improbable.
TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
GPU_TOO_SMALL = "The GPU's memory ran out; the model goes on without the GPU, which is slower."
#: The decoder runs many times a second; asking whether to stop may cost a database query.
SECONDS_BETWEEN_QUESTIONS = 0.5


class OpenAIWhisper:
    name = "openai-whisper"
    quality: Quality = "full"
    batch = 1

    def __init__(self, model: str, setup: Setup) -> None:
        path = weights.find(model, setup.folders)
        if path is None:
            raise JobError("model_unavailable", f"The Whisper model “{model}” is not on this server.")
        self.model_name, self._setup = model, setup
        self._seconds, self._untold = LONG_SECONDS, list[str]()
        self._device = self._first_device()
        self._model = self._loaded(path)

    def _first_device(self) -> str:
        """Raises JobError `model_unavailable` when a GPU is asked for where none can be used."""
        import torch

        if self._setup.device == "cpu":
            return "cpu"
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            if torch.cuda.is_available():
                return "cuda"
        # A driver that is too old is a warning to torch, and then no GPU.
        reasons = [RuntimeError(str(each.message)) for each in heard]
        self._untold += [without_gpu(each, self._setup) for each in reasons if is_gpu_unfit(each)][:1]
        if self._setup.device == "cuda":
            raise JobError("model_unavailable", NO_GPU)
        return "cpu"

    def transcribe(self, windows: Sequence[Samples], options: Options) -> list[Result]:
        self._refuse_unknown_language(options.language)
        with self._stopping(options.should_stop):
            return [self._window(samples, options) for samples in windows]

    def _window(self, samples: Samples, options: Options) -> Result:
        while True:
            self._tell(options)
            parts = pieces(samples, self._seconds)
            try:
                return joined([(start, self._read(piece, options)) for start, piece in parts], options.language)
            except Exception as error:
                self._untold.append(self._next_way(error))
            self._move()

    def _tell(self, options: Options) -> None:
        for sentence in self._untold:
            options.tell(sentence)
        self._untold.clear()

    def _next_way(self, error: Exception) -> str:
        """Changes to what takes less memory, or needs no GPU; the sentence for the job's log.

        Raises JobError `out_of_memory` or `model_unavailable`, or the error when it is another one.
        """
        on_gpu, out_of_memory = self._on_gpu, is_out_of_memory(error)
        if on_gpu and (out_of_memory or is_gpu_unfit(error)):
            sentence = GPU_TOO_SMALL if out_of_memory else without_gpu(error, self._setup)
            self._device = "cpu"
            return sentence
        if not out_of_memory:
            raise error
        if self._seconds <= SHORT_SECONDS:
            raise JobError("out_of_memory") from error
        self._seconds = SHORT_SECONDS
        return "Memory ran out; the model goes on with shorter parts."

    def _move(self) -> None:
        """To the processor of the present way; what the GPU held of the model is free then."""
        import torch

        self._model = self._model.to(self._device).float()
        gc.collect()
        torch.cuda.empty_cache()

    def _loaded(self, path: Path) -> Any:
        """On the device of the setup, or where that can't be used or its memory is too small on the CPU."""
        while True:
            try:
                return _load(path, self.model_name, self._setup.threads, device=self._device)
            except Exception as error:
                if not self._on_gpu and is_out_of_memory(error):
                    raise JobError("out_of_memory") from error
                self._untold.append(self._next_way(error))

    def _read(self, samples: Samples, options: Options) -> Result:
        language, probability = self._language(samples, options.language)
        try:
            output = self._model.transcribe(
                samples,
                language=language,
                task=options.task,
                initial_prompt=prompt_of(options) or None,
                temperature=options.temperatures or TEMPERATURES,
                condition_on_previous_text=False,
                word_timestamps=options.word_times,
                fp16=self._on_gpu,
            )
        finally:
            self._drop_hooks()
        return Result(tidy(output["segments"], duration=len(samples) / SAMPLE_RATE), language, probability)

    def _drop_hooks(self) -> None:
        """When it is interrupted while it looks for the times of words, the library leaves its own, which hold memory."""
        for block in self._model.decoder.blocks:
            block.cross_attn._forward_hooks.clear()

    @property
    def _on_gpu(self) -> bool:
        return self._device == "cuda"

    def _refuse_unknown_language(self, language: str | None) -> None:
        if language is None:
            return
        known = list(_whisper_languages())[: self._model.num_languages] if self._model.is_multilingual else ["en"]
        if language not in known:
            message = f"The model “{self.model_name}” does not know {name_of(language)}. Choose another model."
            raise JobError("language_unsupported", message)

    def _language(self, samples: Samples, asked: str | None) -> tuple[str, float | None]:
        """What the library would find out as well; done here because it keeps the probability to itself."""
        if asked is not None or not self._model.is_multilingual:
            return asked or "en", None
        import whisper

        mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(samples), self._model.dims.n_mels)
        mel = mel.to(self._model.device)
        _, probabilities = self._model.detect_language(mel.half() if self._on_gpu else mel)
        language = max(probabilities, key=probabilities.__getitem__)
        return language, float(probabilities[language])

    @contextmanager
    def _stopping(self, should_stop: Callable[[], bool]) -> Iterator[None]:
        """Asks between the layers of the encoder and between decoded words: a window of a large model takes minutes on a CPU."""
        asked_at = monotonic()

        def ask(*_: object) -> None:
            nonlocal asked_at
            if monotonic() - asked_at < SECONDS_BETWEEN_QUESTIONS:
                return
            asked_at = monotonic()
            if should_stop():
                raise JobError("cancelled")

        hooks = [each.register_forward_pre_hook(ask) for each in (*self._model.encoder.blocks, self._model.decoder)]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def _load(path: Path, name: str, threads: int, *, device: str) -> Any:
    """Raises what torch does for a lack of memory and an unfit GPU, otherwise JobError `model_unavailable`."""
    import torch
    import whisper

    torch.set_num_threads(threads)
    try:
        # By path, never by name: by name the library would go to the network for a file that it doesn't like.
        model = whisper.load_model(str(path), device)
    except Exception as error:
        if is_out_of_memory(error) or (device == "cuda" and is_gpu_unfit(error)):
            raise
        raise JobError("model_unavailable", _why_not_loaded(error, name)) from error
    if heads := whisper._ALIGNMENT_HEADS.get(name):
        model.set_alignment_heads(heads)
    return model


def _why_not_loaded(error: Exception, name: str) -> str:
    """What the system or the driver of a GPU said is kept. What a broken or foreign checkpoint raises depends on where it is
    broken, and means nothing to an administrator."""
    if isinstance(error, PermissionError) or "CUDA" in str(error):
        return f"The file of the model “{name}” can't be loaded: {error}"
    return f"The file of the model “{name}” is damaged or no Whisper checkpoint."


def _whisper_languages() -> list[str]:
    from whisper.tokenizer import LANGUAGES

    return list(LANGUAGES)
