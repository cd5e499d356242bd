"""What a measurement gives back, and what it is told."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """`folder` is empty and goes away afterwards; `audio` holds real recordings with a MANIFEST.tsv, if there are any."""

    folder: Path
    quick: bool = False
    audio: Path | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a figure's table. `met` is None for what is only told."""

    what: str
    target: str
    measured: str
    spread: str = ""
    met: bool | None = None


def at_most(what: str, limit: float, values: Sequence[float], *, spread: str = "", unit: str = "") -> Line:
    """The median against an upper limit."""
    middle = statistics.median(values)
    return Line(what, f"≤ {limit:g}{unit}", f"{middle:.3g}{unit}", spread or range_of(values, unit), middle <= limit)


def at_least(what: str, limit: float, values: Sequence[float], *, spread: str = "") -> Line:
    middle = statistics.median(values)
    return Line(what, f"≥ {limit:g}", f"{middle:.3g}", spread or range_of(values), middle >= limit)


def exactly(what: str, wanted: object, found: object, *, spread: str = "") -> Line:
    return Line(what, str(wanted), str(found), spread, wanted == found)


def told(what: str, value: str, spread: str = "") -> Line:
    return Line(what, "", value, spread)


def range_of(values: Sequence[float], unit: str = "") -> str:
    if len(values) < 2:
        return "1 run"
    return f"{min(values):.3g}–{max(values):.3g}{unit}, {len(values)} runs"


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank: percentile(values, 0.95)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def wait_until(fact: Callable[[], object], what: str, *, seconds: float, every: float = 0.05) -> None:
    """Raises TimeoutError when it takes longer."""
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain: {what}")
        time.sleep(every)
