"""Calls functions beside a server, on its settings and data: `python -m tests.serve.seeding` reads one call a line and answers it.

One process for all calls, since to start Python and Django takes longer than most of them.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import traceback
from importlib import import_module
from typing import IO, Any

import django
from django.core.management import call_command
from django.db import connections

from tests.serve.prepared import ROOT


class Seeder:
    """The other end: starts the process at the first call."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = {**environment, "DJANGO_SETTINGS_MODULE": "config.settings"}
        self.process: subprocess.Popen[str] | None = None

    def call(self, function: str, *given: Any) -> Any:
        process = self.process = self.process or self._started()
        assert process.stdin is not None and process.stdout is not None
        print(json.dumps({"function": function, "given": given}), file=process.stdin, flush=True)
        answer = process.stdout.readline()
        assert answer, f"{function} ended the process that seeds"
        told = json.loads(answer)
        assert "failed" not in told, told["failed"]
        return told["answer"]

    def end(self) -> None:
        if self.process is not None:
            # It ends when nothing more can come.
            self.process.communicate(timeout=30)
            self.process = None

    def _started(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.serve.seeding"]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdin=pipe, stdout=pipe, text=True)


def manage(*words: str) -> str:
    printed = io.StringIO()
    call_command(*words, stdout=printed)
    return printed.getvalue()


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    module, _, name = asked["function"].partition(":")
    try:
        found = getattr(import_module(module), name)(*asked["given"])
    except Exception:
        return {"failed": traceback.format_exc()}
    return {"answer": found}


def main(calls: IO[str], answers: IO[str]) -> None:
    django.setup()
    for line in calls:
        told = answer(json.loads(line))
        # The next call may find another database in its place.
        connections.close_all()
        print(json.dumps(told, default=lambda row: row.pk), file=answers, flush=True)


if __name__ == "__main__":
    # What a function prints is no answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    main(sys.stdin, answers)
