"""The audit log: what was done to people's data, by whom. Rows are added and never changed; the database itself refuses."""

from __future__ import annotations

from django.db import models


class AuditEntry(models.Model):
    """Keys are numbers without a foreign key: an entry outlives whom and what it tells of.

    `digest` is the SHA-256 over this entry and `previous`, the digest of the one before it, so that a gap or a change shows.
    """

    at = models.DateTimeField()
    tenant_id = models.BigIntegerField(null=True)
    #: None where the server did it by itself.
    actor_id = models.BigIntegerField(null=True)
    #: What was done, as noun.verb: "speaker.erased".
    action = models.CharField(max_length=60)
    #: Of what: "speaker 3f2a…", "job 17".
    subject = models.CharField(max_length=120)
    detail = models.JSONField(default=dict)
    previous = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["tenant_id", "-id"], name="audit_of_tenant")]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
