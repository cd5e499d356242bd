"""Names and texts that strangers wrote, made fit to be stored and shown."""

from __future__ import annotations

_MAX_BYTES = 150


def safe_name(name: str, fallback: str = "recording") -> str:
    """The last part of a path that a stranger chose, without what could lead or hide elsewhere."""
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    plain = "".join(char if char.isprintable() and char not in '<>:"|?*%' else "_" for char in last).strip(" .")
    if len(plain.encode()) > _MAX_BYTES:
        stem, dot, suffix = plain.rpartition(".")
        suffix = dot + suffix if stem and len(suffix) <= 8 else ""
        plain = plain.encode()[: _MAX_BYTES - len(suffix.encode())].decode(errors="ignore") + suffix
    return plain or fallback


#: Not printable by themselves, but part of texts: line breaks, and the joiners of Persian, Hindi and emoji.
KEPT = "\n\t\u200c\u200d"


def plain_text(text: str) -> str:
    """Without what no database stores and no page shows: control characters, halves of characters, overrides of direction."""
    return "".join(char for char in text if char.isprintable() or char in KEPT)
