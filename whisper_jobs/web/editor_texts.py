"""The texts that the scripts of the editor show, in the reader's language. Keys are what static/js/editor asks for."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from whisper_jobs.web import texts


def for_editor() -> dict[str, Any]:
    """Those of every page, and the editor's own. {Places} are filled by the script."""
    return {**texts.for_scripts(), **own()}


def own() -> dict[str, str]:
    return {**_segments(), **_saving(), **_clashes(), **_speakers(), **_replacing(), **_undoing(), **_keys()}


def _segments() -> dict[str, str]:
    return {
        "edit_segment": _("Segment {n}, {time}, {speaker}"),
        "edit_play_from": _("Play from {time}"),
        "edit_seconds": _("{n} s"),
        "edit_doubts": _("{n} to check"),
        "edit_no_doubts": _("Nothing is left to check."),
        "edit_not_read": _("The transcript could not be read. Reload the page to try again."),
    }


def _saving() -> dict[str, str]:
    return {
        "edit_saved": _("All changes are saved"),
        "edit_saving": _("Saving…"),
        "edit_lost": _("Connection lost. Changes are kept on this device until it is back."),
        "edit_kept": _("Not saved yet – {n} changes are kept on this device."),
        "edit_not_kept": _("Not saved yet – {n} changes. This browser keeps nothing: leave the page open."),
        "edit_signed_out": _("You are signed out. Sign in and go on here."),
        "edit_other_user": _("Somebody else is signed in now. Sign in as yourself to save your changes."),
        "edit_not_ready": _("The transcript is being worked on and can't be changed right now."),
        "edit_undecided": _("{n} changes wait for you to decide."),
    }


def _clashes() -> dict[str, str]:
    return {
        "edit_clash": _("Somebody else changed this segment while you did. Which text stays?"),
        "edit_clash_gone": _("Somebody else removed this segment while you changed it."),
        "edit_clash_heard": _("Somebody else changed a segment while you did. Choose which text stays."),
        "edit_mine_part": _("Mine, part {n}"),
        "edit_take_theirs": _("Take theirs"),
        "edit_leave_it": _("Leave it removed"),
        "edit_merge_lost": _("Somebody else changed these segments, so they were not merged."),
        "edit_delete_lost": _("Somebody else changed this segment, so it was not deleted."),
        "edit_check_lost": _("Somebody else changed this segment; look at it again."),
        "edit_replace_lost": _("{n} segments were changed by somebody else and left as they are."),
        "edit_undo_lost": _("This can't be undone any more: the same segment was changed later."),
    }


def _speakers() -> dict[str, str]:
    return {
        "speaker_none": _("No speaker"),
        "edit_new_speaker": _("New speaker"),
        "edit_speaker_is": _("Speaker: {speaker}. Change"),
        "edit_name_of": _("Name of {speaker}"),
        "edit_colour_of": _("Colour of {speaker}: {n}. Next colour"),
        "edit_choose_speaker": _("Choose {speaker}"),
        "edit_chosen": _("{n} chosen"),
    }


def _replacing() -> dict[str, str]:
    return {
        "edit_found": _("Found in {n} segments."),
        "edit_find_what": _("Write what you are looking for."),
        "edit_looking": _("Looking…"),
        "edit_look_later": _("This needs the server. Try again when your changes are saved."),
        "edit_hits": _("{n} segments would change."),
        "edit_more_hits": _("The first {n} of {count} segments that would change."),
        "edit_replace_n": _("Replace in {n} segments"),
        "edit_replaced": _("Replaced in {n} segments."),
    }


def _undoing() -> dict[str, str]:
    return {
        "edit_nothing_to_undo": _("There is nothing to undo."),
        "edit_nothing_to_redo": _("There is nothing to redo."),
    }


def _keys() -> dict[str, str]:
    return {
        "edit_key_undo": _("Undo"),
        "edit_key_redo": _("Redo"),
        "edit_key_find": _("Find and replace"),
        "edit_key_speaker": _("Speaker of the segment"),
        "edit_key_doubt": _("Next segment to check"),
        "edit_key_accept": _("Accept the segment"),
        "edit_key_follow": _("Follow what is heard, or not"),
        "edit_key_split": _("Split at the caret"),
        "edit_key_merge": _("At the beginning: merge with the segment before"),
        "edit_key_insert": _("New segment below"),
        "edit_key_remove": _("Delete the segment"),
        "edit_key_start": _("Beginning 0.1 s earlier or later"),
        "edit_key_end": _("End 0.1 s earlier or later"),
    }
