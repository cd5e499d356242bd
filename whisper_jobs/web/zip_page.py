"""Transcripts as a ZIP file: of the recordings that were chosen in the library, or of one job's page."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from whisper_jobs import archives, queries
from whisper_jobs.web.page import Page


class ZipView(Page):
    def post(self, request: HttpRequest) -> HttpResponseBase:
        told = request.POST
        try:
            asked = archives.order(told.getlist("jobs"), told.getlist("formats"), told.getlist("languages"))
        except archives.Refused as refused:
            messages.error(request, str(refused))
            return redirect("web:library")
        return archives.answer(asked, queries.visible_jobs(self.user))


class JobZipView(Page):
    def get(self, request: HttpRequest, job_id: int) -> HttpResponseBase:
        job, told = self.job(job_id), request.GET
        try:
            asked = archives.order([str(job.pk)], told.getlist("formats"), told.getlist("languages"))
        except archives.Refused as refused:
            messages.error(request, str(refused))
            return redirect("web:job", job.pk)
        return archives.answer(asked, queries.visible_jobs(self.user), name=f"transcript-{job.pk}")
