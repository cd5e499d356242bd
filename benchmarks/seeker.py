"""One process of the search figure: `python -m benchmarks.seeker JOBS TIMES` fills its database, searches it, and prints JSON.

Recordings of an hour with 9,000 words each, drawn as in a language: the n-th word comes 1/n as often as the first.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
import time

import django

django.setup()

from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from accounts.permissions import grant
from whisper_jobs import library, search
from whisper_jobs.models import Channel, Job, Passage, Segment, SourceType, Step
from whisper_jobs.states import LANE_OF, Kind, Stage, StepState

OWNERS = 10
VOCABULARY, SEGMENTS, WORDS = 50_000, 900, 10
HOUR = 3600.0
#: One word in so many recordings is said in no other.
RAREST = "zyzzyva"


def name(number: int) -> str:
    """A word of five letters for a number, so that beginnings are shared as in a language."""
    letters = []
    for _ in range(5):
        number, place = divmod(number * 7 + 3, 26)
        letters.append(chr(ord("a") + place))
    return "".join(letters)


WORDLIST = [f"{name(number)}{number % 97}" if number > 500 else name(number) for number in range(VOCABULARY)]
WEIGHTS = list(itertools.accumulate(1 / (place + 1) for place in range(VOCABULARY)))


def fill(jobs: int) -> list[User]:
    call_command("migrate", verbosity=0)
    owners = [User.objects.create_user(f"owner{n}@example.test", None) for n in range(OWNERS)]
    for owner in owners:
        grant(owner, "whisper.use")
    for number in range(jobs):
        with transaction.atomic():
            _recording(owners[number % OWNERS], number)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    return [owners[0], User.objects.create_superuser("admin@example.test", None)]


def _recording(owner: User, number: int) -> None:
    now = timezone.now()
    job = Job.objects.create(
        owner=owner,
        tenant_id=owner.tenant_id,
        channel=Channel.WEB,
        source_type=SourceType.URL,
        source_url=f"https://example.com/{number}.mp3",
        source_label=f"Meeting {number}",
        source_duration_seconds=HOUR,
        stage=Stage.COMPLETED,
        requested_model="auto",
        started_at=now,
        completed_at=now,
    )
    lane = LANE_OF[Kind.WINDOW]
    step = Step.objects.create(job=job, kind=Kind.WINDOW, lane=lane, owner=owner, state=StepState.DONE)
    Segment.objects.bulk_create((_segment(step, place, number) for place in range(SEGMENTS)), batch_size=300)
    search.reindex(job)


def _segment(step: Step, place: int, number: int) -> Segment:
    start, each = place * HOUR / SEGMENTS, HOUR / SEGMENTS / WORDS
    words = random.choices(WORDLIST, cum_weights=WEIGHTS, k=WORDS)
    if place == SEGMENTS // 2 and number % 100 == 7:
        words[0] = RAREST
    timed = [
        [round(start + at * each, 2), round(start + (at + 1) * each, 2), word, 0.9] for at, word in enumerate(words)
    ]
    end = start + HOUR / SEGMENTS
    text = " ".join(words).capitalize() + "."
    return Segment(
        job_id=step.job_id, step=step, position=place, start=start, end=end, text=text, words=timed, revision=1
    )


def queries() -> dict[str, str]:
    """What is asked, by what it is called."""
    middle = Segment.objects.order_by("id").values_list("text", flat=True)[SEGMENTS // 3]
    return {
        "a word in one recording of a hundred": RAREST,
        "a word in every second one": f'"{WORDLIST[2000]}"',
        "the most frequent word": f'"{WORDLIST[0]}"',
        "three words": f'{WORDLIST[3]} {WORDLIST[40]} "{WORDLIST[600]}"',
        "a phrase of four frequent words": f'"{" ".join(WORDLIST[:4])}"',
        "a phrase of ten words": f'"{middle}"',
        "the beginning of a word, two letters": WORDLIST[10][:2],
        "a word without another": f'"{WORDLIST[5]}" -{WORDLIST[900]}',
        "a word that nobody said": "xylophonists",
    }


def timed(user: User, text: str, times: int) -> list[float]:
    taken = []
    for _ in range(times + 2):
        began = time.perf_counter()
        found = library.find(user, library.Wanted(text=text))
        taken.append(1000 * (time.perf_counter() - began))
    # The first of a query plans it and warms the cache.
    return [*taken[2:], float(len(found.jobs))]


def main(jobs: int, times: int) -> dict[str, object]:
    random.seed(1)
    began = time.monotonic()
    owner, admin = fill(jobs)
    filled = time.monotonic() - began
    told = {}
    for what, text in queries().items():
        for who, user in (("owner", owner), ("admin", admin)):
            *taken, shown = timed(user, text, times)
            told[f"{what}, {who}"] = (taken, shown)
    return {"seconds": filled, "passages": Passage.objects.count(), "times": told}


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:]))))
