"""/whisper/organisation: what an organisation may use, and what it has used this month. And what its other pages share."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.models import Tenant
from whisper_jobs import limits, policy, retention
from whisper_jobs.web.organisation_forms import TIERS, PolicyForm
from whisper_jobs.web.page import Page

#: People that are listed by what they used, and organisations to choose from.
MOST = 200


class OrganisationPage(Page):
    """For administrators of an organisation, of their own alone; superusers choose one."""

    permission_required = "whisper.scaiecho_admin"

    @cached_property
    def tenant(self) -> Tenant:
        asked = self.request.GET.get("tenant") or self.request.POST.get("tenant") or ""
        if not asked or asked == str(self.user.tenant_id):
            return self.user.tenant
        known = self.user.is_superuser and asked.isascii() and asked.isdecimal() and len(asked) < 19
        found = Tenant.objects.filter(pk=asked).first() if known else None
        if found is None:
            raise Http404
        return found

    def address(self, name: str, **asked: Any) -> str:
        """Of another of these pages, of the same organisation."""
        whose = {} if self.tenant == self.user.tenant else {"tenant": self.tenant.pk}
        query = urlencode({**asked, **whose})
        return reverse(name) + (f"?{query}" if query else "")

    def shown(self, template: str, told: dict[str, Any], status: int = 200) -> HttpResponse:
        tabs = (
            ("web:organisation", _("Policy and usage")),
            ("web:organisation_recordings", _("Recordings")),
            ("web:organisation_audit", _("Audit log")),
        )
        around = {
            "tenant": self.tenant,
            "tenants": Tenant.objects.order_by("name")[:MOST] if self.user.is_superuser else (),
            "tabs": [(self.address(name), label, reverse(name)) for name, label in tabs],
        }
        return render(self.request, template, {**around, **told}, status=status)


class OrganisationView(OrganisationPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(self._form())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self._form()
        if not (form.is_valid() and self._is_saved(form)):
            return self._page(form, status=422)
        messages.success(request, _("The policy is saved."))
        return redirect(self.address("web:organisation"))

    def _form(self) -> PolicyForm:
        asked = self.request.POST if self.request.method == "POST" else None
        return PolicyForm(asked, policy.of(self.tenant), sets_tier=self.user.is_superuser)

    def _is_saved(self, form: PolicyForm) -> bool:
        """False when it can't be, or is first to be confirmed since sound would be deleted."""
        lost = 0 if form.is_confirmed else self._lost(form.changes)
        if lost:
            form.ask_for_confirmation(lost)
            return False
        try:
            policy.change(self.tenant, form.changes, actor=self.user)
        except policy.Invalid as invalid:
            form.add_error(invalid.field, str(invalid))
        return not form.errors

    def _lost(self, changes: dict[str, Any]) -> int:
        days = policy.outcome(policy.of(self.tenant), changes).get("retention_days")
        return retention.due(self.tenant.pk, days) if days else 0

    def _page(self, form: PolicyForm, status: int = 200) -> HttpResponse:
        row, used = policy.of(self.tenant), limits.by_user(self.tenant.pk)
        standing = limits.of_tenant(self.tenant.pk)
        told = {
            "form": form,
            "tier": TIERS.get(row.tier, row.tier),
            "is_usable": bool(policy.usable(row)),
            "offers_relay": "B" in policy.offered().allowed,
            "standing": standing,
            "reserved": round(standing.reserved_seconds / 60, 1),
            "used": [(one.owner.email, round(one.seconds / 60, 1)) for one in used[:MOST]],
            "more": max(0, used.count() - MOST),
        }
        return self.shown("whisper/organisation.html", told, status)
