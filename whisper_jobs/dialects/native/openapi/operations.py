"""What each call does, takes, answers and refuses. The description is made from this table; a call without a line fails a test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rest_framework.serializers import BaseSerializer

from whisper_jobs.dialects.fields import SpeakersSerializer
from whisper_jobs.dialects.native import (
    archive_views,
    check_views,
    correction_requests,
    library_views,
    note_views,
    requests,
    review_views,
    speaker_views,
)
from whisper_jobs.dialects.native.openapi import (
    correction_shapes,
    examples,
    library_shapes,
    note_shapes,
    review_shapes,
    shapes,
    speaker_shapes,
)
from whisper_jobs.dialects.native.share_views import ShareOptionsSerializer, ShareSerializer
from whisper_jobs.speech.formats import FORMATS, Format

Json = dict[str, Any]
Shape = type[BaseSerializer[Any]]
QUEUE, JOBS, SHARING, CALLBACKS, ACCOUNT = "Queue", "Jobs", "Sharing", "Callbacks", "Account"

REFUSALS: dict[int, str] = {
    401: "No name, or one that is not good any more; `WWW-Authenticate` says which kind is wanted.",
    403: "A permission is missing.",
    404: "There is no such thing, or the caller may not see it.",
    413: "The body is larger than this server reads.",
    415: "The body is of a kind that is not read here.",
    422: "A field is wrong, or the job is in a state in which this makes no sense.",
    429: "Too many requests; `Retry-After` says in how many seconds the next one is answered.",
    500: "A fault of the server.",
    503: "A part of the server does not answer now. Try again later.",
    507: "The server's disk is full.",
}
#: What any call may be refused with.
ALWAYS = (401, 403, 429, 500, 503)
WITH_BODY = (413, 415, 422, 507)


@dataclass(frozen=True)
class Operation:
    """One call. `answer` is a shape, or for files what each media type holds."""

    summary: str
    answer: Shape | dict[str, Json]
    status: int = 200
    tag: str = JOBS
    description: str = ""
    body: Shape | None = None
    form_body: Shape | None = None
    query: Shape | None = None
    refusals: tuple[int, ...] = ()
    makes_a_job: bool = False
    also: dict[int, Shape] = field(default_factory=dict)
    asks: Json | None = None
    answers: Json | None = None

    def statuses(self, path: str) -> list[int]:
        """What may be answered instead."""
        told = {*ALWAYS, *self.refusals}
        if self.body or self.tag == ACCOUNT:
            told |= set(WITH_BODY)
        if self.query:
            told.add(422)
        if "{" in path:
            told.add(404)
        return sorted(told)


def _content(form: Format) -> Json:
    if form.content_type == "application/json":
        return {"type": "object"}
    return {"type": "string"} if form.is_text else {"type": "string", "format": "binary"}


_FILES: dict[str, Json] = {form.content_type.partition(";")[0]: _content(form) for form in FORMATS.values()}
SUBMIT = Operation(
    "Queue a recording",
    shapes.JobAnswerSerializer,
    status=201,
    tag=QUEUE,
    description="Exactly one of `source_url`, `media_file` (multipart) and `upload_id` (of a resumable upload).",
    body=requests.JsonSubmissionSerializer,
    form_body=requests.SubmissionSerializer,
    makes_a_job=True,
    asks=examples.SUBMISSION,
)
#: Paths below /api; those of the token API without `/transcribe` unless they differ.
OPERATIONS: dict[str, Operation] = {
    "GET /whisper/status": Operation(
        "Counters, rights and limits", shapes.StatusAnswerSerializer, tag=QUEUE, answers=examples.STATUS
    ),
    "GET /whisper/jobs": Operation(
        "Jobs, newest first", shapes.JobsAnswerSerializer, tag=QUEUE, query=requests.ListSerializer
    ),
    "POST /whisper/jobs": SUBMIT,
    "POST /whisper/transcribe": Operation(
        "Queue a recording and be called back",
        shapes.JobAnswerSerializer,
        status=201,
        tag=QUEUE,
        description=f"{SUBMIT.description} When the job ends, `callback_url` gets one JSON POST.",
        body=requests.JsonTokenSubmissionSerializer,
        form_body=requests.TokenSubmissionSerializer,
        makes_a_job=True,
        asks=examples.TOKEN_SUBMISSION,
        answers=examples.TOKEN_SUBMITTED,
    ),
    "POST /whisper/run-now": Operation(
        "Ring the workers, restart failed jobs",
        shapes.RunNowAnswerSerializer,
        tag=QUEUE,
        description="For managers.",
        body=requests.RunNowSerializer,
        asks=examples.RUN_NOW,
    ),
    "GET /whisper/jobs/{job_id}": Operation("One job", shapes.JobAnswerSerializer),
    "PATCH /whisper/jobs/{job_id}": Operation(
        "Change the title and the note of a job", shapes.JobAnswerSerializer, body=requests.NamingSerializer
    ),
    "DELETE /whisper/jobs/{job_id}": Operation(
        "Delete a job that is not being processed", shapes.MessageSerializer, refusals=(422,)
    ),
    "POST /whisper/jobs/{job_id}/cancel": Operation(
        "Cancel",
        shapes.JobAnswerSerializer,
        description="A queued job ends at once, an active one within a window.",
        refusals=(422,),
    ),
    "POST /whisper/jobs/{job_id}/restart": Operation(
        "Restart a failed job", shapes.JobAnswerSerializer, description="What was done is kept.", refusals=(422,)
    ),
    "POST /whisper/jobs/{job_id}/again": Operation(
        "The same recording with another model, as a new job",
        shapes.JobAnswerSerializer,
        status=201,
        body=requests.AgainSerializer,
        makes_a_job=True,
    ),
    "POST /whisper/jobs/{job_id}/analyze": Operation(
        "Analyse the transcript",
        shapes.JobAnswerSerializer,
        status=202,
        description="Needs `provider_openai` and a finished transcript.",
        body=requests.AnalyzeSerializer,
    ),
    "POST /whisper/jobs/{job_id}/translate": Operation(
        "Translate the transcript",
        shapes.JobAnswerSerializer,
        status=202,
        description="Needs `provider_openai` and a finished transcript.",
        body=requests.TranslateSerializer,
    ),
    "POST /whisper/jobs/{job_id}/diarize": Operation(
        "Tell the speakers apart once more",
        shapes.JobAnswerSerializer,
        status=202,
        description="Of a finished transcript, with what is known of their number.",
        body=SpeakersSerializer,
    ),
    "POST /whisper/jobs/{job_id}/refill": Operation(
        "Transcribe the gaps of the transcript again",
        shapes.JobAnswerSerializer,
        status=202,
        description="`coverage.gaps` of a finished transcript: all of them, or those that begin from `start` to `end`.",
        body=requests.RefillSerializer,
    ),
    "GET /whisper/jobs/{job_id}/review": Operation(
        "How the approval stands, and who may be assigned", review_shapes.ReviewAnswerSerializer
    ),
    "POST /whisper/jobs/{job_id}/review": Operation(
        "Assign, take, submit, return or approve",
        shapes.JobAnswerSerializer,
        description="Of a job that was handed in with `human_review` and is in the stage `reviewing`. Approving completes it.",
        body=review_views.ReviewSerializer,
    ),
    "GET /whisper/jobs/{job_id}/spots": Operation(
        "Places of the transcript that somebody should look at",
        review_shapes.SpotsAnswerSerializer,
        description="In segments that are not checked yet, and speech without words; in order of time.",
        query=check_views.SpotsSerializer,
    ),
    "GET /whisper/glossary": Operation("The caller's glossary", review_shapes.GlossaryAnswerSerializer, tag=QUEUE),
    "POST /whisper/glossary": Operation(
        "Add terms to the glossary",
        review_shapes.GlossaryAnswerSerializer,
        tag=QUEUE,
        body=check_views.TermsSerializer,
    ),
    "DELETE /whisper/glossary": Operation(
        "Take terms out of the glossary",
        review_shapes.GlossaryAnswerSerializer,
        tag=QUEUE,
        body=check_views.TermsSerializer,
    ),
    "GET /whisper/search": Operation(
        "Jobs by their words, newest first, with the places found",
        library_shapes.SearchAnswerSerializer,
        tag=QUEUE,
        description='All words must be in the job. `"exact phrase"` finds words that follow each other, `-word` leaves jobs out.',
        query=library_views.SearchSerializer,
    ),
    "GET /whisper/speakers/{speaker_id}/recognitions": Operation(
        "In which of the caller's jobs an enrolled speaker was heard, the last one first",
        speaker_shapes.RecognitionsAnswerSerializer,
        tag=QUEUE,
        query=speaker_views.RecognitionsSerializer,
    ),
    "GET /whisper/tags": Operation("The caller's tags", library_shapes.TagsAnswerSerializer, tag=QUEUE),
    "POST /whisper/tags": Operation(
        "Make a tag", library_shapes.TagAnswerSerializer, status=201, tag=QUEUE, body=library_views.TagSerializer
    ),
    "PATCH /whisper/tags/{tag_id}": Operation(
        "Give a tag another name or colour",
        library_shapes.TagAnswerSerializer,
        tag=QUEUE,
        body=library_views.TagSerializer,
    ),
    "DELETE /whisper/tags/{tag_id}": Operation("Delete a tag; its jobs stay", shapes.MessageSerializer, tag=QUEUE),
    "GET /whisper/jobs/{job_id}/tags": Operation("The caller's tags of a job", library_shapes.TagsAnswerSerializer),
    "PUT /whisper/jobs/{job_id}/tags": Operation(
        "Give a job these tags and no others of the caller's",
        library_shapes.TagsAnswerSerializer,
        body=library_views.JobTagsSerializer,
    ),
    "GET /whisper/jobs/{job_id}/notes": Operation(
        "Notes and highlights of a job, in order of time", note_shapes.NotesAnswerSerializer
    ),
    "POST /whisper/jobs/{job_id}/notes": Operation(
        "Add a note or a highlight",
        note_shapes.NoteAnswerSerializer,
        status=201,
        description="The same note of the same person once more is the note that is there.",
        body=note_views.NoteSerializer,
    ),
    "PATCH /whisper/jobs/{job_id}/notes/{note_id}": Operation(
        "Change the text or the colour of a note",
        note_shapes.NoteAnswerSerializer,
        body=note_views.NoteChangeSerializer,
    ),
    "DELETE /whisper/jobs/{job_id}/notes/{note_id}": Operation("Delete a note", note_shapes.NoteDeletedSerializer),
    "POST /whisper/jobs/{job_id}/trash": Operation(
        "Move a job to the trash; a queued one is cancelled first",
        shapes.JobAnswerSerializer,
        description="It is seen nowhere else, and deleted after some weeks unless it is taken out.",
        refusals=(422,),
    ),
    "POST /whisper/jobs/{job_id}/untrash": Operation("Take a job out of the trash", shapes.JobAnswerSerializer),
    "GET /whisper/jobs/{job_id}/segments": Operation(
        "Segments with words and times, a page at a time",
        shapes.SegmentsAnswerSerializer,
        query=requests.SegmentsSerializer,
    ),
    "GET /whisper/jobs/{job_id}/corrections": Operation(
        "What people have changed in the transcript",
        correction_shapes.CorrectionsAnswerSerializer,
        query=correction_requests.LogSerializer,
    ),
    "POST /whisper/jobs/{job_id}/corrections": Operation(
        "Correct the transcript",
        correction_shapes.CorrectionAnswerSerializer,
        status=201,
        description="Each kind has fields of its own. Segments come with the revision in which they were seen: 409 when one has "
        "changed since. The same `request_id` once more is answered with 200 and changes nothing.",
        body=correction_requests.DescribedCorrectionSerializer,
        also={200: correction_shapes.CorrectionAnswerSerializer, 409: correction_shapes.ConflictSerializer},
    ),
    "POST /whisper/jobs/{job_id}/corrections/preview": Operation(
        "What find and replace would change",
        correction_shapes.PreviewAnswerSerializer,
        description="Writes nothing.",
        body=correction_requests.SwapSerializer,
    ),
    "GET /whisper/jobs/{job_id}/exports/{name}": Operation(
        "The transcript as a file",
        _FILES,
        description="Limits of captions without a `preset` replace those of `web`. What a format has no use for is ignored.",
        query=requests.ExportSerializer,
    ),
    "GET /whisper/jobs/{job_id}/exports.zip": Operation(
        "The transcript as several files in a ZIP archive",
        {"application/zip": {"type": "string", "format": "binary"}},
        description="Its `README.txt` tells what is missing and why, such as a translation that was not made.",
        query=archive_views.ArchiveSerializer,
    ),
    "POST /whisper/jobs/{job_id}/share": Operation(
        "Share the transcript by a link",
        shapes.JobAnswerSerializer,
        tag=SHARING,
        description="201 where there was no link before.",
        body=ShareSerializer,
        also={201: shapes.JobAnswerSerializer},
    ),
    "PATCH /whisper/jobs/{job_id}/share": Operation(
        "Change the link's expiry, passcode, or what it shows",
        shapes.JobAnswerSerializer,
        tag=SHARING,
        body=ShareOptionsSerializer,
    ),
    "DELETE /whisper/jobs/{job_id}/share": Operation(
        "Revoke the link", shapes.JobAnswerSerializer, tag=SHARING, refusals=(422,)
    ),
    "POST /whisper/jobs/{job_id}/callback/replay": Operation(
        "Send the callback once more", shapes.JobAnswerSerializer, status=202, tag=CALLBACKS, refusals=(422,)
    ),
    "GET /whisper/jobs/{job_id}/callback/attempts": Operation(
        "What was tried so far", shapes.AttemptsAnswerSerializer, tag=CALLBACKS
    ),
    "POST /account/login": Operation(
        "Sign in", shapes.PairAnswerSerializer, tag=ACCOUNT, description="`code` where two-step sign-in is on."
    ),
    "POST /account/refresh": Operation(
        "A new pair of tokens for a refresh token", shapes.PairAnswerSerializer, tag=ACCOUNT
    ),
    "POST /account/logout": Operation("End a refresh token", shapes.OkSerializer, tag=ACCOUNT),
    "POST /account/revoke": Operation("End a refresh token", shapes.OkSerializer, tag=ACCOUNT),
}


def find(method: str, path: str) -> Operation | None:
    """The line of a call; `path` as in the description, such as `/api/whisper/jobs/{job_id}`."""
    below = path.removeprefix("/api")
    shared = below.replace("/whisper/transcribe/", "/whisper/")
    return OPERATIONS.get(f"{method} {below}") or OPERATIONS.get(f"{method} {shared}")
