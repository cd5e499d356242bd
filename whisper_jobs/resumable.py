"""Files that arrive in pieces: begun, extended, made whole, handed over to a job, forgotten when nobody goes on with them.

Each piece is a file in storage before it counts, and the offset moves only from where the piece begins: two senders at
once can't mix their bytes, and whoever dies in between leaves a file that uploads.reap_orphans finds.
"""

from __future__ import annotations

import base64
import binascii
import errno
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.db import transaction
from django.db.models import Count, F, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from whisper_jobs import uploads
from whisper_jobs.media.naming import plain_text
from whisper_jobs.models import Upload, UploadPart
from whisper_jobs.uploads import MB, Stored

#: An upload is kept for so long after its last piece.
LIFETIME = timedelta(hours=24)
#: What one user may have on the server without a job: so many files, and together so many times the largest one.
MOST_WAITING = 20
MOST_WAITING_SIZES = 4
CHECKSUMS = ("sha1", "sha256", "sha512")
READ_BYTES = 1 << 20
BATCH = 200


class Refused(Exception):
    """An upload can't be what is asked of it. `code` is for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a client says of a file before it sends it."""

    length_bytes: int
    filename: str = ""
    mime: str = ""
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the bytes of a piece must come to. Raises Refused for one that can't be compared."""

    algorithm: str
    digest: bytes

    @classmethod
    def parse(cls, text: str) -> Checksum:
        """From `sha1 <base64>`."""
        algorithm, _space, encoded = text.partition(" ")
        try:
            digest = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refused("bad_checksum", _("The checksum is not written as base64.")) from error
        if algorithm not in CHECKSUMS:
            known = ", ".join(CHECKSUMS)
            raise Refused("bad_checksum", _("The checksum must be one of: %(known)s.") % {"known": known})
        return cls(algorithm, digest)


@dataclass(frozen=True, slots=True)
class Arrived(Stored):
    """A whole upload that belongs to a job from now on."""

    filename: str
    mime: str


# --- from the first byte to the last ----------------------------------------------------------------


@transaction.atomic
def begin(owner: User, asked: Beginning, *, lifetime: timedelta = LIFETIME) -> Upload:
    """Makes room for a file. Raises Refused when it is too large or its owner has too much waiting."""
    if asked.length_bytes <= 0:
        raise Refused("empty", _("The file is empty. Choose one that has sound in it."))
    if refusal := uploads.limit().refuses(asked.length_bytes):
        raise Refused("too_large", refusal)
    # Many at once would else all be counted before any of them is there.
    User.objects.select_for_update(no_key=True).filter(pk=owner.pk).values_list("pk", flat=True).first()
    _demand_few_waiting(owner, asked.length_bytes)
    return Upload.objects.create(
        owner=owner,
        length_bytes=asked.length_bytes,
        filename=plain_text(asked.filename).strip()[:255],
        mime=plain_text(asked.mime).strip()[:100],
        metadata=asked.metadata,
        expires_at=timezone.now() + lifetime,
    )


def keep(owner: User, file: UploadedFile[Any], *, lifetime: timedelta) -> Upload:
    """A file that has arrived as a whole and waits so long for its job. Raises Refused, and OSError when the disk is full."""
    told = Beginning(file.size or 0, file.name or "", file.content_type or "")
    upload = begin(owner, told, lifetime=lifetime)
    try:
        stored = uploads.store_upload(file)
    except BaseException:
        forget(upload)
        raise
    upload.offset_bytes, upload.media, upload.sha256 = stored.size_bytes, stored.name, stored.sha256
    upload.save(update_fields=["offset_bytes", "media", "sha256"])
    return upload


def _demand_few_waiting(owner: User, more_bytes: int) -> None:
    waiting = _alive().filter(owner=owner, taken_at=None).aggregate(files=Count("pk"), size=Sum("length_bytes"))
    most_bytes = MOST_WAITING_SIZES * settings.TOOLS.upload_max_mb * MB
    if waiting["files"] >= MOST_WAITING or (waiting["size"] or 0) + more_bytes > most_bytes:
        told = _("You have %(count)d unfinished uploads on this server. Finish or stop one, or wait until they expire.")
        raise Refused("uploads_waiting", told % {"count": waiting["files"]})


def _alive() -> QuerySet[Upload]:
    return Upload.objects.filter(expires_at__gt=timezone.now())


