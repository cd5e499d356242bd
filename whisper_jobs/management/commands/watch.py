"""manage.py watch DIR --owner EMAIL: hands in the recordings that come into a folder, until it is stopped."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.db import connection

from accounts.models import User
from whisper_jobs.errors import JobError
from whisper_jobs.pipeline import models
from whisper_jobs.speech import languages
from whisper_jobs.speech.formats import FORMATS
from whisper_jobs.watching import Orders, Watch

log = logging.getLogger(__name__)
SECONDS = 5.0


class Command(BaseCommand):
    help = "Hands in the recordings that come into a folder. They are moved to its handed-in/, or to refused/ with the reason."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--owner", required=True, help="the e-mail address of whose recordings these are")
        parser.add_argument("--model", default="", help="as in the form; otherwise the server's default")
        parser.add_argument("--language", default="", help="a code such as sv; otherwise it is found out")
        parser.add_argument(
            "--write", default="", help=f"formats written to done/, with commas between: {', '.join(FORMATS)}"
        )
        parser.add_argument("--every", type=float, default=SECONDS, help="seconds between two looks (%(default)s)")
        parser.add_argument("--once", action="store_true", help="looks twice, hands in what rests, and ends")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        watch = Watch(folder.resolve(), _orders(options))
        ended = _until_stopped()
        self._look(watch)
        while not ended.wait(max(0.1, options["every"])):
            self._look(watch)
            if options["once"]:
                return

    def _look(self, watch: Watch) -> None:
        """The database or the folder may be away for a while."""
        try:
            for job in watch.look():
                self.stdout.write(f"{job.source_filename}: job {job.pk}")
            for path in watch.write_back():
                self.stdout.write(f"{path.name} is written")
        except DatabaseError:
            log.exception("the database does not answer; trying again")
            connection.close()
        except OSError as error:
            log.warning("the folder can't be read; trying again: %s", error)


def _until_stopped() -> threading.Event:
    """Set by the signals that end a program: what is being handed in is finished first."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_args: ended.set())
    return ended


def _orders(options: dict[str, Any]) -> Orders:
    return Orders(
        owner=_owner(options["owner"]),
        model=_model(options["model"]),
        language=_language(options["language"]),
        formats=_formats(options["write"]),
    )


def _owner(email: str) -> User:
    user = User.objects.filter(email=email.lower()).first()
    if user is None:
        raise CommandError(f"There is no user {email}.")
    if not user.has_perm("whisper.use"):
        raise CommandError(f"{email} may not use the queue. Give them the permission whisper.use.")
    return user


def _model(name: str) -> str:
    chosen: str = name or settings.TOOLS.default_model
    if not models.is_known(chosen):
        raise CommandError(f"There is no model {chosen}. See: manage.py models list")
    return chosen


def _language(code: str) -> str:
    try:
        return languages.normalise(code) or ""
    except JobError as error:
        raise CommandError(error.message) from error


def _formats(names: str) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(filter(None, (name.strip() for name in names.split(",")))))
    if unknown := [name for name in chosen if name not in FORMATS]:
        raise CommandError(f"There is no format {unknown[0]}. Choose from: {', '.join(FORMATS)}.")
    return chosen
