"""Who calls a tool, and its work done in that person's name: with their permissions, in their language, in a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.utils import translation
from django.utils.translation import gettext as _
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from starlette.requests import Request

from accounts.bearer import Caller
from accounts.language import language_of
from accounts.models import User
from accounts.permissions import PUBLISHED
from whisper_jobs import limits, queries
from whisper_jobs.dialects.refusals import Refused
from whisper_jobs.errors import JobError
from whisper_jobs.models import Channel, Job
from whisper_jobs.pen import Gone
from whisper_jobs.pooled import pooled
from whisper_jobs.runs import NotAllowed
from whisper_jobs.told import in_words_of_the_reader

#: Where the endpoint leaves the caller in the request's scope.
CALLER = "tools.caller"
T = TypeVar("T")


async def in_name_of_caller(context: Context[Any, Any], needs: str, work: Callable[[Caller], T]) -> T:
    """What `work` returns for the caller. Raises ToolError with a sentence where it can't be done, or may not."""
    caller: Caller = request_of(context).scope[CALLER]
    return await pooled(lambda: _done(caller, needs, work))


def request_of(context: Context[Any, Any]) -> Request:
    request: Request | None = context.request_context.request
    assert request is not None  # there is one wherever a tool is called over HTTP
    return request


def _done(caller: Caller, needs: str, work: Callable[[Caller], T]) -> T:
    with translation.override(language_of(caller.user)):
        demand(caller.user, needs)
        try:
            return work(caller)
        except JobError as error:
            raise ToolError(in_words_of_the_reader(error.message)) from error
        except (NotAllowed, limits.LimitReached, Refused) as error:
            raise ToolError(str(error)) from error
        except Gone as error:
            raise _no_such_recording() from error


def demand(user: User, published: str) -> None:
    """Raises ToolError unless the user has a permission, named as it is published."""
    if not user.has_perm(PUBLISHED[published]):
        raise ToolError(_("Your account lacks the permission %(name)s for this.") % {"name": published})


def channel_of(caller: Caller) -> str | None:
    """What a program with a personal token sees here is what it sees elsewhere; None for all that its user sees."""
    return Channel.API.value if caller.token else None


def job_of(caller: Caller, job_id: int) -> Job:
    found = queries.visible_jobs(caller.user, channel_of(caller)).filter(pk=job_id).first()
    if found is None:
        raise _no_such_recording()
    return found


def _no_such_recording() -> ToolError:
    return ToolError(_("There is no such recording among those that you may see."))