def find(owner: User, upload_id: UUID) -> Upload | None:
    """An own upload, also an expired one that is still there."""
    return Upload.objects.filter(owner=owner, pk=upload_id).first()


def is_expired(upload: Upload) -> bool:
    return upload.expires_at <= timezone.now()


def extend(upload: Upload, body: IO[bytes], *, checksum: Checksum | None = None) -> Upload:
    """Stores what is in `body` as the next piece, and makes the file whole with the last one.

    Raises Refused and keeps nothing of the body when it has more than is missing or not the checksum, when another piece
    was first, or when the disk is full.
    """
    piece = Piece(
        body, most_bytes=upload.length_bytes - upload.offset_bytes, algorithm=checksum.algorithm if checksum else None
    )
    media = _stored(piece)
    try:
        _check(piece, checksum)
        if piece.count:
            upload = _count_in(upload, piece, media)
    except BaseException:
        _remove_unless_counted(media)
        raise
    if not piece.count:
        uploads.remove(media)
    if upload.offset_bytes == upload.length_bytes:
        complete(upload)
    return upload


def _stored(piece: Piece) -> str:
    if not uploads.has_room(0):
        raise _disk_full()
    try:
        return uploads.store_original(piece)
    except OSError as error:
        raise _disk_full() if error.errno in (errno.ENOSPC, errno.EDQUOT) else error from error


def _disk_full() -> Refused:
    return Refused("disk_full", _("The server's disk is full. What has arrived is kept; go on later."))


def _check(piece: Piece, checksum: Checksum | None) -> None:
    if piece.has_more:
        raise Refused("too_large", _("There is more in this request than the file was said to have."))
    if checksum and not hmac.compare_digest(piece.digest, checksum.digest):
        raise Refused("checksum_mismatch", _("The bytes that arrived are not those that were sent. Send them again."))


@transaction.atomic
def _count_in(upload: Upload, piece: Piece, media: str) -> Upload:
    here = Upload.objects.filter(pk=upload.pk, offset_bytes=upload.offset_bytes)
    if not here.update(offset_bytes=F("offset_bytes") + piece.count, expires_at=timezone.now() + LIFETIME):
        raise wrong_offset()
    UploadPart.objects.create(
        upload=upload, offset_bytes=upload.offset_bytes, size_bytes=piece.count, sha256=piece.sha256, media=media
    )
    return Upload.objects.get(pk=upload.pk)


def wrong_offset() -> Refused:
    return Refused("wrong_offset", _("The upload is at another place by now. Ask where, and go on from there."))


def _remove_unless_counted(media: str) -> None:
    """The transaction may have been committed before it failed to say so."""
    if not UploadPart.objects.filter(media=media).exists():
        uploads.remove(media)


def complete(upload: Upload) -> None:
    """Makes one original of the parts, if that is still to do. A single part becomes it as it is."""
    parts = list(upload.parts.order_by("offset_bytes"))
    if not parts:
        return
    try:
        stored = Stored(parts[0].media, parts[0].size_bytes, parts[0].sha256) if len(parts) == 1 else _join(parts)
    except FileNotFoundError:
        if Upload.objects.filter(pk=upload.pk, media="").exists():
            raise
        return  # another process was first, or it was deleted
    if _keep(upload, stored):
        left = [part.media for part in parts if part.media != stored.name]
    else:  # deleted meanwhile, or joined by another process
        left = [] if len(parts) == 1 else [stored.name]
    for media in left:
        uploads.remove(media)


@transaction.atomic
def _keep(upload: Upload, stored: Stored) -> bool:
    kept = Upload.objects.filter(pk=upload.pk, media="").update(media=stored.name, sha256=stored.sha256)
    if kept:
        UploadPart.objects.filter(upload=upload.pk).delete()
    return bool(kept)


def _join(parts: list[UploadPart]) -> Stored:
    size = sum(part.size_bytes for part in parts)
    if not uploads.has_room(size):
        raise _disk_full()
    whole = TemporaryUploadedFile("whole", "application/octet-stream", size, None)
    digest = hashlib.sha256()
    try:
        for chunk in _chunks(parts):
            digest.update(chunk)
            whole.write(chunk)
        whole.sha256 = digest.hexdigest()  # type: ignore[attr-defined]
        return uploads.store_upload(whole)
    except OSError as error:
        raise _disk_full() if error.errno in (errno.ENOSPC, errno.EDQUOT) else error from error
    finally:
        whole.close()


