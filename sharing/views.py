"""The public pages of shares: for whoever has the link, and the passcode where there is one. They tell nothing of the owner."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.views import View

from sharing import audio, links, reading, visits
from sharing.models import Share
from whisper_jobs import exports
from whisper_jobs.streaming import in_pieces

#: Stands in the rendered page where the text goes, which is streamed.
_TEXT = "<!--text-->"
_SECOND = re.compile(r"\d{1,7}(\.\d{1,6})?")
#: Whatever a visitor sends along, no more than this is kept on the way to the passcode and back.
_KEPT = ("language", "t")


class SharedView(View):
    """Finds the share and asks for its passcode; no search engine, cache or next site hears of any of it."""

    http_method_names = ["get", "head", "options"]
    share: Share

    def dispatch(self, request: HttpRequest, *args: Any, token: str, **kwargs: Any) -> HttpResponseBase:
        answer: HttpResponseBase
        try:
            self.share = links.find(token)
            may_read = visits.has_opened(request, self.share)
            answer = super().dispatch(request, *args, **kwargs) if may_read else self.locked()
        except (links.Unknown, Http404):
            answer = render(request, "sharing/unknown.html", status=404)
        except links.Ended:
            answer = render(request, "sharing/ended.html", status=410)
        return _discreet(answer)

    def locked(self) -> HttpResponseBase:
        passcode_url = reverse("sharing:passcode", args=[self.share.token])
        return render(self.request, "sharing/locked.html", {"passcode_url": passcode_url}, status=403)

    def address(self, view: str = "sharing:transcript") -> str:
        """Of another page of this share, to be read in the language and from the time that were asked for here."""
        kept = {name: value for name in _KEPT if (value := self.request.GET.get(name))}
        return reverse(view, args=[self.share.token]) + (f"?{urlencode(kept)}" if kept else "")


class TranscriptView(SharedView):
    def get(self, request: HttpRequest) -> HttpResponseBase:
        if (place := self._place()) is not None:
            return redirect(place)
        chosen = reading.Reading(self.share, request.GET.get("language", ""))
        context = {"page": chosen.page(), "text": _TEXT}
        head, _mark, tail = render_to_string("sharing/transcript.html", context, request).partition(_TEXT)
        if request.method == "HEAD":
            return StreamingHttpResponse(in_pieces(iter(())))
        answer = StreamingHttpResponse(in_pieces(_filled(head, chosen.article(), tail)))
        visits.count_view(request, answer, self.share)
        return answer

    def locked(self) -> HttpResponseBase:
        return redirect(self.address("sharing:passcode"))

    def _place(self) -> str | None:
        """?t=83 → the page, at what is said then."""
        asked = self.request.GET.get("t", "")
        second = reading.second_of(self.share.job, float(asked)) if _SECOND.fullmatch(asked) else None
        if second is None:
            return None
        language = self.request.GET.get("language")
        query = f"?{urlencode({'language': language})}" if language else ""
        return f"{reverse('sharing:transcript', args=[self.share.token])}{query}#t={second}"


class PasscodeView(SharedView):
    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return redirect(self.address())

    def locked(self) -> HttpResponseBase:
        if self.request.method != "POST":
            return self._form()
        wait = visits.seconds_until_try(self.request, self.share)
        if wait:
            answer = self._form(wait=math.ceil(wait), status=429)
            answer["Retry-After"] = str(math.ceil(wait))
            return answer
        if not visits.is_passcode(self.share, self.request.POST.get("passcode", "")):
            return self._form(is_wrong=True, status=403)
        opened = redirect(self.address())
        visits.remember_opened(opened, self.share)
        return opened

    post = get

    def _form(self, *, status: int = 200, **told: Any) -> HttpResponse:
        answer = render(self.request, "sharing/passcode.html", told, status=status)
        # With none at all the browser would hide where the form comes from, also from the check that it comes from here.
        answer["Referrer-Policy"] = "same-origin"
        return answer


class DownloadView(SharedView):
    """The transcript as a file, written while it is read."""

    def get(self, request: HttpRequest, name: str) -> HttpResponseBase:
        language = request.GET.get("language", "")
        form, transcript = reading.download(self.share, name, language)
        asked = exports.OptionsSerializer(data=request.GET)
        if not asked.is_valid():
            raise Http404
        stem = ".".join(filter(None, ("transcript", language)))
        return exports.answer(form, transcript, exports.options(asked.validated_data), stem=stem)


class AudioView(SharedView):
    """The recording for a player, as a whole or in part, and never as a page."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        job = self.share.job
        if not reading.plays_audio(self.share):
            raise Http404
        try:
            size = default_storage.size(job.media)
        except FileNotFoundError as error:
            raise Http404 from error
        answer = self._answer(size)
        answer["Accept-Ranges"], answer["ETag"] = "bytes", audio.etag_of(job, size)
        answer["Content-Disposition"] = "inline"
        # Whatever is in the file, a browser that opens it by itself runs and loads nothing.
        answer["Content-Security-Policy"] = "default-src 'none'; media-src 'self'; sandbox"
        return answer

    def _answer(self, size: int) -> HttpResponseBase:
        try:
            part = audio.part_of(self._asked(size), size)
        except audio.Unsatisfiable:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
        sent = part or audio.Part(0, size, size)
        told: dict[str, Any] = {"status": 206 if part else 200, "content_type": audio.kind_of(self.share.job)}
        if self.request.method == "HEAD":
            answer: HttpResponseBase = HttpResponse(**told)
        else:
            answer = StreamingHttpResponse(audio.pieces(self.share.job.media, sent), **told)
        answer["Content-Length"] = str(sent.length)
        if part:
            answer["Content-Range"] = part.content_range
        return answer

    def _asked(self, size: int) -> str:
        """The Range header, where it is about this recording and not one that the player has seen before."""
        seen = self.request.headers.get("If-Range", "")
        is_same = not seen or seen == audio.etag_of(self.share.job, size)
        return self.request.headers.get("Range", "") if is_same else ""


def _filled(head: str, text: Iterator[str], tail: str) -> Iterator[str]:
    """The page with its text, or with the sentence that there is none."""
    first = next(text, None)
    if first is None:
        text, first = iter(()), render_to_string("sharing/empty.html")
    return chain([head, first], text, [tail])


def _discreet(answer: HttpResponseBase) -> HttpResponseBase:
    answer["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    answer.headers.setdefault("Referrer-Policy", "no-referrer")
    answer["Cache-Control"] = "private, no-store"
    return answer
