"""The database itself refuses to change or remove an entry of the audit log."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SENTENCE = "An entry of the audit log is never changed or removed."
MAKE = {
    "sqlite": tuple(
        f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON whisper_auditentry BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
        for verb in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        f"CREATE FUNCTION whisper_audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{SENTENCE}'; END $$",
        "CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON whisper_auditentry "
        "FOR EACH ROW EXECUTE FUNCTION whisper_audit_is_kept()",
    ),
}
UNMAKE = {
    "sqlite": ("DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"),
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
