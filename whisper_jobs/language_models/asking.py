"""One question to a language model, through the official client, to whatever server speaks the chat completions protocol.

Knows nothing of transcripts. Tries nothing again by itself: errors say whether that may help, and who asks decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2

from whisper_jobs import openai_calls
from whisper_jobs.language_models import failures
from whisper_jobs.language_models.json_reading import plain

#: What some models think aloud before they answer.
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Question:
    """`schema` is a JSON schema of the answer, as strict as OpenAI wants them; `name` stands for it."""

    system: str
    user: str
    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """`cut` says that the model stopped because it may not write more. `model` is what the server calls it."""

    text: str
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cut: bool = False


class Asks(Protocol):
    """Raises JobError."""

    def __call__(self, question: Question) -> Answer: ...


class LanguageModel:
    """Asks one model of one server. `open_client` makes an HTTP client for a single call, with its own time limit."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        model: str,
        open_client: Callable[[], httpx2.Client],
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.model = model
        self._base_url, self._api_key = base_url, api_key
        self._open_client, self._should_stop = open_client, should_stop
        #: How the shape of the answer is asked for: the best way first, those that the server refused left out.
        self._shapes: list[Callable[[Question], dict[str, Any]]] = [_as_schema, _as_object, _as_text]

    def __call__(self, question: Question) -> Answer:
        while True:
            try:
                return self._waiting(question)
            except failures.ShapeRefused as refused:
                if len(self._shapes) == 1:
                    raise refused.told from refused
                del self._shapes[0]

    def _waiting(self, question: Question) -> Answer:
        try:
            return next(openai_calls.awaited([lambda: self._call(question)], should_stop=self._should_stop))[1]
        except Exception as error:
            told = failures.told_of(error)
            if told is error:
                raise
            raise told from error

    def _call(self, question: Question) -> Answer:
        with self._open_client() as http:
            client = openai_calls.client(http, base_url=self._base_url, api_key=self._api_key)
            told = client.chat.completions.create(
                model=self.model,
                messages=[{"role": "system", "content": question.system}, {"role": "user", "content": question.user}],
                **self._shapes[0](question),
            )
        return _answer(told)


def _as_schema(question: Question) -> dict[str, Any]:
    schema = {"name": question.name, "schema": dict(question.schema), "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _as_object(question: Question) -> dict[str, Any]:
    return {"response_format": {"type": "json_object"}}


def _as_text(question: Question) -> dict[str, Any]:
    return {}


def _answer(told: Any) -> Answer:
    """What a server that is no such server sends may have any shape."""
    try:
        choice = told.choices[0]
        text = choice.message.content or getattr(choice.message, "refusal", None) or ""
        usage = told.usage
        answer = Answer(
            text=_THOUGHT.sub("", plain(str(text))),
            model=plain(told.model)[:100],
            prompt_tokens=_count(usage, "prompt_tokens"),
            completion_tokens=_count(usage, "completion_tokens"),
            cut=choice.finish_reason == "length",
        )
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise failures.no_completion() from error
    if not answer.text:
        raise failures.empty()
    return answer


def _count(usage: Any, name: str) -> int:
    count = getattr(usage, name, 0)
    return count if isinstance(count, int) and 0 < count < 2**40 else 0
