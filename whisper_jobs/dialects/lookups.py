"""Looks at addresses while their sender can still be told. What is fetched or sent later is checked again there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from django.conf import settings
from rest_framework.exceptions import ValidationError

from whisper_jobs.errors import JobError
from whisper_jobs.outbound import Guard, OutboundRefused
from whisper_jobs.told import in_words_of_the_reader

#: A name server that takes longer holds up nobody: the address is then judged when it is called.
LOOKUP_SECONDS = 1.0
_threads = ThreadPoolExecutor(4, thread_name_prefix="lookup")


def checked(url: str) -> str:
    """The URL, unless by its looks nothing may be fetched from it or sent to it. Raises ValidationError."""
    try:
        Guard(settings.TOOLS.outbound_allow).check_url(url)
    except JobError as error:
        raise ValidationError(in_words_of_the_reader(error.message), code=error.code) from error
    return url


def admitted(url: str) -> str:
    """The same, and its name is looked up as well."""
    checked(url)
    parts, guard = urlsplit(url), Guard(settings.TOOLS.outbound_allow)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        _threads.submit(guard.checked_addresses, parts.hostname or "", port).result(LOOKUP_SECONDS)
    except OutboundRefused as error:
        raise ValidationError(in_words_of_the_reader(error.message), code=error.code) from error
    except (JobError, TimeoutError):
        pass
    return url
