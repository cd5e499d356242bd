"""Client of a Tools Whisper server: hand recordings in, wait for them, read their transcripts."""

from __future__ import annotations

from tools_whisper.async_client import AsyncClient
from tools_whisper.calls import Options
from tools_whisper.client import Client
from tools_whisper.errors import (
    ApiError,
    Forbidden,
    JobFailed,
    NotFound,
    RateLimited,
    ServerFault,
    ToolsWhisperError,
    Unauthorized,
    Unprocessable,
    Unreachable,
)
from tools_whisper.retries import Retries
from tools_whisper.shapes import Job, Page, Segment, Share, Speaker, Word
from tools_whisper.watching import Change, Heard

__version__ = "0.1.0"
__all__ = [
    "ApiError",
    "AsyncClient",
    "Change",
    "Client",
    "Forbidden",
    "Heard",
    "Job",
    "JobFailed",
    "NotFound",
    "Options",
    "Page",
    "RateLimited",
    "Retries",
    "Segment",
    "ServerFault",
    "Share",
    "Speaker",
    "ToolsWhisperError",
    "Unauthorized",
    "Unprocessable",
    "Unreachable",
    "Word",
]
