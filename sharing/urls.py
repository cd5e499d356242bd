"""Public paths of shares. All of one share lie below its page, so that its cookies go nowhere else."""

from __future__ import annotations

from django.urls import path

from sharing import views

PAGE = "shared/whisper/transcript/<str:token>"

app_name = "sharing"
urlpatterns = [
    path(PAGE, views.TranscriptView.as_view(), name="transcript"),
    path(f"{PAGE}/passcode", views.PasscodeView.as_view(), name="passcode"),
    path(f"{PAGE}/words", views.WordsView.as_view(), name="words"),
    path(f"{PAGE}/audio", views.AudioView.as_view(), name="audio"),
    path(f"{PAGE}/transcript.<str:name>", views.DownloadView.as_view(), name="download"),
]
