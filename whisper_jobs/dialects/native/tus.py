"""/api/whisper/uploads/: resumable uploads by tus 1.0.0 (https://tus.io/protocols/resumable-upload).

A job then takes the upload's id. A long PATCH may reach these views in pieces: see `config.flow`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any, cast
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import PersonalToken, User
from accounts.tokens import PREFIX
from whisper_jobs import resumable, uploads
from whisper_jobs.dialects.native import tus_headers as headers
from whisper_jobs.dialects.native.access import WhisperView
from whisper_jobs.dialects.native.authentication import PersonalTokenAuthentication
from whisper_jobs.dialects.native.tus_headers import Refusal
from whisper_jobs.models import Upload
from whisper_jobs.uploads import MB

# Ours, since drf-tus reads every chunk into memory and keeps it at a local path, and resumable-upload (0.3) knows storages
# of its own only, whose chunks are in memory too.

#: The ASGI extension in which the pieces of one body share what they know: how many bytes are `coming`,
#: this piece included, and once the first was let in, `user` and `auth`.
FLOW = "tools.flow"


def _flow(request: Request) -> dict[str, Any]:
    extensions = getattr(request._request, "scope", {}).get("extensions", {})
    return cast("dict[str, Any]", extensions.get(FLOW, {}))


class ContinuedAuthentication(BaseAuthentication):
    """A later piece of a body whose first one was let in: a token may expire while a request goes on."""

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        flow = _flow(request)
        user = User.objects.filter(pk=flow["user"], is_active=True).first() if flow.get("user") else None
        return (user, flow["auth"]) if user else None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="whisper"'


class TokenBesideJwtAuthentication(PersonalTokenAuthentication):
    """Both kinds come as Bearer; what is no personal token by its looks is left to the next."""

    def authenticate(self, request: Request) -> tuple[User, PersonalToken] | None:
        _kind, _space, token = request.headers.get("Authorization", "").partition(" ")
        return None if token and not token.strip().startswith(PREFIX) else super().authenticate(request)


class TusView(WhisperView):
    """Not throttled: one upload may be many requests."""

    authentication_classes = [
        ContinuedAuthentication,
        TokenBesideJwtAuthentication,
        *APIView.authentication_classes,
    ]
    throttle_classes: Any = ()

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        # For networks that let only GET and POST through. A safe method must not become another: it needs no CSRF token.
        if request.method == "POST":
            request.method = request.headers.get("X-HTTP-Method-Override", "POST").upper()
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        flow = _flow(request)
        if flow:
            flow |= {"user": self.user.pk, "auth": request.auth}
        if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != headers.VERSION:
            raise Refusal("wrong_version", _("This server speaks version 1.0.0 of the tus protocol."))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response["Tus-Resumable"] = headers.VERSION
        if response.status_code == 412:
            response["Tus-Version"] = headers.VERSION
        return super().finalize_response(request, response, *args, **kwargs)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        told = {
            "Tus-Version": headers.VERSION,
            "Tus-Extension": headers.EXTENSIONS,
            "Tus-Max-Size": str(uploads.limit().effective_max_mb * MB),
            "Tus-Checksum-Algorithm": ",".join(resumable.CHECKSUMS),
        }
        return Response(status=204, headers=told)

    def upload(self, upload_id: UUID) -> Upload:
        """The caller's own upload; anybody else's is 404 like one that never was."""
        found = resumable.find(self.user, upload_id)
        if found is None:
            raise NotFound(_("There is no such upload."))
        if resumable.is_expired(found):
            raise Refusal("expired", _("This upload has expired. Start again."))
        return found


class UploadsView(TusView):
    """Creation, with the first bytes in the same request if the client likes."""

    def post(self, request: Request) -> Response:
        upload = _refusing(lambda: resumable.begin(self.user, headers.beginning(request)))
        told = {"Location": reverse("native:upload", args=[upload.pk])}
        if headers.has_piece(request) and headers.body_bytes(request) != 0:
            try:
                upload = extend(request, upload)
            except Refusal:
                resumable.forget(upload)
                raise
        return Response(status=201, headers={**told, **headers.place_of(upload)})


class UploadView(TusView):
    def head(self, request: Request, upload_id: UUID) -> Response:
        return Response(status=200, headers=headers.description_of(self.upload(upload_id)))

    def patch(self, request: Request, upload_id: UUID) -> Response:
        if not headers.has_piece(request):
            raise Refusal("wrong_type", _("A piece is sent as %(type)s.") % {"type": headers.BODY_TYPE})
        upload = self.upload(upload_id)
        if headers.bytes_of(request, "Upload-Offset") != upload.offset_bytes:
            raise headers.refusal_of(resumable.wrong_offset())
        return Response(status=204, headers=headers.place_of(extend(request, upload)))

    def delete(self, request: Request, upload_id: UUID) -> Response:
        resumable.forget(self.upload(upload_id))
        return Response(status=204)


def extend(request: Request, upload: Upload) -> Upload:
    """Adds the body, which is refused before it is read where its length says enough."""
    if refusal := uploads.upload_refusal(request._request):
        raise Refusal("too_large", refusal)
    size = headers.body_bytes(request)
    announced = _flow(request).get("coming") or size or 0
    checksum = headers.checksum(request)
    if announced > upload.length_bytes - upload.offset_bytes:
        raise Refusal("too_large", _("There is more in this request than the file was said to have."))
    if size == 0:
        return upload
    body = cast("IO[bytes]", request._request)
    return _refusing(lambda: resumable.extend(upload, body, checksum=checksum))


def _refusing(act: Callable[[], Upload]) -> Upload:
    try:
        return act()
    except resumable.Refused as error:
        raise headers.refusal_of(error) from error
