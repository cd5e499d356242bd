"""manage.py verify_audit [--since DIGEST]: whether the audit log is as it was written. Status 1 when it isn't."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from whisper_jobs import audit


class Command(BaseCommand):
    help = "Checks every entry of the audit log, and that each follows the one before it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since",
            metavar="DIGEST",
            default="",
            help="what this command printed before: an entry that must still be there",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        verdict, since = audit.examine(), options["since"]
        for number in verdict.broken:
            self.stderr.write(f"Entry {number} was changed, or does not follow the one before it.")
        is_cut = bool(since) and not audit.has(since)
        if is_cut:
            self.stderr.write(f"There is no entry with the digest {since}: the end of the log was cut off.")
        if verdict.broken or is_cut:
            sys.exit(1)
        self.stdout.write(f"{verdict.entries} entries, all whole. The last digest: {verdict.head or 'none'}")
