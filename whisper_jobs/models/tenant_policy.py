"""What a tenant may use, as its administrators set it. Made from its tier's defaults when it is first asked for."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class TenantPolicy(models.Model):
    tenant = models.OneToOneField("accounts.Tenant", on_delete=models.CASCADE, related_name="policy", primary_key=True)
    #: A, B, AB or BA, as published; what the operator doesn't allow is not used whatever stands here.
    allowed_backends = models.CharField(_("backends"), max_length=2, default="A")
    default_backend = models.CharField(_("first backend"), max_length=1, default="A")
    tier = models.CharField(_("tier"), max_length=20, default="standard")
    #: Of sound, for all of the tenant's users together; None for as many as they like.
    monthly_minutes = models.PositiveIntegerField(
        _("minutes a month"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    #: Media of ended jobs is deleted after so many days; None for never.
    retention_days = models.PositiveIntegerField(
        _("days that media is kept"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ()
        verbose_name, verbose_name_plural = _("tenant policy"), _("tenant policies")

    def __str__(self) -> str:
        return f"policy of tenant {self.tenant_id}"
