"""The texts that scripts show, in the reader's language, as the JSON that pages carry. Keys are what static/js asks for."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from whisper_jobs import told
from whisper_jobs.states import Kind, Stage, Status, StepState
from whisper_jobs.web import callback_page, notes_page


def for_scripts() -> dict[str, Any]:
    """Sentences by key, and tables of labels by code. {Places} are filled by the script."""
    return {
        **_live(),
        **_composer(),
        **_batch(),
        **_recorder(),
        **_captions(),
        **_notices(),
        **_job(),
        **_callback(),
        **_player(),
        **_notes(),
        **_library(),
        **_tables(),
    }


def _tables() -> dict[str, dict[str, str]]:
    return {
        "status": {code: str(label) for code, label in Status.choices},
        "stage": {code: str(label) for code, label in Stage.choices},
        "kind": {code: str(label) for code, label in Kind.choices},
        "step_state": {code: str(label) for code, label in StepState.choices},
        "suspect": _suspicions(),
        "told": told.table(),
        "note_colour": notes_page.colours(),
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


def _batch() -> dict[str, str]:
    return {
        "batch_chosen": _("Chosen"),
        "batch_chosen_all": _("{total} recordings are chosen."),
        "batch_started": _("{total} recordings are being handed in."),
        "batch_summary": _("{done} of {total} are in the queue."),
        "batch_waiting": _("Waiting"),
        "batch_sending": _("On its way"),
        "batch_done": _("In the queue"),
        "batch_failed": _("Not handed in"),
        "batch_refused": _("Not handed in"),
        "batch_held": _("Not handed in, since no more may be put in the queue now."),
    }


def _recorder() -> dict[str, str]:
    return {
        "mic_denied": _(
            "The microphone was not allowed. Allow it in your browser's settings for this site, then try again."
        ),
        "mic_missing": _("No microphone was found. Plug one in, then try again."),
        "mic_busy": _("The microphone is in use by another program. Close that, then try again."),
        "mic_failed": _("The microphone could not be used. Try again, or record with another app and choose the file."),
        "mic_insecure": _("Browsers let pages record only over https. Record with another app and choose the file."),
        "mic_unsupported": _("This browser can't record. Record with another app and choose the file."),
        "mic_full": _("This device has no room left. The recording goes on, but is kept only while this page is open."),
        "mic_unkept": _(
            "This browser keeps nothing. The recording goes on, but is there only while this page is open."
        ),
        "record_name": _("Recording"),
        "record_running": _("Recording…"),
        "record_paused": _("Paused"),
        "record_pause": _("Pause"),
        "record_resume": _("Go on"),
        "record_kept": _("An unfinished recording of {time} is kept on this device."),
    }


def _captions() -> dict[str, str]:
    return {
        "captions_connecting": _("Connecting…"),
        "captions_live": _("Listening"),
        "captions_lost": _("Connection lost. Trying again…"),
        "captions_ending": _("Waiting for the last words…"),
        "captions_ended": _("Ended"),
        "captions_failed": _("Stopped"),
        "captions_behind": _("{time} behind"),
        "captions_fallback": _("The sound goes over the web connection. {reason}"),
        "captions_no_webrtc": _("A direct connection (WebRTC) did not get through."),
        "captions_insecure": _("Browsers let pages use the microphone only over https."),
        "captions_unsupported": _("This browser can't hand the microphone to a page. Try another browser."),
        "captions_unplugged": _("The microphone is gone. What was heard is kept."),
        "captions_microphone": _("Microphone {n}"),
        "captions_said_by": _("{speaker}: {words}"),
        "captions_recorded": _("What was heard is a recording now."),
        "captions_parted": _(
            "The connection was lost for too long. What was heard before becomes a recording of its own."
        ),
        "captions_nothing": _("Nothing was heard, so there is no recording."),
        "captions_open": _("Open the recording"),
    }


def _notices() -> dict[str, str]:
    return {
        "push_denied": _("This browser does not let this site show notices. Allow them in its settings for this site."),
        "push_unsupported": _("This browser can't show notices. They need an https address, and on iPhone the app."),
        "push_failed": _("The browser's push service could not be reached. Try again later."),
        "push_on": _("On in this browser."),
        "push_off": _("Off in this browser."),
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


def _player() -> dict[str, str]:
    return {
        "player_at": _("{time} of {length}"),
        "player_captions": _("Transcript"),
        "player_gone": _("The recording is no longer on this server."),
        "player_unplayable": _("Your browser can't play this recording."),
        "keys_title": _("Keyboard shortcuts"),
        "keys_close": _("Close"),
        "key_space": _("Space"),
        "key_toggle": _("Play or pause"),
        "key_back": _("Back {n} seconds"),
        "key_forward": _("Forward {n} seconds"),
        "key_slower": _("Slower"),
        "key_faster": _("Faster"),
        "key_previous": _("Previous paragraph"),
        "key_next": _("Next paragraph"),
        "key_follow": _("Follow the recording"),
        "key_find": _("Search in the transcript"),
        "key_correct": _("Correct from here"),
        "find_none": _("No match"),
        "find_count": _("{total} found"),
    }


def _notes() -> dict[str, str]:
    return {
        "key_note": _("Highlight or write a note"),
        "title_saved": _("The title and the note are saved."),
        "note_place": _("At {time}"),
        "note_new": _("Note at {time}"),
        "note_edit": _("Change the note at {time}"),
        "note_marked": _("Highlighted."),
        "note_saved": _("The note is saved."),
        "note_deleted": _("The note is deleted."),
        "note_changed": _("Somebody has changed this note meanwhile. It says now: “{text}” Save again to replace it."),
        "notes_none_shown": _("No note matches."),
    }


def _library() -> dict[str, str]:
    return {
        "library_found": _("Recordings shown: {n}"),
        "library_none": _("No recording matches"),
        "library_chosen": _("Chosen: {n}"),
        "library_delete_sure": _("Delete the chosen recordings for good? They can't be brought back."),
        "library_empty_sure": _("Delete everything in your trash for good? It can't be brought back."),
        "key_search": _("Search"),
        "key_next_row": _("Next recording"),
        "key_previous_row": _("Previous recording"),
        "key_choose": _("Choose the recording"),
    }
