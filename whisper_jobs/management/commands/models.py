"""manage.py models list|download|remove: the models on this machine, for words and for speakers."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from whisper_jobs.errors import JobError
from whisper_jobs.pipeline import models
from whisper_jobs.speech.diarizers import pyannote
from whisper_jobs.speech.engines.choose import STORES

MB = 1 << 20


class Command(BaseCommand):
    help = "Lists, downloads and removes models."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="what there is and what could be had")
        for verb, does in (("download", "fetch a model; goes on where it stopped"), ("remove", "delete a model")):
            one = verbs.add_parser(verb, help=does)
            one.add_argument("name", help="a name of the list, or owner/name on the Hugging Face Hub")
            one.add_argument("--engine", choices=list(STORES), help="in which form; faster-whisper's by default")

    def handle(self, *args: Any, **options: Any) -> None:
        verb = {"list": self._list, "download": self._download, "remove": self._remove}[options["verb"]]
        engine = f"{options['engine']}/" if options.get("engine") else ""
        try:
            verb(engine + options.get("name", ""))
        except JobError as error:
            raise CommandError(error.message) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. Run the same command again to go on.") from None

    def _list(self, name: str) -> None:
        for engine, store in STORES.items():
            for each in (*store.CATALOGUE, *store.custom_names(settings.TOOLS.models)):
                self.stdout.write(_line(engine, each))
        state = "present" if pyannote.find(models.folders()) else ""
        self.stdout.write(f"{'speakers':15} {pyannote.REPOSITORY}  {state}".rstrip())

    def _download(self, name: str) -> None:
        with tqdm(unit="B", unit_scale=True, unit_divisor=1024, desc=name, disable=None) as bar:
            path = models.download(name, on_progress=lambda done, total: _show(bar, done, total))
        self.stdout.write(f"{name} is ready: {path}")

    def _remove(self, name: str) -> None:
        removed = models.remove(name)
        self.stdout.write(
            f"{name} is removed ({', '.join(removed)})." if removed else f"{name} was not in {settings.TOOLS.models}."
        )


def _line(engine: str, name: str) -> str:
    """Of a model that is not here, about how large it is."""
    store, folders = STORES[engine], models.folders()
    known = store.named(name)
    if known is None:
        path = store.find(name, folders)
        files = path.iterdir() if path and path.is_dir() else [path] if path else []
        return f"{engine:15} {name:24} {sum(each.stat().st_size for each in files) / MB:7.0f} MB  own"
    found = store.status(name, folders)
    size = found.size_bytes or known.size_bytes
    return f"{engine:15} {name:24} {size / MB:7.0f} MB  {'' if found.state == 'missing' else found.state}".rstrip()


def _show(bar: Any, done: int, total: int | None) -> None:
    bar.total = total
    bar.update(done - bar.n)
