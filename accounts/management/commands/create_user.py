"""manage.py create_user EMAIL --password P [--perm NAME …] [--admin] [--tenant NAME]: for set-up and scripts."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.models import DEFAULT_TENANT, Tenant, User
from accounts.permissions import PUBLISHED, grant


class Command(BaseCommand):
    help = "Creates a user, and the tenant where it is new."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--password", required=True)
        parser.add_argument("--perm", action="append", default=[], choices=sorted(PUBLISHED), metavar="NAME")
        parser.add_argument("--admin", action="store_true")
        parser.add_argument("--tenant", default=DEFAULT_TENANT, metavar="NAME")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].lower()
        if User.objects.filter(email=email).exists():
            raise CommandError(f"There is already a user {email}.")
        tenant, _made = Tenant.objects.get_or_create(name=options["tenant"])
        make = User.objects.create_superuser if options["admin"] else User.objects.create_user
        user = make(email, options["password"], tenant=tenant)
        for name in options["perm"]:
            grant(user, name)
        self.stdout.write(f"Created {email}.")
