"""Puts recordings of every kind into a server's database. Run as `python -m tests.look.seed [minutes]`; prints where they are.

The long one speaks as people do: nine words in four seconds, two to six speakers in turn, names in several scripts.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

from allauth.mfa.models import Authenticator  # noqa: E402
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes  # noqa: E402
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from django.core.files.storage import default_storage  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts import tokens  # noqa: E402
from accounts.models import PersonalToken, User  # noqa: E402
from sharing.models import Share  # noqa: E402
from tests.sharing.seed import silence  # noqa: E402
from whisper_jobs import policy  # noqa: E402
from whisper_jobs.models import (  # noqa: E402
    Analysis,
    Diarization,
    Job,
    JobVoice,
    Profile,
    PromptTemplate,
    Segment,
    Speaker,
    Step,
    Transcript,
    TranslatedSegment,
    Translation,
    Waveform,
)

SECONDS = 4.0
TALK = (
    "we should look at the numbers before anybody decides what happens next year because last time it took three months and "
    "nobody was sure whether the plan for the harbour was the one that the council had seen in spring or another one that came "
    "later so my proposal is that somebody reads both of them aloud and says where they differ and then everyone can vote on it"
)
SPEAKERS = ("Ada Lovelace", "Grace Hopper", "Åsa Öberg", "ليلى حداد", None)
RARE = {
    7: "Emoji work too 👩‍🚀🎙️, and so does <script>alert(1)</script>.",
    11: "هذه الجملة مكتوبة من اليمين إلى اليسار.",
}


def job_of(owner: User, **told: Any) -> Job:
    fields = {
        "channel": "web",
        "stage": "completed",
        "source_type": "upload",
        "requested_model": "auto",
        "detected_language": "en",
        "source_mime": "audio/wav",
        "started_at": timezone.now(),
        "completed_at": timezone.now(),
        "progress": 100,
    }
    return Job.objects.create(owner=owner, tenant_id=owner.tenant_id, **{**fields, **told})


def talk(owner: User, minutes: int) -> Job:
    """A meeting with speakers, chapters, an analysis and a translation, and a minute of sound."""
    media = default_storage.save("media/look/original", ContentFile(silence(60)))
    told = {"source_label": "The harbour: <b>what the council</b> decides 🛟", "source_filename": "harbour.wav"}
    job = job_of(owner, media=media, source_duration_seconds=minutes * 60.0, **told)
    step = Step.objects.create(job=job, kind="window", state="done", lane="speech", owner_id=owner.pk)
    Segment.objects.bulk_create(list(segments(job, step, int(minutes * 60 / SECONDS))), batch_size=500)
    Transcript.objects.create(job=job, text="\n\n".join(job.segments.values_list("text", flat=True)[:50]))
    speakers = [
        {"label": f"SPEAKER_{place:02}", "name": name, "seconds": 60.0 * (5 - place)}
        for place, name in enumerate(SPEAKERS)
    ]
    Diarization.objects.create(job=job, state="done", speakers=speakers, method="clustering")
    Waveform.objects.create(job=job, per_second=10.0, peaks=bytes(range(0, 240, 2)) * 5)
    enrich(job, minutes)
    return job


def segments(job: Job, step: Step, count: int) -> Iterator[Segment]:
    """Always the same ones."""
    dice, words = random.Random(7), itertools.cycle(TALK.split())
    speaker = 0
    for place in range(count):
        start = place * SECONDS
        said = [next(words) for _ in range(dice.randint(6, 12))]
        text = RARE.get(place) or " ".join(said).capitalize() + "."
        speaker = dice.randrange(len(SPEAKERS)) if dice.random() < 0.12 else speaker
        pace = (SECONDS - 0.3) / len(text.split())
        timed = [[start + at * pace, start + at * pace + pace, word, 0.9] for at, word in enumerate(text.split())]
        yield Segment(
            job=job,
            step=step,
            position=place,
            start=start,
            end=start + SECONDS - 0.3,
            text=text,
            words=timed,
            speaker=f"SPEAKER_{speaker:02}",
            suspect="unsure" if place % 40 == 5 else "",
            probability=0.9,
            revision=1,
        )


def enrich(job: Job, minutes: int) -> None:
    data = {
        "summary": "The council meets about the harbour. Two plans are compared, and a vote is prepared.",
        "key_points": ["There are two plans.", "Nobody has compared them aloud."],
        "decisions": ["Both plans are read out."],
        "action_items": [{"text": "Read the plans", "owner": "Ada", "due": "Friday"}],
        "chapters": [
            {"title": title, "start": part * minutes * 10.0}
            for part, title in enumerate(("Opening", "The first plan", "The second plan", "How they differ", "A vote"))
        ],
    }
    Analysis.objects.create(job=job, state="done", language="en", data=data, finished_at=timezone.now())
    translation = Translation.objects.create(job=job, language="sv", state="done", index=0, finished_at=timezone.now())
    TranslatedSegment.objects.bulk_create(
        (
            TranslatedSegment(translation=translation, segment=one, text=f"Mening {one.position}.")
            for one in job.segments.all()
        ),
        batch_size=500,
    )


def shares(job: Job, owner: User) -> dict[str, str]:
    """One of each kind: open with sound, behind a passcode, and expired."""
    locked, ended = job_of(owner, source_label="Locked"), job_of(owner, source_label="Ended")
    return {
        "share": Share.objects.create(job=job, allow_audio=True).token,
        "locked": Share.objects.create(job=locked, passcode="md5$x$y").token,
        "ended": Share.objects.create(job=ended, expires_at=timezone.now() - timedelta(days=1)).token,
    }


def enrolled(owner: User, job: Job) -> Speaker:
    """Who agreed to be recognised, and was, in the long one."""
    speaker = Speaker.objects.create(
        owner=owner,
        tenant_id=owner.tenant_id,
        display_name=SPEAKERS[0],
        description="Chairs the council.",
        language_primary="en",
        enrollment_status="ready",
        consent_user_full_name="Augusta Ada King",
        consent_stated_purpose="Minutes of the council",
        consent_text="I agree to be recognised.",
        preflight={"ok": True, "duration_seconds": 42.0, "speech_seconds": 38.5, "snr_db": 31.0, "issues": []},
    )
    JobVoice.objects.create(job=job, label="SPEAKER_00", seconds=300.0, speaker=speaker, how="recognised", score=0.83)
    row = job.diarization
    link = {"speaker_id": str(speaker.pk), "name": SPEAKERS[0], "how": "recognised", "score": 0.83, "learns": False}
    row.speakers[0]["link"] = link
    row.save()
    Job.objects.filter(pk=job.pk).update(windows_total=1, windows_done=1)
    return speaker


def everything(minutes: int) -> dict[str, Any]:
    owner = User.objects.get(is_superuser=True)
    job = talk(owner, minutes)
    failed = job_of(
        owner, stage="failed", source_label="Broken", failure_code="source_invalid", failure_error="No sound."
    )
    prompt, _made = PromptTemplate.objects.get_or_create(owner=owner, name="Minutes", instruction="Write minutes.")
    tokens.create(owner, tokens.API, name="A program")
    token = PersonalToken.objects.filter(user=owner).latest("pk")
    profile, _made = Profile.objects.get_or_create(owner=owner, name="Court")
    places: dict[str, Any] = {"job": job.pk, "failed": failed.pk, "prompt": prompt.pk, "token": token.pk}
    places |= {"profile": profile.pk}
    policy.change(owner.tenant_id, {"monthly_minutes": 5000, "retention_days": 365}, actor=owner)
    places["speaker"] = str(enrolled(owner, job).pk)
    return {**places, **shares(job, owner)}


def careful(email: str, password: str) -> str:
    """Somebody who signs in by two steps; the secret of their app."""
    user = User.objects.create_user(email, password)
    secret = str(generate_totp_secret())
    TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    return secret


def key_of(email: str) -> int:
    return int(Authenticator.objects.get(user__email=email, type="webauthn").pk)


if __name__ == "__main__":
    print(json.dumps(everything(int(sys.argv[1]) if len(sys.argv) > 1 else 60)))
