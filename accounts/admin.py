"""People, tenants and personal tokens in Django's admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Permission
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import tokens
from accounts.administration import ReadOnlyAdmin, SteadyAdmin, column
from accounts.deactivation import deactivate
from accounts.models import PersonalToken, Tenant, User
from accounts.permissions import PUBLISHED, grant

_POWERS = ("is_active", "is_staff", "is_superuser")


def _permissions_field() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=_("Permissions"),
        choices=[(name, name) for name in PUBLISHED],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Administrators have all of them."),
    )


class AddForm(AdminUserCreationForm):  # type: ignore[type-arg]
    permissions = _permissions_field()

    class Meta:
        model = User
        fields = ("email", "name", "tenant")
        field_classes: dict[str, Any] = {}

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class ChangeForm(UserChangeForm):  # type: ignore[type-arg]
    permissions = _permissions_field()
    language = forms.ChoiceField(
        label=_("Language"), choices=[("", _("As the browser")), *settings.LANGUAGES], required=False
    )

    class Meta:
        model = User
        fields = ("name", "tenant", "language", "max_queued_jobs", "monthly_minutes", *_POWERS, "password")
        field_classes: dict[str, Any] = {}
        help_texts = {
            "max_queued_jobs": _("Empty follows the server."),
            "monthly_minutes": _("Empty follows the server."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = set(_published_permissions(self.instance))
        self.fields["permissions"].initial = [name for name in PUBLISHED if PUBLISHED[name] in held]


def _published_permissions(user: User) -> list[str]:
    rows = user.user_permissions.values_list("content_type__app_label", "codename")
    return [f"{app_label}.{codename}" for app_label, codename in rows]


@admin.register(User)
class PersonAdmin(SteadyAdmin, UserAdmin):  # type: ignore[type-arg]
    """Nobody is deleted here, since their recordings would go with them: they are deactivated."""

    form, add_form = ChangeForm, AddForm
    list_display = ("email", "name", "tenant", "is_active", "is_superuser", "created_at")
    list_select_related = ("tenant",)
    list_filter = ("is_active", "is_superuser", ("tenant", admin.RelatedFieldListFilter))
    search_fields = ("email", "name")
    autocomplete_fields = ("tenant",)
    filter_horizontal = ()
    ordering = ("email",)
    sortable_by = ("email", "name", "created_at")
    actions = ("deactivate_chosen",)
    fieldsets = (
        (None, {"fields": ("email", "name", "tenant", "language", "password")}),
        (_("Limits"), {"fields": ("max_queued_jobs", "monthly_minutes")}),
        (_("Permissions"), {"fields": ("permissions", *_POWERS)}),
        (_("Dates"), {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("email", "name", "tenant", "usable_password", "password1", "password2", "permissions"),
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """The address is what people sign in with and have confirmed. Nobody takes their own powers away by mistake."""
        own = _POWERS if obj == request.user else ()
        return ("email", "last_login", "created_at", *own) if obj is not None else ()

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.save()
            obj.emailaddress_set.create(email=obj.email, verified=True, primary=True)
            return
        fields = [name for name in form.changed_data if name not in ("permissions", "password")]
        if fields:
            obj.save(update_fields=fields)
        if "tenant" in fields:
            # Jobs go where their owner goes, as their counts do.
            obj.jobs.update(tenant=obj.tenant)
            # Speakers that were enrolled for a whole tenant stay with it.
            obj.speakers.filter(scope="user").update(tenant=obj.tenant)
        if "is_active" in fields and not obj.is_active:
            deactivate(obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        wanted = set(form.cleaned_data["permissions"])
        for name, django in PUBLISHED.items():
            app_label, codename = django.split(".")
            if name in wanted:
                grant(form.instance, name)
            else:
                found = Permission.objects.filter(content_type__app_label=app_label, codename=codename)
                form.instance.user_permissions.remove(*found)

    @admin.action(description=_("Deactivate the chosen users and sign them out"))
    def deactivate_chosen(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        others = [user for user in queryset.filter(is_active=True) if user != request.user]
        for user in others:
            deactivate(user)
            self.log_change(request, user, "Deactivated.")
        told = ngettext("%(n)d user was deactivated.", "%(n)d users were deactivated.", len(others)) % {
            "n": len(others)
        }
        self.message_user(request, told, messages.SUCCESS)


@admin.register(Tenant)
class TenantAdmin(SteadyAdmin):
    list_display = ("name", "people", "created_at")
    readonly_fields = ("created_at",)
    search_fields = ("name",)
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        found: QuerySet[Tenant] = super().get_queryset(request).annotate(people=Count("users"))
        return found

    @admin.display(description=_("Users"))
    def people(self, tenant: Any) -> int:
        return int(tenant.people)


_TOKEN_LABELS = {
    "user": _("User"),
    "provider": _("Provider"),
    "name": _("Name"),
    "created_at": _("Created"),
    "expires_at": _("Expires"),
    "last_used_at": _("Last used"),
    "revoked_at": _("Revoked"),
    "thin_callbacks": _("Callbacks without the transcript"),
    "is_sandbox": _("For the sandbox"),
}


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    """Names for what is shown; nothing of it can be changed."""

    class Meta:
        model = PersonalToken
        fields: tuple[str, ...] = ()
        labels = _TOKEN_LABELS


@admin.register(PersonalToken)
class PersonalTokenAdmin(ReadOnlyAdmin):
    """What a token is, never what it opens."""

    form = TokenForm
    list_display = (
        "ending",
        *(column(name, label) for name, label in _TOKEN_LABELS.items() if name != "thin_callbacks"),
    )
    list_select_related = ("user",)
    list_filter = ("provider",)
    search_fields = ("user__email", "name", "hint")
    fields = ("ending", *_TOKEN_LABELS)
    actions = ("revoke_chosen",)

    @admin.display(description=_("Ends in"))
    def ending(self, token: PersonalToken) -> str:
        return f"…{token.hint}"

    @admin.action(description=_("Revoke the chosen tokens"))
    def revoke_chosen(self, request: HttpRequest, queryset: QuerySet[PersonalToken]) -> None:
        living = list(self.chosen(request, queryset.filter(revoked_at=None)))
        for token in living:
            tokens.revoke(token)
            self.log_change(request, token, "Revoked.")
        told = ngettext("%(n)d token was revoked.", "%(n)d tokens were revoked.", len(living)) % {"n": len(living)}
        self.message_user(request, told, messages.SUCCESS)
