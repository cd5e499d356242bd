"""/account/notices/: whether a person gets mails and which browsers are told when a recording is done; the way out of a mail."""

from __future__ import annotations

from typing import Any, cast

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from accounts import push_key
from accounts.models import User
from accounts.views import AccountPage
from whisper_jobs import notice_letters, notices, posting, pushing
from whisper_jobs.errors import JobError
from whisper_jobs.models import PushSubscription
from whisper_jobs.outbound import Guard
from whisper_jobs.posting import Outcome
from whisper_jobs.web import texts

LONGEST_ENDPOINT = 2000


class NoticesView(AccountPage):
    """The settings; POST turns mails on and off."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "account/notices.html", _context(self.user))

    def post(self, request: HttpRequest) -> HttpResponse:
        User.objects.filter(pk=self.user.pk).update(mails_when_done="mails_when_done" in request.POST)
        messages.success(request, _("Saved."))
        return redirect("web:notices")


def _context(user: User) -> dict[str, Any]:
    browsers = list(user.push_subscriptions.order_by("-created_at", "-pk"))
    return {
        "browsers": [{"row": one, "digest": one.digest, "host": _service(one)} for one in browsers],
        "has_mail_server": bool(settings.TOOLS.email_url),
        "push_key": push_key.public_key(),
        "texts": texts.for_scripts(),
    }


def _service(browser: PushSubscription) -> str:
    """The name of its push service, by which people may know which browser it is."""
    return browser.endpoint.split("/")[2] if browser.endpoint.count("/") > 1 else browser.endpoint


class BrowserView(AccountPage):
    """Subscribes this browser; asked by the page's script."""

    def post(self, request: HttpRequest) -> HttpResponse:
        told = {name: request.POST.get(name, "") for name in ("endpoint", "p256dh", "auth")}
        try:
            if len(told["endpoint"]) > LONGEST_ENDPOINT:
                raise ValueError("too long")
            pushing.check_keys(pushing.Browser(**told))
            kept = notices.subscribe(self.user, **told)
        except (ValueError, JobError):
            return HttpResponseBadRequest()
        return JsonResponse({"digest": kept.digest})


class ForgetBrowserView(AccountPage):
    """By the row's number from the list, by its address from the script of the browser itself."""

    def post(self, request: HttpRequest) -> HttpResponse:
        if endpoint := request.POST.get("endpoint"):
            return JsonResponse({"forgotten": notices.unsubscribe(self.user, endpoint)})
        notices.forget(_own(self.user, request).pk)
        messages.success(request, _("The browser gets no more notices."))
        return redirect("web:notices")


class TryView(AccountPage):
    """Sends a notice to one browser, or a mail, at once, and says how that went."""

    def post(self, request: HttpRequest) -> HttpResponse:
        if refused := ratelimit.consume_or_429(request, action="test_event"):
            return cast(HttpResponse, refused)
        outcome = _try_mail(self.user) if "mail" in request.POST else _try_push(_own(self.user, request))
        if outcome.failure:
            messages.error(request, _(posting.FAILURES[outcome.failure]))
        else:
            messages.success(request, _("It is sent. It should arrive within a minute."))
        return redirect("web:notices")


def _own(user: User, request: HttpRequest) -> PushSubscription:
    pk = request.POST.get("browser", "")
    if not (pk.isdecimal() and len(pk) < 19):
        raise Http404
    return get_object_or_404(user.push_subscriptions, pk=int(pk))


def _try_mail(user: User) -> Outcome:
    return notice_letters.mail(user, notice_letters.trial(), message_id=f"trial-{user.pk}")()


def _try_push(browser: PushSubscription) -> Outcome:
    guard = Guard(settings.TOOLS.outbound_allow)
    outcome = notice_letters.push(browser, notice_letters.trial(), topic=0, guard=guard)()
    if outcome.status in pushing.GONE:
        notices.forget(browser.pk)
    return outcome


@method_decorator([csrf_exempt, never_cache], name="dispatch")
class StopMailsView(View):
    """The link of a mail asks, its button stops; mail programs stop by POST alone (RFC 8058). Nobody need be signed in."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return render(request, "account/stop_mails.html", {"stopped": not _of(token).mails_when_done})

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        User.objects.filter(pk=_of(token).pk).update(mails_when_done=False)
        return render(request, "account/stop_mails.html", {"stopped": True})


def _of(token: str) -> User:
    user = notice_letters.user_of(token)
    if user is None:
        raise Http404
    return user
