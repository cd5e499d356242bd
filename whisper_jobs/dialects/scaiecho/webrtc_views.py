"""Signalling of WebRTC sessions: create, offer, candidates, delete. Sound and words don't come this way."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from whisper_jobs.dialects.scaiecho import webrtc_requests, webrtc_sessions
from whisper_jobs.dialects.scaiecho.access import MayCall, ScaiView, answer
from whisper_jobs.dialects.scaiecho.errors import ScaiError
from whisper_jobs.dialects.scaiecho.live_access import may_open, may_tell_speakers_apart
from whisper_jobs.models import LiveSession


class MaySpeak(BasePermission):
    """Programs as everywhere in this dialect; this site's page for those who may use it."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if is_page(request):
            return may_open(request.user, is_page=True)  # type: ignore[arg-type]
        return MayCall().has_permission(request, view)


def is_page(request: Request) -> bool:
    """Whether a page of this site asks, with its session and CSRF token."""
    return request.auth is None


class WebRtcView(ScaiView):
    permission_classes: Any = (IsAuthenticated, MaySpeak)


class SessionsView(WebRtcView):
    def post(self, request: Request) -> Response:
        told = webrtc_requests.session(request.data)
        if told["diarize"] and not may_tell_speakers_apart(self.user, is_page=is_page(request)):
            raise ScaiError("SCAIECHO_FORBIDDEN", _("Telling speakers apart needs the permission scaiecho:diarize."))
        row = webrtc_sessions.create(self.user, told, is_page=is_page(request))
        return answer(_session(row), 201)


class OfferView(WebRtcView):
    def post(self, request: Request, session_id: str) -> Response:
        webrtc_sessions.demand_possible()
        row = webrtc_sessions.find_open(self.user, session_id)
        return answer({"sdp": webrtc_sessions.answer(row, webrtc_requests.offer(request.data)), "type": "answer"})


class CandidatesView(WebRtcView):
    def post(self, request: Request, session_id: str) -> Response:
        row = webrtc_sessions.find_open(self.user, session_id)
        webrtc_sessions.add_candidate(row, webrtc_requests.candidate(request.data))
        return Response(status=204)


class SessionView(WebRtcView):
    def delete(self, request: Request, session_id: str) -> Response:
        webrtc_sessions.close(webrtc_sessions.find(self.user, session_id))
        return Response(status=204)


def _session(row: LiveSession) -> dict[str, Any]:
    path = f"{reverse('scaiecho:webrtc-sessions')}/{row.pk}"
    return {
        "session_id": str(row.pk),
        "status": row.state,
        "expires_at": row.expires_at.isoformat(),
        "ice_servers": row.ice_servers,
        "offer_url": f"{path}/offer",
        "control_url": f"{path}/control",
    }
