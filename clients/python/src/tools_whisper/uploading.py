"""A resumable upload by tus 1.0.0 (https://tus.io/protocols/resumable-upload): what has arrived is never sent again."""

from __future__ import annotations

import base64
import mimetypes
import os
from collections.abc import Callable
from typing import IO
from urllib.parse import urlsplit

from tools_whisper.begun import Note
from tools_whisper.errors import ApiError, ToolsWhisperError, Unreachable, of_answer
from tools_whisper.retries import Retries
from tools_whisper.wire import Answer, Call, Flow, Pause

UPLOADS = "/api/whisper/uploads/"
#: A piece is in memory while it is sent.
PIECE_BYTES = 4 << 20
VERSION = {"Tus-Resumable": "1.0.0"}
#: The server has more, or less, than this side knew.
WRONG_OFFSET = 409
#: Taken by a job, expired, or of another person.
GONE = (404, 410)
#: Bytes that have arrived, and how many there are.
Sent = Callable[[int, int], object]
Ask = Callable[[Call, Retries], Flow[Answer]]


def upload(file: IO[bytes], name: str, note: Note, sent: Sent, retries: Retries, ask: Ask) -> Flow[str]:
    """The id of the upload, for a job to take. Goes on with the one that `note` knows."""
    size = os.fstat(file.fileno()).st_size
    path, offset = yield from _known(note, size, retries, ask)
    if not path:
        path = yield from _begun(name, size, retries, ask)
        note.write(path)
    losses = 0
    while offset < size:
        sent(offset, size)
        answer = yield _piece(file, path, offset)
        if answer.status == 204:
            offset, losses = _offset_of(answer), 0
            continue
        losses += 1
        yield Pause(_pause(answer, losses, retries))
        found = _offset_of((yield from ask(Call("HEAD", path, headers=VERSION, is_repeatable=True), retries)))
        offset, losses = found, 0 if found > offset else losses
    sent(size, size)
    return path.rstrip("/").rpartition("/")[2]


def _known(note: Note, size: int, retries: Retries, ask: Ask) -> Flow[tuple[str, int]]:
    """Path of an upload that is still there, and how much of it has arrived."""
    path = note.read()
    if not path:
        return "", 0
    try:
        answer = yield from ask(Call("HEAD", path, headers=VERSION, is_repeatable=True), retries)
    except ApiError as error:
        if error.status not in GONE:
            raise
        return "", 0
    return (path, _offset_of(answer)) if answer.headers.get("upload-length") == str(size) else ("", 0)


def _begun(name: str, size: int, retries: Retries, ask: Ask) -> Flow[str]:
    """Its path. An upload that was begun and whose answer was lost expires by itself."""
    mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
    metadata = f"filename {_encoded(name)},filetype {_encoded(mime)}"
    headers = {**VERSION, "Upload-Length": str(size), "Upload-Metadata": metadata}
    answer = yield from ask(Call("POST", UPLOADS, headers=headers, is_repeatable=True), retries)
    return urlsplit(answer.headers.get("location", "")).path


def _piece(file: IO[bytes], path: str, offset: int) -> Call:
    file.seek(offset)
    content = file.read(PIECE_BYTES)
    if not content:
        raise ToolsWhisperError("The file became shorter while it was being sent.")
    headers = {**VERSION, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    return Call("PATCH", path, content=content, headers=headers, is_repeatable=True)


def _pause(answer: Answer, losses: int, retries: Retries) -> float:
    """Raises what there is no going on after."""
    worth = Answer(lost=ConnectionError()) if answer.status == WRONG_OFFSET else answer
    pause = retries.pause(Call("PATCH", "", is_repeatable=True), worth, losses)
    if pause is not None:
        return pause
    if answer.lost is not None:
        raise Unreachable(f"The connection was lost again and again: {answer.lost}") from answer.lost
    raise of_answer(answer)


def _offset_of(answer: Answer) -> int:
    told = answer.headers.get("upload-offset", "")
    if not (told.isascii() and told.isdigit()):
        raise ToolsWhisperError("Something between here and the server takes the headers of uploads away.")
    return int(told)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode(errors="replace")).decode()
