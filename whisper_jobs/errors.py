"""Why a job can fail: one list of codes for all dialects, each with a sentence that says what to do.

Imported by every layer; imports nothing of the project.
"""

from __future__ import annotations

#: code → what a user is told when the step that failed has nothing more exact to say.
FAILURES: dict[str, str] = {
    "cancelled": "The job was cancelled. Restart it to continue where it stopped.",
    "source_unreachable": "The media server could not be reached. Check the address, or restart the job later.",
    "source_not_found": "There is nothing at this address. Check that the link still opens in a browser.",
    "source_blocked": "The site refused to hand out this media. Download it yourself and upload the file instead.",
    "source_private_address": "This address is not on the public internet, so the server will not open it.",
    "source_too_long": "The recording is longer than this server accepts. Split it and submit the parts.",
    "source_too_large": "The file is larger than this server accepts. Submit a smaller or more compressed file.",
    "source_type_not_supported": "This is not audio or video that can be read here. Convert it to a common format such as MP3.",
    "source_age_restricted": "The site demands a signed-in adult for this media. Download it yourself and upload the file.",
    "no_audio_stream": "The file has no sound track. Submit one that has sound.",
    "media_corrupt": "The file is damaged or incomplete. Export or download it again and resubmit it.",
    "no_speech": "No speech was found in the recording. Check that the right file and track were submitted.",
    "model_unavailable": "The chosen model is not on this server. Choose another one, or ask an administrator to download it.",
    "language_unsupported": "The chosen model does not know this language. Choose another model or language.",
    "backend_unavailable": "The transcription service is not available now. Restart the job later.",
    "quota_exceeded": "The transcription quota is used up. Wait until it is renewed or ask an administrator.",
    "out_of_memory": "The server ran out of memory. Choose a smaller model and restart the job.",
    "timeout": "The work took longer than this server allows. Restart the job; what was done is kept.",
    "worker_lost": "The worker died again and again on this part. What was done is kept; restart the job to try once more.",
    "internal_error": "Something went wrong on the server. Restart the job; what was done is kept.",
}


class JobError(Exception):
    """A step failed for a reason that the user is told.

    `code` is one of FAILURES; `message` a sentence a user can act on (the code's own when left out).
    `retry` says that the same step may succeed when it is tried again later, but not within `after_seconds`.
    """

    def __init__(self, code: str, message: str = "", *, retry: bool = False, after_seconds: float = 0.0) -> None:
        if code not in FAILURES:
            raise ValueError(f"unknown failure code: {code}")
        self.code = code
        self.message = message or FAILURES[code]
        self.retry = retry
        self.after_seconds = after_seconds
        super().__init__(f"{code}: {self.message}")
