"""A client of the protocol for the tests that talk to the views without a server, and a storage of its own for each."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User

UPLOADS = "/api/whisper/uploads/"
PIECE = "application/offset+octet-stream"


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    """The folder of the storage."""
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path / "files"}}
    settings.STORAGES = {**settings.STORAGES, "default": files}
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    return tmp_path / "files" / "media"


def encoded(**metadata: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in metadata.items())


def checksum(algorithm: str, content: bytes) -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"


class Tus:
    """Speaks tus as one user. `headers` replace those that it would send; None leaves one out."""

    def __init__(self, client: APIClient) -> None:
        self.client = client

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str | None) -> Any:
        given = {"Tus-Resumable": "1.0.0", **{name.replace("_", "-"): value for name, value in headers.items()}}
        sent = {name: value for name, value in given.items() if value is not None}
        kind = sent.pop("Content-Type", PIECE if body else "application/octet-stream")
        # The stubs know text only.
        generic: Any = self.client.generic
        return generic(method, path, body, content_type=kind, headers=sent)

    def create(self, length: int, body: bytes = b"", **headers: str | None) -> Any:
        metadata = encoded(filename="Intervju på torsdag.wav", filetype="audio/wav")
        given = {"Upload_Length": str(length), "Upload_Metadata": metadata, **headers}
        return self.ask("POST", UPLOADS, body, **given)

    def begin(self, length: int) -> str:
        """The path of a new upload."""
        answer = self.create(length)
        assert answer.status_code == 201, answer.content
        return str(answer["Location"])

    def send(self, path: str, body: bytes, offset: int = 0, **headers: str | None) -> Any:
        return self.ask("PATCH", path, body, **{"Upload_Offset": str(offset), "Content_Type": PIECE, **headers})

    def offset(self, path: str) -> int:
        answer = self.ask("HEAD", path)
        assert answer.status_code == 200
        return int(answer["Upload-Offset"])

    def whole(self, content: bytes) -> str:
        """The id of an upload that has arrived."""
        path = self.begin(len(content))
        assert self.send(path, content).status_code == 204
        return path.rpartition("/")[2]


@pytest.fixture
def tus(api: Any) -> Callable[[User | None], Tus]:
    return lambda user: Tus(api(user))
