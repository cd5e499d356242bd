"""The published JSON examples, as they stand in the contract's text."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]


STATUS: Json = json.loads("""
{
  "ok": true,
  "summary": {
    "queued": 3,
    "processing": 1,
    "completed": 21,
    "failed": 2
  },
  "can_manage_all": false,
  "config": {
    "enabled": true,
    "default_model": "large",
    "upload_max_mb": 64,
    "upload_limit": {
      "configured_mb": 200,
      "php_upload_max_mb": 64,
      "php_post_max_mb": 128,
      "effective_max_mb": 64,
      "effective_max_label": "64 MB",
      "limited_by_php": true
    },
    "ytdlp_configured": true
  }
}
""")
SUBMISSION: Json = json.loads("""
{
  "source_url": "https://example.com/audio.mp3",
  "source_label": "Interview with customer",
  "source_note": "Recorded support follow-up call.",
  "model": "large",
  "language": "sv",
  "analysis_language": "sv",
  "translation_target_languages": ["en"]
}
""")
RUN_NOW: Json = json.loads("""
{
  "limit": 1,
  "reset_failed": true
}
""")
TOKEN_SUBMISSION: Json = json.loads("""
{
  "source_url": "https://example.com/audio.mp3",
  "callback_url": "https://api.example.test/whisper/callback",
  "source_label": "Customer interview",
  "source_note": "Transcribe and send the final result back to our integration.",
  "model": "large",
  "language": "en",
  "analysis_language": "en",
  "translation_target_languages": ["sv"]
}
""")
TOKEN_SUBMITTED: Json = json.loads("""
{
  "ok": true,
  "message": "Whisper API job queued. A callback will be sent when the job reaches a terminal state.",
  "job": {
    "id": 123,
    "queue_channel": "api",
    "queue_channel_label": "API queue",
    "status": "queued",
    "callback": {
      "url": "https://api.example.test/whisper/callback",
      "status": "pending",
      "http_status": null,
      "last_attempt_at": null,
      "delivered_at": null,
      "error": null
    },
    "share": null
  }
}
""")
CALLBACK: Json = json.loads("""
{
  "ok": true,
  "event": "whisper.job.completed",
  "job": {
    "job_id": 123,
    "status": "completed",
    "status_label": "Completed",
    "queue_channel": "api",
    "queue_channel_label": "API queue",
    "source": "Customer interview",
    "model": "large",
    "language": "en",
    "job_url": "https://tools.example.test/whisper/jobs/123",
    "share_url": "https://tools.example.test/shared/whisper/transcript/example-token-redacted",
    "transcript_text": "...",
    "analysis_text": "...",
    "translations": [],
    "share": {
      "url": "https://tools.example.test/shared/whisper/transcript/example-token-redacted"
    }
  }
}
""")
JOB_FIELDS = (
    "queue_channel",
    "queue_channel_label",
    "source_type",
    "source_label",
    "source_note",
    "source_mime",
    "source_size_bytes",
    "source_duration_seconds",
    "source_duration_human",
    "stage_label",
    "stage_detail",
    "runtime_log",
    "liveness",
    "analysis",
    "translations",
    "diarization",
    "share",
    "callback",
)


def missing(example: Any, answer: Any, at: str = "") -> list[str]:
    """Where `answer` lacks a key of `example` or has a value of another kind. Null in either fits anything."""
    if example is None or answer is None:
        return []
    if isinstance(example, bool) != isinstance(answer, bool) or not isinstance(answer, _kinds(example)):
        return [f"{at}: {type(answer).__name__}"]
    if not (isinstance(example, dict) and isinstance(answer, dict)):
        return []
    gone = [f"{at}.{key}" for key in example if key not in answer]
    return gone + [
        told for key in example if key in answer for told in missing(example[key], answer[key], f"{at}.{key}")
    ]


def _kinds(example: Any) -> tuple[type, ...]:
    return (int, float) if isinstance(example, int | float) else (type(example),)
