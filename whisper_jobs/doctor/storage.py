"""Where data lies: room on the disk, the largest upload, the database and its tables."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from whisper_jobs import uploads
from whisper_jobs.doctor.finding import Finding, State

MB = 1 << 20


def check_folder() -> Finding:
    folder = Path(settings.DATA_DIR)
    if not os.access(folder, os.W_OK | os.X_OK):
        sentence = _("The data folder %(folder)s can't be written.") % {"folder": folder}
        return Finding("data-folder", State.FAIL, sentence, _("Let the server's user own it, or set TOOLS_DATA_DIR."))
    if folder.stat().st_mode & 0o007:
        sentence = _("The data folder %(folder)s is open to other users of this machine.") % {"folder": folder}
        return Finding("data-folder", State.WARN, sentence, f"chmod 700 {folder}")
    return Finding("data-folder", State.OK, _("Data lies in %(folder)s.") % {"folder": folder})


def check_disk() -> Finding:
    """Room beyond the reserve, which uploads and downloads leave free."""
    free = shutil.disk_usage(settings.DATA_DIR).free // MB
    reserve = settings.TOOLS.disk_reserve_mb
    numbers = {"free": free, "reserve": reserve}
    if free < reserve:
        sentence = _("%(free)d MB of disk are free, less than the reserve of %(reserve)d MB: no recording is taken.")
        return Finding("disk", State.FAIL, sentence % numbers, _room())
    if free < reserve + 1024:
        sentence = _("%(free)d MB of disk are free, and %(reserve)d MB of it are kept in reserve.")
        return Finding("disk", State.WARN, sentence % numbers, _room())
    return Finding("disk", State.OK, _("%(free)d MB of disk are free.") % numbers)


def _room() -> str:
    return _("Delete jobs that nobody needs, or make the disk larger.")


def check_uploads() -> Finding:
    """The server's own limit and the disk's. A proxy's can't be seen from here, so it is named."""
    limit, tools = uploads.limit(), settings.TOOLS
    numbers = {"now": limit.effective_max_mb, "most": limit.configured_mb}
    if limit.limited_by == "disk":
        sentence = _("Files of up to %(now)d MB are taken now, not %(most)d MB as was set: the disk is too full.")
        return Finding("upload-limit", State.WARN, sentence % numbers, _room())
    sentence = _("Files of up to %(now)d MB are taken.") % numbers
    if not (tools.public_url or tools.trusted_proxies):
        return Finding("upload-limit", State.OK, sentence)
    advice = _("The proxy in front must let so much through: with nginx, `client_max_body_size %(most)dm;`.") % numbers
    return Finding("upload-limit", State.OK, sentence, advice)


def check_database() -> Finding:
    """Whether it answers and has the tables of this version."""
    try:
        executor = MigrationExecutor(connection)
        lacking = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        advice = _("See that it runs and that TOOLS_DATABASE_URL is right.")
        return Finding("database", State.FAIL, _("The database does not answer."), advice)
    if lacking:
        sentence = ngettext(
            "%(n)d change of the tables is missing.", "%(n)d changes of the tables are missing.", lacking
        )
        advice = _("Start the server again, or run `manage.py migrate`.")
        return Finding("database", State.FAIL, sentence % {"n": lacking}, advice)
    return Finding("database", State.OK, _("%(kind)s answers.") % {"kind": connection.display_name})
