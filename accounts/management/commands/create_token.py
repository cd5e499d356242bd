"""manage.py create_token EMAIL --provider NAME: prints a new personal token once, as one JSON line.

For provider_openai the person's own key is read from standard input instead, and nothing secret is printed.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import tokens
from accounts.models import User


class Command(BaseCommand):
    help = "Creates a personal token and prints it once, as one line of JSON; keeps an OpenAI key read from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--provider", required=True, choices=tokens.PROVIDERS)
        parser.add_argument("--name", default="")
        parser.add_argument("--sandbox", action="store_true", help="What is handed in with it is not worked on.")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].lower()).first()
        if user is None:
            raise CommandError(f"There is no user {options['email']}.")
        told = self._keep_key if options["provider"] == tokens.OPENAI else self._make
        self.stdout.write(json.dumps(told(user, **options)))

    def _make(self, user: User, provider: str, name: str, sandbox: bool, **_rest: Any) -> dict[str, Any]:
        return asdict(tokens.create(user, provider, name=name, is_sandbox=sandbox))

    def _keep_key(self, user: User, provider: str, name: str, sandbox: bool, **_rest: Any) -> dict[str, Any]:
        if sandbox:
            raise CommandError("Another provider's key can't be one of the sandbox.")
        key = sys.stdin.readline().strip()
        if not key:
            raise CommandError("Give the key on standard input.")
        kept = tokens.store_provider_key(user, key, provider=provider, name=name)
        return {"provider": provider, "hint": kept.hint}
