"""PostgreSQL keeps the words of passages unpacked: a phrase of frequent words looks into thousands of them, in half the time."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def unpack(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    _store(editor, "EXTERNAL")


def pack(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    _store(editor, "EXTENDED")


def _store(editor: BaseDatabaseSchemaEditor, how: str) -> None:
    """Of rows that are written from now on; both kinds are read alike."""
    if editor.connection.vendor == "postgresql":
        editor.execute(f"ALTER TABLE whisper_passage ALTER COLUMN tokens SET STORAGE {how}")


class Migration(migrations.Migration):
    dependencies = [("whisper", "0006_audit_is_kept")]
    operations = [migrations.RunPython(unpack, pack)]
