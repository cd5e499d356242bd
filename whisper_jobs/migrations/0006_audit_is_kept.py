"""The database itself refuses to change or remove an entry of the audit log."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SENTENCE = "An entry of the audit log is never changed or removed."
REFUSE = f"BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
MAKE = {
    "sqlite": (
        f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON whisper_auditentry {REFUSE}",
        f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON whisper_auditentry {REFUSE}",
        # INSERT OR REPLACE takes the row away that is in its place, and tells no trigger of a deletion.
        "CREATE TRIGGER audit_no_replace BEFORE INSERT ON whisper_auditentry "
        f"WHEN EXISTS (SELECT 1 FROM whisper_auditentry WHERE id = new.id OR digest = new.digest) {REFUSE}",
    ),
    "postgresql": (
        f"CREATE FUNCTION whisper_audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{SENTENCE}'; END $$",
        "CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON whisper_auditentry "
        "FOR EACH ROW EXECUTE FUNCTION whisper_audit_is_kept()",
    ),
}
UNMAKE = {
    "sqlite": tuple(f"DROP TRIGGER audit_no_{verb}" for verb in ("update", "delete", "replace")),
    "postgresql": ("DROP TRIGGER audit_is_kept ON whisper_auditentry", "DROP FUNCTION whisper_audit_is_kept()"),
}


def make(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in MAKE[editor.connection.vendor]:
        editor.execute(statement)


def unmake(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in UNMAKE[editor.connection.vendor]:
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("whisper", "0005_live_speakers_tenants")]
    operations = [migrations.RunPython(make, unmake)]
