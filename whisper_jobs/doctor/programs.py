"""What reads and fetches media: PyAV with its FFmpeg, yt-dlp and its age."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from django.utils.translation import gettext as _

from whisper_jobs.doctor import packages
from whisper_jobs.doctor.finding import Finding, State

#: Sites change, and yt-dlp follows them some weeks later: an old one fails on more and more of them.
OLD_DAYS = 90
_DATED = re.compile(r"(\d{4})\.(\d{1,2})\.(\d{1,2})")
_LIBRARY = re.compile(r"libavcodec-?\w*\.so\.(\d+)\.(\d+)")


def decoder(version: str | None, libraries: list[str]) -> Finding:
    """`version` of PyAV, and the file names of the FFmpeg libraries that came with it."""
    if version is None:
        sentence = _("PyAV is not installed, so no recording can be read.")
        return Finding("decoder", State.FAIL, sentence, _reinstall())
    found = next((match for name in libraries if (match := _LIBRARY.match(name))), None)
    if found is None:
        return Finding("decoder", State.OK, _("PyAV %(version)s reads the recordings.") % {"version": version})
    sentence = _("PyAV %(version)s with FFmpeg's libavcodec %(codec)s reads the recordings.")
    return Finding("decoder", State.OK, sentence % {"version": version, "codec": f"{found[1]}.{found[2]}"})


def check_decoder() -> Finding:
    home = packages.folder("av")
    beside = home.parent / "av.libs" if home else None
    libraries = sorted(path.name for path in beside.iterdir()) if beside and beside.is_dir() else []
    return decoder(packages.version("av") if home else None, libraries)


def downloader(version: str | None, today: date) -> Finding:
    """yt-dlp's version is the day of its release."""
    if version is None:
        sentence = _("yt-dlp is not installed, so only addresses of media files can be opened, not pages with videos.")
        return Finding("yt-dlp", State.FAIL, sentence, _reinstall())
    dated = _DATED.match(version)
    try:
        released = date(*(int(part) for part in dated.groups())) if dated else None
    except ValueError:
        released = None
    if released is None:
        sentence = _("yt-dlp %(version)s does not tell how old it is.") % {"version": version}
        return Finding("yt-dlp", State.WARN, sentence, _update())
    days = (today - released).days
    if days > OLD_DAYS:
        sentence = _("yt-dlp %(version)s is %(days)d days old; some sites may not work any more.")
        return Finding("yt-dlp", State.WARN, sentence % {"version": version, "days": days}, _update())
    sentence = _("yt-dlp %(version)s opens pages with recordings.") % {"version": version}
    return Finding("yt-dlp", State.OK, sentence)


def check_downloader() -> Finding:
    return downloader(packages.version("yt-dlp"), datetime.now(UTC).date())


def _reinstall() -> str:
    return _("Start the server again: it installs what is missing. Or run `script/setup`.")


def _update() -> str:
    return _("Take a newer version of this product, or run `.venv/bin/python -m pip install --no-deps -U yt-dlp`.")
