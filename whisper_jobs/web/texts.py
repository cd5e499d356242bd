"""The texts that scripts show, in the reader's language, as the JSON that pages carry. Keys are what static/js asks for."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from whisper_jobs import told
from whisper_jobs.states import Kind, Stage, Status, StepState
from whisper_jobs.web import callback_page


def for_scripts() -> dict[str, Any]:
    """Sentences by key, and tables of labels by code. {Places} are filled by the script."""
    return {**_live(), **_composer(), **_job(), **_callback(), **_tables()}


def _tables() -> dict[str, dict[str, str]]:
    return {
        "status": {code: str(label) for code, label in Status.choices},
        "stage": {code: str(label) for code, label in Stage.choices},
        "kind": {code: str(label) for code, label in Kind.choices},
        "step_state": {code: str(label) for code, label in StepState.choices},
        "suspect": _suspicions(),
        "told": told.table(),
        "callback_state": callback_page.labels(),
        "callback_failures": callback_page.failures(),
    }


def _suspicions() -> dict[str, str]:
    """Why a segment's text may be wrong, by speech.transcript.Suspicion."""
    return {
        "repeats": _("Check this: it repeats itself."),
        "no_speech": _("Check this: nobody may be speaking here."),
        "unsure": _("Check this: the engine was unsure."),
    }


def _live() -> dict[str, str]:
    return {
        "live_connecting": _("Connecting…"),
        "live_open": _("Live"),
        "live_lost": _("Connection lost. Trying again…"),
        "live_offline": _("You are offline. This page catches up when you are back."),
        "signed_out": _("You are signed out. Reload the page to sign in."),
        "denied": _("Your account may no longer see this."),
        "gone": _("This recording no longer exists."),
        "unreachable": _("The server could not be reached. Check your connection and try again."),
        "server_error": _("Something went wrong on the server. Try again in a moment."),
    }


def _composer() -> dict[str, str]:
    return {
        "file_chosen": _("{name} is chosen."),
        "file_empty": _("This file is empty."),
        "file_too_large": _("This file is {size}; this server takes at most {limit}."),
        "too_large": _("The file is larger than this server takes."),
        "one_file": _("Drop one file at a time."),
        "source_missing": _("Put in a link or choose a file."),
        "upload_cancelled": _("The upload was stopped."),
        "upload_waiting": _("The connection is lost. The upload goes on by itself when it is back."),
        "upload_checking": _("Received, one moment…"),
        "submitted": _("“{title}” is in the queue."),
        "time_left": _("about {time} left"),
        "position": _("Number {n} in the queue"),
        "took": _("Transcribed in {time}"),
        "cancelling": _("Cancelling…"),
    }


def _job() -> dict[str, str]:
    return {
        "was_cancelled": _("Cancelled"),
        "has_failed": _("This did not work"),
        "done_of": _("{done} of {total}"),
        "parts": _("Part {n} of {total}"),
        "attempt": _("attempt {n}"),
        "first_text": _("The first words show here as soon as they are heard."),
        "more_text": _("More is on its way."),
        "no_text": _("The transcript is empty."),
        "no_text_failed": _("There is no text: the job ended before the first words."),
        "speaker": _("Speaker {n}"),
        "copied": _("Copied"),
        "enriched": _("The analysis and the translations have changed."),
    }


def _callback() -> dict[str, str]:
    return {
        "callback": _("Callback"),
        "callback_held": _("It is sent when the job has ended."),
        "callback_next": _("Next attempt in {time}"),
        "callback_now": _("The next attempt is due."),
    }
