"""manage.py serve: the whole server in one command, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.preflight import Refusal
from config.serving import serve


class Command(BaseCommand):
    help = "Starts the server: broker, web, workers, beat. Ends with Ctrl-C."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            serve(settings.TOOLS)
        except Refusal as error:
            sys.exit(str(error))
