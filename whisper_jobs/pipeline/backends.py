"""Which backend, engine and model a job gets: what its owner is allowed, what it asks for, and what is up. For the prepare step.

A job stays with what was chosen, so that one recording is heard by one engine. When the relay fails in the middle, its
windows are tried again and then the job fails; restarted, it keeps the finished windows and is chosen for anew, and the relay
counts as down for a while: where both backends are allowed, this server's own engines then do the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from whisper_jobs import policy
from whisper_jobs.errors import JobError
from whisper_jobs.models import Job, Task
from whisper_jobs.pipeline import models, relay
from whisper_jobs.speech import backends
from whisper_jobs.speech.backends import Backend, Policy, Preference, Refusal
from whisper_jobs.speech.engines import base
from whisper_jobs.speech.engines.choose import AUTO, Choice
from whisper_jobs.speech.engines.downloads import Progress
from whisper_jobs.speech.engines.openai_relay import NAME as RELAY

ONLY_DRAFT, ONLY_ENGLISH = "This server itself could only make a draft.", "This server itself only knows English."


@dataclass(frozen=True, slots=True)
class Wish:
    """What of a job decides about its engine."""

    model: str = AUTO
    language: str | None = None
    preference: Preference = "any"
    task: base.Task = "transcribe"


@dataclass(frozen=True, slots=True)
class Chosen:
    backend: Backend
    choice: Choice


def choose(job: Job, *, on_progress: Progress) -> Chosen:
    """Raises JobError: `backend_unavailable`, `model_unavailable`, `language_unsupported`."""
    task: base.Task = "translate" if job.task == Task.TRANSLATE else "transcribe"
    wish = Wish(job.requested_model, job.language or None, _preference(job.backend_preference), task)
    return chosen_for(
        wish,
        policy.allowed_for(job.owner),
        here=lambda: models.choose(wish.model, language=wish.language, task=wish.task, on_progress=on_progress),
    )


def demand_still_allowed(job: Job) -> None:
    """The owner's organisation may have forbidden meanwhile what was chosen for the job. Raises JobError."""
    if job.backend and job.backend not in policy.BACKENDS[policy.seen(job.owner.tenant_id).allowed_backends]:
        sentence = "Your organisation has forbidden what transcribed this. Restart the job; what was done is kept."
        raise JobError("backend_unavailable", sentence)


def chosen_for(wish: Wish, allowed: Policy, *, here: Callable[[], Choice]) -> Chosen:
    """The first backend in order that can do it. One that could only make a draft, or guess at English, comes last.

    `here` says what this server's own engines offer for the wish.
    """
    allowed = _narrowed(allowed, wish.model)
    why_down = relay.down() if relay.relay() else ""
    up: tuple[Backend, ...] = ("A", "B") if relay.relay() and not why_down else ("A",)
    order = backends.order(allowed, wish.preference, up=up)
    if isinstance(order, Refusal):
        raise JobError("backend_unavailable", f"The relay is down. {why_down}".strip(), retry=True)
    chosen = _first_able(order, wish, here)
    if chosen.backend == "A" and why_down and _wants_relay(chosen, wish, allowed):
        reason = f"{chosen.choice.reason} The relay was to do it, but it is down."
        chosen = replace(chosen, choice=replace(chosen.choice, reason=reason))
    return chosen


def _first_able(order: tuple[Backend, ...], wish: Wish, here: Callable[[], Choice]) -> Chosen:
    poor, problem = None, None
    for backend in order:
        if backend == "B":
            return _there(problem.message if problem else _why_poor(poor) if poor else "")
        try:
            chosen = Chosen("A", here())
        except JobError as error:
            if error.code not in ("model_unavailable", "language_unsupported"):
                raise
            problem = error
            continue
        if not _is_poor(chosen, wish):
            return chosen
        poor = chosen
    if poor is None:
        raise problem or JobError("backend_unavailable")
    return poor


def _is_poor(chosen: Chosen, wish: Wish) -> bool:
    """A draft, or words in the wrong language, that nobody asked for."""
    risky = chosen.choice.quality == "draft" or chosen.choice.takes_for_english
    return risky and wish.model in ("", AUTO) and wish.preference != "A"


def _why_poor(chosen: Chosen) -> str:
    return ONLY_DRAFT if chosen.choice.quality == "draft" else ONLY_ENGLISH


def _wants_relay(chosen: Chosen, wish: Wish, allowed: Policy) -> bool:
    """Whether the relay would have been chosen if it were up."""
    order = backends.order(allowed, wish.preference, up=allowed.allowed)
    return order[0] == "B" or ("B" in order and _is_poor(chosen, wish)) if isinstance(order, tuple) else False


def _preference(told: str) -> Preference:
    known: dict[str, Preference] = {"A": "A", "B": "B"}
    return known.get(told, "any")


def _narrowed(allowed: Policy, model: str) -> Policy:
    """What was asked for by name is never swapped for another: the relay has its own model, all others are this server's."""
    if model in ("", AUTO):
        return allowed
    backend: Backend = "B" if model == RELAY else "A"
    if backend in allowed.allowed:
        return Policy((backend,), backend)
    if backend == "B":
        raise JobError("model_unavailable", "Your recordings may not go to the relay. Choose another model.")
    shown = " ".join(model.split())[:60]
    message = f"Your recordings go to the relay, which does not have the model “{shown}”. Choose “auto”."
    raise JobError("model_unavailable", message)


def _there(why_not_here: str) -> Chosen:
    server = relay.relay()
    if server is None:
        raise JobError("backend_unavailable")
    reason = f"The relay transcribes this, with its model “{server.model}”. {why_not_here}".strip()
    return Chosen("B", Choice(RELAY, server.model, "full", reason))
