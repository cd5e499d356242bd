"""Enrolled speakers: each view checks who asks, translates, calls one verb of the core, and answers."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from whisper_jobs import speaker_erasure, speakers
from whisper_jobs.dialects.scaiecho import speaker_requests as requests
from whisper_jobs.dialects.scaiecho import speaker_responses as responses
from whisper_jobs.dialects.scaiecho.access import ScaiView, answer
from whisper_jobs.dialects.scaiecho.errors import ScaiError
from whisper_jobs.errors import JobError
from whisper_jobs.speaker_checks import ConsentInvalid


@contextmanager
def told() -> Iterator[None]:
    """What verbs raise → the published codes."""
    try:
        yield
    except speakers.PreflightFailed as error:
        measured = responses.preflight(error.preflight)
        raise ScaiError("SCAIECHO_SPEAKER_PREFLIGHT_FAILED", str(error), preflight=measured) from error
    except ConsentInvalid as error:
        raise ScaiError("SCAIECHO_CONSENT_INVALID", str(error)) from error
    except speakers.NotYours as error:
        raise ScaiError("SCAIECHO_SPEAKER_ACCESS_DENIED", str(error)) from error
    except speakers.NoReference as error:
        sentence = _("The reference recording of this speaker is not here any more. Enrol the speaker anew.")
        raise ScaiError("SCAIECHO_SPEAKER_NO_REFERENCE", sentence) from error
    except speakers.NotReady as error:
        sentence = _("The voice of this speaker could not be learnt, so that there is nothing to spread.")
        raise ScaiError("SCAIECHO_SPEAKER_NOT_READY_FOR_WARMING", sentence) from error
    except JobError as error:
        if not error.retry:
            raise
        raise ScaiError("SCAIECHO_UNAVAILABLE", _("The server can't answer now. Try again later.")) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        sentence = _("The server's disk is full. Try again later or tell an administrator.")
        raise ScaiError("SCAIECHO_DISK_FULL", sentence) from error


class SpeakersView(ScaiView):
    needs = "scaiecho:enroll"

    def get(self, request: Request) -> Response:
        return answer(responses.speakers(*requests.listed(request, self.user)))

    def post(self, request: Request) -> Response:
        enrollment, files = requests.enrollment(request)
        with told():
            made = speakers.enroll(self.user, enrollment, reference=files["reference"], consent=files["consent"])
        return answer(responses.enrolled(made), 201)


class SpeakerView(ScaiView):
    needs = "scaiecho:enroll"

    def get(self, request: Request, speaker_id: str) -> Response:
        return answer(responses.speaker(requests.speaker_of(self.user, speaker_id)))

    def patch(self, request: Request, speaker_id: str) -> Response:
        speaker = requests.speaker_of(self.user, speaker_id)
        with told():
            speakers.demand_change(self.user, speaker)
            changed = speakers.describe(speaker, requests.changes(request), actor=self.user)
        if changed is None:
            raise requests.no_such_speaker()
        return answer(responses.speaker(changed))

    def delete(self, request: Request, speaker_id: str) -> Response:
        speaker = requests.to_erase(self.user, speaker_id)
        with told():
            speakers.demand_change(self.user, speaker)
            receipt = speaker_erasure.erase(speaker.pk, actor=self.user)
        return answer(responses.receipt(receipt))


class WarmView(ScaiView):
    needs = "scaiecho:enroll"

    def get(self, request: Request, speaker_id: str) -> Response:
        return answer(responses.standing(requests.speaker_of(self.user, speaker_id)))

    def post(self, request: Request, speaker_id: str) -> Response:
        speaker, nodes = requests.speaker_of(self.user, speaker_id), requests.nodes(request)
        with told():
            return answer(responses.warmed(speaker, speakers.warm(speaker, nodes, actor=self.user)))
