"""OpenAI's own Whisper, on torch. Loaded through `registry.load`; needs neither ffmpeg nor the network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from whisper_jobs.errors import JobError
from whisper_jobs.speech.engines import weights
from whisper_jobs.speech.engines.base import SAMPLE_RATE, Options, Quality, Result, Samples
from whisper_jobs.speech.languages import name_of
from whisper_jobs.speech.transcript import Segment, Word

#: Each window starts anew with the first; a higher one is tried when the text repeats itself or is improbable.
TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
#: The decoder runs many times a second; asking whether to stop may cost a database query.
SECONDS_BETWEEN_QUESTIONS = 0.5


class OpenAIWhisper:
    name = "openai-whisper"
    quality: Quality = "full"

    def __init__(self, model: str, *, folders: tuple[Path, ...], threads: int = 1) -> None:
        path = weights.find(model, folders)
        if path is None:
            raise JobError("model_unavailable", f"The Whisper model “{model}” is not on this server.")
        self.model_name = model
        with _out_of_memory_is_said():
            self._model = _load(path, model, threads)

    def transcribe(self, samples: Samples, options: Options) -> Result:
        self._refuse_unknown_language(options.language)
        if len(samples) == 0:
            return Result((), options.language)
        with _out_of_memory_is_said(), self._stopping(options.should_stop):
            language, probability = self._language(samples, options.language)
            output = self._model.transcribe(
                samples,
                language=language,
                task=options.task,
                initial_prompt=options.initial_prompt or None,
                temperature=TEMPERATURES,
                condition_on_previous_text=False,
                word_timestamps=True,
                fp16=self._on_gpu,
            )
        segments = tuple(_segments(output["segments"], duration=len(samples) / SAMPLE_RATE))
        return Result(segments, language, probability)

    @property
    def _on_gpu(self) -> bool:
        return bool(self._model.device.type == "cuda")

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
        """Asks between decoded words: a window of a large model takes minutes on a CPU."""
        asked_at = monotonic()

        def ask(*_: object) -> None:
            nonlocal asked_at
            if monotonic() - asked_at < SECONDS_BETWEEN_QUESTIONS:
                return
            asked_at = monotonic()
            if should_stop():
                raise JobError("cancelled")

        hook = self._model.decoder.register_forward_pre_hook(ask)
        try:
            yield
        finally:
            hook.remove()


def _load(path: Path, name: str, threads: int) -> Any:
    import torch
    import whisper

    torch.set_num_threads(threads)
    try:
        # By path, never by name: by name the library would go to the network for a file that it doesn't like.
        model = whisper.load_model(str(path))
    except Exception as error:
        if _is_out_of_memory(error):
            raise
        # What a broken or foreign checkpoint raises depends on where it is broken.
        raise JobError("model_unavailable", f"The file of the model “{name}” can't be loaded: {error}") from error
    if heads := whisper._ALIGNMENT_HEADS.get(name):
        model.set_alignment_heads(heads)
    return model


def _whisper_languages() -> list[str]:
    from whisper.tokenizer import LANGUAGES

    return list(LANGUAGES)


@contextmanager
def _out_of_memory_is_said() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if _is_out_of_memory(error):
            raise JobError("out_of_memory") from error
        raise


def _is_out_of_memory(error: Exception) -> bool:
    """torch has an exception of its own for the GPU, and a bare RuntimeError for the CPU's allocator."""
    signs = ("out of memory", "not enough memory", "can't allocate memory")
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in signs)
    )


def _segments(found: list[dict[str, Any]], *, duration: float) -> Iterator[Segment]:
    """Inside the samples, in order, with text; the library pads to 30 s and may speak on in the padding."""
    position = 0.0
    for each in found:
        start = min(max(position, float(each["start"])), duration)
        end = min(float(each["end"]), duration)
        text = each["text"].strip()
        if not text or end <= start:
            continue
        position = start
        words = tuple(_words(each.get("words", ()), start=start, end=end))
        yield Segment(start, end, text, words, probability=math.exp(min(0.0, float(each["avg_logprob"]))))


def _words(found: list[dict[str, Any]], *, start: float, end: float) -> Iterator[Word]:
    position = start
    for each in found:
        word_start = min(max(position, float(each["start"])), end)
        word_end = min(max(word_start, float(each["end"])), end)
        if text := each["word"].strip():
            yield Word(word_start, word_end, text, min(1.0, float(each["probability"])))
        position = word_end
