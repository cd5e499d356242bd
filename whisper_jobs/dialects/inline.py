"""Answers in the request that hands a recording in: made at once, and finished when the job has ended or was waited for too long.

A view accepts the recording and leaves the job's number on its response with `wait_for`; `answered` waits without a thread and
without a connection to the database, then has the response told how the job ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.response import Response

from accounts import tokens
from accounts.models import PersonalToken, User
from whisper_jobs import awaiting
from whisper_jobs.dialects import refusals
from whisper_jobs.dialects.refusals import Kind, Refused
from whisper_jobs.errors import FAILURES, JobError
from whisper_jobs.models import Job
from whisper_jobs.pen import Gone
from whisper_jobs.pooled import leave_thread, let_go
from whisper_jobs.states import Stage

#: So many recordings are taken in at once by a process, so that a crowd of them leaves room for who asks for something else.
MOST_AT_ONCE = 8
#: Failures that a dialect may tell as a transcript with nothing in it.
WITHOUT_WORDS = ("no_speech",)
_rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
P = ParamSpec("P")
T = TypeVar("T")
Accept = Callable[[HttpRequest], HttpResponseBase]
#: The answer that tells of a job that has ended well; it raises for what can't be told.
Finish = Callable[[Job], HttpResponseBase]
Word = Callable[[refusals.Refusal], refusals.Worded]


def wait_for(response: Response, job: Job) -> Response:
    """The answer of who does not wait any longer: `response`, which says how to ask later, or that there is nothing yet."""
    response.job_id = job.pk  # type: ignore[attr-defined]
    return response


def goes_on(job_id: int) -> str:
    """For who does not wait any longer: the work is not lost."""
    told = _(
        "Job %(number)d is still being transcribed and goes on. Its transcript will be on its page and in the API."
    )
    return told % {"number": job_id}


async def answered(
    request: HttpRequest,
    accept: Accept,
    finish: Finish,
    word: Word,
    *,
    seconds: float,
    though: Collection[str] = (),
) -> HttpResponseBase:
    """What `accept` answers; if that waits for a job which ends within so many seconds, how it ended.

    Whoever stops waiting changes nothing for the job. A job that failed is a refusal, worded by `word`; one whose
    failure's code is in `though` is finished as if it had ended well. One that is started again at once is waited for no longer.
    """
    await leave_thread()
    async with _places():
        response = await sync_to_async(_pooled(_letting_go(accept)))(request)
    job_id = getattr(response, "job_id", None)
    if not (isinstance(response, Response) and job_id):
        return response
    await leave_thread()
    if not await awaiting.ended(job_id, seconds):
        return response
    told = await sync_to_async(_pooled(_finished))(request, job_id, finish, word, though)
    if told is None:
        return response
    for name, value in response.headers.items():
        told.headers.setdefault(name, value)
    told.cookies.update(response.cookies)
    return told


def _places() -> asyncio.Semaphore:
    """Of this loop."""
    return _rooms.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(MOST_AT_ONCE))


def _letting_go(accept: Accept) -> Accept:
    """As `accept`; afterwards no file of the request is kept, while somebody waits or after they have gone."""

    def accepted(request: HttpRequest) -> HttpResponseBase:
        try:
            return accept(request)
        finally:
            request.close()

    return accepted


def _pooled(work: Callable[P, T]) -> Callable[P, T]:
    """As `work`; afterwards this thread holds no connection."""

    def done(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        finally:
            let_go()

    return done


def _finished(
    request: HttpRequest, job_id: int, finish: Finish, word: Word, though: Collection[str]
) -> HttpResponseBase | None:
    try:
        demand_good(request)
        job = _ended_well(job_id, though)
        return finish(job) if job.is_terminal else None
    except Exception as error:
        status, body = word(replace(refusals.of(error), job_id=job_id))
        return JsonResponse(body, status=status)


def demand_good(request: HttpRequest) -> None:
    """Whoever waited may have been shut out meanwhile. Raises Refused."""
    auth: Any = getattr(request, "auth", None)
    user = cast(User, request.user)
    is_token = isinstance(auth, PersonalToken)
    if not (tokens.is_good(auth) if is_token else User.objects.filter(pk=user.pk, is_active=True).exists()):
        told = _("This API token is not known, or is no longer good.")
        raise Refused(Kind.UNAUTHENTICATED, told, code="token_rejected")


def _ended_well(job_id: int, though: Collection[str]) -> Job:
    """A job that has ended; unless somebody has started it again. Raises JobError for one that failed, Gone for a deleted one."""
    job = Job.objects.select_related("owner").filter(pk=job_id, trashed_at=None).first()
    if job is None:
        raise Gone(job_id)
    if job.stage == Stage.FAILED and job.failure_code not in though:
        raise JobError(job.failure_code if job.failure_code in FAILURES else "internal_error", job.failure_error)
    return job
