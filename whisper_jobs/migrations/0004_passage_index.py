"""The full-text index over passages: GIN on PostgreSQL, FTS5 on SQLite, where triggers keep it in step with the table."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

GIN = "CREATE INDEX passage_tokens ON whisper_passage USING gin (to_tsvector('simple', tokens))"
FTS5 = """
CREATE VIRTUAL TABLE whisper_passage_index USING fts5(
    tokens, content='whisper_passage', content_rowid='id', tokenize="unicode61 remove_diacritics 0"
)
"""
ADDED = "INSERT INTO whisper_passage_index(rowid, tokens) VALUES (new.id, new.tokens)"
REMOVED = "INSERT INTO whisper_passage_index(whisper_passage_index, rowid, tokens) VALUES ('delete', old.id, old.tokens)"
TRIGGERS = (
    f"CREATE TRIGGER passage_added AFTER INSERT ON whisper_passage BEGIN {ADDED}; END",
    f"CREATE TRIGGER passage_removed AFTER DELETE ON whisper_passage BEGIN {REMOVED}; END",
    f"CREATE TRIGGER passage_changed AFTER UPDATE ON whisper_passage BEGIN {REMOVED}; {ADDED}; END",
)
BACK = {
    "postgresql": ("DROP INDEX passage_tokens",),
    "sqlite": (
        "DROP TRIGGER passage_added",
        "DROP TRIGGER passage_removed",
        "DROP TRIGGER passage_changed",
        "DROP TABLE whisper_passage_index",
    ),
}


def make(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in {"postgresql": (GIN,), "sqlite": (FTS5, *TRIGGERS)}[editor.connection.vendor]:
        editor.execute(statement)


def unmake(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in BACK[editor.connection.vendor]:
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("whisper", "0003_corrections_and_library")]
    operations = [migrations.RunPython(make, unmake)]
