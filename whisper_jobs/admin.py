"""Jobs, callbacks, prompt templates, policies and the audit log in Django's admin. Whatever changes a job or a policy is a verb."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.administration import ReadOnlyAdmin, SteadyAdmin, column, named_filter
from accounts.models import Tenant, User
from whisper_jobs import callbacks, lifecycle, policy
from whisper_jobs.limits import LimitReached
from whisper_jobs.models import AuditEntry, Delivery, DeliveryState, Job, PromptTemplate, TenantPolicy
from whisper_jobs.pen import Gone
from whisper_jobs.runs import NotAllowed

#: Refusals that are told one by one.
MOST_TOLD = 5
#: Policies that are made when their list is opened.
MOST_MADE = 500
_LABELS = {
    "owner": _("Owner"),
    "tenant": _("Tenant"),
    "channel": _("Queue"),
    "stage": _("Stage"),
    "progress": _("Progress"),
    "attempts": _("Attempts"),
    "created_at": _("Created"),
    "started_at": _("Started"),
    "completed_at": _("Ended"),
    "changed_at": _("Changed"),
    "source_type": _("Source"),
    "source_url": _("Link"),
    "source_filename": _("File"),
    "source_size_bytes": _("Bytes"),
    "source_duration_seconds": _("Seconds"),
    "requested_model": _("Asked for"),
    "engine": _("Engine"),
    "model": _("Model"),
    "engine_reason": _("Why this engine"),
    "language": _("Language"),
    "detected_language": _("Detected language"),
    "windows_done": _("Parts done"),
    "windows_total": _("Parts"),
    "failure_code": _("Failure code"),
    "failure_error": _("Failure"),
}


class JobForm(forms.ModelForm):  # type: ignore[type-arg]
    """Names for what is shown; nothing of it can be changed."""

    class Meta:
        model = Job
        fields: tuple[str, ...] = ()
        labels = _LABELS


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    form = JobForm
    list_display = (
        "id",
        "what",
        *(
            column(name, _LABELS[name])
            for name in ("owner", "tenant", "channel", "stage", "failure_code", "created_at")
        ),
    )
    list_display_links = ("id", "what")
    list_select_related = ("owner", "tenant")
    #: Those that an index answers in a table of a million.
    list_filter = (("stage", named_filter(_("stage"))), ("tenant", admin.RelatedFieldListFilter))
    search_fields = ("id", "owner__email")
    search_help_text = _("The number of a job, or the beginning of its owner's address.")
    fields = ("what", "page", *_LABELS)
    readonly_fields = ("what", "page")
    actions = ("cancel_chosen", "restart_chosen", "delete_selected")

    @admin.display(description=_("Title"))
    def what(self, job: Job) -> str:
        return job.title[:80]

    @admin.display(description=_("Page"))
    def page(self, job: Job) -> str:
        address = reverse("web:job", args=[job.pk])
        return format_html('<a href="{}">{}</a>', address, address)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        """By number or owner alone: to search titles is to read the whole table."""
        asked = search_term.strip()
        if not asked:
            return queryset, False
        if asked.isdecimal() and len(asked) < 19:
            return queryset.filter(pk=int(asked)), False
        owners = User.objects.filter(email__istartswith=asked.replace("\0", "")).values_list("pk", flat=True)
        return queryset.filter(owner__in=list(owners[:20])), False

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The jobs alone: each has thousands of rows that go with it."""
        return [str(job) for job in objs[:100]], {_("jobs"): len(objs)}, set(), []

    @admin.action(description=_("Cancel the chosen jobs"))
    def cancel_chosen(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(request, queryset, lifecycle.request_cancel, "Cancelled.")

    @admin.action(description=_("Restart the chosen jobs"))
    def restart_chosen(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(request, queryset, lifecycle.restart, "Restarted.")

    @admin.action(description=_("Delete the chosen jobs"))
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        """Asks first, on Django's own page."""
        if not request.POST.get("post"):
            return delete_selected(self, request, queryset)
        self._each(request, queryset, lifecycle.delete, "Deleted.")
        return None

    def _each(self, request: HttpRequest, jobs: QuerySet[Job], verb: Callable[[int], object], note: str) -> None:
        done, refused = 0, []
        for job in self.chosen(request, jobs):
            try:
                verb(job.pk)
            except (NotAllowed, LimitReached, Gone) as error:
                refused.append(f"{job.title[:80]}: {_('There is no such job.') if isinstance(error, Gone) else error}")
            else:
                done += 1
                self.log_change(request, job, note)
        _tell(self, request, done, refused)


def _tell(page: ReadOnlyAdmin, request: HttpRequest, done: int, refused: list[str]) -> None:
    if done:
        told = ngettext("Done with %(n)d.", "Done with %(n)d.", done) % {"n": done}
        page.message_user(request, told, messages.SUCCESS)
    for sentence in refused[:MOST_TOLD]:
        page.message_user(request, sentence, messages.WARNING)
    if len(refused) > MOST_TOLD:
        more = len(refused) - MOST_TOLD
        told = ngettext("%(n)d more was refused.", "%(n)d more were refused.", more) % {"n": more}
        page.message_user(request, told, messages.WARNING)


_DELIVERY_LABELS = {
    "url": _("Address"),
    "event": _("Event"),
    "state": _("State"),
    "attempts": _("Attempts"),
    "due_at": _("Next attempt"),
    "last_attempt_at": _("Last attempt"),
    "delivered_at": _("Delivered"),
    "http_status": _("HTTP status"),
    "error": _("Error"),
}


class _StateFilter(admin.SimpleListFilter):
    """The states that an index answers."""

    title, parameter_name = _("state"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(state.value, state.label) for state in (DeliveryState.DUE, DeliveryState.FAILED)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        states = [value for value, _label in self.lookup_choices]
        return queryset.filter(state=self.value()) if self.value() in states else queryset


class DeliveryForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Delivery
        fields: tuple[str, ...] = ()
        labels = _DELIVERY_LABELS


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    form = DeliveryForm
    list_display = (
        "id",
        "of_job",
        column("host", _("Receiver")),
        *(
            column(name, _DELIVERY_LABELS[name])
            for name in ("event", "state", "attempts", "http_status", "last_attempt_at")
        ),
    )
    list_select_related = ("job",)
    list_filter = (_StateFilter,)
    search_fields = ("id",)
    search_help_text = _("The number of a job.")
    fields = ("of_job", "webhook_id", *_DELIVERY_LABELS)
    readonly_fields = ("of_job", "webhook_id")
    actions = ("replay_chosen",)

    @admin.display(description=_("Job"))
    def of_job(self, delivery: Delivery) -> str:
        return delivery.job.title[:80] if delivery.job else "–"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        asked = search_term.strip()
        if not asked:
            return queryset, False
        number = int(asked) if asked.isdecimal() and len(asked) < 19 else 0
        return queryset.filter(job=number), False

    @admin.action(description=_("Send the chosen callbacks again"))
    def replay_chosen(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        done, refused = 0, []
        for delivery in self.chosen(request, queryset.filter(job__isnull=False)):
            try:
                callbacks.replay(delivery.job_id)
            except (NotAllowed, Gone) as error:
                refused.append(f"{delivery.job.title[:80]}: {error}")
            else:
                done += 1
                self.log_change(request, delivery, "Replayed.")
        _tell(self, request, done, refused)


class PromptTemplateForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = PromptTemplate
        fields = ("owner", "name", "instruction")
        labels = {
            "owner": _("Owner"),
            "name": _("Name"),
            "instruction": _("Instruction"),
            "created_at": _("Created"),
            "changed_at": _("Changed"),
        }


@admin.register(PromptTemplate)
class PromptTemplateAdmin(SteadyAdmin):
    form = PromptTemplateForm
    list_display = (column("name", _("Name")), column("owner", _("Owner")), column("changed_at", _("Changed")))
    list_select_related = ("owner",)
    search_fields = ("name", "owner__email")
    fields = ("owner", "name", "instruction", "created_at", "changed_at")
    readonly_fields = ("created_at", "changed_at")
    autocomplete_fields = ("owner",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing goes with it: what was asked for with a template has its text."""
        return self.has_module_permission(request)


_POLICY_LABELS = {
    "allowed_backends": _("Who may transcribe"),
    "default_backend": _("Who does it first"),
    "monthly_minutes": _("Minutes a month"),
    "retention_days": _("Days that sound is kept"),
    "tier": _("Tier"),
}


class PolicyForm(forms.ModelForm):  # type: ignore[type-arg]
    """What can't be is told by the verb that also saves it; here it is only tried."""

    class Meta:
        model = TenantPolicy
        fields = tuple(_POLICY_LABELS)
        labels = _POLICY_LABELS

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        try:
            policy.demand_valid(TenantPolicy(**{name: told.get(name) for name in _POLICY_LABELS}))
        except policy.Invalid as invalid:
            self.add_error(invalid.field, str(invalid))
        return told


@admin.register(TenantPolicy)
class TenantPolicyAdmin(SteadyAdmin):
    """One for each tenant: it is made when it is first asked for."""

    form = PolicyForm
    list_display = (
        "tenant",
        *(column(name, label) for name, label in _POLICY_LABELS.items()),
        column("updated_at", _("Changed")),
    )
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)
    fields = ("tenant", *_POLICY_LABELS, "updated_at")
    readonly_fields = ("tenant", "updated_at")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        for tenant in Tenant.objects.filter(policy=None)[:MOST_MADE]:
            policy.of(tenant)
        return super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: TenantPolicy, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)
        told = {name: form.cleaned_data[name] for name in form.changed_data}
        policy.change(obj.pk, told, actor=request.user)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


_ENTRY_LABELS = {
    "at": _("When"),
    "tenant_id": _("Number of the tenant"),
    "actor_id": _("Number of the user"),
    "action": _("What was done"),
    "subject": _("Of what"),
}


class AuditEntryForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = AuditEntry
        fields: tuple[str, ...] = ()
        labels = {**_ENTRY_LABELS, "detail": _("Details")}


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    form = AuditEntryForm
    list_display = ("id", *(column(name, label) for name, label in _ENTRY_LABELS.items()))
    search_fields = ("id",)
    search_help_text = _("The number of a tenant.")
    fields = (*_ENTRY_LABELS, "detail", "previous", "digest")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """By tenant alone, which an index answers."""
        asked = search_term.strip()
        if not asked:
            return queryset, False
        number = int(asked) if asked.isdecimal() and len(asked) < 19 else 0
        return queryset.filter(tenant_id=number), False
