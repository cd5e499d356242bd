"""The public pages of shares: for whoever has the link, and the passcode where there is one. They tell nothing of the owner."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.views import View

from sharing import links, packing, reading, visits
from sharing.models import Share
from whisper_jobs import exports, playback

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
            return packing.answer(request, iter(()))
        text = _filled(head, chosen.article(), tail)
        is_new = visits.is_new(request)
        answer = packing.answer(request, visits.counted(text, self.share) if is_new else text)
        if is_new:
            visits.remember_seen(answer, self.share)
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


class WordsView(SharedView):
    """When each word of the page is said, for its player."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if not reading.plays_audio(self.share):
            raise Http404
        times = reading.Reading(self.share, request.GET.get("language", "")).word_times()
        return packing.answer(request, times, content_type="application/json")


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
    """The recording for a player."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if not reading.plays_audio(self.share):
            raise Http404
        return playback.answer(request, self.share.job)


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
