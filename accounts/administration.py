"""The site of Django's admin at /admin/, and what its pages share: one way to sign in, and lists that stay fast."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import update_wrapper
from typing import Any, ClassVar

from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.contrib.admin.options import ShowFacets
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

#: Rows that a list counts and leads to; who looks for more narrows it down.
MOST_COUNTED = 10_000
#: Rows that one action works on.
MOST_CHANGED = 1_000
#: Libraries bring pages of their own, for tables that only they should write.
_OURS = ("accounts", "whisper", "sharing")


class Administration(admin.AdminSite):
    """People sign in to it as everywhere else, with the second step where they have one."""

    site_header = _("Tools Whisper administration")
    site_title = _("Tools Whisper")
    index_title = _("Administration")
    site_url = "/whisper"
    enable_nav_sidebar = False

    @method_decorator(secure_admin_login)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().login(request, extra_context)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """PostgreSQL has no text with a NUL in it, and what is looked for would otherwise fail there as a fault of ours."""
        inner = super().admin_view(view, cacheable)

        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if any("\0" in value for _name, values in request.GET.lists() for value in values):
                raise BadRequest("a NUL in what is asked for")
            return inner(request, *args, **kwargs)

        return update_wrapper(checked, inner)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_change_password")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        models: Iterable[type[Model]] = (
            [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        )
        ours = [model for model in models if model._meta.app_label in _OURS]
        if ours:
            super().register(ours, admin_class, **options)


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Never counts a whole table."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST_COUNTED].count())


def column(name: str, label: Any) -> Callable[[Any], Any]:
    """A field as a column with a heading in the reader's language; a choice by its label."""

    @admin.display(description=label, empty_value="–")
    def shown(row: Any) -> Any:
        by_label = getattr(row, f"get_{name}_display", None)
        return by_label() if by_label else getattr(row, name)

    return shown


def named_filter(title: Any) -> type[admin.ChoicesFieldListFilter]:
    """The filter of a field with choices, under a heading in the reader's language."""

    class Named(admin.ChoicesFieldListFilter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

    return Named


class SteadyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list in order of age, which costs the same in a table of a million rows. Rows are never deleted by a cascade."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    ordering = ("-pk",)
    sortable_by: ClassVar[list[str] | tuple[str, ...] | None] = ()
    list_per_page = 50

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(SteadyAdmin):
    """To look at, and to act on where there are actions."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Some of these models have no permissions in Django's tables that could be granted."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def chosen(self, request: HttpRequest, rows: QuerySet[Any]) -> Iterator[Any]:
        """The rows of an action, or none and a word about it when they are too many for one request."""
        found = list(rows[: MOST_CHANGED + 1])
        if len(found) > MOST_CHANGED:
            told = _("Choose at most %(most)d at a time.") % {"most": MOST_CHANGED}
            self.message_user(request, told, messages.ERROR)
            return iter(())
        return iter(found)
