"""One process of the sockets figure: plays a worker that fetches and reports progress.

Run as `python -m benchmarks.writer CHANGES PAUSE`. Prints as JSON when each change was committed.
"""

from __future__ import annotations

import json
import sys
import time

import django

django.setup()

from django.db import transaction

from whisper_jobs import broadcast, lifecycle

#: Stands before the number of a change in what the page shows.
MARK = "change number "
LANE = "fetch"


def main(changes: int, pause: float) -> dict[int, float]:
    step = lifecycle.claim(LANE, "bench:1:1")
    assert step is not None, "there is no step to play"
    run = lifecycle.begin(step)
    assert run is not None, "the step can't begin"
    committed: dict[int, float] = {}
    for number in range(changes):
        time.sleep(pause)
        lifecycle.heartbeat(run.run_id)
        with transaction.atomic():
            # Hooks run in order: this one before the push.
            transaction.on_commit(lambda number=number: committed.update({number: time.monotonic()}))  # type: ignore[misc]
            lifecycle.report(run, 0.0, f"{MARK}{number} .")
    lifecycle.hand_back(run)
    broadcast.flush()
    return committed


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), float(sys.argv[2]))))
