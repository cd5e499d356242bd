"""manage.py models list|download|remove: the Whisper weights on this machine."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from whisper_jobs.errors import JobError
from whisper_jobs.pipeline import models
from whisper_jobs.speech.engines import weights

MB = 1 << 20


class Command(BaseCommand):
    help = "Lists, downloads and removes Whisper models."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="what there is and what could be had")
        for verb, does in (("download", "fetch a model; goes on where it stopped"), ("remove", "delete a model")):
            verbs.add_parser(verb, help=does).add_argument("name", choices=[*weights.CATALOGUE, *weights.ALIASES])

    def handle(self, *args: Any, **options: Any) -> None:
        verb = {"list": self._list, "download": self._download, "remove": self._remove}[options["verb"]]
        try:
            verb(options.get("name", ""))
        except JobError as error:
            raise CommandError(error.message) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. Run the same command again to go on.") from None

    def _list(self, name: str) -> None:
        folders = (settings.TOOLS.models, models.WHISPER_CACHE)
        for each in weights.CATALOGUE.values():
            state = weights.status(each.name, folders).state
            self.stdout.write(f"{each.name:16} {each.size_bytes / MB:7.0f} MB  {'' if state == 'missing' else state}")

    def _download(self, name: str) -> None:
        with tqdm(unit="B", unit_scale=True, unit_divisor=1024, desc=name, disable=None) as bar:
            path = models.download(name, on_progress=lambda done, total: _show(bar, done, total))
        self.stdout.write(f"{name} is ready: {path}")

    def _remove(self, name: str) -> None:
        removed = weights.remove(name, settings.TOOLS.models)
        self.stdout.write(f"{name} is removed." if removed else f"{name} was not in {settings.TOOLS.models}.")


def _show(bar: Any, done: int, total: int | None) -> None:
    bar.total = total
    bar.update(done - bar.n)
