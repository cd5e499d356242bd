"""What the one who downloads may choose about a file."""

from __future__ import annotations

from dataclasses import dataclass, field

from whisper_jobs.speech.captions import Rules


@dataclass(frozen=True, slots=True)
class Labels:
    """The few words that documents say themselves, in the reader's language."""

    speakers: str = "Speakers"
    note: str = "Note"
    missing: str = "□ stands where this file has no letter to show; the other formats have it."
    draft: str = "Draft quality: expect wrong words, names and numbers most of all."


@dataclass(frozen=True, slots=True)
class FormatOptions:
    """`speakers`: whether they are named, where they are known. `words`: times of single words, in WebVTT. `notes`: in documents.

    `rules` shape captions; None leaves each segment as it is. A format ignores what it has no use for.
    """

    speakers: bool = True
    words: bool = False
    notes: bool = False
    rules: Rules | None = None
    labels: Labels = field(default_factory=Labels)
