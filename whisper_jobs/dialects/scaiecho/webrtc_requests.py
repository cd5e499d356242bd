"""Wire → what a WebRTC session is opened with, an offer, a candidate; a sentence for everything that can't be accepted."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import serializers

from whisper_jobs.dialects.scaiecho.errors import ScaiError
from whisper_jobs.dialects.scaiecho.stream_requests import OpenSerializer
from whisper_jobs.errors import JobError
from whisper_jobs.outbound import Guard

MOST_SERVERS = 5
#: Characters; a browser's offer of one microphone has some two thousand.
LONGEST_SDP = 64 * 1024
LONGEST_CANDIDATE = 1000
_SERVER = re.compile(
    r"(?P<scheme>stuns?|turns?):(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s?:/@\[\]]+)(:(?P<port>\d{1,5}))?(\?transport=(udp|tcp))?"
)


class UrlsField(serializers.Field[Any, Any, Any, Any]):
    """One address of an ICE server or a list of them, as RTCPeerConnection takes them. Names are not looked up."""

    def to_internal_value(self, data: Any) -> list[str]:
        urls = [data] if isinstance(data, str) else data
        if not isinstance(urls, list) or not 0 < len(urls) <= MOST_SERVERS:
            raise serializers.ValidationError(_("Give an address, or a list of at most five."))
        for url in urls:
            _demand_server(url)
        return urls

    def to_representation(self, value: Any) -> Any:
        return value


def _demand_server(url: Any) -> None:
    told = _SERVER.fullmatch(url) if isinstance(url, str) and len(url) <= 500 else None
    if told is None or not 0 < int(told["port"] or 1) < 65536:
        raise serializers.ValidationError(_("Give an address such as “stun:stun.example.org:3478” or “turn:…”."))
    try:
        Guard(settings.TOOLS.outbound_allow).check_url(f"https://{told['host']}/")
    except JobError as error:
        raise serializers.ValidationError(_("This server may not be contacted.")) from error


class IceServerSerializer(serializers.Serializer[Any]):
    urls = UrlsField()
    username = serializers.CharField(required=False, max_length=500, trim_whitespace=False)
    credential = serializers.CharField(required=False, max_length=500, trim_whitespace=False)


class SessionSerializer(OpenSerializer):
    """Fields of POST …/sessions. What is sent is Opus, whatever `media_type` and `sample_rate` say."""

    ice_servers = serializers.ListField(child=IceServerSerializer(), max_length=MOST_SERVERS, default=list)


class OfferSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(["offer"], default="offer")
    sdp = serializers.CharField(trim_whitespace=False, max_length=LONGEST_SDP)


class CandidateSerializer(serializers.Serializer[Any]):
    """An empty candidate says that there are no more."""

    candidate = serializers.CharField(allow_blank=True, max_length=LONGEST_CANDIDATE)
    sdp_mid = serializers.CharField(required=False, allow_null=True, allow_blank=True, default=None, max_length=100)
    sdp_mline_index = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=100
    )


def session(data: Any) -> dict[str, Any]:
    """Raises ValidationError and ScaiError."""
    return _valid(SessionSerializer, data)


def offer(data: Any) -> str:
    """Raises ScaiError."""
    form = OfferSerializer(data=data)
    if not form.is_valid():
        raise bad_offer(_("Send {“type”: “offer”, “sdp”: …} with at most 64 kB of SDP."))
    return str(form.validated_data["sdp"])


def candidate(data: Any) -> dict[str, Any]:
    """Raises ValidationError."""
    return _valid(CandidateSerializer, data)


def bad_offer(told: str) -> ScaiError:
    return ScaiError("SCAIECHO_WEBRTC_BAD_OFFER", told)


def _valid(kind: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    form = kind(data=data)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)
