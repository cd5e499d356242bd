"""Wire → enrolment, filters and changes of speakers, with the published code or a sentence for what can't be accepted."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from accounts.models import User
from whisper_jobs import speakers, uploads
from whisper_jobs.dialects.scaiecho.errors import ScaiError, invalid
from whisper_jobs.media.naming import plain_text
from whisper_jobs.models import EnrollmentStatus, Scope, Speaker
from whisper_jobs.speakers import CHANGEABLE, Enrollment

LISTED, MOST_LISTED = 50, 200
#: Five minutes of the largest format that anybody records in.
MOST_FILE_BYTES = 100 * uploads.MB
MOST_NODES = 1000
_LONGEST_NODE = 120
_CODE = re.compile(r"[A-Za-z]{2}")


class PlainField(serializers.CharField):
    """Text without what no database stores and no page shows."""

    def to_internal_value(self, data: Any) -> str:
        return plain_text(super().to_internal_value(data)).strip()

    def run_validation(self, data: Any = serializers.empty) -> Any:
        # A NUL is left out like its kind rather than refused.
        value = super().run_validation(data.replace("\0", "") if isinstance(data, str) else data)
        if value == "" and not self.allow_blank:
            self.fail("blank")
        return value


class NameField(PlainField):
    """On one line."""

    def to_internal_value(self, data: Any) -> str:
        return " ".join(super().to_internal_value(data).split())


class LanguageField(serializers.CharField):
    """ISO 639-1."""

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data).strip()
        if not _CODE.fullmatch(code):
            raise serializers.ValidationError(_("Give a language as two letters, such as “en”."))
        return code.lower()


class EnrollSerializer(serializers.Serializer[Any]):
    """Fields of POST /speakers beside the two files."""

    display_name = NameField(max_length=100)
    language_primary = LanguageField()
    description = PlainField(max_length=5000, required=False, allow_blank=True, default="")
    consent_user_full_name = NameField(max_length=200)
    consent_stated_purpose = PlainField(max_length=5000)
    consent_text = PlainField(max_length=20_000)
    scope = serializers.ChoiceField(Scope.values, required=False, default=Scope.USER)


class ChangeSerializer(serializers.Serializer[Any]):
    display_name = NameField(max_length=100, required=False)
    description = PlainField(max_length=5000, required=False, allow_blank=True)


class ListSerializer(serializers.Serializer[Any]):
    language = LanguageField(required=False)
    scope = serializers.ChoiceField(Scope.values, required=False)
    enrollment_status = serializers.ChoiceField(EnrollmentStatus.values, required=False)
    limit = serializers.IntegerField(required=False, default=LISTED, min_value=1, max_value=MOST_LISTED)
    cursor = serializers.UUIDField(required=False)


class WarmSerializer(serializers.Serializer[Any]):
    node_ids = serializers.ListField(
        child=PlainField(max_length=_LONGEST_NODE), required=False, default=list, max_length=MOST_NODES
    )


def enrollment(request: Request) -> tuple[Enrollment, dict[str, UploadedFile[Any]]]:
    """Raises ScaiError, ValidationError."""
    files = _files(request)
    form = EnrollSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    return Enrollment(**form.validated_data), files


def _files(request: Request) -> dict[str, UploadedFile[Any]]:
    # Read first: the reason why a file was not kept is left on the request by whoever reads it.
    found = {kind: request.FILES.get(kind) for kind in ("reference", "consent")}
    if refusal := uploads.upload_refusal(request._request):
        raise ScaiError("SCAIECHO_TOO_LARGE", refusal)
    reference, consent = found["reference"], found["consent"]
    if reference is None:
        raise invalid({"reference": [_("Send the reference recording as a file.")]})
    if not reference.size:
        raise ScaiError("SCAIECHO_EMPTY_AUDIO", _("The file is empty. Choose one that has sound in it."))
    if consent is None:
        raise ScaiError("SCAIECHO_CONSENT_INVALID", _("Send the recording of the speaker's consent as a file."))
    if max(reference.size, consent.size or 0) > MOST_FILE_BYTES:
        raise ScaiError("SCAIECHO_TOO_LARGE", _("A recording of a voice may have 100 MB."))
    return {"reference": reference, "consent": consent}


def listed(request: Request, user: User) -> tuple[list[Speaker], str | None]:
    """One page of the speakers that the caller sees, and the cursor of the next one."""
    form = ListSerializer(data=request.query_params)
    form.is_valid(raise_exception=True)
    asked = form.validated_data
    wanted = {"language": "language_primary", "scope": "scope", "enrollment_status": "enrollment_status"}
    rows = speakers.visible(user).filter(**{column: asked[name] for name, column in wanted.items() if name in asked})
    if "cursor" in asked:
        rows = rows.filter(_after(asked["cursor"]))
    found = list(rows[: asked["limit"] + 1])
    page = found[: asked["limit"]]
    return page, str(page[-1].pk) if len(found) > len(page) else None


def _after(cursor: UUID) -> Q:
    """What comes behind that speaker in the list, also when it was erased meanwhile."""
    last = Speaker.objects.filter(pk=cursor).values_list("created_at", flat=True).first()
    if last is None:
        raise invalid({"cursor": [_("This cursor is not known. Begin with the first page.")]})
    return Q(created_at__lt=last) | Q(created_at=last, id__lt=cursor)


def speaker_of(user: User, speaker_id: str) -> Speaker:
    """The speaker if the caller sees it; else 404, whether or not it exists."""
    key = _key(speaker_id)
    found = speakers.visible(user).filter(pk=key).first() if key else None
    if found is None:
        raise no_such_speaker()
    return found


def to_erase(user: User, speaker_id: str) -> Speaker:
    """The same, and one that is erased already for whoever could have done it: what was begun can be ended."""
    key = _key(speaker_id)
    erased = Speaker.objects.filter(pk=key, tombstoned_at__isnull=False).first() if key else None
    if erased is not None and speakers.may_change(user, erased):
        return erased
    return speaker_of(user, speaker_id)


def no_such_speaker() -> ScaiError:
    return ScaiError("SCAIECHO_SPEAKER_NOT_FOUND", _("There is no such speaker."))


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def changes(request: Request) -> dict[str, str]:
    """Raises ScaiError for what can't be changed."""
    if not isinstance(request.data, dict):
        raise invalid({"body": [_("Send the fields to change as a JSON object.")]})
    fixed = [str(name) for name in request.data if name not in CHANGEABLE]
    if fixed:
        raise invalid({name: [_("This can't be changed once a speaker is enrolled.")] for name in fixed})
    form = ChangeSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def nodes(request: Request) -> list[str]:
    form = WarmSerializer(data=request.data if request.data else {})
    form.is_valid(raise_exception=True)
    return list(form.validated_data["node_ids"])