def _chunks(parts: list[UploadPart]) -> Iterator[bytes]:
    for part in parts:
        with default_storage.open(part.media) as stored:
            yield from stored.chunks(READ_BYTES)


class Piece(File):  # type: ignore[type-arg]  # it takes none at run time
    """A request's body on its way into storage: read once, a little at a time, counted and hashed as it goes by."""

    def __init__(self, body: IO[bytes], *, most_bytes: int, algorithm: str | None = None) -> None:
        super().__init__(body, name="piece")
        self.count, self.has_more = 0, False
        self._left = most_bytes
        self._digests = {name: hashlib.new(name) for name in {"sha256", algorithm or "sha256"}}
        self._wanted = algorithm or "sha256"

    @property
    def sha256(self) -> str:
        return str(self._digests["sha256"].hexdigest())

    @property
    def digest(self) -> bytes:
        return bytes(self._digests[self._wanted].digest())

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        # One byte more than is missing tells that there are too many.
        most = self._left + 1
        got: bytes = self.file.read(most if size < 0 else min(size, most))  # type: ignore[union-attr]
        self.has_more = self.has_more or len(got) > self._left
        kept = got[: self._left]
        self._left -= len(kept)
        self.count += len(kept)
        for digest in self._digests.values():
            digest.update(kept)
        return kept

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        while chunk := self.read(chunk_size or READ_BYTES):
            yield chunk


# --- to a job, or away ------------------------------------------------------------------------------


def demand_whole(owner: User, upload_id: UUID | str) -> Upload:
    """The upload that a job is to be made from, made whole if that was cut short. Call it before the transaction.

    Raises Refused when it isn't there, has not arrived yet, or has a job already.
    """
    upload = _demand_arrived(owner, upload_id)
    complete(upload)
    return upload


def _demand_arrived(owner: User, upload_id: UUID | str) -> Upload:
    upload = find(owner, _uuid(upload_id))
    if upload is None or is_expired(upload):
        raise Refused("upload_unknown", _("There is no such upload, or it has expired. Upload the file again."))
    if upload.taken_at:
        raise Refused("upload_taken", _("This upload has a job already. Upload the file again for another."))
    if upload.offset_bytes < upload.length_bytes:
        raise _incomplete()
    return upload


def _incomplete() -> Refused:
    return Refused("upload_incomplete", _("The upload is not complete yet. Send what is missing first."))


def take(owner: User, upload_id: UUID | str) -> Arrived:
    """Hands a whole upload over, once. Part of the transaction that makes the job: both happen or neither.

    Raises Refused when it can't be had, as demand_whole says why.
    """
    whole = _alive().filter(owner=owner, pk=_uuid(upload_id), taken_at=None).exclude(media="")
    if not whole.update(taken_at=timezone.now()):
        _demand_arrived(owner, upload_id)
        raise _incomplete()
    upload = Upload.objects.get(pk=_uuid(upload_id))
    return Arrived(upload.media, upload.length_bytes, upload.sha256, upload.filename, upload.mime)


def _uuid(upload_id: UUID | str) -> UUID:
    try:
        return upload_id if isinstance(upload_id, UUID) else UUID(upload_id)
    except ValueError:
        return UUID(int=0)


def forget(upload: Upload) -> None:
    """Ends an upload and deletes what has arrived of it; what a job has taken stays the job's."""
    _forget(Upload.objects.filter(pk=upload.pk))


def reap() -> int:
    """Deletes uploads that nobody has gone on with. Returns how many."""
    expired = Upload.objects.filter(expires_at__lte=timezone.now())
    found = list(expired.values_list("pk", flat=True)[:BATCH])
    return sum(_forget(expired.filter(pk=pk)) for pk in found)


def _forget(one: QuerySet[Upload, Any]) -> bool:
    """Row first: a file without one is found by uploads.reap_orphans, a row without its file by nobody."""
    with transaction.atomic():
        upload = one.select_for_update().first()
        if upload is None:
            return False
        files = [] if upload.taken_at else [upload.media, *upload.parts.values_list("media", flat=True)]
        upload.delete()
    for media in files:
        uploads.remove(media)
    return True
