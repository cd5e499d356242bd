"""manage.py create_token EMAIL --provider NAME: prints a new personal token once, as one JSON line."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import tokens
from accounts.models import User


class Command(BaseCommand):
    help = "Creates a personal token and prints it once, as one line of JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--provider", required=True, choices=tokens.PROVIDERS)
        parser.add_argument("--name", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].lower()).first()
        if user is None:
            raise CommandError(f"There is no user {options['email']}.")
        new = tokens.create(user, options["provider"], name=options["name"])
        self.stdout.write(json.dumps(asdict(new)))
