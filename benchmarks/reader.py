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
from whisper_jobs.models import Job

OWNERS = 10
Read = Callable[[], None]

#: Jobs of ten owners in turn: the newest wait in the queue, of the others one in ten failed.
JOBS = """
INSERT INTO whisper_job (id, owner_id, tenant_id, disable_diarization, channel, priority,
    stage, stage_detail, progress, revision, attempts, created_at, changed_at,
    source_type, source_url, source_filename, source_label, source_note, source_title, source_description, source_mime,
    source_sha256, media, requested_model, language, analysis_language, translation_target_languages, engine, model, engine_reason,
    quality, detected_language, windows_total, windows_done, window_seconds_total, window_seconds_done, speech_seconds,
    speech_base_seconds, failure_code, failure_error)
SELECT n, (SELECT min(id) FROM accounts_user) + n %% %(owners)s, (SELECT min(id) FROM accounts_tenant), false, 'web', 0,
    CASE WHEN n > %(jobs)s - %(waiting)s THEN 'queued' WHEN n %% 10 = 3 THEN 'failed' ELSE 'completed' END,
    '', 0, 9, 1, now(), now(), 'url', 'https://example.com/' || n, '', 'Recording ' || n, '', 'Title ' || n, '', 'audio/mpeg',
    '', 'media/' || n || '/original', 'auto', '', '', '[]', 'clockwork', 'clockwork', '', 'draft', 'en', 20, 20, 500, 500, 480,
    0, '', ''
FROM generate_series(1, %(jobs)s) AS n
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
    with connection.cursor() as cursor:
        for statement in (JOBS, STEPS, TALLIES):
            cursor.execute(statement, {"jobs": jobs, "waiting": waiting, "owners": OWNERS})
        cursor.execute("SELECT setval(pg_get_serial_sequence('whisper_job', 'id'), %s)", [jobs])
        cursor.execute("VACUUM ANALYZE")
    return owners[0], manager


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
