"""Verbit's post-production API, version 4, under /api/job/."""
