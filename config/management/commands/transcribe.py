"""manage.py transcribe FILE|URL: one recording through the queue, with the transcript on standard output.

Uses the server that runs on this data folder, else starts the processes it needs for the while.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from accounts.models import User
from config.errand import Gone, Order, borrowed_server, check, follow, settle, write
from config.preflight import Refusal
from whisper_jobs import lifecycle
from whisper_jobs.errors import FAILURES
from whisper_jobs.intake import submit
from whisper_jobs.models import Job
from whisper_jobs.runs import NotAllowed
from whisper_jobs.speech.captions import PRESETS
from whisper_jobs.speech.formats import FORMATS

INTERRUPTED = 130


def _seconds(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError("must be above zero")
    return value


class Command(BaseCommand):
    help = "Transcribes a file or the media at an address and prints the transcript."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="FILE|URL")
        parser.add_argument("--language", default="", help="a code or a name; found out when left out")
        parser.add_argument("--model", default="", help="the best that is on this machine when left out")
        parser.add_argument("--format", default="txt", choices=sorted(FORMATS))
        parser.add_argument("--preset", default="plain", choices=sorted(PRESETS), help="how captions are made")
        parser.add_argument("--words", action="store_true", help="the time of each word, in vtt")
        parser.add_argument("--no-speakers", dest="speakers", action="store_false", help="name no speakers")
        parser.add_argument("-o", "--output", metavar="OUT", type=Path, help="a file instead of standard output")
        parser.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="give up and cancel after so long")
        parser.add_argument("--folder", type=Path, default=Path(), help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            order = check(Order.from_options(options))
            with borrowed_server(settings.TOOLS) as server:
                self._transcribe(order, server)
        except (Refusal, Gone) as error:
            sys.exit(str(error))
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)

    def _transcribe(self, order: Order, server: Any) -> None:
        admin = User.objects.filter(is_superuser=True, is_active=True).order_by("id").first()
        if admin is None:
            raise Refusal(
                "There is no active admin to run the job as. Make one: manage.py create_user EMAIL --password P --admin"
            )
        job = submit(order.submission(admin))
        try:
            job = follow(job.pk, order.timeout_seconds, server)
        except TimeoutError:
            _cancel(job.pk)
            raise Refusal(f"timeout: {FAILURES['timeout']}") from None
        except BaseException:
            _cancel(job.pk)
            raise
        self._deliver(job, order)

    def _deliver(self, job: Job, order: Order) -> None:
        if job.failure_code:
            raise Refusal(f"{job.failure_code}: {job.failure_error}")
        write(job, order)


def _cancel(job_id: int) -> None:
    try:
        lifecycle.request_cancel(job_id)
    except NotAllowed:
        return
    sys.stderr.write("Cancelled.\n")
    settle(job_id)
