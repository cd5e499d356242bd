"""What can go wrong with a call of a language model: each as a JobError whose sentence says what to do."""

from __future__ import annotations

from whisper_jobs.errors import JobError
from whisper_jobs.openai_calls import Trouble, trouble_of

#: Every sentence that a user can be told; pages translate them.
SENTENCES: dict[str, str] = {
    "no_key": "No key for a language model is known. Add your own in your account, or ask an administrator for one.",
    "not_allowed": "Who asked for this may not use a language model. An administrator can allow it.",
    "refused": "The language model's address is not on the public internet. An administrator admits it with TOOLS_OUTBOUND_ALLOW.",
    "bad_address": "The language model's address can't be used. An administrator must correct OPENAI_BASE_URL.",
    "unreachable": "The language model's server could not be reached.",
    "slow": "The language model took too long to answer.",
    "busy": "The language model takes no more requests at the moment.",
    "broken": "The language model's server has a problem.",
    "nonsense": "The server did not answer as a language model does. An administrator should check OPENAI_BASE_URL.",
    "empty": "The language model answered nothing.",
    "key": "The language model's server does not accept the key. Renew it in your account, or tell an administrator.",
    "forbidden": "This key may not use this language model. Choose another key, or ask an administrator for another model.",
    "unknown_model": "The server knows no such language model. An administrator must check TOOLS_OPENAI_MODEL and OPENAI_BASE_URL.",
    "quota": "The credit at the language model's provider is used up. Renew it there, then run this again.",
    "too_long": "This is more than the language model takes at once. An administrator should lower TOOLS_OPENAI_CONTEXT_TOKENS.",
    "request": "The language model's server did not accept the request. Run this again later, or tell an administrator.",
    "untranslatable": "The language model left parts untranslated, or answered for others than asked. What is done is kept.",
}


class ShapeRefused(Exception):
    """The server may take the same question with a plainer response_format; `told` is the error if it is the plainest."""

    def __init__(self, told: JobError) -> None:
        super().__init__(told.message)
        self.told = told


def failure(name: str) -> JobError:
    return JobError("backend_unavailable", SENTENCES[name])


def no_completion() -> JobError:
    return Trouble("nonsense").told(SENTENCES)


def empty() -> JobError:
    return JobError("backend_unavailable", SENTENCES["empty"], retry=True)


def told_of(error: Exception) -> Exception:
    """The JobError (or ShapeRefused) that stands for whatever a call raised; anything unforeseen stays what it is."""
    trouble = trouble_of(error)
    if trouble is None:
        return error
    if trouble.name == "shape":
        return ShapeRefused(failure("request"))
    return trouble.told(SENTENCES)
