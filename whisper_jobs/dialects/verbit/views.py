"""The calls: each reads its parameters, calls one verb of the core, and answers. All take GET and POST."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from whisper_jobs import orders, results
from whisper_jobs.dialects.calling import CallView, NothingHere
from whisper_jobs.dialects.refusals import Kind, Refused
from whisper_jobs.dialects.verbit import errors, requests, responses
from whisper_jobs.dialects.verbit.authentication import ApiTokenAuthentication
from whisper_jobs.models import Job, Order
from whisper_jobs.states import Stage


class VerbitView(CallView):
    authentication_classes: Any = (ApiTokenAuthentication,)
    #: HEAD would be answered by `get`, which may make something.
    http_method_names = ("get", "post")
    version = requests.VERSION
    word = staticmethod(errors.word)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.told = requests.parameters(request)
        self.version = requests.version(self.told)

    def get(self, request: Request) -> HttpResponseBase:
        return self.answer()

    def post(self, request: Request) -> HttpResponseBase:
        return self.answer()

    def answer(self) -> HttpResponseBase:
        raise NotImplementedError

    def order(self) -> Order:
        return requests.order_of(self.user, self.token, self.told)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        if self.version < requests.VERSION:
            response["Deprecation"] = "true"
            response["Warning"] = f'299 - "Version {self.version} is deprecated. Use v={requests.VERSION}."'
        return super().finalize_response(request, response, *args, **kwargs)


class NewView(VerbitView):
    def answer(self) -> Response:
        order = orders.make(self.user, self.token, requests.draft(self.told, self.user))
        return Response(responses.made(order))


class AddMediaView(VerbitView):
    def answer(self) -> Response:
        order, media = self.order(), requests.media(self.request, self.told)
        if isinstance(media, str):
            orders.add_url(order, media)
        else:
            orders.add_file(order, media)
        return Response(responses.moved(order))


class StartView(VerbitView):
    def answer(self) -> Response:
        order = self.order()
        asked = requests.start(self.request, self.told, self.user, self.token)
        try:
            return Response(responses.moved(orders.start(order, asked)))
        except orders.Lacking as lacking:
            raise Refused(Kind.INVALID, str(lacking), code="required", field=lacking.name) from lacking


class InfoView(VerbitView):
    def answer(self) -> Response:
        requests.demand_nothing_more(self.told)
        return Response(responses.info(self.order()))


class FileView(VerbitView):
    """A transcript as a file, of a job that `demand` finds ready for it."""

    def answer(self) -> HttpResponseBase:
        order = self.order()
        asked, job = requests.caption(self.told, order), self.demand(order)
        try:
            return responses.file(job, asked)
        except results.NotTranslated as error:
            raise Refused(Kind.NOT_FOUND, _("There is no finished translation to that language.")) from error

    def demand(self, order: Order) -> Job:
        raise NotImplementedError


class CaptionView(FileView):
    def demand(self, order: Order) -> Job:
        if order.job is None or order.job.stage != Stage.COMPLETED:
            raise Refused(Kind.NOT_ALLOWED, _("The transcript can be downloaded when the job is completed."))
        return order.job


class DraftView(FileView):
    """What has been transcribed so far."""

    def demand(self, order: Order) -> Job:
        if order.job is None or not responses.has_words(order.job):
            raise Refused(Kind.NOT_ALLOWED, _("No words have been transcribed yet."))
        return order.job


class NothingView(NothingHere, VerbitView):
    """Any other path below /api/job/."""
