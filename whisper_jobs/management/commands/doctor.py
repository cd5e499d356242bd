"""manage.py doctor [--net] [--json]: what works on this machine, what doesn't, and what to do. Status 1 when something fails."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from whisper_jobs.doctor import examining
from whisper_jobs.doctor.examining import Section
from whisper_jobs.doctor.finding import Finding, State, worst

MARKS = {State.OK: "ok  ", State.WARN: "WARN", State.FAIL: "FAIL"}


class Command(BaseCommand):
    help = "Says what works on this machine, what doesn't, and what to do."
    #: It looks at tables that may not be there yet, and says so itself.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--net", action="store_true", help="look at the network, too: some seconds more")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        sections = examining.examine(net=options["net"])
        show = self._json if options["json"] else self._text
        show(sections, examining.outlook())
        if worst(section.state for section in sections) == State.FAIL:
            sys.exit(1)

    def _json(self, sections: list[Section], outlook: str) -> None:
        checks = [{"group": section.group.value, **one.as_json()} for section in sections for one in section.findings]
        told = {"state": worst(section.state for section in sections).value, "outlook": outlook, "checks": checks}
        self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))

    def _text(self, sections: list[Section], outlook: str) -> None:
        for section in sections:
            self.stdout.write(f"\n{section.group.value.capitalize()}")
            for finding in section.findings:
                self._line(finding)
        self.stdout.write(f"\n{outlook}")

    def _line(self, finding: Finding) -> None:
        mark = MARKS[finding.state]
        if finding.state != State.OK:
            mark = (self.style.ERROR if finding.state == State.FAIL else self.style.WARNING)(mark)
        self.stdout.write(f"  {mark}  {finding.name}: {finding.sentence}")
        if finding.advice:
            self.stdout.write(f"        {finding.advice}")
