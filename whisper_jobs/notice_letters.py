"""What a notice says, in its owner's language, and how it leaves: as a mail or as a web push."""

from __future__ import annotations

import json
import smtplib
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parseaddr

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts import push_key
from accounts.language import language_of
from accounts.models import User
from whisper_jobs import assembled, pushing
from whisper_jobs.media.naming import plain_text
from whisper_jobs.models import Job, Notice, PushSubscription
from whisper_jobs.outbound import Guard
from whisper_jobs.posting import Outcome
from whisper_jobs.pushing import Browser, Signer
from whisper_jobs.states import Stage
from whisper_jobs.told import in_words_of_the_reader

Send = Callable[[], Outcome]
TITLE_CHARACTERS, WORDS_CHARACTERS = 120, 300
_SALT = "whisper.notices.mail"


@dataclass(frozen=True, slots=True)
class News:
    """`words` are the first of the transcript, or why there is none."""

    headline: str
    title: str
    words: str
    path: str
    done: bool

    @property
    def url(self) -> str:
        return f"{settings.SITE_URL}{self.path}"


def sending(notice: Notice, guard: Guard) -> Send | None:
    """What sends it, without touching the database. None when there is nothing to tell any more."""
    with override(language_of(notice.user)):
        news = news_of(notice.job)
        if news is None or not notice.user.is_active:
            return None
        if notice.subscription is not None:
            # A browser that somebody else has subscribed meanwhile is told nothing of this one's recordings.
            is_theirs = notice.subscription.user_id == notice.user_id
            return push(notice.subscription, news, topic=notice.job_id, guard=guard) if is_theirs else None
        return mail(notice.user, news, message_id=str(notice.pk)) if notice.user.mails_when_done else None


def news_of(job: Job) -> News | None:
    """None for a job that goes on, because it was restarted, and for one in the trash."""
    if not job.is_terminal or job.trashed_at is not None:
        return None
    done = job.stage == Stage.COMPLETED
    return News(
        headline=_("The transcript is ready") if done else _("The recording could not be transcribed"),
        title=_line(job.title, TITLE_CHARACTERS) or _("Recording"),
        words=_line(_first_words(job) if done else in_words_of_the_reader(job.failure_error), WORDS_CHARACTERS),
        path=reverse("web:job", args=[job.pk]),
        done=done,
    )


def _first_words(job: Job) -> str:
    transcript = assembled.fresh(job)
    return transcript.text[: 2 * WORDS_CHARACTERS] if transcript else ""


def _line(text: str, most: int) -> str:
    """One line, as headers and notifications take it; cut between words where it is too long."""
    whole = " ".join(plain_text(text).split())
    if len(whole) <= most:
        return whole
    cut = whole[: most - 1]
    return f"{cut.rsplit(' ', 1)[0] or cut}…"


# --- mail -----------------------------------------------------------------------------------------


def mail(user: User, news: News, *, message_id: str) -> Send:
    """A mail that is sent twice has the same id, by which mailboxes show it once."""
    stop = f"{settings.SITE_URL}{reverse('web:stop_mails', args=[token_of(user)])}"
    told = {"news": news, "stop_url": stop, "settings_url": f"{settings.SITE_URL}{reverse('web:notices')}"}
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    letter = EmailMultiAlternatives(
        subject=f"{news.headline}: {news.title}",
        body=render_to_string("whisper/mail/done.txt", told),
        to=[user.email],
        headers={
            "Message-ID": f"<{message_id}@{host}>",
            "Auto-Submitted": "auto-generated",
            # https://www.rfc-editor.org/rfc/rfc8058
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    letter.attach_alternative(render_to_string("whisper/mail/done.html", told), "text/html")
    return lambda: _mailed(letter)


def _mailed(letter: EmailMultiAlternatives) -> Outcome:
    began = time.monotonic()
    failure = ""
    try:
        letter.send()
    except TimeoutError:
        failure = "timeout"
    except smtplib.SMTPResponseException:
        failure = "answer"
    except smtplib.SMTPRecipientsRefused:
        failure = "answer"
    except (OSError, smtplib.SMTPException):
        failure = "unreachable"
    return Outcome(failure=failure, duration_ms=round((time.monotonic() - began) * 1000))


def token_of(user: User) -> str:
    """By which whoever has the mail, and nobody else, stops further ones; it does not expire, since mails are kept."""
    return signing.Signer(salt=_SALT).sign(str(user.pk))


def user_of(token: str) -> User | None:
    try:
        return User.objects.filter(pk=signing.Signer(salt=_SALT).unsign(token)).first()
    except signing.BadSignature:
        return None


# --- push -----------------------------------------------------------------------------------------


def push(to: PushSubscription, news: News, *, topic: int, guard: Guard) -> Send:
    told = {"title": news.headline, "body": f"{news.title}\n{news.words}".strip(), "path": news.path}
    body = json.dumps({**told, "tag": f"job-{topic}"}, ensure_ascii=False).encode()
    browser, signer = Browser(to.endpoint, to.p256dh, to.auth), signer_of_site()
    return lambda: pushing.push(browser, body, topic=f"job-{topic}", signer=signer, guard=guard)


def signer_of_site() -> Signer:
    """Push services want to know whom to write to."""
    site, sender = settings.SITE_URL, parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return Signer(push_key.private_key(), site if site.startswith("https://") else f"mailto:{sender}")


def trial() -> News:
    """For the button that tries a way out."""
    words = _("Notices reach you here.")
    return News(_("This is a test"), "Tools Whisper", words, reverse("web:notices"), done=True)
