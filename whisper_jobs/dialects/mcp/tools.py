"""The tools: each checks what it is given, does one thing in the caller's name, and answers. Their docstrings are published."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import gettext as _
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from accounts.bearer import Caller
from accounts.models import User
from whisper_jobs import awaiting, intake, library, lifecycle, policy
from whisper_jobs.dialects import sandboxing
from whisper_jobs.dialects.mcp import answers
from whisper_jobs.dialects.mcp.answers import Quotes, SearchResult, Standing, Transcribed, Transcript
from whisper_jobs.dialects.mcp.callers import channel_of, demand, in_name_of_caller, job_of, request_of
from whisper_jobs.errors import FAILURES
from whisper_jobs.media.naming import safe_name
from whisper_jobs.models import Channel, Job
from whisper_jobs.sandbox import Script
from whisper_jobs.speech import languages
from whisper_jobs.states import Stage
from whisper_jobs.told import in_words_of_the_reader

#: Clients give a tool a minute; what takes longer is asked for again.
WAIT_SECONDS = 50.0
#: Segments that are answered at once.
MOST_SEGMENTS, MOST_QUOTED = 500, 50
READ, HAND_IN, DIARIZE = "whisper.use", "scaiecho:transcribe", "scaiecho:diarize"

JobId = Annotated[int, Field(ge=1, lt=2**62, description="The recording's job_id.")]
Seconds = Annotated[float, Field(ge=0, lt=10**7, allow_inf_nan=False, description="Seconds from the start.")]


async def transcribe(
    context: Context[Any, Any],
    audio_base64: Annotated[
        str, Field(description="The whole file (wav, mp3, flac, ogg, m4a …) in base64; 11 MB of sound at most.")
    ],
    filename: Annotated[str, Field(max_length=255, description="What the recording is called.")] = "",
    language_hint: Annotated[str, Field(max_length=40, description="Two letters such as en; empty: find out.")] = "",
    diarize: Annotated[bool, Field(description="Tell the speakers apart.")] = False,
) -> Transcribed:
    """Write down what is said in a recording.

    Answers with the transcript when it is done within a minute. Otherwise the status is not `completed` yet, and scaiecho.status
    and scaiecho.get follow the same job_id: don't hand the recording in again.
    """

    def hand_in(caller: Caller) -> int:
        if diarize:
            demand(caller.user, DIARIZE)
        script = sandboxing.script_for(request_of(context), caller.token)
        sound = _decoded(audio_base64)
        return _submitted(caller.user, sound, filename, language_hint, diarize=diarize, script=script).pk

    job_id = await in_name_of_caller(context, HAND_IN, hand_in)
    await context.report_progress(0, 100, f"job_id {job_id}")
    await awaiting.ended(job_id, min(WAIT_SECONDS, settings.TOOLS.inline_seconds))
    return await in_name_of_caller(
        context, HAND_IN, lambda caller: answers.transcribed(_not_failed(job_of(caller, job_id)))
    )


async def search(
    context: Context[Any, Any],
    query: Annotated[
        str,
        Field(min_length=1, max_length=200, description='Words that must all occur, "phrases in quotes", -unwanted.'),
    ],
    page: Annotated[int, Field(ge=1, le=library.MOST_PAGES, description="Of the results, from 1.")] = 1,
) -> SearchResult:
    """Find recordings by the words that are said in them or by their titles, with the places where the words are said."""

    def look(caller: Caller) -> SearchResult:
        wanted = library.Wanted(text=query, page=page)
        return answers.found(library.find(caller.user, wanted, channel_of(caller)), page)

    return await in_name_of_caller(context, READ, look)


async def get(
    context: Context[Any, Any],
    job_id: JobId,
    offset: Annotated[
        int, Field(ge=0, lt=2**31, description="Of the first segment; next_offset of the page before.")
    ] = 0,
    limit: Annotated[int, Field(ge=1, le=MOST_SEGMENTS, description="How many segments.")] = 100,
) -> Transcript:
    """Read a transcript, a page of segments at a time, with times and speakers; of a running job what there is so far."""
    return await in_name_of_caller(
        context, READ, lambda caller: answers.transcript(job_of(caller, job_id), offset, limit)
    )


async def quote(
    context: Context[Any, Any],
    job_id: JobId,
    start: Seconds,
    end: Annotated[
        float | None, Field(ge=0, lt=10**7, allow_inf_nan=False, description="Until then; left out: that moment.")
    ] = None,
) -> Quotes:
    """The words that are said at a time of a recording, with speaker, exact timestamps and a link: for quoting them."""

    def look(caller: Caller) -> Quotes:
        until = start if end is None else end
        if until < start:
            raise ToolError(_("The end comes before the start."))
        return answers.quotes(job_of(caller, job_id), start, until, MOST_QUOTED)

    return await in_name_of_caller(context, READ, look)


async def status(context: Context[Any, Any], job_id: JobId) -> Standing:
    """How far a recording is: status, stage, progress in per cent, place in the queue, seconds left, and why it failed."""
    return await in_name_of_caller(context, READ, lambda caller: answers.standing(job_of(caller, job_id)))


async def cancel(context: Context[Any, Any], job_id: JobId) -> Standing:
    """Stop the transcription of a recording that is queued or running. What is written down so far is kept."""

    def stop(caller: Caller) -> Standing:
        lifecycle.request_cancel(job_of(caller, job_id).pk)
        return answers.standing(job_of(caller, job_id))

    return await in_name_of_caller(context, READ, stop)


def _decoded(text: str) -> bytes:
    """The bytes; a data URL's head and line breaks are left out. Raises ToolError."""
    encoded = "".join(text.partition(",")[2].split() if text.startswith("data:") else text.split())
    try:
        audio = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ToolError(_("audio_base64 is not base64.")) from error
    if not audio:
        raise ToolError(_("The file is empty. Choose one that has sound in it."))
    return audio


def _submitted(user: User, audio: bytes, filename: str, language: str, *, diarize: bool, script: Script | None) -> Job:
    if script is None:
        # Said at once rather than by a job that can only fail.
        policy.allowed_for(user)
    submission = intake.Submission(
        owner=user,
        channel=Channel.API,
        media_file=SimpleUploadedFile(safe_name(filename), audio, content_type=""),
        model=settings.TOOLS.default_model,
        language=languages.normalise(language) or "",
        disable_diarization=not diarize,
        script=script,
    )
    return intake.submit(submission)


def _not_failed(job: Job) -> Job:
    if job.stage == Stage.FAILED:
        told = job.failure_error or FAILURES.get(job.failure_code, FAILURES["internal_error"])
        raise ToolError(f"{in_words_of_the_reader(told)} (job_id {job.pk}, {job.failure_code})")
    return job
