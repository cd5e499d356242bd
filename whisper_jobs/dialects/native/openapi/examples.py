"""The published examples of requests and answers, shown in the description."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

SUBMISSION: Json = {
    "source_url": "https://example.com/audio.mp3",
    "source_label": "Interview with customer",
    "source_note": "Recorded support follow-up call.",
    "model": "large",
    "language": "sv",
    "analysis_language": "sv",
    "translation_target_languages": ["en"],
}
TOKEN_SUBMISSION: Json = {
    "source_url": "https://example.com/audio.mp3",
    "callback_url": "https://api.example.test/whisper/callback",
    "source_label": "Customer interview",
    "source_note": "Transcribe and send the final result back to our integration.",
    "model": "large",
    "language": "en",
    "analysis_language": "en",
    "translation_target_languages": ["sv"],
}
TOKEN_SUBMITTED: Json = {
    "ok": True,
    "message": "Whisper API job queued. A callback will be sent when the job reaches a terminal state.",
    "job": {
        "id": 123,
        "queue_channel": "api",
        "queue_channel_label": "API queue",
        "status": "queued",
        "callback": {
            "url": "https://api.example.test/whisper/callback",
            "status": "pending",
            "http_status": None,
            "last_attempt_at": None,
            "delivered_at": None,
            "error": None,
        },
        "share": None,
    },
}
STATUS: Json = {
    "ok": True,
    "summary": {"queued": 3, "processing": 1, "completed": 21, "failed": 2},
    "can_manage_all": False,
    "config": {
        "enabled": True,
        "default_model": "large",
        "upload_max_mb": 64,
        "upload_limit": {
            "configured_mb": 200,
            "php_upload_max_mb": None,
            "php_post_max_mb": None,
            "effective_max_mb": 64,
            "effective_max_label": "64 MB",
            "limited_by_php": False,
            "request_body_max_mb": None,
            "disk_free_mb": 384,
            "limited_by": "disk",
        },
        "ytdlp_configured": True,
    },
}
RUN_NOW: Json = {"limit": 1, "reset_failed": True}
FAILURE: Json = {
    "ok": False,
    "message": "Send a media URL (source_url) or a file (media_file).",
    "code": "invalid",
    "errors": {"source_url": ["Send a media URL (source_url) or a file (media_file)."]},
}
