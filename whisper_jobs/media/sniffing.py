"""Tells from the first bytes of a file what it claims to be. Looks at nothing else and decides nothing."""

from __future__ import annotations

HEAD_BYTES = 4096

_AT_START: tuple[tuple[bytes, str], ...] = (
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"\x1a\x45\xdf\xa3", "video/x-matroska"),
    (b"#!AMR", "audio/amr"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "audio/x-ms-wma"),
    (b"caff", "audio/x-caf"),
    (b".snd", "audio/basic"),
    (b"FLV\x01", "video/x-flv"),
    (b"wvpk", "audio/x-wavpack"),
    (b"MAC ", "audio/x-ape"),
    (b"TTA1", "audio/x-tta"),
    (b"RF64", "audio/wav"),
    (b"riff\x2e\x91\xcf\x11", "audio/x-w64"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x0b\x77", "audio/ac3"),
)
_INSIDE: tuple[tuple[bytes, bytes, str], ...] = (
    (b"RIFF", b"WAVE", "audio/wav"),
    (b"RIFF", b"AVI ", "video/x-msvideo"),
    (b"FORM", b"AIFF", "audio/aiff"),
    (b"FORM", b"AIFC", "audio/aiff"),
)
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_MANIFESTS = (b"#EXTM3U", b"<MPD")
_LISTS = (b"ffconcat", b"[playlist]", b"[Reference]", b"<ASX", b"<asx")


def media_type(head: bytes) -> str | None:
    """The MIME type of a container that is known by its first bytes; None for anything else."""
    for mark, mime in _AT_START:
        if head.startswith(mark):
            return mime
    for outer, inner, mime in _INSIDE:
        if head.startswith(outer) and head[8:12] == inner:
            return mime
    if head[4:8] in _BOXES:
        return "audio/mp4" if head[8:11] == b"M4A" else "video/mp4"
    return _bare_frames(head)


def is_manifest(head: bytes) -> bool:
    """Whether this is a streaming manifest (HLS, DASH): a recording in parts that lie elsewhere."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith(_MANIFESTS) or (text.startswith(b"<?xml") and b"<MPD" in text)


def is_list(head: bytes) -> bool:
    """Whether this is a list that only points at other files."""
    return is_manifest(head) or head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_LISTS)


def is_page(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return text.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def stated_bytes(head: bytes) -> int | None:
    """How long a RIFF file (wav, avi) says it is; writers that don't know leave 0 or the largest number."""
    if not head.startswith(b"RIFF") or len(head) < 8:
        return None
    size = int.from_bytes(head[4:8], "little")
    return size + 8 if 0 < size < 0xFFFFFF00 else None


def _bare_frames(head: bytes) -> str | None:
    if len(head) < 4:
        return None
    if head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "audio/aac"
    if head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06 and head[2] & 0xF0 != 0xF0:
        return "audio/mpeg"
    if head[0] == 0x47 and len(head) > 188 and head[188] == 0x47:
        return "video/mp2t"
    return None
