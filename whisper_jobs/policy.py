"""What a tenant may use: its row, made from its tier when it is first asked for, and what of it the operator offers here.

`change` is the only one that writes a policy, and everything it changes is in the audit log.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Tenant, User
from whisper_jobs import audit
from whisper_jobs.errors import JobError
from whisper_jobs.models import TenantPolicy
from whisper_jobs.speech.backends import ALLOWED, Backend, Policy, Preference

#: As published; the order of the letters says nothing.
BACKENDS: dict[str, tuple[Backend, ...]] = {**ALLOWED, "BA": ("B", "A")}
#: How programs ask for a backend.
PREFERENCES: dict[str, Preference] = {"any": "any", "prefer_self_hosted": "A", "prefer_relay": "B"}
#: What an administrator sets, in the order of the page; a tier is set by the operator alone.
SET_BY_TENANTS = ("allowed_backends", "default_backend", "monthly_minutes", "retention_days")
FIELDS = (*SET_BY_TENANTS, "tier")
#: What fits a column, and a calendar.
MOST = {"monthly_minutes": 2_147_483_647, "retention_days": 36_500}


@dataclass(frozen=True, slots=True)
class Tier:
    """What a tenant begins with."""

    allowed_backends: str
    default_backend: Literal["A", "B"]
    monthly_minutes: int | None = None
    retention_days: int | None = None


TIERS = {
    "trial": Tier("A", "A", monthly_minutes=300, retention_days=30),
    "standard": Tier("AB", "A"),
    # Sound stays on this server, and not for long.
    "regulated": Tier("A", "A", retention_days=30),
}


class Invalid(ValueError):
    """Such a policy can't be; the message says why, `field` where."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class NoUsableBackend(JobError):
    """The tenant allows no backend that this server offers."""

    def __init__(self) -> None:
        sentence = "Your organisation allows no transcription service that this server has. Ask its administrator."
        super().__init__("backend_unavailable", sentence)


def of(tenant: Tenant | int) -> TenantPolicy:
    """The policy of a tenant. Two that ask for it at once get the same row."""
    tenant_id = _key(tenant)
    found = TenantPolicy.objects.filter(pk=tenant_id).first()
    return found or TenantPolicy.objects.get_or_create(tenant_id=tenant_id, defaults=_of_tier())[0]


def seen(tenant: Tenant | int) -> TenantPolicy:
    """The same for who only looks at it, such as a page that counts minutes: nothing is written."""
    tenant_id = _key(tenant)
    return TenantPolicy.objects.filter(pk=tenant_id).first() or TenantPolicy(tenant_id=tenant_id, **_of_tier())


def offered() -> Policy:
    """What the operator allows everybody."""
    allowed = ALLOWED[settings.TOOLS.backends]
    return Policy(allowed, default=allowed[0])


def usable(row: TenantPolicy) -> tuple[Backend, ...]:
    """Of what the tenant allows that which the operator offers."""
    allowed = BACKENDS[row.allowed_backends]
    return tuple(backend for backend in offered().allowed if backend in allowed)


def allowed_for(owner: User | None) -> Policy:
    """The policy of an owner; None for one who is not known yet. Raises NoUsableBackend."""
    if owner is None:
        return offered()
    row = of(owner.tenant_id)
    backends = usable(row)
    if not backends:
        raise NoUsableBackend
    default = next((backend for backend in backends if backend == row.default_backend), backends[0])
    return Policy(backends, default)


def retention() -> dict[int, int]:
    """tenant → days that media of ended jobs is kept, for those that don't keep it for good."""
    begin = TIERS[settings.TOOLS.tenant_tier].retention_days
    known = dict(TenantPolicy.objects.values_list("pk", "retention_days"))
    days = {pk: known.get(pk, begin) for pk in Tenant.objects.values_list("pk", flat=True)}
    return {pk: kept for pk, kept in days.items() if kept is not None}


def preference(wire: str) -> Preference:
    """What a program asks for, in the terms of a job. Raises ValueError for what isn't published."""
    if wire not in PREFERENCES:
        raise ValueError(wire)
    return PREFERENCES[wire]


def change(tenant: Tenant | int, changes: Mapping[str, Any], *, actor: User) -> TenantPolicy:
    """Sets some of FIELDS at once; a new tier brings its own values for the others. Raises Invalid.

    Who may is decided by the caller, but a tier is for superusers alone.
    """
    with transaction.atomic():
        of(tenant)
        row = TenantPolicy.objects.select_for_update().get(pk=_key(tenant))
        before = {name: getattr(row, name) for name in FIELDS}
        for name, value in outcome(row, changes).items():
            _demand_known(name, actor)
            setattr(row, name, value)
        demand_valid(row)
        after = {name: getattr(row, name) for name in FIELDS if getattr(row, name) != before[name]}
        if after:
            row.save()
            told = {name: {"from": before[name], "to": value} for name, value in after.items()}
            audit.record("policy.changed", f"tenant {row.pk}", actor=actor, tenant=row.pk, changes=told)
    return row


def outcome(row: TenantPolicy, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What is set when these are asked for: a new tier brings its own values for the others."""
    tier = changes.get("tier", row.tier)
    known = isinstance(tier, str) and tier in TIERS and tier != row.tier
    return {**(asdict(TIERS[tier]) if known else {}), **changes}


def _demand_known(name: str, actor: User) -> None:
    if name not in FIELDS or (name == "tier" and not actor.is_superuser):
        raise Invalid(name, _("This can't be changed."))


def demand_valid(row: TenantPolicy) -> None:
    """Raises Invalid."""
    if not _is_one_of(row.allowed_backends, BACKENDS):
        raise Invalid("allowed_backends", _("Give A, B, AB or BA."))
    if row.default_backend not in BACKENDS[row.allowed_backends]:
        raise Invalid("default_backend", _("The first backend must be one of those that are allowed."))
    if not _is_one_of(row.tier, TIERS):
        raise Invalid("tier", _("There is no such tier."))
    for name, most in MOST.items():
        value = getattr(row, name)
        if value is not None and not (type(value) is int and 1 <= value <= most):
            raise Invalid(name, _("Give a whole number from 1 to %(most)d, or nothing.") % {"most": most})


def _is_one_of(value: object, known: Collection[str]) -> bool:
    return isinstance(value, str) and value in known


def _of_tier() -> dict[str, Any]:
    tier = settings.TOOLS.tenant_tier
    return {"tier": tier, **asdict(TIERS[tier])}


def _key(tenant: Tenant | int) -> int:
    return tenant if isinstance(tenant, int) else tenant.pk
