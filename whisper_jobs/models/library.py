"""How people keep their recordings in order and find them again."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from whisper_jobs.models.job import Job


class Tag(models.Model):
    """A person's own label. `colour` is a place in the palette of the pages."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tags", db_index=False)
    name = models.CharField(max_length=50)
    colour = models.PositiveSmallIntegerField(default=0)
    jobs = models.ManyToManyField(Job, related_name="tags")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="tag_once")]

    def __str__(self) -> str:
        return self.name


class SavedView(models.Model):
    """A search of the library that somebody keeps: the query string of its address, without the page."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views", db_index=False
    )
    name = models.CharField(max_length=50)
    query = models.CharField(max_length=1000)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="view_once")]

    def __str__(self) -> str:
        return self.name


class Passage(models.Model):
    """A stretch of a transcript as the search sees it; number 0 is the job's title, note and the like.

    `tokens` are its words as search.tokens makes them, a space between each, so that both databases find the same. The index
    over them (GIN on PostgreSQL, FTS5 on SQLite) is made by a migration.
    """

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="passages", db_index=False)
    number = models.PositiveIntegerField()
    start = models.FloatField(default=0.0)
    end = models.FloatField(default=0.0)
    tokens = models.TextField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="passage_once")]

    def __str__(self) -> str:
        return f"passage {self.number} of job {self.job_id}"


class Term(models.Model):
    """A name or term of somebody's glossary: spelt this way, and likely to occur in their recordings."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="terms", db_index=False)
    text = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["owner", "text"], name="term_once")]

    def __str__(self) -> str:
        return self.text
