"""Every page of the site, by its route: where it is looked at, or why it isn't a page to look at."""

from __future__ import annotations

from typing import Any

#: Seen by who is signed in. Braces stand for what tests.look.seed has made.
PAGES = {
    "account/": "account/",
    "account/email/": "account/email/",
    "account/notices/": "account/notices/",
    "account/openai-key/": "account/openai-key/",
    "account/password/change/": "account/password/change/",
    "account/reauthenticate/": "account/reauthenticate/",
    "account/sessions/": "account/sessions/",
    "account/tokens/<int:pk>/": "account/tokens/{token}/",
    "account/tokens/<int:pk>/revoke/": "account/tokens/{token}/revoke/",
    "account/tokens/<int:pk>/rotate/": "account/tokens/{token}/rotate/",
    "account/tokens/new/": "account/tokens/new/",
    "account/two-step/": "account/two-step/",
    "account/two-step/totp/activate/": "account/two-step/totp/activate/",
    "account/two-step/webauthn/": "account/two-step/webauthn/",
    "account/two-step/webauthn/add/": "account/two-step/webauthn/add/",
    "whisper": "whisper",
    "whisper/glossary": "whisper/glossary",
    "whisper/jobs/<int:job_id>": "whisper/jobs/{job}",
    "whisper/jobs/<int:job_id>/check": "whisper/jobs/{job}/check",
    "whisper/jobs/<int:job_id>/correct": "whisper/jobs/{job}/correct",
    "whisper/jobs/<int:job_id>/history": "whisper/jobs/{job}/history",
    "whisper/jobs/<int:job_id>/history/<int:number>": "whisper/jobs/{job}/history/0",
    "whisper/library": "whisper/library",
    "whisper/library/shelves": "whisper/library/shelves",
    "whisper/live": "whisper/live",
    "whisper/manage": "whisper/manage",
    "whisper/manage/doctor": "whisper/manage/doctor",
    "whisper/organisation": "whisper/organisation",
    "whisper/organisation/audit": "whisper/organisation/audit",
    "whisper/organisation/recordings": "whisper/organisation/recordings",
    "whisper/organisation/recordings/<int:job_id>": "whisper/organisation/recordings/{job}",
    "whisper/profiles": "whisper/profiles",
    "whisper/profiles/<int:pk>": "whisper/profiles/{profile}",
    "whisper/profiles/<int:pk>/delete": "whisper/profiles/{profile}/delete",
    "whisper/profiles/new": "whisper/profiles/new",
    "whisper/review": "whisper/review",
    "whisper/speakers": "whisper/speakers",
    "whisper/speakers/<uuid:speaker_id>": "whisper/speakers/{speaker}",
    "whisper/speakers/<uuid:speaker_id>/erase": "whisper/speakers/{speaker}/erase",
    "whisper/templates": "whisper/templates",
    "whisper/templates/<int:pk>": "whisper/templates/{prompt}",
    "whisper/templates/<int:pk>/delete": "whisper/templates/{prompt}/delete",
}
#: Seen by strangers.
OUTSIDE = {
    "login": "login",
    "account/inactive/": "account/inactive/",
    "account/password/reset/": "account/password/reset/",
    "account/password/reset/done/": "account/password/reset/done/",
    "account/password/reset/sent/": "account/password/reset/sent/",
    "account/signup/": "account/signup/",
    "account/notices/stop/<str:token>": "account/notices/stop/nothing",
    "^account/password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "account/password/reset/1-nothing/",
    "offline": "offline",
    "shared/whisper/transcript/<str:token>": "shared/whisper/transcript/{share}",
    "shared/whisper/transcript/<str:token>/passcode": "shared/whisper/transcript/{locked}/passcode",
}
#: Seen by who has turned two-step verification on; of the first one only until the code is typed.
TWO_STEPS = {
    "account/two-step/authenticate/": "account/two-step/authenticate/",
    "account/two-step/reauthenticate/": "account/two-step/reauthenticate/",
    "account/two-step/recovery-codes/": "account/two-step/recovery-codes/",
    "account/two-step/recovery-codes/generate/": "account/two-step/recovery-codes/generate/",
    "account/two-step/totp/deactivate/": "account/two-step/totp/deactivate/",
    "account/two-step/webauthn/keys/<int:pk>/edit/": "account/two-step/webauthn/keys/{key}/edit/",
    "account/two-step/webauthn/keys/<int:pk>/remove/": "account/two-step/webauthn/keys/{key}/remove/",
    "account/two-step/webauthn/reauthenticate/": "account/two-step/webauthn/reauthenticate/",
}
#: Further states of pages that stand above.
STATES = {
    "a job that failed": "whisper/jobs/{failed}",
    "nothing found": "whisper?q=nothing+at+all",
    "nothing found in the library": "whisper/library?q=nothing+at+all",
    "the trash": "whisper/library?view=trash",
    "a page that is not there": "whisper/jobs/999999",
}
OUTSIDE_STATES = {
    "a share in another language": "shared/whisper/transcript/{share}?language=sv",
    "a share that has ended": "shared/whisper/transcript/{ended}",
    "a share that never was": "shared/whisper/transcript/nothing",
}
_FILE, _PART, _AWAY = "a file", "a part of a page, fetched by its script", "leads to another page"
_PROVIDER = "asks a provider that this server has not"
_THEIRS = "drawn by a package"
NO_PAGES = {
    "": _AWAY,
    "account/email/confirm/": _AWAY,
    "account/oidc/<str:provider_id>/": _PROVIDER,
    "account/oidc/<str:provider_id>/callback/": _PROVIDER,
    "account/openai-key/remove/": _AWAY,
    "account/password/set/": _AWAY,
    "account/providers/": _PROVIDER,
    "account/providers/login/cancelled/": _PROVIDER,
    "account/providers/login/error/": _PROVIDER,
    "account/providers/signup/": _PROVIDER,
    "account/two-step/recovery-codes/download/": _FILE,
    "account/two-step/webauthn/login/": _PART,
    "api/docs": _THEIRS,
    "api/redoc": _THEIRS,
    "healthz": _FILE,
    "language": _AWAY,
    "manifest.webmanifest": _FILE,
    "readyz": _FILE,
    "shared/whisper/transcript/<str:token>/audio": _FILE,
    "shared/whisper/transcript/<str:token>/transcript.<str:name>": _FILE,
    "shared/whisper/transcript/<str:token>/words": _PART,
    "sw.js": _FILE,
    "whisper/glossary.txt": _FILE,
    "whisper/jobs/<int:job_id>/analyse": _PART,
    "whisper/jobs/<int:job_id>/enrichment": _PART,
    "whisper/jobs/<int:job_id>/exports.zip": _FILE,
    "whisper/jobs/<int:job_id>/media": _FILE,
    "whisper/jobs/<int:job_id>/player": _PART,
    "whisper/jobs/<int:job_id>/review": _PART,
    "whisper/jobs/<int:job_id>/share": _PART,
    "whisper/jobs/<int:job_id>/speech": _PART,
    "whisper/jobs/<int:job_id>/translate": _PART,
    "whisper/jobs/<int:job_id>/waveform": _FILE,
    "whisper/organisation/audit.csv": _FILE,
    "whisper/share-target": _AWAY,
}


def path_to(page: str, places: dict[str, Any]) -> str:
    return "/" + page.format(**places)
