"""Original media on its way in and in storage. Names on disk are ours: nothing a user typed becomes a path."""

from __future__ import annotations

import errno
import hashlib
import logging
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any, cast
from uuid import uuid4

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from whisper_jobs.models import Job, Upload, UploadPart

MB = 1 << 20
#: A request's body and the file in it, which is then moved into storage, are on disk together for a moment.
COPIES = 2
#: Folders without a job are left alone for so long, in case their job is being made.
ORPHAN_AGE = timedelta(days=1)
_ROOT = "media"
#: Folders that are looked up at once.
BATCH = 500
log = logging.getLogger(__name__)
#: The ASGI extension by which the web server says that it did not keep a body.
BODY_DISCARDED = "tools.body_discarded"


@dataclass(frozen=True, slots=True)
class UploadLimit:
    """How much can be uploaded now, in whole MB, and what sets the limit."""

    configured_mb: int
    disk_free_mb: int
    effective_max_mb: int

    @property
    def limited_by(self) -> str:
        return "configured" if self.effective_max_mb == self.configured_mb else "disk"

    def refuses(self, size_bytes: int) -> str:
        """Why a file of this size can't be taken, as a sentence; empty when it can."""
        if size_bytes <= self.effective_max_mb * MB:
            return ""
        if self.limited_by == "disk":
            return _("The server's disk is nearly full, so it takes files up to %(mb)d MB now.") % {
                "mb": self.effective_max_mb
            }
        return _("The file is larger than this server takes (%(mb)d MB).") % {"mb": self.effective_max_mb}


def limit(arrived_bytes: int = 0) -> UploadLimit:
    """`arrived_bytes` of the upload in question are on the disk already."""
    configured = settings.TOOLS.upload_max_mb
    free = (shutil.disk_usage(settings.DATA_DIR).free + arrived_bytes) // MB
    room = max(0, (free - settings.TOOLS.disk_reserve_mb) // COPIES)
    return UploadLimit(configured, free, min(configured, room))


class HashingUploadHandler(TemporaryFileUploadHandler):
    """Streams a file to disk and hashes it on the way.

    What can't be taken is dropped as it arrives, and the reason is left on the request as `upload_refusal`: an
    exception here would surface in the CSRF check, long before a view could answer with it.
    """

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._limit = limit()

    def handle_raw_input(self, input_data: IO[bytes], META: dict[str, Any], content_length: int, *args: Any) -> None:
        if hasattr(self.request, "scope"):  # ASGI: the whole body was written to the disk before this begins
            self._limit = limit(content_length)
        self._refuse(self._limit.refuses(content_length - MB))

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._digest, self._size = hashlib.sha256(), 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._size += len(raw_data)
        self._refuse(self._limit.refuses(self._size))
        if upload_refusal(self.request):
            return
        self._digest.update(raw_data)
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            self._refuse(_disk_full(error))

    def file_complete(self, file_size: int) -> UploadedFile[Any] | None:
        if upload_refusal(self.request):
            self.file.close()
            return None
        file: Any = super().file_complete(file_size)
        file.sha256 = self._digest.hexdigest()
        return cast("UploadedFile[Any]", file)

    def _refuse(self, reason: str) -> None:
        if reason:
            self.request.upload_refusal = reason  # type: ignore[union-attr]


def _disk_full(error: OSError) -> str:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        raise error
    return _("The server's disk is full. Try again later or tell an administrator.")


def upload_refusal(request: HttpRequest | None) -> str:
    """Why the file of this request was not taken; empty when it was, or when there was none."""
    return getattr(request, "upload_refusal", "") or _dropped_on_arrival(request)


def _dropped_on_arrival(request: HttpRequest | None) -> str:
    """The web server keeps no body that is over the limit. It hands over an empty one and says so in the scope."""
    told = getattr(request, "scope", {}).get("extensions", {}).get(BODY_DISCARDED)
    return limit().refuses(told["size"] - MB) if told else ""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is in storage."""

    name: str
    size_bytes: int
    sha256: str


def store_upload(file: UploadedFile[Any]) -> Stored:
    """Moves an uploaded file into storage. Raises OSError when the disk is full."""
    digest = digest_of(file)
    size = file.size or 0
    name = store_original(file)
    # Where storage has moved it, whoever collects the object would look for it in vain, and complain.
    file.close()
    return Stored(name, size, digest)


def has_room(wanted_bytes: int) -> bool:
    """Whether so much can be written without touching what must stay free."""
    free = shutil.disk_usage(settings.DATA_DIR).free
    return free - wanted_bytes >= settings.TOOLS.disk_reserve_mb * MB


def digest_of(file: UploadedFile[Any]) -> str:
    """SHA-256, as taken while the file arrived, or read from it."""
    known: str = getattr(file, "sha256", "")
    if known:
        return known
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def store_original(file: File[Any]) -> str:
    """Saves the original in a folder of its own and returns its name in storage."""
    if isinstance(file, TemporaryUploadedFile):
        file.seek(0)
    name = f"{_ROOT}/{uuid4().hex}/original"
    try:
        return default_storage.save(name, file)
    except BaseException:
        # What was written before the disk was full would keep it full.
        remove(name)
        raise


def beside(media: str, name: str) -> str:
    """Name in storage of a file that belongs to the same job as `media`."""
    return f"{media.rsplit('/', 1)[0]}/{name}"


def remove(media: str) -> None:
    """Deletes an original and everything beside it; what can't be deleted now is left to reap_orphans."""
    if media:
        try:
            _remove_folder(media.rsplit("/", 1)[0])
        except OSError as error:
            log.warning("could not delete %s: %s", media, error)


def remove_unless_kept(media: str) -> None:
    """For who stored an original and then failed: perhaps only after the job that has it was committed."""
    if not Job.objects.filter(media=media).exists():
        remove(media)


def _remove_folder(folder: str) -> None:
    try:
        inner, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in (*files, *inner):
        default_storage.delete(f"{folder}/{name}")
    default_storage.delete(folder)


def reap_orphans() -> int:
    """Deletes folders that no job and no upload knows, left by a process that died or came too late. Returns how many."""
    try:
        names, _files = default_storage.listdir(_ROOT)
    except FileNotFoundError:
        return 0
    old, folders = timezone.now() - ORPHAN_AGE, [f"{_ROOT}/{name}" for name in names]
    batches = (folders[start : start + BATCH] for start in range(0, len(folders), BATCH))
    orphans = [folder for batch in batches for folder in _unknown(batch) if _last_change(folder) < old]
    for folder in orphans:
        remove(f"{folder}/original")
    return len(orphans)


def _unknown(folders: list[str]) -> list[str]:
    originals = [f"{folder}/original" for folder in folders]
    # In the order in which a file passes from one to the next, so that none is missed on its way.
    owners = (UploadPart.objects, Upload.objects, Job.objects)
    known = {media for rows in owners for media in rows.filter(media__in=originals).values_list("media", flat=True)}
    return [folder for folder in folders if f"{folder}/original" not in known]


def _last_change(folder: str) -> datetime:
    """When a file in it was written last; now for a folder that somebody deletes meanwhile."""
    try:
        _inner, files = default_storage.listdir(folder)
        names = [f"{folder}/{file}" for file in files] or [folder]
        return max(default_storage.get_modified_time(name) for name in names)
    except FileNotFoundError:
        return timezone.now()
