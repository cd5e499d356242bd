"""One process of the million figure: `python -m benchmarks.reader JOBS WAITING` fills its database and then reads it on request.

Each line on standard input is a number of times; the answer is JSON: [what, seconds, queries] for each single reading.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import connection, reset_queries, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.permissions import grant
from whisper_jobs import intake, lifecycle
from whisper_jobs.models import Channel, Job, SourceType
from whisper_jobs.states import Stage

OWNERS = 10
Read = Callable[[], None]

#: Jobs of ten owners in turn: the newest wait in the queue, of the others one in ten failed. All else is as in the first one.
OWN = {
    "id": "n",
    "owner_id": "(SELECT min(id) FROM accounts_user) + n %% %(owners)s",
    "stage": "CASE WHEN n > %(jobs)s - %(waiting)s THEN 'queued' WHEN n %% 10 = 3 THEN 'failed' ELSE 'completed' END",
    "source_url": "'https://example.com/' || n",
    "source_label": "'Recording ' || n",
    "source_title": "'Title ' || n",
    "media": "'media/' || n || '/original'",
}
COLUMNS = [str(field.column) for field in Job._meta.concrete_fields]
JOBS = f"""
INSERT INTO whisper_job ({", ".join(COLUMNS)}) SELECT {", ".join(OWN.get(name, name) for name in COLUMNS)}
FROM whisper_job, generate_series(2, %(jobs)s) AS n WHERE id = 1
"""
STEPS = """
INSERT INTO whisper_step (job_id, kind, index, state, lane, priority, owner_id, turn, level, worker, attempts, losses, error_code,
    error, start_seconds, end_seconds, speech, audio)
SELECT job.id, kind.name, 0,
    CASE WHEN job.stage <> 'queued' THEN 'done' WHEN kind.name = 'assemble' THEN 'held' ELSE 'ready' END,
    kind.lane, 0, job.owner_id, job.id / %(owners)s, 0, '', 1, 0, '', '', 0, 0, '[]', ''
FROM whisper_job AS job, (VALUES ('prepare', 'speech'), ('fetch', 'fetch'), ('assemble', 'deliver')) AS kind (name, lane)
"""
TALLIES = """
INSERT INTO whisper_tally (owner_id, channel, status, jobs)
SELECT owner_id, channel, stage, count(*) FROM whisper_job GROUP BY owner_id, channel, stage
"""


def fill(jobs: int, waiting: int) -> tuple[User, User]:
    """An owner of a tenth of the jobs, and a manager."""
    call_command("migrate", verbosity=0, interactive=False)
    owners = [User.objects.create_user(f"owner{n}@example.test", None) for n in range(OWNERS)]
    manager = User.objects.create_user("manager@example.test", None)
    for user in (owners[0], manager):
        grant(user, "whisper.use")
    grant(manager, "whisper.manage")
    _first(owners[0])
    with connection.cursor() as cursor:
        for statement in (JOBS, STEPS, TALLIES):
            cursor.execute(statement, {"jobs": jobs, "waiting": waiting, "owners": OWNERS})
        cursor.execute("SELECT setval(pg_get_serial_sequence('whisper_job', 'id'), %s)", [jobs])
        cursor.execute("VACUUM ANALYZE")
    return owners[0], manager


def _first(owner: User) -> None:
    Job.objects.create(
        id=1,
        owner=owner,
        tenant_id=owner.tenant_id,
        channel=Channel.WEB,
        source_type=SourceType.URL,
        source_url="https://example.com/1",
        source_mime="audio/mpeg",
        stage=Stage.COMPLETED,
        revision=9,
        requested_model="auto",
        engine="clockwork",
        model="clockwork",
        quality="draft",
        detected_language="en",
        windows_total=20,
        windows_done=20,
        window_seconds_total=500,
        window_seconds_done=500,
        speech_seconds=480,
    )


def readings(owner: User, manager: User) -> Iterator[tuple[str, Read]]:
    for name, user in (("owner", owner), ("manager", manager)):
        client = Client()
        client.force_login(user)
        yield f"API list, {name}", _getting(client, "/api/whisper/jobs")
        yield f"page, {name}", _getting(client, "/whisper")
        middle = Job.objects.count() // 2
        yield f"API list from the middle, {name}", _getting(client, f"/api/whisper/jobs?cursor={middle}&status=failed")
    yield "claim", _claim
    yield "submit, owner", _submitting(owner)


def _getting(client: Client, path: str) -> Read:
    def read() -> None:
        assert client.get(path).status_code == 200

    return read


def _submitting(owner: User) -> Read:
    def submit() -> None:
        intake.submit(intake.Submission(owner=owner, source_url="https://example.com/new"))

    return submit


def _claim() -> None:
    assert lifecycle.claim("fetch", "bench:1:1") is not None


def timed(what: str, read: Read) -> tuple[str, float, int]:
    """Undone afterwards, so that the queue stays as it is."""
    reset_queries()
    with transaction.atomic(), CaptureQueriesContext(connection) as seen:
        began = time.perf_counter()
        read()
        seconds = time.perf_counter() - began
        transaction.set_rollback(True)
    return what, seconds, len(seen)


def main() -> None:
    files = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": files}
    settings.ALLOWED_HOSTS = ["testserver"]
    asked = list(readings(*fill(*map(int, sys.argv[1:]))))
    for what, read in asked:
        timed(what, read)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps([timed(what, read) for _ in range(int(line)) for what, read in asked]), flush=True)


if __name__ == "__main__":
    main()
