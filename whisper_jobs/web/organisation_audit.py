"""/whisper/organisation/audit: what was done to people's data, by whom; as a page, as a file, and whether it is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from whisper_jobs import audit, organisation
from whisper_jobs.models import AuditEntry
from whisper_jobs.organisation import Wanted
from whisper_jobs.speech.formats.tables import BYTE_ORDER_MARK, harmless, row
from whisper_jobs.streaming import in_pieces
from whisper_jobs.web.organisation_forms import ACTIONS, WantedForm
from whisper_jobs.web.organisation_page import OrganisationPage

FILTERS = ("action", "person", "text", "since", "until")
COLUMNS = ("number", "at", "actor", "action", "subject", "detail", "previous", "digest")
#: Broken entries that are named.
MOST_NAMED = 20


class AuditView(OrganisationPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        form = _form(request)
        asked = form.asked()
        found, following = organisation.page_of_entries(self.tenant.pk, form.wanted())
        known = organisation.addresses(found)
        filters = {name: value for name, value in asked.items() if name != "before"}
        told = {
            "form": form,
            "narrowed": bool(asked),
            "rows": [{"entry": one, **_shown(one, known)} for one in found],
            "next": self.address("web:organisation_audit", **{**asked, "before": following}) if following else "",
            "file": self.address("web:organisation_audit_file", **filters),
            "verify": self.address("web:organisation_verify"),
        }
        return self.shown("whisper/organisation_audit.html", told)


class VerifyView(OrganisationPage):
    def post(self, request: HttpRequest) -> HttpResponse:
        verdict = audit.examine()
        if verdict.broken:
            messages.error(request, _alarm(verdict.broken))
        else:
            told = ngettext(
                "The log's %(count)d entry is whole.", "All %(count)d entries of the log are whole.", verdict.entries
            )
            messages.success(request, told % {"count": verdict.entries})
        return redirect(self.address("web:organisation_audit"))


class AuditFileView(OrganisationPage):
    def get(self, request: HttpRequest) -> HttpResponseBase:
        lines = _lines(self.tenant.pk, _form(request).wanted())
        told = StreamingHttpResponse(in_pieces(lines), content_type="text/csv; charset=utf-8")
        told["Content-Disposition"] = 'attachment; filename="audit-log.csv"'
        return told


def _form(request: HttpRequest) -> WantedForm:
    form = WantedForm(request.GET, FILTERS)
    form.fields["text"].label = _("Of what")
    return form


def _alarm(broken: list[int]) -> str:
    told = ngettext(
        "%(count)d entry was changed, or does not follow the one before it: %(named)s. Tell the operator of this server.",
        "%(count)d entries were changed, or don't follow the one before them: %(named)s. Tell the operator of this server.",
        len(broken),
    )
    named = ", ".join(str(number) for number in broken[:MOST_NAMED])
    return told % {"count": len(broken), "named": f"{named} …" if len(broken) > MOST_NAMED else named}


def _shown(entry: AuditEntry, known: Mapping[int, str]) -> dict[str, Any]:
    details = {name: _told(value) for name, value in entry.detail.items()}
    if isinstance(owner := entry.detail.get("owner"), int):
        details["owner"] = _person(owner, known)
    return {
        "who": _person(entry.actor_id, known) if entry.actor_id else _("The server"),
        "what": ACTIONS.get(entry.action, entry.action),
        "details": [(name.replace("_", " "), value) for name, value in details.items()],
    }


def _person(key: int, known: Mapping[int, str]) -> str:
    return known.get(key) or _("a user who is gone (%(number)s)") % {"number": key}


def _told(value: Any) -> str:
    """In a line, whatever it is: changes as “before → after”, lists as such."""
    if isinstance(value, dict) and set(value) == {"from", "to"}:
        return f"{_told(value['from'])} → {_told(value['to'])}"
    if isinstance(value, dict):
        return "; ".join(f"{name.replace('_', ' ')}: {_told(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(_told(one) for one in value)
    return "–" if value is None else str(value)


def _lines(tenant_id: int, wanted: Wanted) -> Iterator[str]:
    """RFC 4180; an apostrophe stands before what a spreadsheet would run as a formula."""
    yield BYTE_ORDER_MARK + row(COLUMNS)
    for part in organisation.all_entries(tenant_id, wanted):
        known = organisation.addresses(part)
        for entry in part:
            yield row(map(harmless, _cells(entry, known)))


def _cells(entry: AuditEntry, known: Mapping[int, str]) -> tuple[str, ...]:
    actor = known.get(entry.actor_id, str(entry.actor_id)) if entry.actor_id else ""
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    detail = json.dumps(entry.detail, ensure_ascii=False, sort_keys=True)
    return str(entry.pk), at, actor, entry.action, entry.subject, detail, entry.previous, entry.digest
