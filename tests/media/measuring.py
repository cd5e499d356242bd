"""Decodes in a process of its own, to see what that costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MEASURE = """
import resource, sys
from pathlib import Path
from whisper_jobs.media.decoding import DecodeLimits, decode
from whisper_jobs.media.forking import end_template
with decode(Path(sys.argv[1]), limits=DecodeLimits(memory_bytes=int(sys.argv[2]))) as decoding:
    samples = sum(len(chunk) for chunk in decoding)
end_template()
print(samples, *(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
"""


def measured(path: Path, *, memory_bytes: int = 1 << 30) -> tuple[int, int, int]:
    """Samples, and the peak memory of a parent and of its child, in KiB."""
    command = [sys.executable, "-c", MEASURE, str(path), str(memory_bytes)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    samples, parent, child = map(int, done.stdout.split())
    return samples, parent, child
