"""manage.py reindex [--all]: does at once what the server does by itself after an upgrade; or all anew. May be stopped any time."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from whisper_jobs import indexing
from whisper_jobs.models import Job

BATCH = 500


class Command(BaseCommand):
    help = "Indexes the words of recordings that the search does not know yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="all recordings, those that it knows as well")

    def handle(self, *args: Any, **options: Any) -> None:
        jobs = Job.objects.order_by("-pk") if options["all"] else indexing.unknown()
        done, below = 0, None
        while ids := list((jobs if below is None else jobs.filter(pk__lt=below)).values_list("pk", flat=True)[:BATCH]):
            done, below = done + sum(map(indexing.index, ids)), ids[-1]
            self.stdout.write(f"{done} recordings are indexed, down to number {below}.")
        self.stdout.write("The search knows every recording.")
